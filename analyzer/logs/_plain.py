"""What all plain tables share: names of columns, units, times, words, and what is refused."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

import polars as pl

from analyzer.logs._clocks import compared
from analyzer.logs._columns import SPEED_TO_KPH, TIMES, columns_of, doubled, shortened
from analyzer.logs._excel import EXCEL, coarse_days
from analyzer.logs._format import NO_REJECTS, POLARS_FAILS, Log, ReadOptions
from analyzer.logs._numbers import numbers, with_point
from analyzer.logs._places import placed
from analyzer.logs._positions import NO_FIX, reasons_of, refuse_other_coordinates, sound_as_a_whole
from analyzer.logs._profile import Profile
from analyzer.logs._remarks import Remark
from analyzer.logs._speeds import from_texts
from analyzer.logs._times import from_days, in_format, instants
from analyzer.logs._words import mapped, no_fix, one_of_ours, whole_names, words_of
from analyzer.records import record

TEXT_LENGTH = 200
MEASURED = ("longitude", "latitude", "heading_deg", "horizontal_accuracy_m", "odometer_m")
NUMBERS = (*MEASURED, *SPEED_TO_KPH)
"""Our columns that hold numbers of any kind, times apart."""


@record(frozen=True, eq=False)
class Sheet:
    """A part of a table as it came from a file.

    `frame` has the log's own columns. `record` are the numbers of its rows within the
    part, null where they count from 1 without a gap; `rejects` are records that did not
    even become a row. `raw` gives rows as the log writes them, where `frame` does not.
    """

    path: str
    format: str
    frame: pl.DataFrame
    record: pl.Series | None = None
    rejects: pl.DataFrame = field(default_factory=NO_REJECTS.clone)
    remarks: tuple[Remark, ...] = ()
    raw: Callable[[pl.Series], pl.DataFrame] | None = None


def log_of(sheet: Sheet, options: ReadOptions, profile: Profile) -> Log:
    """Return the log of a sheet; LogError where it cannot be judged as a whole."""
    columns = columns_of(sheet.path, sheet.frame.columns, profile)
    typed, remarks = _typed(sheet, columns, options, profile)
    good, bad = _split(sheet, typed, columns)
    rejects = bad if sheet.rejects.is_empty() else pl.concat([sheet.rejects, bad]).sort("record")
    count = typed.height + sheet.rejects.height
    return Log(sheet.path, sheet.format, None, good, rejects, count, 0, (*sheet.remarks, *remarks))


def _typed(
    sheet: Sheet, columns: Mapping[str, str], options: ReadOptions, profile: Profile
) -> tuple[pl.DataFrame, list[Remark]]:
    """Return the records in the types of RECORDS, what cannot be read as null, and remarks."""
    frame = sheet.frame
    vehicle, remarks = _vehicles(sheet, columns, profile)
    out = [_numbered(sheet), vehicle, *_plain_words(frame, columns, profile)]
    time, said = instants_of(sheet.path, frame, columns, options, profile)
    remarks += said
    zone = profile.fixed.get("timezone") or options.timezone
    remarks += compared(sheet.path, frame, columns, time, zone)
    remarks += [Remark("other-columns", sheet.path, words=(f"{used} ({other})",)) for used, other in doubled(columns)]
    out.append(time.alias("time"))
    measured = {name: _number(frame[columns[name]], profile) for name in MEASURED if name in columns}
    measured |= placed(sheet.path, measured, profile.position)
    if (lost := no_fix(frame, columns, profile.values.get("fix", {}))) is not None:
        measured |= {name: measured[name].set(lost, None) for name in ("longitude", "latitude")}
        out.append(lost.alias(NO_FIX))
    out += [values.alias(name) for name, values in measured.items()]
    if (speed := _speeds(sheet.path, frame, columns, profile)) is not None:
        out.append(speed)
        remarks += _negative_speeds(sheet.path, speed)
    for name in ("control_mode", "operator"):
        series, unmapped = _mapped(sheet, columns, profile, name)
        out += series
        remarks += unmapped
    return pl.DataFrame(out), remarks


def instants_of(
    path: str, frame: pl.DataFrame, columns: Mapping[str, str], options: ReadOptions, profile: Profile
) -> tuple[pl.Series, list[Remark]]:
    """Return the instant of each record, null where it says none, and remarks."""
    kind = next(t for t in TIMES if t in columns)
    column = frame[columns[kind]]
    timezone = profile.fixed.get("timezone") or options.timezone
    if profile.time.get("format") == EXCEL:
        days = [_number(frame[columns[name]], profile) for name in ("date", kind) if name in columns]
        instants_, remarks = from_days(path, sum(days[1:], days[0]), timezone)
        return instants_, [*remarks, *coarse_days(path, column)]
    if "date" in columns:
        day = frame[columns["date"]].cast(pl.String).str.strip_chars()
        column = (day + " " + column.cast(pl.String).str.strip_chars()).alias(column.name)
    if layout := profile.time.get("format"):
        return in_format(path, column.cast(pl.String), layout, timezone)
    said: list[Remark] = []
    return instants(path, column, kind, timezone, said), said


def _number(column: pl.Series, profile: Profile) -> pl.Series:
    """Return a column of numbers, with the decimal comma of the profile."""
    return numbers(with_point(column) if profile.read.get("decimal") == "," else column)


def _speeds(path: str, frame: pl.DataFrame, columns: Mapping[str, str], profile: Profile) -> pl.Series | None:
    """Return speeds in km/h, null without a column of them."""
    if "speed_with_unit" in columns:
        texts = frame[columns["speed_with_unit"]].cast(pl.String)
        return from_texts(path, with_point(texts) if profile.read.get("decimal") == "," else texts)
    speed = next((s for s in SPEED_TO_KPH if s in columns), None)
    return None if speed is None else _kph(_number(frame[columns[speed]], profile), SPEED_TO_KPH[speed])


def _numbered(sheet: Sheet) -> pl.Series:
    """Return the numbers of the records."""
    if sheet.record is not None:
        return sheet.record.alias("record")
    return pl.int_range(1, sheet.frame.height + 1, dtype=pl.Int64, eager=True).alias("record")


def _everywhere(name: str, value: str, height: int) -> pl.Series:
    """Return a column that says the same of every record."""
    return pl.Series(name, [value], dtype=pl.String).new_from_index(0, height)


def _vehicles(sheet: Sheet, columns: Mapping[str, str], profile: Profile) -> tuple[pl.Series, list[Remark]]:
    """Return the vehicle of each record; without a column, one vehicle named as the file."""
    if "vehicle_id" in columns:
        names, count = whole_names(sheet.frame[columns["vehicle_id"]])
        said = [Remark("whole-names", sheet.path, count)] if count else []
        return names.alias("vehicle_id"), said
    fixed = profile.fixed.get("vehicle_id")
    name = fixed or Path(sheet.path).name.split(".")[0]
    remarks = [] if fixed is not None else [vehicle_from_file(sheet.path, name)]
    return _everywhere("vehicle_id", name, sheet.frame.height), remarks


def vehicle_from_file(path: str, name: str) -> Remark:
    """Return the remark that a vehicle is named as its file."""
    return Remark("vehicle-from-file", path, words=(name,))


def _plain_words(frame: pl.DataFrame, columns: Mapping[str, str], profile: Profile) -> Iterable[pl.Series]:
    """Yield the columns of words that are taken as the log says them."""
    for name in ("trip_id", "vehicle_type"):
        if name in columns:
            yield words_of(frame[columns[name]]).text.alias(name)
        elif name in profile.fixed:
            yield _everywhere(name, profile.fixed[name], frame.height)


def _kph(speed: pl.Series, factor: float) -> pl.Series:
    """Return speeds in km/h."""
    return (speed if factor == 1 else speed * factor).alias("speed_kph")


def _negative_speeds(path: str, speed: pl.Series) -> list[Remark]:
    """Tell how many speeds are below 0: they count as not said."""
    smallest = speed.min()
    if smallest is None or not smallest < 0:  # type: ignore[operator]
        return []
    return [Remark("negative-speed", path, int((speed < 0).sum()))]


def _mapped(
    sheet: Sheet, columns: Mapping[str, str], profile: Profile, name: str
) -> tuple[list[pl.Series], tuple[Remark, ...]]:
    """Return the column of a word of ours, for modes also the log's own words, and remarks."""
    if name not in columns:
        fixed = profile.fixed.get(name)
        return ([] if fixed is None else [_everywhere(name, fixed, sheet.frame.height).cast(one_of_ours(name))]), ()
    ours, raw, remarks = mapped(sheet.path, name, sheet.frame[columns[name]], profile.values.get(name, {}))
    series = [ours.alias(name)]
    if name == "control_mode":
        series.append(raw.alias("control_mode_raw"))
    return series, remarks


def _split(sheet: Sheet, typed: pl.DataFrame, columns: Mapping[str, str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the records that can become fixes, and the rejects."""
    sound = sound_as_a_whole(typed)
    if sound and not typed["vehicle_id"].null_count() and not typed["time"].null_count():
        return typed.drop(NO_FIX, strict=False), NO_REJECTS
    if not sound:
        refuse_other_coordinates(sheet.path, typed)
    reasons = reasons_of(typed)
    typed = typed.drop(NO_FIX, strict=False)
    if reasons.null_count() == len(reasons):
        return typed, NO_REJECTS
    bad = reasons.is_not_null()
    rejects = pl.DataFrame(
        {"record": typed["record"].filter(bad), "reason": reasons.filter(bad), "text": _own_words(sheet, bad, columns)},
        schema=NO_REJECTS.schema,
    )
    return typed.filter(~bad), rejects


def _own_words(sheet: Sheet, bad: pl.Series, columns: Mapping[str, str]) -> list[str]:
    """Return what the log itself says in the records that are rejected."""
    rows = sheet.raw(bad) if sheet.raw else sheet.frame.filter(bad)
    said = rows.select(list(dict.fromkeys(columns.values())))
    try:
        return [_joined(row) for row in said.iter_rows()]
    except (ValueError, OverflowError, *POLARS_FAILS):  # dates that Python cannot hold are shown as numbers
        return [_joined(row) for row in said.select(pl.all().to_physical()).iter_rows()]


def _joined(row: tuple[Any, ...]) -> str:
    """Return the values of a record as one text."""
    return clean_text(" ".join("" if v is None else str(v) for v in row))


def clean_text(text: str) -> str:
    """Return a record's own words, shortened, without control characters."""
    return shortened(re.sub(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", " ", text), TEXT_LENGTH)
