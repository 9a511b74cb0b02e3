"""`python -m benchmarks.readers [NAME ...]`: each reader against the usual way to read its format, as ratios.

Every reader has a function that writes its file and returns the ways to read it, ours
first, with the least ratio promised. Medians of several rounds in turn, in one process.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import xor
from pathlib import Path

from analyzer.logs import ReadOptions, plan_log, read_part

RECORDS, ROUNDS = 500_000, 3


@dataclass(frozen=True)
class Case:
    """Two ways to read one file; both return how many positions they found."""

    peer: str
    least_ratio: float
    ours: Callable[[], int]
    theirs: Callable[[], int]


def positions(path: Path) -> int:
    """Read a log as zonelog does, hashing apart."""
    plan = plan_log(str(path), ReadOptions())
    return sum(read_part(plan, part, ReadOptions()).records.height for part in plan.parts)


def _sentence(body: str) -> str:
    return f"${body}*{reduce(xor, body.encode()):02X}\r\n"


def _clock(tenth: int) -> str:
    second = tenth // 10
    return f"{second // 3600 % 24:02}{second // 60 % 60:02}{second % 60:02}.{tenth % 10}0"


def nmea(folder: Path) -> Case:
    """RMC alone: what pynmea2 reads with its checksums verified."""
    import pynmea2

    path = folder / "drive.nmea"
    body = "GNRMC,{},A,3511.{:04},N,12649.{:04},E,002.70,085.0,170326,,,A"
    lines = (_sentence(body.format(_clock(i), i % 9999, i % 7919)) for i in range(RECORDS))
    path.write_text("".join(lines), encoding="ascii", newline="")

    def theirs() -> int:
        found = 0
        with path.open(encoding="ascii", newline="") as file:
            for line in file:
                said = pynmea2.parse(line, check=True)
                found += said.status == "A" and said.latitude > 0 and said.longitude > 0 and said.datetime is not None
        return found

    return Case("pynmea2", 5, lambda: positions(path), theirs)


def dtg(folder: Path) -> Case:
    """DTG without line ends: a plain loop over slices of bytes, each record a tuple with a `datetime`."""
    import datetime as dt

    path = folder / "drive.dtg"
    header = "DTG".ljust(20, "#") + "KMJHT18BP9C012345" + "11" + "광주12가3456".ljust(9, "#") + "3801100123"
    record = "001200012342603{:02}{:02}{:02}{:02}000050120012682{:04}03519{:04}085+000.1-000.200"
    rows = (
        record.format(1 + i // 86400 % 28, i // 3600 % 24, i // 60 % 60, i % 60, i % 9999, i % 7919)
        for i in range(RECORDS)
    )
    path.write_bytes(header.encode("cp949") + b"#" * 18 + "".join(rows).encode())
    zone = dt.timezone(dt.timedelta(hours=9))

    def theirs() -> int:
        data, found = path.read_bytes(), []
        for at in range(79, len(data), 68):
            row = data[at : at + 68].decode("ascii")
            year, month, day, hour, minute, second, part = (int(row[11 + 2 * k : 13 + 2 * k]) for k in range(7))
            moment = dt.datetime(2000 + year, month, day, hour, minute, second, part * 10_000, tzinfo=zone)
            x, y = int(row[33:42]) / 1e6, int(row[42:51]) / 1e6
            if row[66:68] != "11":
                found.append((moment, x, y, int(row[25:28]), int(row[51:54]), int(row[4:11])))
        return len(found)

    return Case("a Python loop", 5, lambda: positions(path), theirs)


READERS: dict[str, Callable[[Path], Case]] = {"dtg": dtg, "nmea": nmea}


def _seconds(function: Callable[[], int]) -> float:
    start = time.perf_counter()
    if function() != RECORDS:
        raise SystemExit("the two do not find the same positions")
    return time.perf_counter() - start


def measure(name: str) -> bool:
    """Measure one reader; return whether it keeps its promise."""
    with tempfile.TemporaryDirectory() as folder:
        case = READERS[name](Path(folder))
        rounds = [(_seconds(case.ours), _seconds(case.theirs)) for _ in range(ROUNDS)]
    ours, theirs = (statistics.median(side) for side in zip(*rounds, strict=True))
    kept = theirs / ours >= case.least_ratio
    print(
        f"{name}: {RECORDS} records in {ours:.2f} s, {case.peer} {theirs:.2f} s: {theirs / ours:.1f} x "
        f"(at least {case.least_ratio:g}: {'kept' if kept else 'MISSED'})"
    )
    return kept


if __name__ == "__main__":
    outcomes = [measure(name) for name in sys.argv[1:] or READERS]
    sys.exit(not all(outcomes))
