"""How the Spark of this machine is started: two threads, nothing listening but on the loopback address."""

from pyspark.sql import SparkSession


def local_session(name):
    """A builder, so that more can be set; the checksums of all pages are verified."""
    return (
        SparkSession.builder.master("local[2]")
        .appName(name)
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.memory", "3g")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.hadoop.parquet.page.verify-checksum.enabled", "true")
        .config("spark.hadoop.parquet.filter.columnindex.enabled", "true")
    )
