"""Makes spark/: a log that Apache Spark's Delta Lake wrote, with a checkpoint of two parts and without its data.

Adds to expected.json what Spark itself says. Usage: make_spark_table.py (after make_tables.py; pyspark 4.1.4,
delta-spark 4.4.0, Java 17)
"""

import json
import pathlib
import shutil

from delta import configure_spark_with_delta_pip
from pyspark.sql import SparkSession

HERE = pathlib.Path(__file__).parent


def start_spark():
    builder = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.databricks.delta.snapshotPartitions", "1")
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
    )
    return configure_spark_with_delta_pip(builder).getOrCreate()


def append(spark, path, day, count, version):
    frame = spark.range(count).selectExpr(
        f"DATE'2024-05-{day}' AS date",
        "1715904000 + id AS epoch",
        "'192.0.2.1' AS ip",
        "'Hörbuch/1.0' AS user_agent",
        "repeat('0', 32) AS user_agent_md5",
        "'/a' AS request",
        "id AS byte_num",
    )
    options = {"txnAppId": "loader", "txnVersion": version, "delta.checkpointInterval": 7}
    frame.coalesce(1).write.format("delta").mode("append").partitionBy("date").options(**options).save(str(path))


def main():
    spark = start_spark()
    path = HERE / "spark"
    shutil.rmtree(path, ignore_errors=True)
    for version in range(6):
        append(spark, path, 17 + version % 2, 4 + version, version)
    # So many files go into one part of a checkpoint.
    spark.conf.set("spark.databricks.delta.checkpoint.partSize", "5")
    spark.sql(f"OPTIMIZE delta.`{path}`")
    append(spark, path, 19, 9, 6)
    append(spark, path, 20, 3, 7)
    describe(spark, path)
    log = path / "_delta_log"
    for name in [*path.glob("date=*"), log / "_staged_commits", log / "_commits"]:
        shutil.rmtree(name, ignore_errors=True)
    for name in [*log.glob(".*.crc"), *path.glob(".*.crc")]:
        name.unlink()
    # What the checkpoint stands for is gone, as after Delta's own cleaning up.
    for version in range(7):
        for ending in ("json", "crc"):
            (log / f"{version:020}.{ending}").unlink()


def describe(spark, path):
    """Rows come from the data, which Spark still has; sizes from the files."""
    table = spark.read.format("delta").load(str(path))
    files = []
    for row in table.selectExpr("_metadata.file_path", "date", "byte_num").groupBy("file_path", "date").agg(
        {"*": "count", "byte_num": "max"}
    ).collect():
        name = row["file_path"].split("/spark/")[1]
        size = (path / name).stat().st_size
        files.append([name, size, str(row["date"]), row["count(1)"], row["max(byte_num)"]])
    answers = HERE / "expected.json"
    expected = json.loads(answers.read_text())
    version = spark.sql(f"DESCRIBE HISTORY delta.`{path}`").selectExpr("max(version)").first()[0]
    expected["spark"] = {"version": version, "files": sorted(files), "transactions": {"loader": 7}, "removed": 6}
    answers.write_text(json.dumps(expected, indent=2) + "\n")


if __name__ == "__main__":
    main()
