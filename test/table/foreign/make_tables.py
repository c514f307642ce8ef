"""Makes the logs in this folder: tables that others wrote, for readers to be tried on. The data files are left out.

deltalake/  written by deltalake (delta-rs): appends with application transactions, an optimize, a checkpoint
            (snappy, one file), and an append after it
multipart/  the same state as two checkpoint files written by pyarrow (Arrow C++, zstd, no statistics), as
            engines do that write checkpoints in parts; no commits before them
loose/      the same state as one checkpoint file in which all fields are optional, as Spark has them, list items
            are named `array`, pages are of version 2 and gzip, and row groups have five rows

expected.json holds what deltalake itself says about each. spark/ is made by make_spark_table.py.
Usage: make_tables.py (deltalake 1.6.6, pyarrow 26.0.1)
"""

import datetime
import json
import pathlib
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

HERE = pathlib.Path(__file__).parent
SCHEMA = pa.schema(
    [
        pa.field("date", pa.date32(), nullable=False),
        pa.field("epoch", pa.int64(), nullable=False),
        pa.field("ip", pa.string(), nullable=False),
        pa.field("user_agent", pa.string(), nullable=False),
        pa.field("user_agent_md5", pa.string(), nullable=False),
        pa.field("request", pa.string(), nullable=False),
        pa.field("byte_num", pa.int64(), nullable=False),
    ]
)


def rows(day, count):
    date = datetime.date(2024, 5, day)
    epoch = int(datetime.datetime(2024, 5, day, tzinfo=datetime.timezone.utc).timestamp())
    texts = {"ip": "192.0.2.1", "user_agent": "Hörbuch/1.0", "user_agent_md5": "0" * 32, "request": "/a"}
    columns = {name: [text] * count for name, text in texts.items()}
    columns |= {"date": [date] * count, "epoch": [epoch + i for i in range(count)], "byte_num": list(range(count))}
    return pa.table(columns, schema=SCHEMA)


def append(table, day, count, version):
    properties = CommitProperties(app_transactions=[Transaction("loader", version, None), Transaction(f"run-{version}", 1)])
    write_deltalake(table, rows(day, count), partition_by=["date"], mode="append", commit_properties=properties)


def describe(path):
    table = DeltaTable(str(path))
    files = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    return {
        "version": table.version(),
        "files": sorted(
            [row["path"], row["size_bytes"], str(row["partition.date"]), row["num_records"], row["max.byte_num"]]
            for row in files
        ),
        "transactions": {name: table.transaction_version(name) for name in ("loader", "run-0")},
        # The appends of two days were rewritten into one file each.
        "removed": 5,
    }


def strip(path):
    for data in path.glob("date=*"):
        shutil.rmtree(data)


def fresh(name):
    path = HERE / name
    shutil.rmtree(path, ignore_errors=True)
    (path / "_delta_log").mkdir(parents=True)
    return path


def main():
    expected = {}
    whole = fresh("deltalake")
    for version in range(5):
        append(whole, 17 + version % 2, 4 + version, version)
    table = DeltaTable(str(whole))
    table.optimize.compact()
    table.create_checkpoint()
    state = describe(whole)
    checkpoint = pq.read_table(whole / "_delta_log" / f"{table.version():020}.checkpoint.parquet")
    append(whole, 19, 9, 9)
    expected["deltalake"] = describe(whole)

    parts = fresh("multipart")
    half = checkpoint.num_rows // 2
    for part, piece in enumerate([checkpoint.slice(0, half), checkpoint.slice(half)], 1):
        name = f"{table.version():020}.checkpoint.{part:010}.{2:010}.parquet"
        pq.write_table(piece, parts / "_delta_log" / name, compression="zstd", write_statistics=False)
    hint = {"version": table.version(), "size": checkpoint.num_rows, "parts": 2}
    (parts / "_delta_log" / "_last_checkpoint").write_text(json.dumps(hint))
    expected["multipart"] = {**state, **describe(parts)}

    loose = fresh("loose")
    pq.write_table(
        checkpoint.cast(optional(checkpoint.schema)),
        loose / "_delta_log" / f"{table.version():020}.checkpoint.parquet",
        compression="gzip",
        use_compliant_nested_type=False,
        data_page_version="2.0",
        row_group_size=5,
        use_dictionary=False,
    )
    expected["loose"] = state
    for path in (whole, parts, loose):
        strip(path)
    (HERE / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")


def optional(schema):
    """The schema with every field nullable, as Spark has them."""

    def relax(kind):
        if pa.types.is_struct(kind):
            return pa.struct([pa.field(field.name, relax(field.type)) for field in kind])
        if pa.types.is_list(kind):
            return pa.list_(pa.field("array", relax(kind.value_type)))
        if pa.types.is_map(kind):
            return pa.map_(kind.key_type, kind.item_type)
        return kind

    return pa.schema([pa.field(field.name, relax(field.type)) for field in schema])


if __name__ == "__main__":
    main()
