"""A profile: the columns, units and words of a table that is not in a known layout, as TOML.

```toml
[columns]                 # our name = the log's name
vehicle_id = "bus"
timestamp = "time"        # or timestamp_s, timestamp_ms, timestamp_us, timestamp_ns
date = "day"              # where the day is in a column of its own
speed_mps = "speed"       # or speed_kph, speed_mph, speed_kn: the unit is in the name
fix = "satellites"        # says whether there was a position at all

[values.control_mode]     # the log's word = ours; so for operator and fix (yes, no)
"A" = "autonomous"

[values.fix]
"0" = "no"

[fixed]                   # said of the whole log
vehicle_type = "sweeper"
timezone = "Asia/Seoul"   # of times without an offset

[time]
format = "%d.%m.%Y %H:%M:%S"        # as strptime; "excel": days since 1899-12-30, as 45123.5

[position]
crs = "EPSG:5186"         # longitude is then the easting, latitude the northing; or "KATEC"
integer_scale = 1e7       # numbers that can be no degrees are whole multiples of 1/1e7 degree

[read]
delimiter = "|"
encoding = "cp949"
decimal = ","
skip_rows = 3             # lines before the header
sheet = "Route"           # of a workbook
columns = ["latitude", "longitude", "vehicle_id"]   # a table without a header line
```

Speed may also be text with its unit, `12.3 km/h`: `speed_with_unit = "Speed"`. Axes that
are swapped are named the other way round. Coordinates in metres are transformed only
where `crs` says what they are. A key that is not known here is refused.

Some profiles are built in; `--profile NAME` takes one by its name, and one that says so
(`[match]`: columns that all must be there) is used without being asked for, which a
notice says.
"""

import codecs
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import field
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from analyzer.errors import LogError
from analyzer.records import record
from analyzer.terms import CONTROL_MODES, OPERATORS

BUILT_IN = Path(__file__).resolve().parent / "profiles"
TARGETS = (
    "vehicle_id",
    "timestamp",
    "timestamp_s",
    "timestamp_ms",
    "timestamp_us",
    "timestamp_ns",
    "date",
    "latitude",
    "longitude",
    "trip_id",
    "vehicle_type",
    "speed_kph",
    "speed_mps",
    "speed_mph",
    "speed_kn",
    "speed_with_unit",
    "heading_deg",
    "horizontal_accuracy_m",
    "control_mode",
    "operator",
    "odometer_m",
    "fix",
)
WORDS = {"control_mode": CONTROL_MODES, "operator": OPERATORS, "fix": ("yes", "no")}
_SECTIONS = {
    "columns": TARGETS,
    "values": tuple(WORDS),
    "fixed": ("vehicle_id", "vehicle_type", "trip_id", "control_mode", "operator", "timezone"),
    "read": ("delimiter", "encoding", "columns", "decimal", "skip_rows", "sheet"),
    "time": ("format",),
    "position": ("crs", "integer_scale"),
    "match": ("columns",),
}
_DIRECTIVES = re.compile(r"%(?:[YmdHMSyjbBpIfzTFReZ%]|:z|\.f|[369]f|\.[369]f)")
_MOST_SKIPPED = 1000


@record(frozen=True)
class Profile:
    """A profile as read; everything may be left out. `name` is that of a built-in one."""

    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    read: Mapping[str, Any] = field(default_factory=dict)
    time: Mapping[str, str] = field(default_factory=dict)
    position: Mapping[str, Any] = field(default_factory=dict)
    match: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None


def load_profile(path: Path | None) -> Profile:
    """Return the profile of a file or a built-in name, an empty one without; LogError says what is wrong in it."""
    if path is None:
        return Profile()
    if not path.exists() and str(path) in (known := built_in_names()):
        return known[str(path)]
    return _loaded(path, None)


@cache
def built_in_names() -> dict[str, Profile]:
    """Return name -> built-in profile, in order of their names."""
    return {path.stem: _loaded(path, path.stem) for path in sorted(BUILT_IN.glob("*.toml"))}


def fitting(profile: Profile, names: Iterable[str]) -> Profile:
    """Return the profile, where nobody gave one the built-in one whose columns are all among the names."""
    if profile != Profile():
        return profile
    there = set(names)
    for known in built_in_names().values():
        if known.match and there.issuperset(known.match["columns"]):
            return known
    return profile


def _loaded(path: Path, name: str | None) -> Profile:
    """Return the profile of a file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        message = f"{path}: the profile cannot be opened ({error.strerror}); built in are: {_built_in(name)}"
        raise LogError(message) from error
    except UnicodeDecodeError as error:
        raise LogError(f"{path}: the profile is not UTF-8 text: {error}") from error
    return profile_of(path, text, name)


def profile_of(path: Path, text: str, name: str | None = None) -> Profile:
    """Return the profile that a text is; LogError says what is wrong in it."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise LogError(f"{path}: the profile is not valid TOML: {error}") from error
    _known(path, "", document, tuple(_SECTIONS))
    for section, keys in _SECTIONS.items():
        _known(path, section, document.get(section, {}), keys)
    _sound(path, document)
    return Profile(**document, name=name)


def _built_in(name: str | None) -> str:
    """Return the names of the built-in profiles, none while they are loaded themselves."""
    return "" if name else ", ".join(built_in_names())


def _known(path: Path, section: str, table: Any, keys: tuple[str, ...]) -> None:
    """Refuse keys that nobody reads."""
    where = f"[{section}] " if section else ""
    if not isinstance(table, dict):
        raise LogError(f"{path}: {where}must be a table of the profile")
    for key in table:
        if key not in keys:
            import difflib  # noqa: PLC0415 - every process reads profiles, few are wrong

            near = difflib.get_close_matches(key, keys, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"known are: {', '.join(keys)}"
            raise LogError(f"{path}: {where}unknown key `{key}`; {hint}")


def _sound(path: Path, document: Mapping[str, Any]) -> None:
    """Refuse values that mean nothing."""
    for section in ("columns", "fixed", "time"):
        for key, value in document.get(section, {}).items():
            _must(path, isinstance(value, str) and value != "", f"[{section}] {key}", "must be text")
    for kind, table in document.get("values", {}).items():
        _must(path, isinstance(table, dict), f"[values.{kind}]", "must be a table")
        for word in table.values():
            if word not in WORDS[kind]:
                message = f"{path}: values.{kind}: {word!r} is not one of {', '.join(WORDS[kind])}"
                raise LogError(message)
    _sound_fixed(path, document.get("fixed", {}))
    _sound_read(path, document.get("read", {}))
    _sound_rest(path, document)


def _sound_fixed(path: Path, fixed: Mapping[str, str]) -> None:
    """Refuse words and time zones that do not exist."""
    for kind in ("control_mode", "operator"):
        said = fixed.get(kind)
        _must(path, said is None or said in WORDS[kind], f"[fixed] {kind}", f"must be one of {', '.join(WORDS[kind])}")
    if "timezone" in fixed:
        try:
            ZoneInfo(fixed["timezone"])
        except (KeyError, ValueError, OSError) as error:
            message = f"{path}: [fixed] timezone: {fixed['timezone']!r} is no IANA time zone; write, say, Asia/Seoul"
            raise LogError(message) from error


def _sound_read(path: Path, read: Mapping[str, Any]) -> None:
    """Refuse what cannot be read by."""
    delimiter, decimal = read.get("delimiter", ","), read.get("decimal", ".")
    one = isinstance(delimiter, str) and len(delimiter.encode()) == 1 and delimiter not in '"\r\n'
    _must(path, one, "[read] delimiter", "must be one character, for example ';' or '|'")
    _must(path, decimal in {".", ","}, "[read] decimal", "must be '.' or ','")
    skipped = read.get("skip_rows", 0)
    whole = isinstance(skipped, int) and not isinstance(skipped, bool) and 0 <= skipped <= _MOST_SKIPPED
    _must(path, whole, "[read] skip_rows", f"must be a whole number up to {_MOST_SKIPPED}")
    _must(path, isinstance(read.get("sheet", ""), str), "[read] sheet", "must be text")
    encoding = read.get("encoding", "utf-8")
    _must(path, isinstance(encoding, str) and _is_text_encoding(encoding), "[read] encoding", "is not known; say cp949")
    names = read.get("columns", ["a"])
    _must(path, _are_names(names), "[read] columns", "must be a list of different names")


def _is_text_encoding(name: str) -> bool:
    """Return whether an encoding of text has this name."""
    try:
        return codecs.lookup(name)._is_text_encoding  # noqa: SLF001 - the only way to tell rot13 from cp949
    except LookupError:
        return False


def _are_names(names: Any) -> bool:
    """Return whether this is a list of different texts."""
    texts = isinstance(names, list) and bool(names) and all(isinstance(n, str) and n for n in names)
    return texts and len(set(names)) == len(names)


def _sound_rest(path: Path, document: Mapping[str, Any]) -> None:
    """Refuse formats of time, systems of coordinates and matches that mean nothing."""
    layout = document.get("time", {}).get("format", "%Y")
    known = layout == "excel" or ("%" in layout and "%" not in _DIRECTIVES.sub("", layout))
    _must(path, known, "[time] format", "must be made of %Y %m %d %H %M %S %f %z and the like, or be excel")
    position = document.get("position", {})
    crs = position.get("crs", "KATEC")
    named = isinstance(crs, str) and (crs == "KATEC" or re.fullmatch(r"EPSG:\d{4,6}", crs) is not None)
    _must(path, named, "[position] crs", 'must be "EPSG:" with a number, for example "EPSG:5186", or "KATEC"')
    scale = position.get("integer_scale", 1e7)
    number = isinstance(scale, int | float) and not isinstance(scale, bool) and 1 < scale <= 1e12  # noqa: PLR2004
    _must(path, number, "[position] integer_scale", "must be a number, for example 1e7")
    both = "crs" in position and "integer_scale" in position
    _must(path, not both, "[position]", "takes crs or integer_scale, not both")
    _must(
        path, _are_names(document.get("match", {"columns": ["a"]}).get("columns")), "[match] columns", "must be names"
    )


def _must(path: Path, holds: bool, where: str, what: str) -> None:  # noqa: FBT001 - an assertion reads best so
    """Refuse a profile of which something does not hold."""
    if not holds:
        raise LogError(f"{path}: {where} {what}")
