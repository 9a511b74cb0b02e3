"""What the best estimate says of each state that vehicles were in: the checks, asked of rules.

A *state* is everything that a check may ask about, less the exact numbers: kind of
epoch, combination of zones, control mode, operator, band of speed, moving or not, and
the profile of the vehicle on its trip. States are few where fixes are many.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from analyzer.records import record
from analyzer.rulebook import MAY_MATCH, UNKNOWN_MODE, Rulebook
from analyzer.sentence import Check
from analyzer.stated import SAID
from analyzer.terms import CONTROL_MODES, JUDGED_DRIVING_MODES, OPERATORS
from analyzer.track import Track

STATE = ("kind", "combination", "control_mode", "operator", "band", "moving", "profile")
NO_RULE = -1
MOST_CODES = 1 << 62
"""Numbers of states that fit into 64 bits; beyond, those that occur are numbered anew."""

_UNKNOWN_OPERATOR = OPERATORS.index("unknown")
_JUDGED = np.isin(CONTROL_MODES, JUDGED_DRIVING_MODES)


@record(frozen=True, eq=False)
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
    rows = [(*own.tolist(), *words) for own, words in zip(match, said.tolist(), strict=True)]
    ordered = sorted(set(rows))
    number = {row: number for number, row in enumerate(ordered)}
    distinct = np.array(ordered, dtype=np.int8).reshape(len(ordered), count + len(SAID))
    words = {name: distinct[:, count + i] == 1 for i, name in enumerate(SAID)}
    return Profiles(distinct[:, :count], words, np.array([number[row] for row in rows], dtype=np.int64)[of_piece])


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


@record(frozen=True, eq=False)
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
        precedents.broken.update((signatures[number], []) for number in new)
        for state, check, rule, undecided, matched in _judged(states[new], track, rulebook, profiles, checks):
            row = check, rule, undecided, precedents.number(matched)
            precedents.broken[signatures[new[state]]].append(row)
    rows = [(state, *row) for state, signature in enumerate(signatures) for row in precedents.broken[signature]]
    return Judgements(of_piece, pl.DataFrame(rows, schema=_BROKEN, orient="row"), precedents)


def _distinct_states(track: Track, profiles: Profiles) -> tuple[np.ndarray, np.ndarray]:
    """Return the first piece of every distinct state, and the state of each piece."""
    columns = [track.pieces[name].to_numpy().astype(np.int64) for name in STATE[:-1]] + [profiles.of_piece]
    code, codes = np.zeros(track.pieces.height, dtype=np.int64), 1
    for values in columns:
        low, high = int(values.min()), int(values.max())
        if codes * (high - low + 1) > MOST_CODES:
            code = np.unique(code, return_inverse=True)[1]
            codes = int(code.max()) + 1
        code = code * (high - low + 1) + (values - low)
        codes *= high - low + 1
    _, first, of_piece = np.unique(code, return_index=True, return_inverse=True)
    return first, of_piece


def _signatures(states: pl.DataFrame, track: Track, profiles: Profiles) -> list[bytes]:
    """Return all that a state is judged by, whatever its numbers are in this shard."""
    kind, profile = states["kind"].to_numpy(), states["profile"].to_numpy()
    epochs = track.epochs
    parts = [epochs.in_force[kind], epochs.hours_open[kind], epochs.zone_valid[kind], profiles.match[profile]]
    parts += [values[profile][:, None] for values in profiles.said.values()]
    plain = [states[name].to_numpy().astype(np.int64)[:, None].view(np.int8) for name in STATE[1:-1]]
    rows = np.hstack([*(part.astype(np.int8) for part in parts), *plain])
    return [row.tobytes() for row in np.ascontiguousarray(rows)]


Broken = tuple[int, str, int, bool, tuple[int, ...]]
"""State, check, rule, undecided, and the other permits looked at."""


def _judged(
    states: pl.DataFrame, track: Track, rulebook: Rulebook, profiles: Profiles, checks: Mapping[str, Check]
) -> Iterator[Broken]:
    """Yield what is broken in states, which are numbered from 0."""
    words = _words(states, track, rulebook, profiles)
    answers = _answers(_asked(states, words, track, rulebook, profiles), checks)
    chosen = _chosen_permits(answers, _conditions(checks, "permit"))
    for answer, matched in chosen.values():
        yield from answer.broken(_conditions(checks, "permit"), matched)
    yield from _places(states, words, rulebook, chosen, checks)
    for answer in answers:
        if not answer.permit:
            yield from answer.broken(_conditions(checks, "restriction"), ())


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


def _asked(
    states: pl.DataFrame, words: Mapping[str, np.ndarray], track: Track, rulebook: Rulebook, profiles: Profiles
) -> pl.LazyFrame:
    """Return a row for every state and rule that applies in it (or may), in the checks' words."""
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
    matches = words["match"][state, rule]
    known = {
        "match": (matches == 1, matches != MAY_MATCH),
        "speed_kph": (representative[np.maximum(band, 0)], band >= 0),
        "speed_limit_kph": (limit, ~np.isnan(limit)),
        "moving": (moving == 1, moving >= 0),
        "mode_named": (rulebook.mode_named[rule, mode], mode_known),
        "operator_present": (rulebook.operator_fits[rule, np.maximum(operator, 0)], operator_known),
    }
    frame = pl.DataFrame(
        {
            "state": state,
            "rule": rule,
            "permit": permit,
            "permit_needed": _needed(mode, rulebook),
            "hours_open": track.epochs.hours_open[kind, rule],
            "modes_named": rulebook.modes_named[rule],
            "mode_judged": _JUDGED[mode],
            "operator_asked": rulebook.operator_asked[rule],
            "no_entry": rulebook.no_entry[rule],
            **said,
            **{name: values for name, (values, _) in known.items()},
            **{f"{name} known": mask for name, (_, mask) in known.items()},
        }
    )
    maybe = {name: pl.when(pl.col(f"{name} known")).then(pl.col(name)) for name in known}
    applies = ~pl.col("modes_named") | maybe["mode_named"]
    return frame.lazy().with_columns(**maybe, applies=maybe["match"] & applies & pl.col("hours_open"))


def _needed(mode: np.ndarray, rulebook: Rulebook) -> pl.Series:
    """Return whether the mode is one that needs a permit; `unknown` too, where the rules say so."""
    needed_for = rulebook.zone_set.rules.evaluation.permit_needed_for
    return pl.Series(np.isin(CONTROL_MODES, needed_for)[mode])


def _conditions(checks: Mapping[str, Check], scope: str) -> list[str]:
    """Return the codes of the checks that speak of a rule of this scope."""
    return [code for code, check in checks.items() if scope in check.scopes]


Answered = bool | None


@record(frozen=True, eq=False)
class _Answer:
    """What the conditions say of a rule in a state, by the code of each.

    `says` whether it is obeyed, `obeyed` the same where the rule binds (what only may bind is null at
    the least), `asked` whether the trip says enough to ask.
    """

    state: int
    rule: int
    permit: bool
    match: Answered
    says: Mapping[str, Answered]
    obeyed: Mapping[str, Answered]
    asked: Mapping[str, Answered]

    def broken(self, codes: Sequence[str], matched: tuple[int, ...]) -> Iterator[Broken]:
        """Yield the conditions that are not obeyed."""
        for code in codes:
            if self.asked[code] and self.obeyed[code] is not True:
                yield self.state, code, self.rule, self.obeyed[code] is None, matched

    def rank(self, codes: Sequence[str]) -> tuple[int, int, int]:
        """Return what makes a permit the chosen one, the least first: broken, unknown, and its number."""
        says = [self.says[code] for code in codes]
        return says.count(False), [*says, self.match].count(None), self.rule


def _answers(asked: pl.LazyFrame, checks: Mapping[str, Check]) -> list[_Answer]:
    """Return what the conditions say of every state and rule, in their order."""
    codes = [code for code, check in checks.items() if {"permit", "restriction"}.intersection(check.scopes)]
    binds = pl.when("permit").then(pl.col("permit_needed") & pl.col("match")).otherwise("applies")
    enough = (pl.all_horizontal(pl.lit(value=True), *checks[code].needs) for code in codes)
    frame = (
        asked.with_columns(binds.alias("binds"), *(checks[code].obeyed.alias(code) for code in codes))
        .select(
            *("state", "rule", "permit", "match", *codes),
            *((~pl.col("binds") | pl.col(code)).alias(f"obeyed {code}") for code in codes),
            *(all_said.alias(f"asked {code}") for code, all_said in zip(codes, enough, strict=True)),
        )
        .collect(engine="in-memory")
    )
    count = len(codes)
    answers = []
    for state, rule, permit, match, *said in frame.iter_rows():
        parts = (said[low : low + count] for low in range(0, 3 * count, count))
        answers.append(_Answer(state, rule, permit, match, *(dict(zip(codes, p, strict=True)) for p in parts)))
    return answers


def _chosen_permits(answers: Sequence[_Answer], codes: Sequence[str]) -> dict[int, tuple[_Answer, tuple[int, ...]]]:
    """Return the permit chosen in each state with one that applies (or may), and the others looked at."""
    permits: dict[int, list[_Answer]] = {}
    for answer in answers:
        if answer.permit:
            permits.setdefault(answer.state, []).append(answer)
    chosen = {state: min(some, key=lambda answer: answer.rank(codes)) for state, some in permits.items()}
    rules = {state: sorted(answer.rule for answer in some) for state, some in permits.items()}
    return {state: (one, tuple(r for r in rules[state] if r != one.rule)) for state, one in chosen.items()}


def _places(
    states: pl.DataFrame,
    words: Mapping[str, np.ndarray],
    rulebook: Rulebook,
    chosen: Mapping[int, tuple[_Answer, tuple[int, ...]]],
    checks: Mapping[str, Check],
) -> Iterator[Broken]:
    """Yield the broken checks of place: exactly one where no permit applies."""
    if not rulebook.is_permit.any():
        return
    permit = rulebook.is_permit
    looked_at = {
        "outside-zone": np.broadcast_to(permit, words["named_here"].shape),
        "permit-not-in-force": words["named_here"] & permit,
        "vehicle-not-permitted": words["in_force_here"] & permit,
    }
    codes = _conditions(checks, "place")
    permitted = {state: answer.match for state, (answer, _) in chosen.items()}
    count = states.height
    frame = pl.DataFrame(
        {
            "permit_needed": _needed(states["control_mode"].to_numpy(), rulebook),
            "in_permit_zone": looked_at["permit-not-in-force"].any(axis=1),
            "permit_in_force_here": looked_at["vehicle-not-permitted"].any(axis=1),
            "vehicle_permitted": pl.Series([permitted.get(n, False) for n in range(count)], dtype=pl.Boolean),
        }
    )
    answers = frame.select(checks[code].obeyed.alias(code) for code in codes)
    for code in codes:
        for state, obeys in enumerate(answers[code]):
            if obeys is not True:
                yield state, code, NO_RULE, obeys is None, tuple(np.flatnonzero(looked_at[code][state]).tolist())
