"""A store as real Spark sees it, as a directory of Parquet files and as a Delta table by delta-spark; and as
byteledger sees it after Spark wrote to it. Usage: check_store_spark.py MANIFEST

The jars of delta-spark come from Maven Central, or first from what MAVEN_REPOSITORIES names, into .cache/ivy.
"""

import os
import pathlib
import shutil
import tempfile

from delivery_oracle import ROOT, Log, Tally, check_ours, check_refusal, check_store, read_stores
from delta import configure_spark_with_delta_pip
from pyspark.sql import functions as F
from spark_session import local_session

# Spark has these itself: fetching them again would take most of the time.
FETCHED_FOR_NOTHING = (
    "org.apache.hadoop:hadoop-client-api",
    "org.apache.hadoop:hadoop-client-runtime",
    "org.apache.parquet:parquet-hadoop",
    "org.apache.parquet:parquet-column",
    "org.apache.parquet:parquet-common",
    "org.apache.parquet:parquet-encoding",
    "org.apache.parquet:parquet-format-structures",
    "org.apache.parquet:parquet-jackson",
    "org.apache.logging.log4j:log4j-api",
    "org.apache.logging.log4j:log4j-core",
    "org.apache.logging.log4j:log4j-slf4j2-impl",
    "org.slf4j:slf4j-api",
)


def start_session():
    builder = (
        local_session("byteledger-store")
        .config("spark.jars.ivy", str(ROOT / ".cache" / "ivy"))
        .config("spark.jars.excludes", ",".join(FETCHED_FOR_NOTHING))
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .config("spark.databricks.delta.snapshotPartitions", "2")
        .config("spark.databricks.delta.retentionDurationCheck.enabled", "false")
    )
    repositories = os.environ.get("MAVEN_REPOSITORIES")
    if repositories:
        builder = builder.config("spark.jars.repositories", repositories)
    return configure_spark_with_delta_pip(builder).getOrCreate()


def dates_of(frame):
    return {str(date): count for date, count in frame.groupBy("date").count().collect()}


def answer_of(frame, question, user_agent_md5):
    rows = frame.where(
        (F.col("ip") == question["ip"])
        & (F.col("user_agent_md5") == user_agent_md5)
        & (F.col("request") == question["asset"])
        & F.col("byte_num").between(*question["range"])
    )
    return rows.select("byte_num").distinct().count()


def check_stage(tally, spark, store):
    path, log = store["path"], Log(store["log"])
    frames = {"spark, delta": spark.read.format("delta").load(path)}
    if store["isPlain"]:
        frames["spark.read.parquet"] = spark.read.parquet(path)
    for way, frame in frames.items():
        check_store(
            tally,
            way,
            store,
            log,
            lambda frame=frame: dates_of(frame),
            lambda *ask, frame=frame: answer_of(frame, *ask),
        )


def check_commits_of_spark(tally, spark, store, with_leftovers, folder):
    """Whatever Spark commits: we answer as the table then is, or refuse."""
    log = Log(store["log"])
    days = list(log.dates())

    def copy(name, source=store):
        path = str(folder / name)
        shutil.copytree(source["path"], path)
        return path, f"delta.`{path}`"

    def count_files(path):
        return len(list(pathlib.Path(path).glob("date=*/*.parquet")))

    path, table = copy("vacuum", with_leftovers)
    before = count_files(path)
    spark.sql(f"VACUUM {table} RETAIN 0 HOURS").collect()
    tally.equal("Spark vacuumed: files were deleted", count_files(path) < before, True)
    check_ours(tally, "Spark vacuumed", with_leftovers, path, Log(with_leftovers["log"]))

    path, table = copy("delete-day")
    spark.sql(f"DELETE FROM {table} WHERE date = DATE'{days[1]}'").collect()
    check_ours(tally, "Spark deleted a day", store, path, log.without(days[1]))

    foreign = "expected a file of byteledger"
    path, table = copy("delete-rows")
    spark.sql(f"DELETE FROM {table} WHERE request = '/episodes/1.mp3'").collect()
    check_refusal(tally, "Spark deleted rows", store, path, foreign)
    path, table = copy("optimize")
    spark.sql(f"OPTIMIZE {table}").collect()
    check_refusal(tally, "Spark compacted", store, path, foreign)

    # A deletion vector leaves our file in place and takes rows away: whoever ignores it answers wrongly.
    path, table = copy("deletion-vectors")
    spark.sql(f"ALTER TABLE {table} SET TBLPROPERTIES ('delta.enableDeletionVectors' = true)")
    spark.sql(f"DELETE FROM {table} WHERE request = '/episodes/1.mp3'").collect()
    check_refusal(tally, "Spark deleted rows by deletion vectors", store, path, "demands reader 3")


def main():
    spark = start_session()
    spark.sparkContext.setLogLevel("ERROR")
    tally = Tally("store")
    try:
        stores = read_stores()
        for store in stores:
            check_stage(tally, spark, store)
        with tempfile.TemporaryDirectory(prefix="byteledger-store-") as folder:
            check_commits_of_spark(tally, spark, stores[0], stores[2], pathlib.Path(folder))
    finally:
        spark.stop()
    tally.close()


if __name__ == "__main__":
    main()
