"""What the columns of an unknown table may mean: by name where it is known, else by content."""

import re
from collections.abc import Iterator
from dataclasses import field, replace
from itertools import pairwise

import polars as pl

from analyzer.coordinates import korean_crs_of
from analyzer.logs._columns import ALIASES, BARE_SPEEDS, SPEED_TO_KPH, TIMES, simple
from analyzer.logs._excel import EXCEL, are_days
from analyzer.logs._numbers import MAJORITY, numbers, with_point
from analyzer.logs._times import PER_UNIT_US, SPAN_US
from analyzer.logs._words import MODE_WORDS
from analyzer.records import record

FORMATS = (
    "%Y%m%d%H%M%S",
    "%y%m%d%H%M%S",
    "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d-%m-%Y %H:%M:%S",
    "%Y년 %m월 %d일 %H시 %M분 %S초",
)
_ISO = (
    r"^\s*\d{4}[-/.] ?\d{1,2}[-/.] ?\d{1,2}\.?[T ]+((오전|오후|AM|PM) ?)?\d{1,2}:\d\d(:\d\d([.,]\d+)?)? ?(AM|PM)?"
    r"\s*(Z|z|[+-]\d\d(:?\d\d)?)?\s*$"
)
_OFFSET = r"(Z|z|[+-]\d\d(:?\d\d)?)\s*$"
_EASTINGS = re.compile(r"(pose\.|pos_?|utm_?|tm_?)?x(좌표)?|easting|동향|.*경도.*|lon.*|lng")
_NORTHINGS = re.compile(r"(pose\.|pos_?|utm_?|tm_?)?y(좌표)?|northing|북향|.*위도.*|lat.*")
_MOST_NAMES = 0.2


@record(frozen=True)
class Meaning:
    """What a table means as far as it is seen: our name -> the log's, why, and how positions and times are given.

    `by` our name -> `name` or `content`; `crs` a Korean grid that fits; `naive` says that
    times have no offset; `layouts` are the formats that fit them where they are not ISO 8601.
    """

    columns: dict[str, str]
    by: dict[str, str]
    crs: str | None = None
    coordinates: str = "none"
    naive: bool = False
    layouts: tuple[str, ...] = ()
    decimal_comma: bool = False
    bare_speed: str | None = None
    order_unsure: bool = False
    scale: float | None = None
    others: tuple[str, ...] = field(default=())


def meaning_of(frame: pl.DataFrame) -> Meaning:
    """Return what the columns of a table of texts mean."""
    comma = _has_decimal_comma(frame)
    found = _by_name(frame.columns)
    meaning = Meaning(found, dict.fromkeys(found, "name"), decimal_comma=comma)
    values = {name: numbers(with_point(frame[name]) if comma else frame[name]) for name in frame.columns}
    meaning = _positions(meaning, values)
    meaning = _times(meaning, frame, values)
    meaning = _words(meaning, frame)
    bare = next((n for n in frame.columns if simple(n) in BARE_SPEEDS and n not in meaning.columns.values()), None)
    if bare is not None and not any(name in meaning.columns for name in SPEED_TO_KPH):
        meaning = replace(meaning, bare_speed=bare)
    used = {*meaning.columns.values(), meaning.bare_speed}
    return replace(meaning, others=tuple(n for n in frame.columns if n not in used))


def _by_name(names: list[str]) -> dict[str, str]:
    """Return the columns that are known by name, each once."""
    there = {simple(name): name for name in reversed(names)}
    found: dict[str, str] = {}
    for ours, aliases in ALIASES.items():
        match = next((there[a] for a in (ours, *aliases) if a in there), None)
        if match is not None and match not in found.values():
            found[ours] = match
    return found


def _has_decimal_comma(frame: pl.DataFrame) -> bool:
    """Return whether numbers have a comma where others have a point."""
    counts = [int(frame[n].str.contains(r"^\s*[+-]?\d+,\d+\s*$").sum()) for n in frame.columns]
    return len([count for count in counts if count > MAJORITY * frame.height]) >= 2  # noqa: PLR2004 - two coordinates


def _with(meaning: Meaning, by: str, **columns: str) -> Meaning:
    """Return a meaning with more columns."""
    return replace(meaning, columns=meaning.columns | columns, by=meaning.by | dict.fromkeys(columns, by))


def _positions(meaning: Meaning, values: dict[str, pl.Series]) -> Meaning:
    """Return the meaning with the columns of positions and their kind."""
    if not {"latitude", "longitude"} <= set(meaning.columns):
        pair = _named_metres(values) or _degrees_by_content(values)
        if pair is None:
            return meaning
        lon, lat, by, unsure = pair
        meaning = replace(_with(meaning, by, longitude=lon, latitude=lat), order_unsure=unsure)
    middles = [values[meaning.columns[name]].drop_nulls().quantile(0.5) for name in ("longitude", "latitude")]
    return meaning if None in middles else _kind_of_position(meaning, *(float(m or 0) for m in middles))


def _kind_of_position(meaning: Meaning, lon: float, lat: float) -> Meaning:
    """Return the meaning with the kind of its coordinates, told by their middles; exchanged where they are swapped."""
    if abs(lon) <= 180 and abs(lat) <= 90 and not (33 <= lon <= 43.5 and 124 <= lat <= 132):  # noqa: PLR2004
        return replace(meaning, coordinates="degrees")
    if abs(lon) <= 90 and abs(lat) <= 180:  # noqa: PLR2004
        return _exchanged(meaning, "swapped")
    if crs := korean_crs_of(lon, lat):
        return replace(meaning, coordinates="metres", crs=crs)
    if crs := korean_crs_of(lat, lon):
        return replace(_exchanged(meaning, "swapped-metres"), crs=crs)
    for scale in (1e7, 1e6):
        if 124 <= lon / scale <= 132 and 33 <= lat / scale <= 43.5:  # noqa: PLR2004
            return replace(meaning, coordinates="whole", scale=scale)
    return replace(meaning, coordinates="unknown")


def _exchanged(meaning: Meaning, kind: str) -> Meaning:
    """Return the meaning with longitude and latitude exchanged."""
    lon, lat = meaning.columns["longitude"], meaning.columns["latitude"]
    return replace(_with(meaning, "content", longitude=lat, latitude=lon), coordinates=kind)


def _named_metres(values: dict[str, pl.Series]) -> tuple[str, str, str, bool] | None:
    """Return the columns that are named as eastings and northings."""
    able = [name for name, v in values.items() if v.null_count() < len(v)]
    east = next((n for n in able if _EASTINGS.fullmatch(simple(n))), None)
    north = next((n for n in able if _NORTHINGS.fullmatch(simple(n))), None)
    return (east, north, "name", False) if east and north else None


def _degrees_by_content(values: dict[str, pl.Series]) -> tuple[str, str, str, bool] | None:
    """Return the first two columns of numbers that may be degrees, in the order in which they make sense."""
    able = [name for name, v in values.items() if _may_be_degrees(v)]
    for first, second in pairwise(able):
        one, two = (float(values[n].abs().max() or 0) for n in (first, second))  # type: ignore[arg-type]
        if max(one, two) <= 180:  # noqa: PLR2004
            if one > 90 >= two:  # noqa: PLR2004
                return first, second, "content", False
            return second, first, "content", two <= 90  # noqa: PLR2004
    return None


def _may_be_degrees(values: pl.Series) -> bool:
    """Return whether numbers have fractions as fine as those of positions have."""
    known = values.drop_nulls()
    if len(known) < MAJORITY * len(values) or known.is_empty():
        return False
    fine = (known * 100 % 1).abs().is_between(1e-6, 1 - 1e-6)
    return float(fine.mean() or 0) > MAJORITY  # type: ignore[arg-type]


def _times(meaning: Meaning, frame: pl.DataFrame, values: dict[str, pl.Series]) -> Meaning:
    """Return the meaning with the column of times and how it writes them."""
    named = [meaning.columns[t] for t in (*TIMES[1:], TIMES[0]) if t in meaning.columns]
    meaning = replace(meaning, columns={k: v for k, v in meaning.columns.items() if k not in TIMES})
    taken = set(meaning.columns.values())
    for column in [*named, *(n for n in frame.columns if n not in taken and n not in named)]:
        by = "name" if column in named else "content"
        for kind, naive, layouts in _ways_of_time(frame[column], values[column]):
            found = _with(meaning, by, **{kind: column})
            return replace(found, naive=naive, layouts=layouts)
    for column in [*named, *(n for n in frame.columns if n not in taken and n not in named)]:
        if are_days(values[column]) and (column in named or _have_fractions(values[column])):
            found = _with(meaning, "name" if column in named else "content", timestamp=column)
            return replace(found, naive=True, layouts=(EXCEL,))
    return meaning


def _have_fractions(values: pl.Series) -> bool:
    """Return whether most numbers are no whole ones."""
    return _most((values.drop_nulls() % 1) != 0)


def _ways_of_time(texts: pl.Series, numbers_: pl.Series) -> Iterator[tuple[str, bool, tuple[str, ...]]]:
    """Yield kind, whether without offset, and formats, in which a column can be times."""
    known = texts.drop_nulls()
    if known.is_empty():
        return
    if _most(known.str.contains(_ISO)):
        yield "timestamp", not _most(known.str.contains(_OFFSET)), ()
    layouts = tuple(f for f in FORMATS if _most(known.str.strip_chars().str.to_datetime(f, strict=False).is_not_null()))
    if layouts:
        yield "timestamp", True, layouts
    middle = numbers_.drop_nulls().median()
    for kind, unit in PER_UNIT_US.items():
        if middle is not None and SPAN_US[0] <= float(middle) * unit <= SPAN_US[1]:  # type: ignore[arg-type]
            yield kind, False, ()


def _most(mask: pl.Series) -> bool:
    """Return whether nearly all are true."""
    return float(mask.mean() or 0) > 0.9  # type: ignore[arg-type]  # noqa: PLR2004 - dirt is usual


def _words(meaning: Meaning, frame: pl.DataFrame) -> Meaning:
    """Return the meaning with columns of modes and vehicles that only their content tells."""
    free = [n for n in frame.columns if n not in meaning.columns.values()]
    known = {w for ours, words in MODE_WORDS.items() if ours != "unknown" for w in (ours, *words)}
    distinct = {n: set(frame[n].drop_nulls().str.strip_chars().str.to_lowercase().unique()) for n in free}
    if "control_mode" not in meaning.columns:
        modes = [n for n in free if distinct[n] and distinct[n] <= known | {""} and distinct[n] & known]
        meaning = _with(meaning, "content", control_mode=modes[0]) if modes else meaning
    if "vehicle_id" not in meaning.columns:
        few = max(2.0, _MOST_NAMES * frame.height)
        names = [n for n in free if 1 < len(distinct[n]) <= few and n not in meaning.columns.values()]
        nameless = all(re.fullmatch(r"column_\d+", n) for n in frame.columns)
        if nameless and names:
            meaning = _with(meaning, "content", vehicle_id=min(names, key=lambda n: len(distinct[n])))
    return meaning
