"""Polars (its own Parquet reader) reads what byteledger wrote. Usage: check_polars.py MANIFEST"""

import polars as pl
from delivery_oracle import COLUMNS, GROUP_COLUMNS, check_reader


def totals_of(path):
    scan = pl.scan_parquet(path)
    assert scan.collect_schema().names() == COLUMNS, scan.collect_schema()
    byte_num = pl.col("byte_num")
    totals = scan.select(
        pl.len().cast(pl.Int64).alias("rows"),
        byte_num.sum().alias("sum"),
        byte_num.n_unique().alias("distinct"),
        byte_num.min().alias("min"),
        byte_num.max().alias("max"),
    )
    return totals.collect(engine="streaming").row(0)


def count_wanted(scan, question, user_agent_md5):
    """Distinct bytes that answer a question."""
    first, last = question["range"]
    wanted = (
        (pl.col("ip") == question["ip"])
        & (pl.col("user_agent_md5") == user_agent_md5)
        & (pl.col("request") == question["asset"])
        & pl.col("byte_num").is_between(first, last)
    )
    return scan.filter(wanted).select(pl.col("byte_num").n_unique()).collect().item()


def answer_of(path, question, user_agent_md5):
    return count_wanted(pl.scan_parquet(path), question, user_agent_md5)


def groups_of(path):
    byte_num = pl.col("byte_num")
    aggregates = [
        pl.len().alias("rows"),
        byte_num.sum().alias("sum"),
        byte_num.min().alias("min"),
        byte_num.max().alias("max"),
    ]
    rows = pl.scan_parquet(path).group_by(GROUP_COLUMNS).agg(aggregates).collect().iter_rows()
    width = len(GROUP_COLUMNS)
    return {row[:width]: row[width:] for row in rows}


if __name__ == "__main__":
    check_reader("polars", totals_of, answer_of, groups_of).close()
