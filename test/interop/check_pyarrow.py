"""pyarrow (Arrow C++) reads what byteledger wrote. Usage: check_pyarrow.py MANIFEST"""

import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from delivery_oracle import COLUMNS, GROUP_COLUMNS, check_reader


def totals_of(path):
    # The checksums of all pages are verified on the way.
    file = pq.ParquetFile(path, page_checksum_verification=True)
    assert file.schema_arrow.names == COLUMNS, file.schema_arrow.names
    byte_num = file.read(columns=["byte_num"])["byte_num"]
    limits = pc.min_max(byte_num)
    return (
        file.metadata.num_rows,
        pc.sum(byte_num).as_py(),
        pc.count_distinct(byte_num).as_py(),
        limits["min"].as_py(),
        limits["max"].as_py(),
    )


def count_wanted(dataset, question, user_agent_md5):
    """Distinct bytes that answer a question."""
    first, last = question["range"]
    wanted = (
        (ds.field("ip") == question["ip"])
        & (ds.field("user_agent_md5") == user_agent_md5)
        & (ds.field("request") == question["asset"])
        & (ds.field("byte_num") >= first)
        & (ds.field("byte_num") <= last)
    )
    return pc.count_distinct(dataset.to_table(columns=["byte_num"], filter=wanted)["byte_num"]).as_py()


def answer_of(path, question, user_agent_md5):
    return count_wanted(ds.dataset(path, format="parquet"), question, user_agent_md5)


def groups_of(path):
    table = pq.read_table(path).combine_chunks()
    aggregates = [("byte_num", name) for name in ("count", "sum", "min", "max")]
    grouped = table.group_by(GROUP_COLUMNS).aggregate(aggregates)
    names = [f"byte_num_{name}" for _, name in aggregates]
    return {
        tuple(row[column] for column in GROUP_COLUMNS): tuple(row[name] for name in names) for row in grouped.to_pylist()
    }


if __name__ == "__main__":
    check_reader("pyarrow", totals_of, answer_of, groups_of).close()
