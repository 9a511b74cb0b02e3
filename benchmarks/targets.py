"""What was promised of speed and memory, and how the figures of a run answer it."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from benchmarks.prepare import SMALL
from benchmarks.report import BIG, Line, Results, size_name

READ, READ_CSV = "polars reads the columns", "polars reads CSV, to_datetime"
ZONELOG, ZONELOG_CSV = "zonelog", "zonelog, CSV"
JOIN, JOIN_STEPS, JOIN_PROCESS = (
    "geopandas.sjoin, the join alone",
    "geopandas: read, points, sjoin",
    "geopandas: the same, imports too",
)
CONTAINS, INDEX, LOOKUP = "shapely.contains_xy, prepared", "ZoneIndex", "ZoneIndex, its building left out"
SEVEN = f"{ZONELOG}, 7 zones"
CLIP = {"clip-lines": "MovingPandas clip by lines", "clip-points": "MovingPandas clip by points"}
PROMISED_FROM = 1_000_000
MEMORY_GB, SAME, FLAT = 0.6, 1.15, 1.25


def with_zones(zones: str) -> str:
    """Return the name of the measurement with one of the zone sets."""
    return f"{ZONELOG}, {zones}"


def lines_of(results: Results, sizes: Sequence[int], scale: int) -> list[Line]:
    """Return every promise that this run can answer; below 10^6 fixes nothing is promised but a quick small log."""
    lines = [line for fixes in sizes for line in _at(results, fixes)]
    lines += _clip(results, min(sizes, key=lambda n: abs(n - 1_000_000)))
    lines += _memory(results, sizes)
    lines += _growth(results, sizes, scale)
    lines = [line if line.fixes >= PROMISED_FROM else replace(line, at_most=None, at_least=None) for line in lines]
    small = results.median(SEVEN, SMALL)
    if small is not None:
        lines.append(Line("a small log: 1 hour, 1 Hz, imports included", SMALL, small, "s", at_most=1.0))
    return lines


def _at(results: Results, fixes: int) -> list[Line]:
    """Return the promises against peers at one size."""
    big = fixes >= BIG
    faster = 20 if big else 8
    zonelog = (ZONELOG, fixes)
    figures = [
        (READ, results.ratio(zonelog, (READ, fixes)), {"at_most": 2 if big else 4}),
        (READ_CSV, results.ratio((ZONELOG_CSV, fixes), (READ_CSV, fixes)), {"at_most": 1.5 if big else 2}),
        (JOIN, results.ratio((JOIN, fixes), zonelog), {"at_least": faster}),
        (JOIN_STEPS, _without_start(results, fixes), {"at_least": faster}),
        (JOIN_PROCESS, results.ratio((JOIN_PROCESS, fixes), zonelog), {"at_least": faster}),
        (
            f"{CONTAINS} (ZoneIndex, built and asked)",
            results.ratio((CONTAINS, fixes), (INDEX, fixes)),
            {"at_least": 5 if big else 3},
        ),
    ]
    return [Line(what, fixes, ratio, "x", **target) for what, ratio, target in figures if ratio is not None]


def _without_start(results: Results, fixes: int) -> float | None:
    """Return read, points and join without imports by zonelog without its start."""
    steps, cost = results.median(JOIN_STEPS, fixes), cost_ns(results, ZONELOG, fixes)
    return 1e9 * steps / fixes / cost if steps is not None and cost else None


def cost_ns(results: Results, name: str, fixes: int) -> float | None:
    """Return nanoseconds a fix without the start: less the time of a log of an hour with the same zones."""
    whole, start = results.median(name, fixes), results.median(SEVEN if name == ZONELOG else name, SMALL)
    if whole is None or start is None or fixes <= SMALL or whole <= start:
        return None
    return 1e9 * (whole - start) / (fixes - SMALL)


def _clip(results: Results, fixes: int) -> list[Line]:
    """Return the promise against MovingPandas, per fix; zonelog at 10^6, its imports included."""
    whole = results.median(ZONELOG, fixes)
    found = {name: (n, results.median(name, n)) for name, n in results.seconds if name in CLIP.values()}
    return [
        Line(f"{name} ({size_name(n)}), per fix", fixes, seconds / n / (whole / fixes), "x", at_least=400)
        for name, (n, seconds) in found.items()
        if seconds is not None and whole is not None
    ]


def _memory(results: Results, sizes: Sequence[int]) -> list[Line]:
    """Return the promises about memory, and that it is the same for the two largest logs."""
    peaks = {n: results.peaks[ZONELOG, n].rss / 1e3 for n in sizes if (ZONELOG, n) in results.peaks}
    lines = [Line("peak memory, all processes", n, gb, "GB", at_most=MEMORY_GB) for n, gb in peaks.items()]
    big = [gb for n, gb in peaks.items() if n >= BIG]
    if len(big) > 1:
        lines.append(Line("peak memory, largest log by smallest", max(sizes), max(big) / min(big), "x", at_most=SAME))
    return lines


def _growth(results: Results, sizes: Sequence[int], scale: int) -> list[Line]:
    """Return the promises about the cost per fix of longer logs, more zones, more vertices."""
    pairs = [
        (f"cost per fix, by that at {size_name(low)}", (ZONELOG, high), (ZONELOG, low), FLAT)
        for low, high in pairwise(sizes)
    ]
    pairs += [
        ("cost per fix, 63 zones by 7", (with_zones("63 zones"), scale), (SEVEN, scale), 3),
        (
            "cost per fix, 10^6 vertices by 10^4",
            (with_zones("10^6 vertices"), scale),
            (with_zones("10^4 vertices"), scale),
            1.3,
        ),
    ]
    costs = [
        (what, high[1], cost_ns(results, *high), cost_ns(results, *low), limit) for what, high, low, limit in pairs
    ]
    return [Line(what, n, high / low, "x", at_most=limit) for what, n, high, low, limit in costs if high and low]
