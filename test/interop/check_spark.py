"""Real Spark reads what byteledger wrote, with the replaced solution's own query. Usage: check_spark.py MANIFEST

Every question is asked in each way that Spark has of reading Parquet: by its vectorized reader and by
parquet-java's records, with filters pushed down to row groups, bloom filters and pages, and without.
The checksums of all pages are verified on the way.
"""

from delivery_oracle import COLUMNS, GROUP_COLUMNS, check_reader
from pyspark.sql import functions as F
from spark_session import local_session

# (filters pushed down, vectorized reader)
WAYS = (("true", "true"), ("true", "false"), ("false", "true"))


def start_session():
    return local_session("byteledger-interop").getOrCreate()


def totals_of(spark, path):
    frame = spark.read.parquet(path)
    assert frame.columns == COLUMNS, frame.columns
    byte_num = F.col("byte_num")
    row = frame.agg(F.count("*"), F.sum(byte_num), F.count_distinct(byte_num), F.min(byte_num), F.max(byte_num))
    return tuple(row.first())


def answer_of(spark, path, question, user_agent_md5):
    first, last = question["range"]
    found = set()
    for pushes, vectorized in WAYS:
        spark.conf.set("spark.sql.parquet.filterPushdown", pushes)
        spark.conf.set("spark.sql.parquet.enableVectorizedReader", vectorized)
        rows = spark.read.parquet(path).where(
            (F.col("ip") == question["ip"])
            & (F.col("user_agent_md5") == user_agent_md5)
            & (F.col("request") == question["asset"])
            & F.col("byte_num").between(first, last)
        )
        found.add(rows.select("byte_num").distinct().count())
    return found.pop() if len(found) == 1 else sorted(found)


def groups_of(spark, path):
    byte_num = F.col("byte_num")
    grouped = (
        spark.read.parquet(path)
        .groupBy(*GROUP_COLUMNS)
        .agg(F.count("*"), F.sum(byte_num), F.min(byte_num), F.max(byte_num))
    )
    width = len(GROUP_COLUMNS)
    return {tuple(row[:width]): tuple(row[width:]) for row in grouped.collect()}


def main():
    spark = start_session()
    spark.sparkContext.setLogLevel("ERROR")
    try:
        tally = check_reader(
            "spark",
            lambda path: totals_of(spark, path),
            lambda path, question, user_agent_md5: answer_of(spark, path, question, user_agent_md5),
            lambda path: groups_of(spark, path),
        )
    finally:
        spark.stop()
    tally.close()


if __name__ == "__main__":
    main()
