"""What a ledger costs: `python -m benchmarks.ledger WORK [CASE...] [--rounds N]`.

In each round, in turn: a run without a ledger, the first on a new one, one where nothing has
changed, and one with another speed limit. Medians, and their ratio to the run without.
`docs/scale.md` has the figures.
"""

import argparse
import os
import shutil
import statistics
import sys
from pathlib import Path

from benchmarks import data, measure, zone_sets
from benchmarks.prepare import SMALL, Data

ANALYZED = (0, 1, 3)
SMALL_LOGS = 400
VEHICLE_DAYS = 20
STEPS = ("no ledger", "first run", "nothing changed", "another limit")


def small_logs(made: Data) -> Path:
    """Logs of one hour at 1 Hz, CSV: twenty vehicles on twenty days."""

    def write(folder: Path) -> None:
        folder.mkdir()
        local = data.pl.col("timestamp").dt.convert_time_zone("Asia/Seoul").dt.strftime(data.TIME_FORMAT)
        for number in range(SMALL_LOGS):
            day, vehicle = divmod(number, VEHICLE_DAYS)
            frame = data.drive(vehicle, day, zone_sets.SIX[vehicle % len(zone_sets.SIX)], SMALL, 1)
            frame.with_columns(local).write_csv(folder / f"V{vehicle:03d}-{day:03d}.csv")

    return made.made(f"hours-{SMALL_LOGS}", write)


CASES = {
    "400 CSV files of 3,600 fixes": small_logs,
    "10^6 fixes, one CSV file": lambda made: made.csv(1_000_000),
    "10^7 fixes, one Parquet file": lambda made: made.log(10_000_000),
    "10^8 fixes, a folder of Parquet": lambda made: made.log(100_000_000),
}


def stricter(zones: Path, work: Path) -> Path:
    """The same zone set with another limit, that about as much breaks."""
    folder = work / "other-limit"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(zones, folder)
    rules = folder / "rules.toml"
    text = rules.read_text(encoding="utf-8")
    changed = text.replace("max_speed_kph = 7.0", "max_speed_kph = 6.9")
    assert changed != text
    rules.write_text(changed, encoding="utf-8")
    return folder


def one_round(log: Path, zones: Path, work: Path, options: list[str]) -> list[measure.Run]:
    """One run of each step."""
    ledger = work / "ledger"
    shutil.rmtree(ledger, ignore_errors=True)
    os.sync()
    runs = []
    for step in STEPS:
        rules = stricter(zones, work) if step == "another limit" else zones
        more = [] if step == "no ledger" else ["--ledger", ledger]
        command = [sys.executable, measure.ROOT / "cli.py", "analyze", log, "--zones", rules, "--out", work / "out"]
        runs.append(measure.run([*command, "--quiet", *options, *more], ANALYZED))
    return runs


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("cases", nargs="*", help=f"parts of names; of {', '.join(CASES)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--draw", action="store_true", help="map and report too")
    given = parser.parse_args()
    made = Data(given.work, sys.executable)
    options = [] if given.draw else ["--no-map", "--no-report"]
    work = given.work / "ledger-bench"
    work.mkdir(exist_ok=True)
    wanted = {n: case for n, case in CASES.items() if not given.cases or any(part in n for part in given.cases)}
    print(f"rounds {given.rounds}, load {os.getloadavg()[0]:.1f}")
    for name, case in wanted.items():
        log = case(made)
        rounds = [one_round(log, made.zones["7 zones"], work, options) for _ in range(given.rounds)]
        print(name, flush=True)
        for what in ("seconds", "cpu"):
            medians = [statistics.median(getattr(r[n], what) for r in rounds) for n in range(len(STEPS))]
            cells = (f"{s}: {m:.2f} s ({m / medians[0]:.2f}x)" for s, m in zip(STEPS, medians, strict=True))
            print(f"  {'wall' if what == 'seconds' else what}: {', '.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
