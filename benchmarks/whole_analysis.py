"""The whole analysis against polars reading the same columns: ratio and peak memory, in one run.

`python -m benchmarks.whole_analysis [FIXES] [ROUNDS]`; every measurement is a fresh process, the
two in turn; medians are printed.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

from benchmarks.data import write_fleet, write_zone_set

COLUMNS = [
    "vehicle_id",
    "timestamp",
    "latitude",
    "longitude",
    "speed_kph",
    "horizontal_accuracy_m",
    "control_mode",
    "operator",
]
READ = "import polars, sys; print(polars.read_parquet(sys.argv[1], columns=sys.argv[2].split(',')).height)"


def measured(command, cwd):
    """Return wall seconds and peak megabytes of a fresh process."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, 1, 3), f"{command}: exit status {code}"
    return seconds, usage.ru_maxrss / 1024


def main():
    fixes = int(float(sys.argv[1])) if len(sys.argv) > 1 else 10_000_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    root = Path(__file__).resolve().parents[1]
    with tempfile.TemporaryDirectory(prefix="zonelog-bench-") as work:
        folder = Path(work)
        print(
            f"polars {pl.__version__}, Python {sys.version.split()[0]}, {os.cpu_count()} cores; "
            f"{fixes:,} fixes at 10 Hz, 20 vehicles"
        )
        log = write_fleet(folder / "fleet.parquet", fixes)
        zones = write_zone_set(folder / "zones")
        read = [sys.executable, "-c", READ, str(log), ",".join(COLUMNS)]
        whole = [
            sys.executable,
            str(root / "cli.py"),
            "analyze",
            str(log),
            "--zones",
            str(zones),
            "--out",
            str(folder / "out"),
            "--no-map",
            "--no-report",
            "--quiet",
        ]
        results = {"polars reads": [], "zonelog": []}
        for _ in range(rounds):
            results["polars reads"].append(measured(read, folder))
            results["zonelog"].append(measured(whole, folder))
        medians = {name: (statistics.median(s for s, _ in r), max(m for _, m in r)) for name, r in results.items()}
        for name, (seconds, peak) in medians.items():
            print(f"{name:<14} {seconds:8.2f} s  {1e9 * seconds / fixes:8.0f} ns/fix  peak {peak:7.0f} MB")
        print(f"zonelog takes {medians['zonelog'][0] / medians['polars reads'][0]:.1f} times the read")


if __name__ == "__main__":
    main()
