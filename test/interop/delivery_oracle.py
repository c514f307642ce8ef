"""What a delivery log says, worked out in plain Python from the log itself, and a tally of checks.

Nothing here reads Parquet, and nothing comes from byteledger but the answers that are compared.
"""

import hashlib
import json
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
    with open(sys.argv[1], encoding="utf-8") as text:
        return json.load(text)["files"]


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
