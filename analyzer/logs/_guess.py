"""What zonelog would make of an unknown table: its evidence, and a profile ready to be edited."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from analyzer.errors import LogError
from analyzer.language import Both, both
from analyzer.logs._columns import SPEED_TO_KPH, shortened
from analyzer.logs._excel import EXCEL
from analyzer.logs._files import is_url
from analyzer.logs._format import Log, ReadOptions
from analyzer.logs._guess_columns import Meaning, meaning_of
from analyzer.logs._guess_sample import Sample, sample_text, sample_typed
from analyzer.logs._numbers import numbers, with_point
from analyzer.logs._plain import Sheet, log_of
from analyzer.logs._profile import BUILT_IN, Profile, fitting, profile_of

TABLES = ("csv", "tsv", "ndjson", "parquet", "arrow", "xlsx")
_UNITS = {"speed_mps": 1.0, "speed_kph": 3.6, "speed_mph": 2.237, "speed_kn": 1.944}
"""Our name -> reported over implied speed in metres a second."""
_NEAREST, _FEWEST_PAIRS, _LONGEST_S, _SLOWEST_MPS = 0.08, 20, 180.0, 1.5
_METRES_A_DEGREE = 111_195.0
_EXACT_CRS = re.compile(r"EPSG:\d+|KATEC")
_UNSAFE = re.compile(r"[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def guess(path: str, name: str, timezone: str | None, lang: str) -> str:
    """Return what is seen in a table of a format, as a profile (TOML) whose comments are the evidence.

    `timezone` is that of times without an offset, null where nobody says it. LogError where it is no table.
    """
    if is_url(path):
        raise LogError(f"{path}: a guess needs a file; download it first")
    head = both("{path}: read as {name}", path=_quoted(Path(path).name, 80), name=name)
    if name not in TABLES:
        return _comments([head, both("this format says itself what it holds; it needs no profile")], lang)
    sample = sample_text(path) if name in {"csv", "tsv"} else sample_typed(path, name)
    if (known := fitting(Profile(), sample.frame.columns)).name:
        said = both("its columns are those of the built-in profile {name}, which is used by itself", name=known.name)
        text = (BUILT_IN / f"{known.name}.toml").read_text(encoding="utf-8")
        return f"{_comments([head, said], lang)}\n{text}"
    meaning = meaning_of(sample.frame)
    return _page(path, name, sample, meaning, timezone, head, lang)


def _page(  # noqa: PLR0913 - everything that is known comes together here
    path: str, name: str, sample: Sample, meaning: Meaning, timezone: str | None, head: Both, lang: str
) -> str:
    """Return evidence and profile of a table that no built-in profile knows."""
    trial = _toml(sample, meaning, "speed_mps" if meaning.bare_speed else None, timezone or "UTC")
    log, trouble = _tried(path, name, sample, trial)
    unit, ratio = _unit(sample, meaning, log)
    evidence = [head, *_layout(sample), *_columns(sample, meaning), *_coordinates(meaning), *_clock(meaning, timezone)]
    evidence += [*_speed(meaning, unit, ratio), *_outcome(log, trouble)]
    return f"{_comments(evidence, lang)}\n{_toml(sample, meaning, unit, timezone)}"


def _comments(sentences: list[Both], lang: str) -> str:
    """Return sentences as comments of a profile."""
    return "".join(f"# {sentence[lang]}\n" for sentence in sentences)


def _quoted(text: str, length: int = 40) -> str:
    """Return a text of the log as a TOML string: nothing in it can end a line or turn one round."""
    written = json.dumps(shortened(text, length), ensure_ascii=False)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", written)


def _layout(sample: Sample) -> Iterator[Both]:
    """Say how the text is laid out."""
    if sample.encoding and sample.delimiter:
        delimiter = _quoted(sample.delimiter)
        yield both("encoding {encoding}, separated by {delimiter}", encoding=sample.encoding, delimiter=delimiter)
        if not sample.header:
            yield both("no header: the first line holds values; give the columns better names")


def _columns(sample: Sample, meaning: Meaning) -> Iterator[Both]:
    """Say what each column is taken for, why, and what stands in it."""
    for ours, log in meaning.columns.items():
        gaps = {"ours": ours, "log": _quoted(log), "values": _some(sample, log)}
        if meaning.by[ours] == "name":
            yield both("{ours} = column {log} by its name; {values}", **gaps)
        else:
            yield both("{ours} = column {log} by its content: check it; {values}", **gaps)
    if meaning.others:
        yield both("not used: {names}", names=", ".join(_quoted(n, 30) for n in meaning.others[:20]))
    if meaning.order_unsure:
        yield both("which of the two is the latitude is a guess: check it on a map")


def _some(sample: Sample, column: str) -> str:
    """Return the first different values of a column."""
    values = sample.frame[column].drop_nulls().unique(maintain_order=True).head(3)
    return ", ".join(_quoted(value, 30) for value in values)


def _coordinates(meaning: Meaning) -> Iterator[Both]:
    """Say what kind of coordinates there are."""
    if meaning.coordinates == "degrees":
        yield both("coordinates: degrees; that they are WGS 84 no number can tell")
    elif meaning.coordinates == "swapped":
        yield both("coordinates: degrees, but the names are swapped; the profile exchanges them")
    elif meaning.coordinates in {"metres", "swapped-metres"}:
        yield both("coordinates: metres that fit {crs}; whoever made the log must say so", crs=str(meaning.crs))
    elif meaning.coordinates == "whole":
        yield both("coordinates: whole numbers, degrees times {scale}", scale=f"{meaning.scale:.0e}")
    else:
        yield both("coordinates: none that is recognised; name their columns and [position] crs")


def _clock(meaning: Meaning, timezone: str | None) -> Iterator[Both]:
    """Say what the times are."""
    if not any(name.startswith("timestamp") for name in meaning.columns):
        yield both("times: none that is recognised; name their column, and [time] format")
    if meaning.layouts == (EXCEL,):
        yield both("times: numbers that look like days as Excel counts them; check that they are")
    if len(meaning.layouts) > 1:
        yield both("times: {formats} all fit; say which is right", formats=", ".join(map(_quoted, meaning.layouts)))
    if meaning.naive and timezone is None:
        yield both("times have no offset: say their zone in [fixed] timezone or by --timezone; until then refused")


def _speed(meaning: Meaning, unit: str | None, ratio: tuple[float, int] | None) -> Iterator[Both]:
    """Say which unit of speed the way between positions implies."""
    stated = next((name for name in SPEED_TO_KPH if name in meaning.columns), None)
    if ratio is not None:
        yield both(
            "speed: reported over implied (m/s) is {ratio} over {n} moving pairs; that is nearest to {unit}",
            ratio=f"{ratio[0]:.2f}",
            n=ratio[1],
            unit=_nearest(ratio[0]),
        )
    if stated is not None and ratio is not None and abs(math.log(ratio[0] / _UNITS[stated])) > math.log(1.2):
        yield both("speed: the name says {stated}, but the way does not agree: ask who made the log", stated=stated)
    if meaning.bare_speed and unit is None:
        bare = _quoted(meaning.bare_speed)
        yield both("speed: the unit of {name} is not known; the log is refused until you say it", name=bare)


def _nearest(ratio: float) -> str:
    """Return the speed of ours whose unit fits a ratio best."""
    return min(_UNITS, key=lambda name: abs(math.log(ratio / _UNITS[name])))


def _unit(sample: Sample, meaning: Meaning, log: Log | None) -> tuple[str | None, tuple[float, int] | None]:
    """Return the unit of a speed without one, null where the way does not tell it plainly, and the evidence."""
    column = meaning.bare_speed or next((meaning.columns[n] for n in SPEED_TO_KPH if n in meaning.columns), None)
    if column is None or log is None:
        return None, None
    texts = sample.frame[column]
    reported = numbers(with_point(texts) if meaning.decimal_comma else texts)
    ratio = _ratio(log.records, reported)
    if ratio is None or meaning.bare_speed is None:
        return None, ratio
    nearest = _nearest(ratio[0])
    plain = ratio[1] >= _FEWEST_PAIRS and abs(math.log(ratio[0] / _UNITS[nearest])) <= _NEAREST
    return (nearest if plain else None), ratio


def _ratio(records: pl.DataFrame, reported: pl.Series) -> tuple[float, int] | None:
    """Return the median of reported over implied speed (m/s) of moving pairs, and how many pairs there are."""
    fixes = records.with_columns(reported=reported.gather(records["record"] - 1)).sort("vehicle_id", "time", "record")
    here = fixes.with_columns(
        seconds=pl.col("time").diff().over("vehicle_id").dt.total_microseconds() / 1e6,
        north=pl.col("latitude").diff().over("vehicle_id") * _METRES_A_DEGREE,
        east=pl.col("longitude").diff().over("vehicle_id") * _METRES_A_DEGREE * pl.col("latitude").radians().cos(),
        mean=(pl.col("reported") + pl.col("reported").shift().over("vehicle_id")) / 2,
    )
    implied = (pl.col("north") ** 2 + pl.col("east") ** 2).sqrt() / pl.col("seconds")
    moving = here.filter(pl.col("seconds").is_between(0, _LONGEST_S, closed="right"), pl.col("mean") > 0)
    moving = moving.with_columns(implied=implied).filter(pl.col("implied") > _SLOWEST_MPS)
    middle = moving.select((pl.col("mean") / pl.col("implied")).median()).item()
    return None if middle is None or not middle > 0 else (float(middle), moving.height)


def _tried(path: str, name: str, sample: Sample, toml: str) -> tuple[Log | None, str]:
    """Return the log that a profile makes of the sample, null with the reason where it makes none."""
    try:
        return log_of(Sheet(path, name, sample.frame), ReadOptions(), profile_of(Path(path), toml)), ""
    except LogError as error:
        return None, str(error)


def _outcome(log: Log | None, trouble: str) -> Iterator[Both]:
    """Say what became of the sample."""
    if log is None:
        yield both("not readable yet: {reason}", reason=_quoted(trouble, 300))
        return
    counts = dict(log.rejects["reason"].value_counts(sort=True, name="n").iter_rows())
    rejects = ", ".join(f"{reason} {n}" for reason, n in sorted(counts.items())) or "0"
    yield both(
        "tried on the first {n} records: {good} readable, rejected: {rejects}",
        n=log.record_count,
        good=log.records.height,
        rejects=rejects,
    )
    for notice in log.notices:
        yield {"ko": _quoted(notice.ko, 300), "en": _quoted(notice.en, 300)}


def _toml(sample: Sample, meaning: Meaning, unit: str | None, timezone: str | None) -> str:
    """Return the profile."""
    lines = ["[columns]", *(f"{ours} = {_whole(log)}" for ours, log in meaning.columns.items())]
    if meaning.bare_speed:
        mark = "" if unit else "# "
        lines.append(f"{mark}{unit or 'speed_kph'} = {_whole(meaning.bare_speed)}")
        if not unit:
            lines.append("# speed_mps, speed_mph, speed_kn")
    zone = [f"timezone = {_whole(timezone)}" if timezone else '# timezone = "Asia/Seoul"'] if meaning.naive else []
    sections = {"fixed": zone, "time": _time_lines(meaning), "position": _position_lines(meaning)}
    sections["read"] = _read_lines(sample, meaning)
    for section, inside in sections.items():
        lines += ["", f"[{section}]", *inside] if inside else []
    return "\n".join(lines) + "\n"


def _whole(text: str) -> str:
    """Return a text, however long, as a TOML string."""
    return _quoted(text, len(text) + 1)


def _time_lines(meaning: Meaning) -> list[str]:
    """Return the format of times, the first that fits, the others as comments."""
    return [f"{'# ' if place else ''}format = {_whole(layout)}" for place, layout in enumerate(meaning.layouts)]


def _position_lines(meaning: Meaning) -> list[str]:
    """Return how positions become degrees."""
    if meaning.scale:
        return [f"integer_scale = {meaning.scale:.1e}"]
    match = _EXACT_CRS.match(meaning.crs or "")
    return [f'crs = "{match[0]}"'] if match else []


def _read_lines(sample: Sample, meaning: Meaning) -> list[str]:
    """Return how the text is read."""
    lines = []
    if sample.delimiter and sample.delimiter != ",":
        lines.append(f"delimiter = {_whole(sample.delimiter)}")
    if sample.encoding and sample.encoding not in {"utf-8", "utf-16"}:
        lines.append(f"encoding = {_whole(sample.encoding)}")
    if meaning.decimal_comma:
        lines.append('decimal = ","')
    if not sample.header:
        lines.append(f"columns = [{', '.join(_whole(name) for name in sample.frame.columns)}]")
    return lines
