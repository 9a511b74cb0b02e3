"""`python -m benchmarks.tables [NAME ...]`: plain tables against pandas, as ratios.

Each case writes a table of fixes, reads it with both (every column, times as instants,
nothing hashed), compares how many fixes they see, and prints the ratio of the medians.
"""

import gzip
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl

from analyzer.logs import ReadOptions, plan_log, read_part

ROWS, WORKBOOK_ROWS, ROUNDS = 500_000, 20_000, 3
Count = Callable[[Path], int]
Case = tuple[Path, Count, float]


def ours(path: Path) -> int:
    """Return how many records zonelog reads."""
    plan = plan_log(str(path), ReadOptions())
    return sum(read_part(plan, part, ReadOptions()).records.height for part in plan.parts)


def fixes(rows: int) -> pl.DataFrame:
    """Return fixes of four vehicles at 10 Hz, times as text with an offset."""
    number = pl.int_range(rows, eager=True)
    start = pl.datetime(2026, 3, 17, 1, time_zone="UTC", time_unit="us")
    return pl.select(
        vehicle_id=pl.lit(number * 4 // rows).cast(pl.String),
        timestamp=(start + pl.duration(milliseconds=100 * pl.lit(number))).dt.strftime("%Y-%m-%dT%H:%M:%S%.3f+00:00"),
        latitude=35.15 + pl.lit(number) * 1e-7,
        longitude=126.8 + pl.lit(number) * 1e-7,
        speed_kph=(pl.lit(number) % 70) / 10,
        control_mode=pl.lit("autonomous"),
    )


def _pandas(path: Path, **options: str) -> int:
    import pandas as pd

    frame = pd.read_csv(path, **options)
    return int(pd.to_datetime(frame["timestamp"], format="ISO8601").notna().sum())


def csv(folder: Path) -> Case:
    """UTF-8 with commas."""
    fixes(ROWS).write_csv(folder / "log.csv")
    return folder / "log.csv", _pandas, 1.0


def psv_cp949(folder: Path) -> Case:
    """Korean Windows, separated by bars."""
    text = fixes(ROWS).with_columns(vehicle_id="청소" + pl.col("vehicle_id")).write_csv(separator="|")
    (folder / "log.psv").write_bytes(text.encode("cp949"))
    return folder / "log.psv", partial(_pandas, sep="|", encoding="cp949"), 0.5


def csv_gz(folder: Path) -> Case:
    """Packed by gzip."""
    data = fixes(ROWS).write_csv().encode()
    (folder / "log.csv.gz").write_bytes(gzip.compress(data, 6, mtime=0))
    return folder / "log.csv.gz", _pandas, 0.5


def xlsx(folder: Path) -> Case:
    """A workbook, which pandas reads with openpyxl."""

    def theirs(path: Path) -> int:
        import pandas as pd

        return len(pd.read_excel(path))

    fixes(WORKBOOK_ROWS).write_excel(folder / "log.xlsx")
    return folder / "log.xlsx", theirs, 1.0


READERS: dict[str, Callable[[Path], Case]] = {"csv": csv, "psv_cp949": psv_cp949, "csv_gz": csv_gz, "xlsx": xlsx}
"""Name -> function that writes a table and says how else to count its fixes, and the least ratio."""


def seconds(count: Count, path: Path) -> float:
    """Return how long reading takes; all fixes must be there."""
    started = time.perf_counter()
    found = count(path)
    took = time.perf_counter() - started
    if found != (WORKBOOK_ROWS if path.suffix == ".xlsx" else ROWS):
        raise SystemExit(f"{path.name}: {found} fixes were read")
    return took


def main(names: list[str]) -> None:
    """Measure the tables of these names, or all."""
    missed = False
    for name in names or READERS:
        with tempfile.TemporaryDirectory() as folder:
            path, theirs, least = READERS[name](Path(folder))
            rounds = [(seconds(ours, path), seconds(theirs, path)) for _ in range(ROUNDS)]
        mine, other = (statistics.median(times) for times in zip(*rounds, strict=True))
        missed |= other / mine < least
        print(f"{name:10} {mine:.3f} s, pandas {other:.3f} s: {other / mine:.1f} x (at least {least:g})")
    sys.exit(int(missed))


if __name__ == "__main__":
    main(sys.argv[1:])
