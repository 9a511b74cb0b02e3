"""Columns of words: vehicles, trips, modes. Words change rarely from record to record.

So only the heads of the runs of equal values are looked at, and what is made of them is
spread over the runs; columns that change all the time are looked at value by value.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from operator import or_
from typing import Any

import numpy as np
import polars as pl

from analyzer.logs._columns import shortened
from analyzer.logs._remarks import Remark, first_words
from analyzer.records import record
from analyzer.runs import changed
from analyzer.terms import CONTROL_MODES, OPERATORS

MODE_WORDS = {
    "autonomous": (
        "auto",
        "autopilot",
        "automatic",
        "automated",
        "self_driving",
        "ads",
        "autonomous_steer_only",
        "autonomous_velocity_only",
        "자율",
        "자율주행",
        "자동",
        "자율모드",
    ),
    "manual": ("driver", "human", "local", "direct", "수동", "수동주행", "수동모드"),
    "remote": ("teleop", "teleoperation", "remote_control", "원격", "원격제어", "원격주행", "원격모드"),
    "disengaged": ("disengage", "해제", "자율해제"),
    "not_ready": ("notready", "not ready", "준비안됨", "준비중"),
    "minimal_risk": ("mrm", "mrc", "minimal_risk_maneuver", "minimal_risk_condition", "최소위험", "최소위험조작"),
    "unknown": ("", "no_command", "n/a", "na", "none", "null", "미상", "알수없음"),
}
OPERATOR_WORDS = {
    "on_board": ("onboard", "on board", "in_vehicle", "in vehicle", "탑승", "동승", "차내"),
    "remote": ("원격", "remote_operator", "관제"),
    "none": ("no", "없음", "무인"),
    "unknown": ("n/a", "na", "null", "미상"),
}
COVERAGE = {"control_mode": (CONTROL_MODES, MODE_WORDS), "operator": (OPERATORS, OPERATOR_WORDS)}
MOST_RUNS = 8
"""Runs are worth it where there are at least this many records to a run."""

FEW_RUNS = 128
"""So many runs are laid one after the other: ten times as quick as gathering a value for each record."""

_POINTED = r"^(\d+)\.0+$"
Starts = np.ndarray[Any, np.dtype[np.uint32]]


@record(frozen=True, eq=False)
class Words:
    """Texts of all records; `heads` are those of the runs that begin at `starts`.

    Where there are too many runs, `starts` is null and `heads` are the distinct texts.
    """

    text: pl.Series
    heads: pl.Series
    starts: Starts | None

    def count(self, wanted: list[str]) -> int:
        """Return how many records say one of some words."""
        if self.starts is None:
            return int(self.text.is_in(wanted).sum())
        lengths = np.diff(self.starts, append=np.uint32(len(self.text)))
        return int(lengths[self.heads.is_in(wanted).fill_null(value=False).to_numpy()].sum())

    def replaced(self, meaning: Mapping[str, str], ours: pl.Enum) -> pl.Series:
        """Return what every word means, one of ours."""
        if self.starts is None:
            return self.text.replace_strict(meaning, return_dtype=ours).cast(ours)
        # Cast as well: where there is no word at all, nothing is replaced.
        heads = self.heads.replace_strict(meaning, return_dtype=ours).cast(ours)
        return spread(heads, self.starts, len(self.text))


def spread(heads: pl.Series, starts: Starts, length: int) -> pl.Series:
    """Return a value for each record: that of the run it is in."""
    lengths = np.diff(starts, append=np.uint32(length))
    if 0 < len(heads) <= FEW_RUNS:
        runs_of = (heads.new_from_index(run, count) for run, count in enumerate(lengths.tolist()))
        return pl.concat(runs_of, rechunk=True)
    runs = np.repeat(np.arange(len(starts), dtype=np.uint32), lengths)
    return heads.gather(pl.Series(runs))


def run_starts(*columns: pl.Series) -> Starts | None:
    """Return where the runs of equal values begin, null where there are too many."""
    length = len(columns[0])
    if length and all(_constant(column) for column in columns):
        return np.zeros(1, dtype=np.uint32)
    places = reduce(or_, map(changed, columns)).arg_true().to_numpy()
    if len(places) > length // MOST_RUNS:
        return None
    return np.concatenate([np.zeros(min(length, 1), dtype=np.uint32), places + np.uint32(1)])


def _constant(column: pl.Series) -> bool:
    """Return whether all values are the same, looking at all only where a few are."""
    first = column[0]
    if first is None or column.null_count() or column[-1] != first or column[len(column) // 2] != first:
        return False
    return bool((column == first).all())


def words_of(column: pl.Series) -> Words:
    """Return texts without spaces around; an empty one is null, a whole number has no point."""
    starts = run_starts(column)
    if starts is None:
        return _without_runs(column)
    heads = column.gather(pl.Series(starts))
    texts = _clean(heads)
    if texts is heads:
        return Words(column, heads, starts)
    return Words(spread(texts, starts, len(column)), texts, starts)


def _without_runs(column: pl.Series) -> Words:
    """Return the words of a column that changes all the time."""
    distinct = column.unique()
    texts = _clean(distinct)
    if texts is distinct:
        return Words(column, distinct, None)
    return Words(_clean(column), texts.unique(), None)


def _clean(values: pl.Series) -> pl.Series:
    """Return values as clean texts; the same series where they are already."""
    texts = values if values.dtype == pl.String else _text(values)
    if len(texts) <= FEW_RUNS and all(text is None or _plainly_clean(text) for text in texts.to_list()):
        return texts
    stripped = texts.str.strip_chars()
    if bool((texts == stripped).all()) and not bool((texts == "").any()):
        return texts
    return _where(stripped, lambda text: text != "")


def _plainly_clean(text: str) -> bool:
    """Return whether a text is neither empty nor has, for sure, a space of any kind at an end."""
    return text[:1].isalnum() and text[-1:].isalnum()


def _text(values: pl.Series) -> pl.Series:
    """Return values as texts; each whole number among floats without its point."""
    if not values.dtype.is_float():
        return values.cast(pl.String)
    whole = _where(values, lambda value: value % 1 == 0).cast(pl.Int64, strict=False)
    return whole.cast(pl.String).zip_with(whole.is_not_null(), values.cast(pl.String))


def _where(values: pl.Series, holds: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
    """Return the values where a condition holds, null elsewhere."""
    value = pl.col(values.name)
    return values.to_frame().select(pl.when(holds(value)).then(value))[values.name]


def whole_names(column: pl.Series) -> tuple[pl.Series, int]:
    """Return names, those that are whole numbers without their point (`971650.0`), and how many of these there are.

    Each name is looked at by itself: what a part of a log holds must not decide.
    """
    words = words_of(column)
    heads = words.heads.drop_nulls()
    pointed = heads.str.contains(_POINTED)
    if not pointed.any():
        return words.text, 0
    count = words.count(heads.filter(pointed).unique().to_list())
    return words.text.str.replace(_POINTED, "${1}"), count


def no_fix(frame: pl.DataFrame, columns: Mapping[str, str], said: Mapping[str, str]) -> pl.Series | None:
    """Return where the log says that there was no position, null where it never says."""
    if "fix" not in columns:
        return None
    meaning = {word.strip().lower() for word, ours in said.items() if ours == "no"}
    texts = words_of(frame[columns["fix"]]).text.str.to_lowercase()
    return texts.is_in(sorted(meaning)).fill_null(value=False)


def mapped(
    path: str, name: str, column: pl.Series, said: Mapping[str, str]
) -> tuple[pl.Series, pl.Series, tuple[Remark, ...]]:
    """Return a column in our words, in the log's own, and a remark on words that nobody maps.

    `name` is `control_mode` or `operator`; `said` are the words of the profile.
    """
    raw = words_of(column)
    meaning = _meaning(name, said)
    distinct = raw.heads.drop_nulls().unique().to_list()
    strangers = [text for text in distinct if text.lower() not in meaning]
    said_of = {text: meaning.get(text.lower(), "unknown") for text in distinct}
    ours = raw.replaced(said_of, one_of_ours(name))
    if not strangers:
        return ours, raw.text, ()
    shown = first_words(shortened(s, 20) for s in sorted(strangers))
    remark = Remark(f"unmapped-{name.replace('_', '-')}", path, raw.count(strangers), shown)
    return ours, raw.text, (remark,)


def one_of_ours(name: str) -> pl.Enum:
    """Return the type of a column that holds words of ours alone."""
    return pl.Enum(COVERAGE[name][0])


def _meaning(name: str, said: Mapping[str, str]) -> dict[str, str]:
    """Return the log's word in small letters -> ours."""
    words, synonyms = COVERAGE[name]
    meaning = {w: w for w in words} | {s: word for word, many in synonyms.items() for s in many}
    return meaning | {k.strip().lower(): v for k, v in said.items()}
