"""A store as deltalake, Polars and pyarrow see it, and as byteledger sees it after deltalake wrote to it.

Usage: check_store.py MANIFEST
"""

import datetime
import json
import pathlib
import shutil
import tempfile

import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
from check_polars import count_wanted as count_by_polars
from check_pyarrow import count_wanted as count_by_arrow
from delivery_oracle import (
    Log,
    Tally,
    ask_byteledger,
    check_ours,
    check_refusal,
    check_store,
    md5,
    read_stores,
    run_byteledger,
)
from deltalake import DeltaTable, write_deltalake


def polars_dates(scan):
    rows = scan.group_by("date").agg(pl.len()).collect().iter_rows()
    return {str(date): count for date, count in rows}


def arrow_dates(dataset):
    counts = dataset.to_table(columns=["date"]).group_by("date").aggregate([("date", "count")]).to_pylist()
    return {str(row["date"]): row["date_count"] for row in counts}


def check_stage(tally, store):
    path, log = store["path"], Log(store["log"])
    rows = sum(log.dates().values())
    tally.equal(f"{store['name']}: rows that inspect counts", store["rows"], rows)
    for question in store["questions"]:
        tally.equal(f"{store['name']}, query: {question['name']}", question["coveredBytes"], log.answer(question))
    frame = pl.scan_delta(path)
    check_store(
        tally, "polars.scan_delta", store, log, lambda: polars_dates(frame), lambda *ask: count_by_polars(frame, *ask)
    )
    eager = pl.read_delta(path)
    tally.equal(f"{store['name']}, polars.read_delta: rows", eager.height, rows)
    dataset = DeltaTable(path).to_pyarrow_dataset()
    check_store(
        tally, "deltalake", store, log, lambda: arrow_dates(dataset), lambda *ask: count_by_arrow(dataset, *ask)
    )
    if store["isPlain"]:
        check_directory(tally, store, log)


def check_directory(tally, store, log):
    """Readers that know directories of partitions and nothing of Delta."""
    path = store["path"]
    dates = ds.partitioning(pa.schema([("date", pa.date32())]), flavor="hive")
    dataset = ds.dataset(path, format="parquet", partitioning=dates)
    check_store(
        tally, "pyarrow.dataset", store, log, lambda: arrow_dates(dataset), lambda *ask: count_by_arrow(dataset, *ask)
    )
    day, rows = next(iter(log.dates().items()))
    of_day = ds.field("date") == datetime.date.fromisoformat(day)
    tally.equal(f"{store['name']}, pyarrow.dataset: rows of {day}", dataset.count_rows(filter=of_day), rows)
    fragments = {fragment.path.split("/")[-2] for fragment in dataset.get_fragments(filter=of_day)}
    tally.equal(f"{store['name']}, pyarrow.dataset: directories read for {day}", fragments, {f"date={day}"})
    frame = pl.scan_parquet(f"{path}/**/*.parquet", hive_partitioning=True)
    check_store(
        tally, "polars.scan_parquet", store, log, lambda: polars_dates(frame), lambda *ask: count_by_polars(frame, *ask)
    )


def check_commits_of_deltalake(tally, store, with_leftovers, folder):
    """Whatever deltalake commits: we answer as the table then is, or refuse."""
    log = Log(store["log"])
    days = list(log.dates())

    def copy(name, source=store):
        path = str(folder / name)
        shutil.copytree(source["path"], path)
        return path

    path = copy("vacuum", with_leftovers)
    gone = DeltaTable(path).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    tally.equal("deltalake vacuumed: files were deleted", len(gone) > 0, True)
    check_ours(tally, "deltalake vacuumed", with_leftovers, path, Log(with_leftovers["log"]))
    code, _, err = run_byteledger("inspect", path, "--verify", "--json")
    tally.equal("deltalake vacuumed: inspect", (code, err), (0, ""))

    path = copy("checkpoint")
    DeltaTable(path).create_checkpoint()
    check_ours(tally, "deltalake wrote a checkpoint", store, path, log)
    DeltaTable(path).cleanup_metadata()
    check_ours(tally, "deltalake cleaned the log", store, path, log)

    path = copy("delete-day")
    DeltaTable(path).delete(f"date = '{days[0]}'")
    rest = log.without(days[0])
    check_ours(tally, "deltalake deleted a day", store, path, rest)
    # Our next run goes on top of it: all that the day lost comes back, and the rest is there twice.
    again = folder / "again.log"
    again.write_text("# taken again\n" + pathlib.Path(store["log"]).read_text("utf-8"), "utf-8")
    code, out, err = run_byteledger("process", again, "--store", path, "--quiet", "--json")
    tally.equal("deltalake deleted a day: the next run", (code, err), (0, ""))
    tally.equal("deltalake deleted a day: rows of the next run", json.loads(out)["rows"], sum(log.dates().values()))
    check_ours(tally, "deltalake deleted a day, then our next run", store, path, log)

    foreign = "expected a file of byteledger"
    path = copy("delete-rows")
    DeltaTable(path).delete("request = '/episodes/1.mp3'")
    check_refusal(tally, "deltalake deleted rows", store, path, foreign)
    path = copy("optimize")
    DeltaTable(path).optimize.compact()
    check_refusal(tally, "deltalake compacted", store, path, foreign)
    path = copy("append")
    rows = DeltaTable(path).to_pyarrow_dataset().head(5)
    write_deltalake(path, rows, mode="append", partition_by=["date"])
    check_refusal(tally, "deltalake appended rows", store, path, foreign)

    path = copy("restore")
    DeltaTable(path).restore(0)
    first = DeltaTable(path).to_pyarrow_dataset()
    for question in store["questions"]:
        found = count_by_polars(pl.scan_delta(path), question, md5(question["userAgent"]))
        tally.equal(f"deltalake restored version 0: {question['name']}", ask_byteledger(path, question), found)
    tally.equal("deltalake restored version 0: fewer rows", first.count_rows() < sum(log.dates().values()), True)


def main():
    tally = Tally("store")
    stores = read_stores()
    for store in stores:
        check_stage(tally, store)
    with tempfile.TemporaryDirectory(prefix="byteledger-store-") as folder:
        check_commits_of_deltalake(tally, stores[0], stores[2], pathlib.Path(folder))
    tally.close()


if __name__ == "__main__":
    main()
