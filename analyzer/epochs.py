"""Epochs: spans of time in which no rule, zone or window starts or ends.

What rules say of a moment depends on its epoch alone. Epochs alike in all of it share
one *kind* (working hours of every day of a year are one kind), so the states to judge
stay few. All instants are integer microseconds since 1970 UTC.
"""

from collections.abc import Iterable

import numpy as np

from analyzer.records import record
from analyzer.rules import Rule
from analyzer.windows import window_edges
from analyzer.zones import ZoneSet


@record(frozen=True, eq=False)
class Epochs:
    """The epochs between two instants.

    `edges_us` (sorted) cut time; epoch k is `[edges_us[k-1], edges_us[k])`. `kind` gives
    each epoch's kind; `in_force`, `hours_open` (kinds, rules) and `zone_valid`
    (kinds, zones) are what holds in it.
    """

    edges_us: np.ndarray
    kind: np.ndarray
    in_force: np.ndarray
    hours_open: np.ndarray
    zone_valid: np.ndarray

    def of(self, time_us: np.ndarray) -> np.ndarray:
        """Return the epoch of each instant."""
        return np.searchsorted(self.edges_us, time_us, side="right")


def epochs_between(zone_set: ZoneSet, start_us: int, end_us: int) -> Epochs:
    """Return the epochs of a zone set that meet `[start_us, end_us]`."""
    rules, zones = zone_set.rules.rules, zone_set.zones
    windows = [_open(rule, zone_set.rules.timezone, start_us, end_us) for rule in rules]
    bounds = [rule.effective_us for rule in rules]
    bounds += [u for rule in rules for u in (rule.expires_us, rule.until_us) if u is not None]
    bounds += [u for zone in zones for u in (zone.valid_from_us, zone.valid_to_us) if u is not None]
    bounds += [int(u) for window in windows for u in window.ravel()]
    edges = np.unique(np.array([u for u in bounds if start_us < u <= end_us], dtype=np.int64))
    at = np.concatenate([[start_us], edges]).astype(np.int64)
    in_force = _matrix(at, ((r.effective_us, r.until_us) for r in rules))
    valid = _matrix(at, ((z.valid_from_us, z.valid_to_us) for z in zones))
    hours_open = np.array([within(at, window) for window in windows], dtype=bool)
    hours_open = hours_open.reshape(len(rules), len(at)).T
    everything = np.hstack([in_force, hours_open, valid])
    _, first, kind = np.unique(everything, axis=0, return_index=True, return_inverse=True)
    return Epochs(edges, kind.ravel(), in_force[first], hours_open[first], valid[first])


def _open(rule: Rule, timezone: str, start_us: int, end_us: int) -> np.ndarray:
    """Return the intervals (n, 2) in which the hours of a rule are open."""
    if not rule.hours and not rule.except_dates:
        return np.array([[start_us, end_us + 1]], dtype=np.int64)
    return window_edges(rule.hours, rule.except_dates, timezone, start_us, end_us)


def _matrix(at: np.ndarray, spans: Iterable[tuple[int | None, int | None]]) -> np.ndarray:
    """Return (instants, spans): which half-open spans hold each instant; null is unbounded."""
    columns = [
        (at >= (np.iinfo(np.int64).min if a is None else a)) & (at < (np.iinfo(np.int64).max if b is None else b))
        for a, b in spans
    ]
    return np.array(columns, dtype=bool).reshape(len(columns), len(at)).T


def within(at: np.ndarray, intervals: np.ndarray) -> np.ndarray:
    """Return which instants lie in one of the sorted half-open intervals."""
    if not len(intervals):
        return np.zeros(len(at), dtype=bool)
    place = np.searchsorted(intervals[:, 0], at, side="right") - 1
    return (place >= 0) & (at < intervals[np.maximum(place, 0), 1])
