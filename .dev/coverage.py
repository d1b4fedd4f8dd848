"""Sums gcovr's table by folder and room, and fails where a folder is below what it must have.

usage: coverage.py TABLE.csv"""

import csv
import sys

LEAST = {"core": 95, "policy": 95, "proxy": 85}


def main():
    sums = {}
    with open(sys.argv[1], encoding="utf-8") as table:
        for row in csv.DictReader(table):
            parts = row["filename"].split("/")
            for name in {parts[0], "/".join(parts[:2]) if parts[0] == "proxy" else parts[0]}:
                covered, total = sums.get(name, (0, 0))
                sums[name] = covered + int(row["line_covered"]), total + int(row["line_total"])
    good = True
    for name, (covered, total) in sorted(sums.items()):
        share = 100 * covered / total
        least = LEAST.get(name)
        below = least is not None and share < least
        good = good and not below
        print(f"{name:16} {covered:6} of {total:6} lines  {share:5.1f} %" + (f"  (at least {least} %)" if least else "")
              + ("  TOO FEW" if below else ""))
    return 0 if good and set(LEAST) <= set(sums) else 1


if __name__ == "__main__":
    sys.exit(main())
