"""What the best estimate says of each state that vehicles were in: the checks, asked of rules.

A *state* is everything that a check may ask about, less the exact numbers: kind of
epoch, combination of zones, control mode, operator, band of speed, moving or not, and
the profile of the vehicle on its trip. States are few where fixes are many.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from analyzer.rulebook import MAY_MATCH, UNKNOWN_MODE, Rulebook
from analyzer.sentence import Check
from analyzer.stated import SAID
from analyzer.terms import CONTROL_MODES, JUDGED_DRIVING_MODES, OPERATORS
from analyzer.track import Track

STATE = ("kind", "combination", "control_mode", "operator", "band", "moving", "profile")
NO_RULE = -1
_UNKNOWN_OPERATOR = OPERATORS.index("unknown")
_JUDGED = np.isin(CONTROL_MODES, JUDGED_DRIVING_MODES)


@dataclass(frozen=True)
class Profiles:
    """Who is judged: per profile the match of each rule, and what its trip says at all.

    `match` (profiles, R) is 1, 0 or -1 (may match); `said` (profiles,) per need of a check;
    `of_piece` the profile of each piece.
    """

    match: np.ndarray
    said: Mapping[str, np.ndarray]
    of_piece: np.ndarray


def profiles_of(track: Track, rulebook: Rulebook) -> Profiles:
    """Return the distinct profiles of the vehicles on their legs."""
    fixes = track.fixes
    trip, vehicle_type = track.pieces["trip"].to_numpy(), track.pieces["vehicle_type"].to_numpy()
    pairs, of_piece = np.unique(trip * len(fixes.vehicle_types) + vehicle_type, return_inverse=True)
    trips, types = np.divmod(pairs, len(fixes.vehicle_types))
    vehicles = fixes.trips["vehicle_id"].gather(trips).to_list()
    stated = [fixes.vehicle_types[code] for code in types]
    match = [rulebook.match_of(v, t) for v, t in zip(vehicles, stated, strict=True)]
    said = fixes.trips.select(SAID).to_numpy()[trips]
    count = len(rulebook.rules)
    table = np.column_stack([np.array(match, dtype=np.int8).reshape(len(pairs), count), said]).astype(np.int8)
    distinct, number = np.unique(table, axis=0, return_inverse=True)
    words = {name: distinct[:, count + i] == 1 for i, name in enumerate(SAID)}
    return Profiles(distinct[:, :count], words, number.ravel()[of_piece.ravel()])


@dataclass
class Precedents:
    """What has been judged before: a state met again, in any shard, is not judged again.

    `broken` has, by the signature of a state, (check, rule, undecided, matched) of what is
    broken in it; `matched` are the sets of rules that are numbered there.
    """

    broken: dict[bytes, list[tuple[str, int, bool, int]]] = field(default_factory=dict)
    matched: list[tuple[int, ...]] = field(default_factory=list)
    _numbers: dict[tuple[int, ...], int] = field(default_factory=dict)

    def number(self, rules: tuple[int, ...]) -> int:
        """Return the number of a set of rules."""
        if rules not in self._numbers:
            self._numbers[rules] = len(self.matched)
            self.matched.append(rules)
        return self._numbers[rules]


@dataclass(frozen=True)
class Judgements:
    """States, and what is broken in them.

    `of_piece` gives the state of each piece. `broken` has a row for every state, check
    and rule (index, -1 = no single rule) that the best estimate breaks or cannot decide:
    state, check, rule, undecided, matched (number of the set of other permits looked at).
    """

    of_piece: np.ndarray
    broken: pl.DataFrame
    precedents: Precedents


_BROKEN = {"state": pl.Int64, "check": pl.String, "rule": pl.Int64, "undecided": pl.Boolean, "matched": pl.Int64}


def judge(
    track: Track, rulebook: Rulebook, profiles: Profiles, checks: Mapping[str, Check], precedents: Precedents
) -> Judgements:
    """Return what is broken in every state of the pieces."""
    first, of_piece = _distinct_states(track, profiles)
    states = track.pieces[first].with_columns(profile=pl.Series(profiles.of_piece[first])).select(STATE)
    signatures = _signatures(states, track, profiles)
    new = [number for number, signature in enumerate(signatures) if signature not in precedents.broken]
    if new:
        broken = _judged(states[new].with_row_index("state"), track, rulebook, profiles, checks)
        precedents.broken.update((signatures[number], []) for number in new)
        for state, check, rule, undecided, matched in broken.iter_rows():
            row = check, rule, undecided, precedents.number(tuple(matched))
            precedents.broken[signatures[new[state]]].append(row)
    rows = [(state, *row) for state, signature in enumerate(signatures) for row in precedents.broken[signature]]
    return Judgements(of_piece, pl.DataFrame(rows, schema=_BROKEN, orient="row"), precedents)


def _distinct_states(track: Track, profiles: Profiles) -> tuple[np.ndarray, np.ndarray]:
    """Return the first piece of every distinct state, and the state of each piece."""
    columns = [track.pieces[name].to_numpy().astype(np.int64) for name in STATE[:-1]] + [profiles.of_piece]
    code = np.zeros(track.pieces.height, dtype=np.int64)
    for values in columns:
        low, high = int(values.min()), int(values.max())
        code = np.unique(code * (high - low + 1) + (values - low), return_inverse=True)[1].ravel()
    _, first = np.unique(code, return_index=True)
    return first, code


def _signatures(states: pl.DataFrame, track: Track, profiles: Profiles) -> list[bytes]:
    """Return all that a state is judged by, whatever its numbers are in this shard."""
    kind, profile = states["kind"].to_numpy(), states["profile"].to_numpy()
    epochs = track.epochs
    parts = [epochs.in_force[kind], epochs.hours_open[kind], epochs.zone_valid[kind], profiles.match[profile]]
    parts += [values[profile][:, None] for values in profiles.said.values()]
    plain = [states[name].to_numpy().astype(np.int64)[:, None].view(np.int8) for name in STATE[1:-1]]
    rows = np.hstack([*(part.astype(np.int8) for part in parts), *plain])
    return [row.tobytes() for row in np.ascontiguousarray(rows)]


def _judged(
    states: pl.DataFrame, track: Track, rulebook: Rulebook, profiles: Profiles, checks: Mapping[str, Check]
) -> pl.DataFrame:
    """Return (state, check, rule, undecided, matched) of what is broken in states."""
    asked = _asked(states, track, rulebook, profiles)
    judged = asked.with_columns(
        check.obeyed.alias(code)
        for code, check in checks.items()
        if check.when is not None and "place" not in check.scopes
    )
    permits, chosen = _permits(judged, checks)
    places = _places(states, track, rulebook, profiles, chosen, checks)
    restrictions = _restrictions(judged, checks)
    return pl.concat([permits, places, restrictions]).sort("state", "check", "rule")


def _words(states: pl.DataFrame, track: Track, rulebook: Rulebook, profiles: Profiles) -> dict[str, np.ndarray]:
    """Return (states, R) or (states,) arrays that several frames need."""
    kind, combination = states["kind"].to_numpy(), states["combination"].to_numpy()
    covers = track.index.combinations.matrix()[combination]
    valid = covers & track.epochs.zone_valid[kind]
    zones = rulebook.zones.astype(np.float32)
    in_force = track.epochs.in_force[kind] & (valid.astype(np.float32) @ zones.T > 0)
    return {
        "covers": covers,
        "named_here": covers.astype(np.float32) @ zones.T > 0,
        "in_force_here": in_force,
        "match": profiles.match[states["profile"].to_numpy()],
    }


def _asked(states: pl.DataFrame, track: Track, rulebook: Rulebook, profiles: Profiles) -> pl.DataFrame:
    """Return a row for every state and rule that applies in it (or may), in the checks' words."""
    words = _words(states, track, rulebook, profiles)
    state, rule = np.nonzero(words["in_force_here"] & (words["match"] != 0))
    kind = states["kind"].to_numpy()[state]
    mode = states["control_mode"].to_numpy()[state]
    operator = states["operator"].to_numpy()[state]
    profile = states["profile"].to_numpy()[state]
    band = states["band"].to_numpy()[state]
    moving = states["moving"].to_numpy()[state]
    said = {need: values[profile] for need, values in profiles.said.items()}
    permit = rulebook.is_permit[rule]
    mode_known = (mode != UNKNOWN_MODE) & (said["mode_said"] | ~permit)
    operator_known = (operator >= 0) & (operator != _UNKNOWN_OPERATOR)
    representative = np.append(rulebook.thresholds_kph, np.inf)
    limit = rulebook.limit_kph[rule]
    frame = pl.DataFrame(
        {
            "state": state,
            "rule": rule,
            "permit": permit,
            "match": _maybe(words["match"][state, rule] == 1, words["match"][state, rule] != MAY_MATCH),
            "permit_needed": _needed(mode, rulebook),
            "speed_kph": _maybe(representative[np.maximum(band, 0)], band >= 0),
            "speed_limit_kph": _maybe(limit, ~np.isnan(limit)),
            "moving": _maybe(moving == 1, moving >= 0),
            "hours_open": track.epochs.hours_open[kind, rule],
            "modes_named": rulebook.modes_named[rule],
            "mode_judged": _JUDGED[mode],
            "mode_named": _maybe(rulebook.mode_named[rule, mode], mode_known),
            "operator_asked": rulebook.operator_asked[rule],
            "operator_present": _maybe(rulebook.operator_fits[rule, np.maximum(operator, 0)], operator_known),
            "no_entry": rulebook.no_entry[rule],
            **said,
        }
    )
    applies = ~pl.col("modes_named") | pl.col("mode_named")
    return frame.with_columns(applies=pl.col("match") & applies & pl.col("hours_open"))


def _maybe(values: np.ndarray, known: np.ndarray) -> pl.Series:
    """Return the values, null where they are not known."""
    return pl.select(pl.when(pl.Series(known)).then(pl.Series(values))).to_series()


def _needed(mode: np.ndarray, rulebook: Rulebook) -> pl.Series:
    """Return whether the mode is one that needs a permit; `unknown` too, where the rules say so."""
    needed_for = rulebook.zone_set.rules.evaluation.permit_needed_for
    return pl.Series(np.isin(CONTROL_MODES, needed_for)[mode])


def _conditions(checks: Mapping[str, Check], scope: str) -> list[str]:
    """Return the codes of the checks that speak of a rule of this scope."""
    return [code for code, check in checks.items() if scope in check.scopes]


def _permits(judged: pl.DataFrame, checks: Mapping[str, Check]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the broken conditions of the permit chosen in each state, and the choice itself.

    The choice has, per state with a permit that applies (or may): rule, match, matched.
    """
    codes = _conditions(checks, "permit")
    values = [pl.col(code) for code in codes]
    rated = judged.filter("permit").with_columns(
        broken=pl.sum_horizontal(*((~v).fill_null(value=False).cast(pl.Int32) for v in values), pl.lit(0)),
        unknown=pl.sum_horizontal(
            *(v.is_null().cast(pl.Int32) for v in values), pl.col("match").is_null().cast(pl.Int32)
        ),
    )
    order = ["state", "broken", "unknown", "rule"]
    chosen = (
        rated.sort(order)
        .group_by("state", maintain_order=True)
        .agg(pl.all().first(), pl.col("rule").sort().alias("matched"))
    )
    others = pl.col("matched").list.set_difference(pl.concat_list("rule")).list.sort()
    chosen = chosen.with_columns(matched=others)
    certain = pl.col("permit_needed") & pl.col("match")
    return _broken(chosen, checks, codes, certain), chosen


def _restrictions(judged: pl.DataFrame, checks: Mapping[str, Check]) -> pl.DataFrame:
    """Return the broken conditions of every restriction by itself."""
    nothing = pl.lit([], dtype=pl.List(pl.Int64))
    binding = judged.filter(~pl.col("permit")).with_columns(matched=nothing)
    return _broken(binding, checks, _conditions(checks, "restriction"), pl.col("applies"))


def _broken(frame: pl.DataFrame, checks: Mapping[str, Check], codes: list[str], binds: pl.Expr) -> pl.DataFrame:
    """Return (state, check, rule, undecided, matched) of what is not obeyed.

    `binds` is true, false or null (it may); what may bind is undecided at the most.
    """
    parts = []
    for code in codes:
        checkable = pl.all_horizontal(pl.lit(value=True), *checks[code].needs)
        not_obeyed = frame.with_columns(obeyed=~binds | pl.col(code)).filter(
            pl.col("obeyed").ne_missing(other=True) & checkable
        )
        parts.append(_rows(not_obeyed, code, pl.col("rule")))
    return pl.concat([*parts, _NOTHING_BROKEN])


_NOTHING_BROKEN = pl.DataFrame(
    schema={
        "state": pl.Int64,
        "check": pl.String,
        "rule": pl.Int64,
        "undecided": pl.Boolean,
        "matched": pl.List(pl.Int64),
    }
)


def _rows(frame: pl.DataFrame, code: str, rule: pl.Expr) -> pl.DataFrame:
    """Return the rows of one check in the shape of `broken`."""
    return frame.select(
        pl.col("state").cast(pl.Int64),
        pl.lit(code).alias("check"),
        rule.cast(pl.Int64).alias("rule"),
        pl.col("obeyed").is_null().alias("undecided"),
        pl.col("matched").cast(pl.List(pl.Int64)),
    )


def _places(  # noqa: PLR0913 - the three checks of place look at everything
    states: pl.DataFrame,
    track: Track,
    rulebook: Rulebook,
    profiles: Profiles,
    chosen: pl.DataFrame,
    checks: Mapping[str, Check],
) -> pl.DataFrame:
    """Return the broken checks of place: exactly one where no permit applies."""
    if not rulebook.is_permit.any():
        return _NOTHING_BROKEN
    words = _words(states, track, rulebook, profiles)
    permit = rulebook.is_permit
    named, in_force = words["named_here"] & permit, words["in_force_here"] & permit
    certain = chosen.select(pl.col("state").cast(pl.Int64), permitted="match", applies=pl.lit(value=True))
    frame = (
        states.select(pl.col("state").cast(pl.Int64))
        .with_columns(
            permit_needed=_needed(states["control_mode"].to_numpy(), rulebook),
            in_permit_zone=pl.Series(named.any(axis=1)),
            permit_in_force_here=pl.Series(in_force.any(axis=1)),
            every=_lists(np.broadcast_to(permit, named.shape)),
            named=_lists(named),
            in_force=_lists(in_force),
        )
        .join(certain, on="state", how="left", maintain_order="left")
    )
    frame = frame.with_columns(vehicle_permitted=pl.col("applies").is_not_null() & pl.col("permitted"))
    parts = [_NOTHING_BROKEN]
    looked_at = {"outside-zone": "every", "permit-not-in-force": "named", "vehicle-not-permitted": "in_force"}
    for code in _conditions(checks, "place"):
        judged = frame.with_columns(obeyed=checks[code].obeyed, matched=pl.col(looked_at[code]))
        broken = judged.filter(pl.col("obeyed").ne_missing(other=True))
        parts.append(_rows(broken, code, pl.lit(NO_RULE)))
    return pl.concat(parts)


def _lists(matrix: np.ndarray) -> pl.Series:
    """Return a list of the true columns of each row."""
    return pl.Series([np.flatnonzero(row).tolist() for row in matrix], dtype=pl.List(pl.Int64))
