"""What was measured as tables of text: targets against figures, medians, memory, versions."""

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.measure import Peak

BIG = 10_000_000
BUSY = 0.5
PACKAGES = ("zonelog", "polars", "numpy", "shapely", "geopandas", "pandas", "movingpandas", "psutil")


@dataclass(frozen=True)
class Line:
    """One promise: what is compared, at how many fixes, the figure, its target (at most or at least)."""

    what: str
    fixes: int
    measured: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def verdict(self) -> str:
        """Return pass or missed; nothing where there is no target."""
        if self.at_most is None and self.at_least is None:
            return ""
        low = self.at_least is None or self.measured >= self.at_least
        high = self.at_most is None or self.measured <= self.at_most
        return "pass" if low and high else "**missed**"

    @property
    def target(self) -> str:
        """Return the target in words."""
        if self.at_most is not None:
            return f"≤ {self.at_most:g} {self.unit}"
        return f"≥ {self.at_least:g} {self.unit}" if self.at_least is not None else ""


@dataclass
class Results:
    """Seconds of every round by (name, fixes), peaks by the same, and what was promised."""

    seconds: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    cpu: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    peaks: dict[tuple[str, int], Peak] = field(default_factory=dict)

    def add(self, name: str, fixes: int, seconds: float, cpu: float | None = None) -> None:
        """Keep one round."""
        self.seconds.setdefault((name, fixes), []).append(seconds)
        if cpu is not None:
            self.cpu.setdefault((name, fixes), []).append(cpu)

    def median(self, name: str, fixes: int) -> float | None:
        """Return the median of the rounds, nothing where there was none."""
        rounds = self.seconds.get((name, fixes))
        return statistics.median(rounds) if rounds else None

    def ratio(self, above: tuple[str, int], below: tuple[str, int]) -> float | None:
        """Return the ratio of two medians."""
        high, low = self.median(*above), self.median(*below)
        return high / low if high is not None and low else None


def size_name(fixes: int) -> str:
    """Return 10^7 or 2.5·10^5."""
    if fixes == 0:
        return ""
    mantissa, power = f"{fixes:e}".split("e")
    mantissa = f"{float(mantissa):g}"
    return f"10^{int(power)}" if mantissa == "1" else f"{mantissa}·10^{int(power)}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, its columns aligned."""
    widths = [max(len(row[n]) for row in (header, *rows)) for n in range(len(header))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in (header, *rows)]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def promises(lines: Sequence[Line]) -> str:
    """Return the table of promises."""
    header = ("against", "fixes", "measured", "target", "")
    return table(
        header, [(x.what, size_name(x.fixes), f"{x.measured:.3g} {x.unit}", x.target, x.verdict) for x in lines]
    )


def medians(results: Results) -> str:
    """Return the table of medians."""
    rows = []
    for (name, fixes), rounds in sorted(results.seconds.items(), key=lambda item: (item[0][1], item[0][0])):
        middle = statistics.median(rounds)
        cpu = results.cpu.get((name, fixes))
        rows.append(
            (
                name,
                size_name(fixes),
                f"{middle:.3f}",
                f"{min(rounds):.3f} to {max(rounds):.3f} ({len(rounds)})",
                f"{statistics.median(cpu):.2f}" if cpu else "",
                f"{1e9 * middle / fixes:.0f}",
            )
        )
    return table(("what", "fixes", "median s", "range (rounds)", "processor s", "ns a fix"), rows)


def memory(results: Results) -> str:
    """Return the table of peaks."""
    rows = [
        (
            name,
            size_name(fixes),
            f"{peak.rss:.0f}",
            f"{peak.pss:.0f}" if peak.pss else "",
            str(peak.processes),
        )
        for (name, fixes), peak in sorted(results.peaks.items(), key=lambda item: (item[0][1], item[0][0]))
    ]
    return table(("what", "fixes", "peak MB", "PSS MB", "processes"), rows)


def machine() -> str:
    """Return the machine and the versions in two sentences."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9 if hasattr(os, "sysconf") else 0
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"no {package}")
    import shapely

    geos = ".".join(map(str, shapely.geos_version))
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory_gb:.0f} GB, {platform.system()} {platform.release()}. "
        f"Python {platform.python_version()}, {', '.join(found)}, GEOS {geos}."
    )


def load() -> str:
    """Return how busy the machine was before: wall times of a busy one mean little."""
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    warning = " **Something else was running: do not trust these times.**" if busy > BUSY else ""
    return f"Load before the first run: {busy:.1f}.{warning}"


def _processor() -> str:
    """Return the name of the processor."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def page(lines: Sequence[Line], results: Results, complaints: Sequence[str], about: str) -> str:
    """Return all as one Markdown page, without a date so that two runs can be compared."""
    agreement = "\n".join(f"- {c}" for c in complaints) or "Every answer agrees."
    return f"""# Results of `make bench`

{machine()}

{about}

{promises(lines)}

## Do the answers agree?
{agreement}

## Medians
{medians(results)}

## Memory
Peaks of the sum over the process tree, from runs of their own; 1 MB = 10^6 bytes.

{memory(results)}
"""
