"""How sure, for checks without a depth: at the instants of fixes, permit by permit.

An instant is certain where what the check asks about is known and no permit under which
it would be lawful (no condition certainly broken) is within the position error.
"""

import numpy as np
import polars as pl

from analyzer.borders import Clearance
from analyzer.depth import Deepest, deepest
from analyzer.evidence import Scene, paths_of
from analyzer.rulebook import UNKNOWN_MODE
from analyzer.terms import CONTROL_MODES, JUDGED_DRIVING_MODES, OPERATORS
from analyzer.track import SPEED_DIGITS

_JUDGED = np.isin(CONTROL_MODES, JUDGED_DRIVING_MODES)
_UNKNOWN_OPERATOR = OPERATORS.index("unknown")

SPEED, HOURS, MODE, OPERATOR = "speed-limit", "operating-hours", "driving-mode", "safety-operator"


def fixes_in(scene: Scene, parts: pl.DataFrame) -> pl.DataFrame:
    """Return a row for every fix whose value is in force in a part, and the parts' own columns.

    `fix` is the fix, `at_us` the instant (clock) from which it counts, `own` whether its
    own instant lies in the part: the fix before a part counts there, but elsewhere.
    """
    clock = scene.track.fixes.clock_us
    start, end = parts["start_us"].to_numpy(), parts["end_us"].to_numpy()
    closed = parts["ends_run"].to_numpy() | (start == end)
    low = np.searchsorted(clock, start, side="right") - 1
    high = np.where(closed, np.searchsorted(clock, end, side="right"), np.searchsorted(clock, end, side="left"))
    count = high - low
    part = np.repeat(np.arange(len(start)), count)
    fix = low[part] + np.arange(len(part)) - np.repeat(np.cumsum(count) - count, count)
    return parts[part].with_columns(
        fix=pl.Series(fix),
        at_us=pl.Series(np.maximum(clock[fix], start[part])),
        own=pl.Series(clock[fix] >= start[part]),
    )


def certainly_broken(scene: Scene, at: pl.DataFrame) -> dict[str, np.ndarray]:
    """Return per condition (rows, R) whether each rule's is certainly broken at the fix."""
    fixes, book, profiles = scene.track.fixes, scene.rulebook, scene.profiles
    fix = at["fix"].to_numpy()
    kind = at["kind"].to_numpy()
    profile = profiles.of_piece[at["piece"].to_numpy()]
    speed, error = np.round(fixes.speed_kph[fix], SPEED_DIGITS), fixes.speed_error_of(fix)
    moving = book.zone_set.rules.evaluation.moving_kph
    mode, operator = fixes.control_mode[fix], fixes.operator[fix]
    with np.errstate(invalid="ignore"):
        fast = speed[:, None] - book.limit_kph > error[:, None]
        moves = (speed - error >= moving)[:, None]
    mode_known = (mode != UNKNOWN_MODE) & profiles.said["mode_said"][profile] & _JUDGED[mode]
    known = (operator >= 0) & (operator != _UNKNOWN_OPERATOR)
    wrong_mode = book.modes_named & ~book.mode_named.T[mode]
    wrong_operator = book.operator_asked & ~book.operator_fits.T[np.maximum(operator, 0)]
    return {
        SPEED: fast,
        HOURS: ~scene.track.epochs.hours_open[kind] & moves,
        MODE: wrong_mode & mode_known[:, None] & moves,
        OPERATOR: wrong_operator & known[:, None] & moves,
    }


def lawful_zones(scene: Scene, at: pl.DataFrame, unlawful: np.ndarray | None) -> np.ndarray:
    """Return (rows, Z): valid zones of permits in force for the vehicle, `unlawful` ones left out."""
    book, epochs = scene.rulebook, scene.track.epochs
    kind = at["kind"].to_numpy()
    profile = scene.profiles.of_piece[at["piece"].to_numpy()]
    permits = epochs.in_force[kind] & (scene.profiles.match[profile] != 0) & book.is_permit
    if unlawful is not None:
        permits = permits & ~unlawful
    zones = permits.astype(np.float32) @ book.zones.astype(np.float32) > 0
    return zones & epochs.zone_valid[kind]


def spare_m(scene: Scene, at: pl.DataFrame, zones: np.ndarray) -> np.ndarray:
    """Return how far beyond the position error the lawful zones are at each fix; inf without any."""
    fixes = scene.track.fixes
    fix = at["fix"].to_numpy()
    covered = scene.track.index.combinations.matrix()[at["combination"].to_numpy()]
    spare = np.where((zones & covered).any(axis=1), -np.inf, np.inf)
    open_rows = np.flatnonzero(zones.any(axis=1) & (spare > 0))
    accuracy = scene.segment_accuracy_m(fix)
    for own, row in _alike(zones, open_rows):
        f = fix[own]
        border = scene.border_of(row)
        spare[own] = border.measure(fixes.longitude[f], fixes.latitude[f], accuracy[own])[1]
    return spare


def _alike(zones: np.ndarray, rows: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (rows, zones) for every distinct set of zones among the given rows."""
    if not len(rows):
        return []
    distinct, number = np.unique(zones[rows], axis=0, return_inverse=True)
    return [(rows[number.ravel() == k], row) for k, row in enumerate(distinct)]


def condition_evidence(scene: Scene, parts: pl.DataFrame, code: str) -> pl.DataFrame:
    """Return peak and decision of the stretches of one condition of permits and restrictions."""
    at = fixes_in(scene, parts)
    fixes = scene.track.fixes
    fix, rule = at["fix"].to_numpy(), at["rule"].to_numpy()
    broken = certainly_broken(scene, at)
    row = np.arange(len(fix))
    certain = broken[code][row, rule] & at["own"].to_numpy() & ~at["undecided"].to_numpy()
    unlawful = np.any(list(broken.values()), axis=0)
    suspect = np.flatnonzero(certain)
    some = at[suspect]
    permit = scene.rulebook.is_permit[rule[suspect]]
    spare = np.where(
        permit,
        spare_m(scene, some, lawful_zones(scene, some, unlawful[suspect])),
        _depth_spare(scene, some, ~permit),
    )
    certain[suspect] = spare > 0
    speed = np.round(fixes.speed_kph[fix], SPEED_DIGITS)
    margin = speed - scene.rulebook.limit_kph[rule]
    measured = at.select("stretch", "at_us", "own").with_columns(
        speed=pl.Series(speed).fill_nan(None),
        margin=pl.Series(margin).fill_nan(None),
        error=pl.Series(np.where(np.isnan(margin), np.nan, fixes.speed_error_of(fix))).fill_nan(None),
        certain=pl.Series(certain),
    )
    return _decided(measured, parts, with_margin=code == SPEED)


def _depth_spare(scene: Scene, at: pl.DataFrame, wanted: np.ndarray) -> np.ndarray:
    """Return how far beyond the position error each wanted fix is inside its restriction's zones."""
    book, epochs, fixes = scene.rulebook, scene.track.epochs, scene.track.fixes
    zones = book.zones[at["rule"].to_numpy()] & epochs.zone_valid[at["kind"].to_numpy()]
    fix = at["fix"].to_numpy()
    accuracy = scene.segment_accuracy_m(fix)
    spare = np.full(len(fix), -np.inf)
    for own, row in _alike(zones, np.flatnonzero(wanted)):
        f = fix[own]
        border = scene.union_border_of(row)
        spare[own] = border.measure(fixes.longitude[f], fixes.latitude[f], accuracy[own])[1]
    return spare


def _decided(measured: pl.DataFrame, parts: pl.DataFrame, *, with_margin: bool) -> pl.DataFrame:
    """Return one row a stretch: the peak and the instant that decides."""
    ahead = (pl.col("margin") - pl.col("error")) if with_margin else pl.lit(0.0)
    rated = measured.with_columns(ahead=ahead.fill_null(-np.inf))
    by_rank = rated.sort("stretch", "certain", "own", "ahead", "at_us", descending=[False, True, True, True, False])
    best = by_rank.group_by("stretch", maintain_order=True).agg(
        pl.col("certain").first(),
        pl.col("at_us").first().alias("decided_us"),
        pl.col("margin").first(),
        pl.col("error").first(),
    )
    tops = rated.sort("stretch", "speed", "at_us", descending=[False, True, False], nulls_last=True)
    peaks = tops.group_by("stretch", maintain_order=True).agg(
        pl.col("speed").first().alias("peak"), pl.col("at_us").first().alias("peak_us")
    )
    starts = parts.group_by("stretch", maintain_order=True).agg(pl.col("start_us").first())
    joined = best.join(peaks, on="stretch", maintain_order="left").join(starts, on="stretch", maintain_order="left")
    if with_margin:
        known = pl.col("peak").is_not_null()
        return joined.select(
            "stretch",
            "peak",
            pl.when(known).then("peak_us").alias("peak_us"),
            "certain",
            pl.when(pl.col("margin").is_not_null()).then("decided_us").otherwise("start_us").alias("decided_us"),
            "margin",
            "error",
        )
    decided = pl.when("certain").then("decided_us").otherwise("start_us").alias("decided_us")
    return joined.select("stretch", "certain", decided)


def place_evidence(scene: Scene, parts: pl.DataFrame) -> pl.DataFrame:
    """Return the decision of the stretches of a check of place that has no margin.

    Along the way between fixes nothing but the place is certain; at the fixes themselves
    permits with a certainly broken condition are no lawful alternative.
    """
    stretches = parts["stretch"].unique(maintain_order=True)
    number = dict(zip(stretches.to_list(), range(len(stretches)), strict=True))
    sure = parts.filter(~pl.col("undecided"))
    group = sure["stretch"].replace_strict(number, return_dtype=pl.Int64).to_numpy()
    best = np.full(len(stretches), -np.inf)
    when = np.full(len(stretches), -1, dtype=np.int64)
    _offer_ways(scene, sure, group, best, when)
    _offer_fixes(scene, sure, number, best, when)
    starts = parts.group_by("stretch", maintain_order=True).agg(pl.col("start_us").first())
    certain = best > 0
    decided = np.where(certain & (when >= 0), when, starts["start_us"].to_numpy())
    return pl.DataFrame({"stretch": stretches, "certain": certain, "decided_us": decided})


def _offer_ways(scene: Scene, parts: pl.DataFrame, group: np.ndarray, best: np.ndarray, when: np.ndarray) -> None:
    """Take over the best instants along the ways of the parts."""
    zones = lawful_zones(scene, parts, None)
    start = parts["start_us"].to_numpy()
    free = np.flatnonzero(~zones.any(axis=1))
    for row in free[::-1]:
        best[group[row]], when[group[row]] = np.inf, start[row]
    covered = scene.track.index.combinations.matrix()[parts["combination"].to_numpy()]
    outside = np.flatnonzero(zones.any(axis=1) & ~(zones & covered).any(axis=1))
    for own, row in _alike(zones, outside):
        found = _farthest(scene, parts[own], group[own], len(best), scene.border_of(row))
        better = (found.clock_us >= 0) & (found.objective > best)
        best[better], when[better] = found.objective[better], found.clock_us[better]


def _farthest(scene: Scene, parts: pl.DataFrame, group: np.ndarray, groups: int, border: Clearance) -> Deepest:
    """Return where each group is farthest beyond the position error from a border."""

    def measure(lon: np.ndarray, lat: np.ndarray, acc: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        distance, spare, _, _ = border.measure(lon, lat, acc)
        return distance, spare

    def least(accuracy: np.ndarray) -> np.ndarray:
        return border.error_m(accuracy, border.least_accuracy_m)

    return deepest(paths_of(scene, parts, group), groups, measure, least)


def _offer_fixes(scene: Scene, parts: pl.DataFrame, number: dict[int, int], best: np.ndarray, when: np.ndarray) -> None:
    """Take over the best fixes of stretches that no instant of the way has settled."""
    open_stretches = [stretch for stretch, place in number.items() if best[place] <= 0]
    at = fixes_in(scene, parts.filter(pl.col("stretch").is_in(open_stretches))).filter("own")
    if at.is_empty():
        return
    unlawful = np.any(list(certainly_broken(scene, at).values()), axis=0)
    spare = spare_m(scene, at, lawful_zones(scene, at, unlawful))
    group = at["stretch"].replace_strict(number, return_dtype=pl.Int64).to_numpy()
    for row in np.flatnonzero(spare > 0):
        if spare[row] > best[group[row]]:
            best[group[row]], when[group[row]] = spare[row], at["at_us"][int(row)]
