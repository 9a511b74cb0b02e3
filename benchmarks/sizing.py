"""How large it gets: `python -m benchmarks.sizing` prints the table of docs/scale.md.

Everything is arithmetic on the figures that `benchmarks.engines` measured, written below.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """Of one core and one fix; a log is a vehicle-day of 10 Hz in Parquet."""

    processor_s: float = 2.6 / 6_912_000
    ledger_processor_s: float = 3.9 / 6_912_000
    log_bytes: float = 13.2
    ledger_bytes: float = 10.6
    result_bytes: float = 0.0093
    judged_bytes: float = 0.07
    task_s: float = 0.003
    task_fixes: int = 2 << 19


EFFICIENCY = 0.5
"""Of the cores: what is lost to reading, to the driver and to the last tasks. Assumed, not measured."""
UNPACKED = 3
"""How much larger what is judged is in memory than in the ledger. Assumed."""
HASHED_BYTES_S = 1e9
"""The driver hashes each log once, at about this pace. Assumed."""
DAY_S = 86_400
SCENARIOS = ((1, 1), (10, 30), (100, 365), (1_000, 365), (10_000, 1), (10_000, 365))
HERTZ = 10
HEADS = (
    "vehicles",
    "days",
    "fixes",
    "logs",
    "ledger",
    "result",
    "2 cores",
    "64 cores",
    "1,024 cores",
    "driver alone",
    "its memory",
)


def amount(value, units):
    """A value with the unit that suits it, two digits."""
    for size, unit in units:
        if value >= size:
            return f"{float(f'{value / size:.2g}'):,g} {unit}"
    least, unit = units[-1]
    return f"{value / least:.1g} {unit}"


def size(value):
    return amount(value, ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB")))


def duration(seconds):
    return amount(seconds, ((DAY_S, "d"), (3600, "h"), (60, "min"), (1, "s")))


def row(vehicles, days, figures):
    """One line of the table; no number of cores is faster than the driver, which is one process."""
    fixes = vehicles * days * DAY_S * HERTZ
    work_s = fixes * figures.ledger_processor_s / EFFICIENCY
    driver_s = fixes / figures.task_fixes * figures.task_s + fixes * figures.log_bytes / HASHED_BYTES_S
    cells = [f"{vehicles:,}", f"{days}", f"{fixes:.1e}", size(fixes * figures.log_bytes)]
    cells += [size(fixes * figures.ledger_bytes), size(fixes * figures.result_bytes)]
    cells += [duration(max(work_s / cores, driver_s)) for cores in (2, 64, 1024)]
    cells += [duration(driver_s)]
    return "| " + " | ".join([*cells, size(fixes * figures.judged_bytes * UNPACKED)]) + " |"


def table():
    """The lines of the table."""
    head = "| " + " | ".join(HEADS) + " |"
    return [head, "|" + "---|" * len(HEADS), *(row(vehicles, days, Measured()) for vehicles, days in SCENARIOS)]


def main():
    print("\n".join(table()))


if __name__ == "__main__":
    main()
