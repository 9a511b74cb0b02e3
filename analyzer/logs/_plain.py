"""What all plain tables share: names of columns, units, times, words, and what is refused."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from analyzer.coordinates import korean_crs_of
from analyzer.errors import LogError
from analyzer.logs._columns import SPEED_TO_KPH, TIMES, columns_of, shortened
from analyzer.logs._format import NO_REJECTS, Log, ReadOptions
from analyzer.logs._profile import Profile, load_profile
from analyzer.logs._times import instants
from analyzer.terms import CONTROL_MODES, OPERATORS, Notice

MODE_WORDS = {
    "autonomous": (
        "auto",
        "autopilot",
        "automatic",
        "automated",
        "self_driving",
        "ads",
        "자율",
        "자율주행",
        "자동",
        "자율모드",
    ),
    "manual": ("driver", "human", "수동", "수동주행", "수동모드"),
    "remote": ("teleop", "teleoperation", "remote_control", "원격", "원격제어", "원격주행", "원격모드"),
    "disengaged": ("disengage", "해제", "자율해제"),
    "not_ready": ("notready", "not ready", "준비안됨", "준비중"),
    "minimal_risk": ("mrm", "mrc", "minimal_risk_maneuver", "minimal_risk_condition", "최소위험", "최소위험조작"),
    "unknown": ("", "n/a", "na", "none", "null", "미상", "알수없음"),
}
OPERATOR_WORDS = {
    "on_board": ("onboard", "on board", "in_vehicle", "in vehicle", "탑승", "동승", "차내"),
    "remote": ("원격", "remote_operator", "관제"),
    "none": ("no", "없음", "무인"),
    "unknown": ("n/a", "na", "null", "미상"),
}
TEXT_LENGTH = 200
MAJORITY = 0.5
COVERAGE = {"control_mode": (CONTROL_MODES, MODE_WORDS), "operator": (OPERATORS, OPERATOR_WORDS)}


@dataclass(frozen=True)
class Sheet:
    """A table as it came from a file; `frame` has the log's own columns and `record`."""

    path: str
    format: str
    frame: pl.DataFrame
    rejects: pl.DataFrame = field(default_factory=NO_REJECTS.clone)
    notices: tuple[Notice, ...] = ()


def sha256_of(path: str) -> str | None:
    """Return the SHA-256 of a file, null for a URL."""
    if "://" in path:
        return None
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def log_of(sheet: Sheet, options: ReadOptions, profile: Profile | None = None) -> Log:
    """Return the log of a sheet; LogError where it cannot be judged as a whole."""
    profile = load_profile(options.profile) if profile is None else profile
    if sheet.frame.is_empty() and sheet.rejects.is_empty():
        raise LogError(f"{sheet.path}: has a header but no record; there is nothing to judge")
    columns = columns_of(sheet.path, [n for n in sheet.frame.columns if n != "record"], profile)
    notices = list(sheet.notices)
    typed = _typed(sheet, columns, options, profile, notices)
    _positions_make_sense(sheet.path, typed)
    good, bad = _split(sheet, typed, columns)
    rejects = pl.concat([sheet.rejects, bad]).sort("record")
    if good.is_empty():
        first = rejects.row(0, named=True)
        message = (
            f"{sheet.path}: not one of {rejects.height} records is readable; the first (record "
            f"{first['record']}) is rejected as {first['reason']}; check the columns and the format"
        )
        raise LogError(message)
    count = sheet.frame.height + sheet.rejects.height
    return Log(sheet.path, sheet.format, sha256_of(sheet.path), good, rejects, count, 0, tuple(notices))


def _typed(
    sheet: Sheet,
    columns: Mapping[str, str],
    options: ReadOptions,
    profile: Profile,
    notices: list[Notice],
) -> pl.DataFrame:
    """Return the records in the types of RECORDS; what cannot be read is null."""
    frame = sheet.frame
    out = [frame["record"], _vehicles(sheet, columns, profile, notices)]
    for name in ("trip_id", "vehicle_type"):
        if name in columns:
            out.append(_words_of(frame[columns[name]]).alias(name))
        elif name in profile.fixed:
            out.append(pl.Series(name, [profile.fixed[name]]).new_from_index(0, frame.height))
    timezone = profile.fixed.get("timezone") or options.timezone
    kind = next(t for t in TIMES if t in columns)
    out.append(instants(sheet.path, frame[columns[kind]], kind, timezone).alias("time"))
    measured = ("longitude", "latitude", "heading_deg", "horizontal_accuracy_m", "odometer_m")
    out += [numbers(frame[columns[name]]).alias(name) for name in measured if name in columns]
    speed = next((s for s in SPEED_TO_KPH if s in columns), None)
    if speed:
        out.append((numbers(frame[columns[speed]]) * SPEED_TO_KPH[speed]).alias("speed_kph"))
        _negative_speeds(sheet.path, out[-1], notices)
    for name in COVERAGE:
        out += _mapped(sheet, columns, profile, name, notices)
    return pl.DataFrame(out)


def _vehicles(sheet: Sheet, columns: Mapping[str, str], profile: Profile, notices: list[Notice]) -> pl.Series:
    """Return the vehicle of each record; without a column, one vehicle named as the file."""
    if "vehicle_id" in columns:
        return _words_of(sheet.frame[columns["vehicle_id"]]).alias("vehicle_id")
    name = profile.fixed.get("vehicle_id") or Path(sheet.path).name.split(".")[0]
    if "vehicle_id" not in profile.fixed:
        notices.append(vehicle_from_file(sheet.path, name))
    return pl.Series("vehicle_id", [name]).new_from_index(0, sheet.frame.height)


def vehicle_from_file(path: str, name: str) -> Notice:
    """Return the notice that a vehicle is named as its file."""
    return Notice(
        "vehicle-from-file",
        path,
        f"{path}: 기록에 차량 이름이 없어 파일 이름에서 '{name}'(으)로 정했습니다.",
        f"{path}: the log names no vehicle; it is called '{name}' after the file.",
    )


def _negative_speeds(path: str, speed: pl.Series, notices: list[Notice]) -> None:
    """Tell how many speeds are below 0: they count as not said."""
    count = int((speed < 0).sum() or 0)
    if count:
        notices.append(
            Notice(
                "negative-speed",
                path,
                f"{path}: 0보다 작은 속도 {count}건은 기록되지 않은 것으로 보았습니다.",
                f"{path}: {count} speed(s) below 0 are taken as not said.",
            )
        )


def _words_of(column: pl.Series) -> pl.Series:
    """Return texts without spaces around; an empty one is null."""
    if column.dtype == pl.Categorical or isinstance(column.dtype, pl.Enum):
        column = column.cast(pl.String)
    if column.dtype != pl.String:
        whole = column.dtype.is_float() and bool((column.drop_nulls() % 1 == 0).all())
        column = (column.cast(pl.Int64) if whole else column).cast(pl.String)
    words = column.drop_nulls().unique()
    if bool((words == words.str.strip_chars()).all()) and "" not in words:
        return column
    frame = column.alias("word").to_frame().select(pl.col("word").str.strip_chars())
    return frame.select(pl.when(pl.col("word") != "").then("word"))["word"]


def numbers(column: pl.Series) -> pl.Series:
    """Return floats; what is no number is null."""
    if column.dtype == pl.String:
        column = column.str.strip_chars()
    return column.cast(pl.Float64, strict=False)


def _mapped(
    sheet: Sheet, columns: Mapping[str, str], profile: Profile, name: str, notices: list[Notice]
) -> list[pl.Series]:
    """Return the column of a word of ours, and for modes the log's own words."""
    if name not in columns:
        if name not in profile.fixed:
            return []
        return [pl.Series(name, [profile.fixed[name]]).new_from_index(0, sheet.frame.height)]
    words, synonyms = COVERAGE[name]
    raw = _words_of(sheet.frame[columns[name]])
    meaning = {w: w for w in words} | {s: word for word, many in synonyms.items() for s in many}
    meaning |= {k.strip().lower(): v for k, v in profile.values.get(name, {}).items()}
    distinct = raw.drop_nulls().unique().sort().to_list()
    known = {text: meaning[text.lower()] for text in distinct if text.lower() in meaning}
    strangers = [text for text in distinct if text not in known]
    mapping = known | dict.fromkeys(strangers, "unknown")
    same = all(word == meant for word, meant in mapping.items())
    mapped = raw if same else raw.replace_strict(mapping, return_dtype=pl.String)
    if strangers:
        count = int(raw.is_in(strangers).sum())
        notices.append(_unmapped(sheet.path, name, count, strangers))
    if name == "control_mode":
        return [mapped.alias(name), raw.alias("control_mode_raw")]
    return [mapped.alias(name)]


def _unmapped(path: str, name: str, count: int, strangers: list[str]) -> Notice:
    """Return the notice of values that nobody maps."""
    shown = ", ".join(repr(shortened(s, 20)) for s in strangers[:5])
    return Notice(
        f"unmapped-{name.replace('_', '-')}",
        path,
        f"{path}: {name} 값 {count}건을 해석할 수 없어 'unknown'으로 처리했습니다: {shown}.",
        f"{path}: {count} value(s) of {name} are not known and count as 'unknown': {shown}.",
    )


def _positions_make_sense(path: str, typed: pl.DataFrame) -> None:
    """Refuse a log whose positions, as a whole, are swapped or not in degrees."""
    positions = typed.select("longitude", "latitude").drop_nulls()
    if positions.is_empty():
        return
    lon, lat = positions["longitude"], positions["latitude"]
    swapped = (lat.is_between(124, 132) & lon.is_between(33, 43.5)) | (
        (lat.abs() > 90) & (lat.abs() <= 180) & (lon.abs() <= 90)  # noqa: PLR2004
    )
    if _share(swapped) > MAJORITY:
        message = f"{path}: latitude and longitude are swapped; exchange the names of the two columns"
        raise LogError(message)
    beyond = (lat.abs() > 180) | (lon.abs() > 360)  # noqa: PLR2004
    if _share(beyond) > MAJORITY:
        crs = korean_crs_of(_middle(lon), _middle(lat))
        swapped_crs = korean_crs_of(_middle(lat), _middle(lon))
        looks = f"they look like {crs or swapped_crs}; " if crs or swapped_crs else ""
        message = f"{path}: positions are not degrees: {looks}transform them to WGS 84 (EPSG:4326)"
        raise LogError(message)


def _share(mask: pl.Series) -> float:
    """Return the share of true values."""
    return float(mask.sum()) / max(len(mask), 1)


def _middle(values: pl.Series) -> float:
    """Return the median of numbers."""
    return float(values.quantile(0.5) or 0)


def _split(sheet: Sheet, typed: pl.DataFrame, columns: Mapping[str, str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the records that can become fixes, and the rejects."""
    lon, lat = pl.col("longitude"), pl.col("latitude")
    sound = lon.is_between(-180, 180) & lat.is_between(-90, 90) & ~((lon == 0) & (lat == 0))
    reason = (
        pl.when(pl.col("vehicle_id").is_null())
        .then(pl.lit("no-vehicle"))
        .when(pl.col("time").is_null())
        .then(pl.lit("bad-time"))
        .when(~sound.fill_null(value=False))
        .then(pl.lit("bad-position"))
    )
    reasons = typed.select(reason.alias("reason"))["reason"]
    if reasons.null_count() == len(reasons):
        return typed, NO_REJECTS
    bad = reasons.is_not_null()
    shown = list(dict.fromkeys(columns.values()))
    rows = sheet.frame.filter(bad).select(shown)
    texts = [clean_text(" ".join("" if v is None else str(v) for v in row)) for row in rows.iter_rows()]
    rejects = pl.DataFrame(
        {"record": typed["record"].filter(bad), "reason": reasons.filter(bad), "text": texts},
        schema=NO_REJECTS.schema,
    )
    return typed.filter(~bad), rejects


def clean_text(text: str) -> str:
    """Return a record's own words, shortened, without control characters."""
    return shortened(re.sub(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", " ", text), TEXT_LENGTH)
