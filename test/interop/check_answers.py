"""byteledger's own counts and answers against the log, worked out in Python. Usage: check_answers.py MANIFEST"""

from delivery_oracle import Log, Tally, read_manifest


def main():
    tally = Tally("byteledger")
    for file in read_manifest():
        log = Log(file["log"])
        tally.equal(f"{file['name']}: rows", file["rows"], log.totals()[0])
        tally.equal(f"{file['name']}: kept requests", file["kept"], len(log.requests))
        for question in file["questions"]:
            tally.equal(f"{file['name']}: {question['name']}", question["coveredBytes"], log.answer(question))
    tally.close()


if __name__ == "__main__":
    main()
