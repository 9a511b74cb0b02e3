"""What an engine costs: `python -m benchmarks.engines WORK`; Ray needs the extra.

Writes vehicle-days of 10 Hz below WORK, analyzes them with each engine, and hands out tasks
that do nothing. `docs/scale.md` has the figures, `benchmarks.sizing` computes with them.
"""

import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from analyzer.engines import engine_of
from analyzer.tasks import Outcome

DAY_FIXES = 864_000
DAYS = 8
EMPTY_TASKS = 1000


@dataclass(frozen=True)
class Nothing:
    """A task that does nothing."""

    records: int = 0

    def run(self, common, hints=None):  # noqa: ARG002
        return Outcome()


def vehicle_day(number):
    """A day of a vehicle that goes round in a circle of a kilometre at 5 m/s, 10 times a second."""
    tick = np.arange(DAY_FIXES)
    angle = tick * 0.5 / 1000 + number
    return pl.DataFrame({"tick": tick}).select(
        vehicle_id=pl.lit(f"V{number}"),
        timestamp=pl.datetime(2026, 3, 17, time_zone="UTC") + pl.duration(milliseconds=pl.col("tick") * 100),
        latitude=pl.lit(35.17 + 0.009 * np.sin(angle)),
        longitude=pl.lit(126.82 + 0.011 * np.cos(angle)),
        speed_kph=pl.lit(18.0),
        control_mode=pl.lit("autonomous"),
    )


def logs_below(work):
    folder = work / "days"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(DAYS):
        path = folder / f"V{number}.parquet"
        if not path.exists():
            vehicle_day(number).write_parquet(path)
    return folder


def bytes_below(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def analyzed(engine, logs, out, *more):
    """Seconds on the clock, of processors, and the largest resident size of a process (MB)."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "analyzer", "analyze", str(logs), "--zones", "demo", "--out", str(out)]
    flags = ["--no-map", "--no-report", "--quiet", "--fail-on", "never", "--engine", engine]
    subprocess.run([*command, *flags, *more], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, cpu_s, after.ru_maxrss / 1000


def empty_tasks(engine):
    """Seconds until the first task is done, and of each further one."""
    with engine_of(engine) as runner:
        start = time.perf_counter()
        runner.start()
        runner.share(None)
        runner.run([(Nothing(), None)] * 2)
        first = time.perf_counter()
        runner.run([(Nothing(), None)] * EMPTY_TASKS)
        return first - start, (time.perf_counter() - first) / EMPTY_TASKS


def main():
    work = Path(sys.argv[1])
    logs = logs_below(work)
    fixes = DAYS * DAY_FIXES
    print(f"cores {len(os.sched_getaffinity(0))}, load {os.getloadavg()[0]:.1f}, {fixes:,} fixes")
    print(f"log: {bytes_below(logs) / fixes:.2f} bytes a fix")
    for engine in sys.argv[2:] or ("serial", "local", "ray"):
        for more in ((), ("--ledger", str(work / f"ledger-{engine}"))):
            wall_s, cpu_s, most_mb = analyzed(engine, logs, work / f"out-{engine}", *more)
            print(f"{engine} {'ledger' if more else ''}: {wall_s:.1f} s, {cpu_s:.1f} processor s, {most_mb:.0f} MB")
        kept = bytes_below(work / f"ledger-{engine}") / fixes
        written = bytes_below(work / f"out-{engine}") / fixes
        print(f"{engine}: ledger {kept:.2f}, result {written:.4f} bytes a fix")
        start_s, task_s = empty_tasks(engine)
        print(f"{engine}: first tasks {start_s:.2f} s, each further {task_s * 1000:.2f} ms ({1 / task_s:,.0f}/s)")


if __name__ == "__main__":
    main()
