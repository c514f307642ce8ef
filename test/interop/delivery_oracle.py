"""What a delivery log says, worked out in plain Python from the log itself, and a tally of checks.

Nothing here reads Parquet, and nothing comes from byteledger but the answers that are compared.
"""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
from collections import defaultdict
from datetime import date, datetime, timezone


class Tally:
    """Counts checks and prints each; `close` prints the closing line and sets the exit code."""

    def __init__(self, reader):
        self.reader = reader
        self.passed = 0
        self.failed = 0

    def equal(self, what, found, expected):
        if found == expected:
            self.passed += 1
            print(f"ok   {self.reader}: {what}", flush=True)
        else:
            self.failed += 1
            print(f"FAIL {self.reader}: {what}: expected {expected!r}, found {found!r}", flush=True)

    def close(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed else 0)


class Log:
    """The kept requests of a delivery log, as (date, epoch, ip, user_agent, request, first, last)."""

    def __init__(self, path):
        self.requests = []
        with open(path, "rb") as lines:
            for line in lines.read().split(b"\n"):
                fields = line.decode("utf-8").split("\t")
                if line.startswith(b"#") or len(fields) != 7 or fields[5] not in ("200", "206"):
                    continue
                first, last = (int(text) for text in fields[6].split("-"))
                when = datetime.fromisoformat(f"{fields[0]}T{fields[1]}").replace(tzinfo=timezone.utc)
                day = date.fromisoformat(fields[0])
                self.requests.append((day, int(when.timestamp()), *fields[2:5], first, last))

    def totals(self):
        """(rows, sum, distinct, min, max) of byte_num, every delivered byte being one row."""
        ranges = [request[5:] for request in self.requests]
        delivered = bytearray(max(last for _, last in ranges) + 1)
        for first, last in ranges:
            delivered[first : last + 1] = b"\1" * (last + 1 - first)
        return (
            sum(last - first + 1 for first, last in ranges),
            sum((first + last) * (last - first + 1) // 2 for first, last in ranges),
            delivered.count(1),
            min(first for first, _ in ranges),
            max(last for _, last in ranges),
        )

    def dates(self):
        """{date: rows}, every delivered byte being one row."""
        found = defaultdict(int)
        for day, *_, first, last in self.requests:
            found[day.isoformat()] += last - first + 1
        return dict(sorted(found.items()))

    def without(self, day):
        """The same log as if nothing had happened on a day."""
        log = Log.__new__(Log)
        log.requests = [request for request in self.requests if request[0].isoformat() != day]
        return log

    def answer(self, question):
        """Number of distinct bytes of the range that this listener got."""
        first, last = question["range"]
        wanted = (question["ip"], question["userAgent"], question["asset"])
        delivered = bytearray(last - first + 1)
        for request in self.requests:
            start, end = max(request[5], first), min(request[6], last)
            if request[2:5] == wanted and start <= end:
                delivered[start - first : end - first + 1] = b"\1" * (end - start + 1)
        return delivered.count(1)

    def groups(self):
        """{(date, epoch, ip, user_agent, user_agent_md5, request): (rows, sum, min, max)}: all columns of all rows."""
        found = defaultdict(lambda: [0, 0, sys.maxsize, -1])
        for day, epoch, ip, user_agent, request, first, last in self.requests:
            group = found[(day, epoch, ip, user_agent, md5(user_agent), request)]
            group[0] += last - first + 1
            group[1] += (first + last) * (last - first + 1) // 2
            group[2] = min(group[2], first)
            group[3] = max(group[3], last)
        return {key: tuple(values) for key, values in found.items()}


def md5(text):
    """Lower-case hex MD5 of a text's UTF-8, as the replaced solution asks by it."""
    return hashlib.md5(text.encode("utf-8"), usedforsecurity=False).hexdigest()


COLUMNS = ["date", "epoch", "ip", "user_agent", "user_agent_md5", "request", "byte_num"]
GROUP_COLUMNS = COLUMNS[:-1]


def read_manifest():
    """The files to check, from the JSON that the first argument names; see run-interop.ts."""
    return read_member("files")


def read_stores():
    """The stores to check: the same store at several moments; see store-stages.ts."""
    return read_member("stores")


def read_member(name):
    with open(sys.argv[1], encoding="utf-8") as text:
        return json.load(text)[name]


ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def run_byteledger(*words):
    """Our built command line: (exit code, standard output, standard error)."""
    environment = {name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"}
    program = ["node", "dist/cli.js", *map(str, words)]
    run = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    return run.returncode, run.stdout, run.stderr


def ask_byteledger(path, question):
    """Distinct bytes that `query` finds, or what it says when it refuses."""
    first, last = question["range"]
    words = ["--asset", question["asset"], "--ip", question["ip"], "--user-agent", question["userAgent"]]
    code, out, err = run_byteledger("query", "--store", path, *words, "--range", f"{first}-{last}", "--json")
    return json.loads(out)["coveredBytes"] if code in (0, 1) else f"exit {code}: {err.strip()}"


def check_store(tally, way, store, log, dates_of, answer_of):
    """Checks one way of reading a store.

    dates_of() -> {date: rows}
    answer_of(question, user_agent_md5) -> distinct bytes
    """
    what = f"{store['name']}, {way}"
    tally.equal(f"{what}: rows of each date", dict(sorted(dates_of().items())), log.dates())
    for question in store["questions"]:
        found = answer_of(question, md5(question["userAgent"]))
        tally.equal(f"{what}: {question['name']}", found, log.answer(question))


def check_ours(tally, what, store, path, log):
    """`query` gives the right answers for a table that others have written to."""
    for question in store["questions"]:
        tally.equal(f"{what}: {question['name']}", ask_byteledger(path, question), log.answer(question))


def check_refusal(tally, what, store, path, reason):
    """`query` refuses every question, saying why; it may answer only what cannot be wrong."""
    found = [ask_byteledger(path, question) for question in store["questions"]]
    wrong = [said for said in found if not str(said).startswith("exit 2: ") or reason not in said]
    tally.equal(f"{what}: every question is refused", wrong, [])


def check_reader(name, totals_of, answer_of, groups_of):
    """Checks one reader on every file of the manifest.

    totals_of(path) -> (rows, sum, distinct, min, max) of byte_num
    answer_of(path, question, user_agent_md5) -> distinct bytes
    groups_of(path) -> as Log.groups(); asked for files that the manifest marks as small
    """
    tally = Tally(name)
    for file in read_manifest():
        log = Log(file["log"])
        tally.equal(f"{file['name']}: rows, sum, distinct, min and max", totals_of(file["parquet"]), log.totals())
        for question in file["questions"]:
            found = answer_of(file["parquet"], question, md5(question["userAgent"]))
            tally.equal(f"{file['name']}: {question['name']}", found, log.answer(question))
        if file["isSmall"]:
            found = groups_of(file["parquet"])
            expected = log.groups()
            differing = {key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key)}
            tally.equal(f"{file['name']}: every column of every row", sorted(differing)[:3], [])
    return tally
