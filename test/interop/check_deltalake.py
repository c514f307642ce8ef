"""deltalake (delta-rs) and Polars read the tables that byteledger commits, and byteledger reads deltalake's.

Usage: check_deltalake.py [MANIFEST] (the manifest is not needed). Tables are made by test/table/interop-table.ts.
"""

import datetime
import json
import os
import pathlib
import subprocess
import tempfile
import urllib.parse

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from delivery_oracle import Tally
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CHECKPOINT_INTERVAL = 100
# Rows of the two files that interop-table.ts writes, and how many different positions they have.
ROWS = 1100 + 1101
DISTINCT = 901

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


def byteledger(*words):
    """What our program says about a table, after it did what the words say."""
    program = ["node", "--conditions=source", "--import", "tsx", "test/table/interop-table.ts", *map(str, words)]
    environment = {name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"}
    run = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def deltalake(path):
    """What deltalake says about a table, in the same shape."""
    table = DeltaTable(str(path))
    files = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    return {
        "version": table.version(),
        "id": str(table.metadata().id),
        "files": sorted(
            [
                urllib.parse.unquote(row["path"]),
                row["size_bytes"],
                str(row["partition.date"]),
                row.get("num_records"),
                row.get("max.byte_num"),
            ]
            for row in files
        ),
    }


def agree(tally, what, path):
    ours = byteledger("read", path)
    theirs = deltalake(path)
    for name in theirs:
        tally.equal(f"{what}: {name}", theirs[name], ours[name])
    return ours


def check_rows(tally, what, path):
    table = DeltaTable(str(path))
    protocol = table.protocol()
    tally.equal(f"{what}: protocol", (protocol.min_reader_version, protocol.min_writer_version), (1, 2))
    tally.equal(f"{what}: partitions", table.metadata().partition_columns, ["date"])
    rows = table.to_pyarrow_table()
    tally.equal(f"{what}: columns", rows.schema.names, SCHEMA.names)
    tally.equal(f"{what}: types", rows.schema.types, SCHEMA.types)
    tally.equal(f"{what}: rows", rows.num_rows, ROWS)
    tally.equal(f"{what}: distinct positions", pc.count_distinct(rows["byte_num"]).as_py(), DISTINCT)
    day = table.to_pyarrow_table(filters=[("date", "=", datetime.date(2024, 5, 18))], columns=["byte_num"])
    tally.equal(f"{what}: rows of one day", day.num_rows, 1101)
    wanted = (pl.col("request") == "/episodes/0.mp3") & pl.col("byte_num").is_between(290, 310)
    answer = pl.scan_delta(str(path)).filter(wanted).select(pl.len(), pl.col("byte_num").n_unique()).collect()
    # Positions 290-310 were sent once, and from 300 on once more.
    tally.equal(f"{what}: Polars, one question", answer.row(0), (32, 21))
    newest = table.version()
    tally.equal(f"{what}: newest transaction", table.transaction_version(f"sha256:{newest}"), 1)
    tally.equal(f"{what}: first transaction", table.transaction_version("sha256:0"), 1)


def check_ours(tally, folder):
    """Tables of ours: commits alone, commits and a checkpoint, a checkpoint alone."""
    path = folder / "ours"
    byteledger("make", path, 3)
    agree(tally, "our commits", path)
    check_rows(tally, "our commits", path)
    byteledger("make", path, CHECKPOINT_INTERVAL)
    log = path / "_delta_log"
    tally.equal("our checkpoint is there", len(list(log.glob("*.checkpoint.parquet"))), 1)
    agree(tally, "our checkpoint and commits", path)
    check_rows(tally, "our checkpoint and commits", path)
    for version in range(CHECKPOINT_INTERVAL + 1):
        (log / f"{version:020}.json").unlink()
    agree(tally, "our checkpoint without its commits", path)
    check_rows(tally, "our checkpoint without its commits", path)
    append(path, 19, 5)
    mixed = agree(tally, "deltalake appended to our table", path)
    tally.equal("deltalake appended to our table: files", len(mixed["files"]), 3)
    byteledger("make", path, 1)
    agree(tally, "and we committed after it", path)


def append(path, day, count, version=0):
    date = datetime.date(2024, 5, day)
    epoch = int(datetime.datetime(2024, 5, day, tzinfo=datetime.timezone.utc).timestamp())
    texts = {"ip": "192.0.2.1", "user_agent": "x", "user_agent_md5": "0" * 32, "request": "/a"}
    columns = {name: [text] * count for name, text in texts.items()}
    columns |= {"date": [date] * count, "epoch": [epoch] * count, "byte_num": list(range(count))}
    properties = CommitProperties(app_transactions=[Transaction("loader", version)])
    rows = pa.table(columns, schema=SCHEMA)
    write_deltalake(str(path), rows, partition_by=["date"], mode="append", commit_properties=properties)


def check_theirs(tally, folder):
    """Tables of deltalake: commits alone, after an optimize, a checkpoint, a checkpoint alone."""
    path = folder / "theirs"
    for version in range(6):
        append(path, 17 + version % 3, 4 + version, version)
    ours = agree(tally, "deltalake's commits", path)
    tally.equal("deltalake's commits: transactions", ours["transactions"], {"loader": 5})
    table = DeltaTable(str(path))
    table.optimize.compact()
    ours = agree(tally, "deltalake's optimize", path)
    tally.equal("deltalake's optimize: files and tombstones", (len(ours["files"]), len(ours["removed"])), (3, 6))
    table.create_checkpoint()
    for version in range(table.version() + 1):
        (path / "_delta_log" / f"{version:020}.json").unlink()
    ours = agree(tally, "deltalake's checkpoint without its commits", path)
    tally.equal("deltalake's checkpoint: transactions", ours["transactions"], {"loader": 5})
    tally.equal("deltalake's checkpoint: tombstones", len(ours["removed"]), 6)
    byteledger("make", path, 2)
    agree(tally, "we committed on top of deltalake's checkpoint", path)


def main():
    tally = Tally("deltalake")
    with tempfile.TemporaryDirectory(prefix="byteledger-delta-") as folder:
        check_ours(tally, pathlib.Path(folder))
        check_theirs(tally, pathlib.Path(folder))
    tally.close()


if __name__ == "__main__":
    main()
