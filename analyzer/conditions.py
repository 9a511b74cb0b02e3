"""How sure, for checks without a depth: at the instants of fixes, permit by permit.

An instant is certain where what the check asks about is known and no permit under which
it would be lawful (no condition certainly broken) is within the position error.
"""

from collections.abc import Iterator

import numpy as np

from analyzer.depth import deepest
from analyzer.evidence import Evidence, FixesAt, Parts, Scene, fixes_in, paths_of
from analyzer.rulebook import UNKNOWN_MODE
from analyzer.terms import CONTROL_MODES, JUDGED_DRIVING_MODES, OPERATORS
from analyzer.track import SPEED_DIGITS

_JUDGED = np.isin(CONTROL_MODES, JUDGED_DRIVING_MODES)
_UNKNOWN_OPERATOR = OPERATORS.index("unknown")

SPEED, HOURS, MODE, OPERATOR = "speed-limit", "operating-hours", "driving-mode", "safety-operator"

FIRST_LOOK = 64
"""Fixes of each stretch that are looked at first; then all the others of those still open."""


def certainly_broken(scene: Scene, parts: Parts, at: FixesAt) -> dict[str, np.ndarray]:
    """Return per condition (rows, R) whether each rule's is certainly broken at the fix."""
    fixes, book = scene.track.fixes, scene.rulebook
    kind, profile = parts.kind[at.part], parts.profile[at.part]
    speed, error = np.round(fixes.speed_kph[at.fix], SPEED_DIGITS), fixes.speed_error_of(at.fix)
    moving = book.zone_set.rules.evaluation.moving_kph
    mode, operator = fixes.control_mode[at.fix], fixes.operator[at.fix]
    with np.errstate(invalid="ignore"):
        fast = speed[:, None] - book.limit_kph > error[:, None]
        moves = (speed - error >= moving)[:, None]
    mode_known = (mode != UNKNOWN_MODE) & scene.profiles.said["mode_said"][profile] & _JUDGED[mode]
    known = (operator >= 0) & (operator != _UNKNOWN_OPERATOR)
    wrong_mode = (book.modes_named & ~book.mode_named.T)[mode]
    wrong_operator = (book.operator_asked & ~book.operator_fits.T)[np.maximum(operator, 0)]
    return {
        SPEED: fast,
        HOURS: ~scene.track.epochs.hours_open[kind] & moves,
        MODE: wrong_mode & mode_known[:, None] & moves,
        OPERATOR: wrong_operator & known[:, None] & moves,
    }


def lawful_zones(scene: Scene, kind: np.ndarray, profile: np.ndarray, unlawful: np.ndarray | None) -> np.ndarray:
    """Return (rows, Z): valid zones of permits in force for the vehicle, `unlawful` ones left out."""
    book, epochs = scene.rulebook, scene.track.epochs
    permits = epochs.in_force[kind] & (scene.profiles.match[profile] != 0) & book.is_permit
    if unlawful is not None:
        permits &= ~unlawful
    distinct, number = _distinct(np.hstack([permits, epochs.zone_valid[kind]]))
    permits, valid = distinct[:, : len(book.rules)], distinct[:, len(book.rules) :]
    zones = permits.astype(np.float32) @ book.zones.astype(np.float32) > 0
    return (zones & valid)[number]


def _distinct(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct rows of a boolean matrix, and which of them each row is."""
    packed = np.ascontiguousarray(np.packbits(rows, axis=1))
    if not packed.size:
        return rows[:1], np.zeros(len(rows), dtype=np.int64)
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    changed = np.flatnonzero(np.concatenate([[True], (packed[1:] != packed[:-1]).any(axis=1)]))
    _, first, number = np.unique(keys[changed], return_index=True, return_inverse=True)
    return rows[changed[first]], np.repeat(number.ravel(), np.diff(np.append(changed, len(rows))))


def _among(scene: Scene, parts: Parts, at: FixesAt, zones: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return at which fixes no zone of theirs covers the place, and of these which have any at all."""
    covered = scene.track.index.combinations.matrix()[parts.combination[at.part]]
    outside = ~(zones & covered).any(axis=1)
    return outside, np.flatnonzero(outside & zones.any(axis=1))


def clear_of(scene: Scene, parts: Parts, at: FixesAt, zones: np.ndarray) -> np.ndarray:
    """Return at which fixes none of the lawful zones lies within the position error."""
    fixes = scene.track.fixes
    clear, open_rows = _among(scene, parts, at, zones)
    accuracy = scene.segment_accuracy_m(at.fix)
    for own, row in _alike(zones, open_rows):
        f = at.fix[own]
        clear[own] = scene.borders.of(row).clear(fixes.longitude[f], fixes.latitude[f], accuracy[own])
    return clear


def spare_m(scene: Scene, parts: Parts, at: FixesAt, zones: np.ndarray) -> np.ndarray:
    """Return how far beyond the position error the lawful zones are at each fix; inf without any."""
    fixes = scene.track.fixes
    outside, open_rows = _among(scene, parts, at, zones)
    spare = np.where(outside, np.inf, -np.inf)
    accuracy = scene.segment_accuracy_m(at.fix)
    for own, row in _alike(zones, open_rows):
        f = at.fix[own]
        spare[own] = scene.borders.of(row).measure(fixes.longitude[f], fixes.latitude[f], accuracy[own])[1]
    return spare


def _alike(zones: np.ndarray, rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (rows, zones) for every distinct set of zones among the given rows."""
    if len(rows):
        distinct, number = _distinct(zones[rows])
        for k, row in enumerate(distinct):
            yield rows[number == k], row


def condition_evidence(scene: Scene, parts: Parts, code: str) -> Evidence:
    """Return peak and decision of the stretches of one condition of permits and restrictions."""
    if code == SPEED:
        return _by_margin(scene, parts)
    return _by_first(scene, parts, code)


def _by_first(scene: Scene, parts: Parts, code: str) -> Evidence:
    """Return, for a condition without a number, the first certain fix of each stretch."""
    found = Evidence.of(parts)
    open_parts = np.arange(len(parts.group))
    for most in (FIRST_LOOK, None):
        some = parts.take(open_parts)
        at = fixes_in(scene, some, most)
        certain = np.flatnonzero(_certain(scene, some, at, code))
        groups = some.group[at.part[certain]]
        first = certain[np.unique(groups, return_index=True)[1]]
        found.decide(some.group[at.part[first]], at.at_us[first])
        open_parts = open_parts[~found.certain[some.group]]
    return found


def _certain(scene: Scene, parts: Parts, at: FixesAt, code: str) -> np.ndarray:
    """Return at which fixes the breach of a condition is certain."""
    rule = parts.rule[at.part]
    broken = certainly_broken(scene, parts, at)
    certain = broken[code][np.arange(len(rule)), rule] & at.own & ~parts.undecided[at.part]
    suspect = np.flatnonzero(certain)
    some = at.take(suspect)
    permit = scene.rulebook.is_permit[rule[suspect]]
    unlawful = np.any([values[suspect] for values in broken.values()], axis=0)
    kind, profile = parts.kind[some.part], parts.profile[some.part]
    by_permit = clear_of(scene, parts, some, lawful_zones(scene, kind, profile, unlawful))
    certain[suspect] = np.where(permit, by_permit, _deep(scene, parts, some, ~permit))
    return certain


def _deep(scene: Scene, parts: Parts, at: FixesAt, wanted: np.ndarray) -> np.ndarray:
    """Return which wanted fixes are deeper inside their restriction's zones than the position error."""
    book, epochs, fixes = scene.rulebook, scene.track.epochs, scene.track.fixes
    zones = book.zones[parts.rule[at.part]] & epochs.zone_valid[parts.kind[at.part]]
    accuracy = scene.segment_accuracy_m(at.fix)
    deep = np.zeros(len(at.fix), dtype=bool)
    for own, row in _alike(zones, np.flatnonzero(wanted)):
        f = at.fix[own]
        deep[own] = scene.borders.of_union(row).clear(fixes.longitude[f], fixes.latitude[f], accuracy[own])
    return deep


def _by_margin(scene: Scene, parts: Parts) -> Evidence:
    """Return, for speeds, the fix that is farthest beyond its limit, certain ones first, and the peak."""
    fixes = scene.track.fixes
    at = fixes_in(scene, parts)
    group = parts.group[at.part]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    speed = np.round(fixes.speed_kph[at.fix], SPEED_DIGITS)
    margin = speed - scene.rulebook.limit_kph[parts.rule[at.part]]
    error = np.where(np.isnan(margin), np.nan, fixes.speed_error_of(at.fix))
    certain = _certain(scene, parts, at, SPEED)
    ahead = np.nan_to_num(margin - error, nan=-np.inf)
    best = _first_of_best(starts, certain, at.own, ahead)
    top = _first_of_best(starts, np.nan_to_num(speed, nan=-np.inf))
    known = ~np.isnan(speed[top])
    found = Evidence.of(parts)
    found.peak[:] = speed[top]
    found.peak_us[known] = at.at_us[top[known]]
    found.certain[:] = certain[best]
    found.decided_us[:] = np.where(np.isnan(margin[best]), found.decided_us, at.at_us[best])
    found.margin[:], found.error[:] = margin[best], error[best]
    found.foremost[:], found.ahead[:] = at.own[best], ahead[best]
    return found


def _first_of_best(starts: np.ndarray, *ranks: np.ndarray) -> np.ndarray:
    """Return the first row of each group that is best by the first rank, then the next, and so on."""
    count = len(ranks[0])
    sizes = np.diff(np.append(starts, count))
    best = np.ones(count, dtype=bool)
    for rank in ranks:
        masked = np.where(best, rank.astype(np.float64), -np.inf)
        best &= masked == np.repeat(np.maximum.reduceat(masked, starts), sizes)
    return np.minimum.reduceat(np.where(best, np.arange(count), count), starts)


def place_evidence(scene: Scene, parts: Parts) -> Evidence:
    """Return the decision of the stretches of a check of place that has no margin.

    Along the way between fixes nothing but the place is certain; at the fixes themselves
    permits with a certainly broken condition are no lawful alternative.
    """
    found = Evidence.of(parts)
    best = np.full(len(found.peak), -np.inf)
    sure = parts.take(np.flatnonzero(~parts.undecided))
    _offer_ways(scene, sure, best, found)
    _offer_fixes(scene, sure, best, found)
    found.ahead[:] = np.where(found.certain, best, 0.0)
    return found


def _offer_ways(scene: Scene, parts: Parts, best: np.ndarray, found: Evidence) -> None:
    """Take over the best instants along the ways of the parts."""
    zones = lawful_zones(scene, parts.kind, parts.profile, None)
    free = np.flatnonzero(~zones.any(axis=1))[::-1]
    best[parts.group[free]] = np.inf
    found.decide(parts.group[free], parts.start_us[free])
    covered = scene.track.index.combinations.matrix()[parts.combination]
    outside = np.flatnonzero(zones.any(axis=1) & ~(zones & covered).any(axis=1))
    for own, row in _alike(zones, outside):
        some = parts.take(own).joined()
        paths = paths_of(scene, some, np.stack([some.group, some.group]))
        _, way = deepest(paths, (len(best), len(best)), scene.borders.of(row))
        better = np.flatnonzero((way.clock_us >= 0) & (way.objective > best))
        best[better] = way.objective[better]
        sure = better[best[better] > 0]
        found.decide(sure, way.clock_us[sure])


def _offer_fixes(scene: Scene, parts: Parts, best: np.ndarray, found: Evidence) -> None:
    """Take over the best fixes of stretches that no instant of the way has settled."""
    some = parts.take(np.flatnonzero(best[parts.group] <= 0))
    at = fixes_in(scene, some)
    at = at.take(np.flatnonzero(at.own))
    if not len(at.fix):
        return
    unlawful = np.any(list(certainly_broken(scene, some, at).values()), axis=0)
    kind, profile = some.kind[at.part], some.profile[at.part]
    spare = spare_m(scene, some, at, lawful_zones(scene, kind, profile, unlawful))
    group = some.group[at.part]
    top = _first_of_best(np.flatnonzero(np.diff(group, prepend=-1)), spare)
    sure = top[spare[top] > 0]
    best[group[sure]], found.foremost[group[sure]] = spare[sure], False
    found.decide(group[sure], at.at_us[sure])
