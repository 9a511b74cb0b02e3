"""A profile: the columns, units and words of a log that is not in a known layout, as TOML.

```toml
[columns]                 # our name = the log's name
vehicle_id = "bus"
timestamp = "time"        # or timestamp_s, timestamp_ms, timestamp_us, timestamp_ns
speed_mps = "speed"       # or speed_kph, speed_mph, speed_kn: the unit is in the name

[values.control_mode]     # the log's word = ours
"A" = "autonomous"

[values.operator]
"1" = "on_board"

[fixed]                   # said of the whole log
vehicle_type = "sweeper"
timezone = "Asia/Seoul"

[read]
delimiter = "|"
encoding = "cp949"
columns = ["latitude", "longitude", "vehicle_id"]   # a table without a header line
```
"""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analyzer.errors import LogError
from analyzer.terms import CONTROL_MODES, OPERATORS

TARGETS = (
    "vehicle_id",
    "timestamp",
    "timestamp_s",
    "timestamp_ms",
    "timestamp_us",
    "timestamp_ns",
    "latitude",
    "longitude",
    "trip_id",
    "vehicle_type",
    "speed_kph",
    "speed_mps",
    "speed_mph",
    "speed_kn",
    "heading_deg",
    "horizontal_accuracy_m",
    "control_mode",
    "operator",
    "odometer_m",
)
_SECTIONS = {
    "columns": TARGETS,
    "values": ("control_mode", "operator"),
    "fixed": ("vehicle_id", "vehicle_type", "trip_id", "control_mode", "operator", "timezone"),
    "read": ("delimiter", "encoding", "columns"),
}


@dataclass(frozen=True)
class Profile:
    """A profile as read; everything may be left out."""

    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    read: Mapping[str, Any] = field(default_factory=dict)


def load_profile(path: Path | None) -> Profile:
    """Return the profile of a file, an empty one without; LogError says what is wrong in it."""
    if path is None:
        return Profile()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise LogError(f"{path}: the profile cannot be opened ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LogError(f"{path}: the profile is not valid TOML: {error}") from error
    _known(path, "", document, tuple(_SECTIONS))
    for section, keys in _SECTIONS.items():
        _known(path, section, document.get(section, {}), keys)
    for kind, words in (("control_mode", CONTROL_MODES), ("operator", OPERATORS)):
        for word in document.get("values", {}).get(kind, {}).values():
            if word not in words:
                message = f"{path}: values.{kind}: {word!r} is not one of {', '.join(words)}"
                raise LogError(message)
    return Profile(**document)


def _known(path: Path, section: str, table: Any, keys: tuple[str, ...]) -> None:
    """Refuse keys that nobody reads."""
    where = f"[{section}] " if section else ""
    if not isinstance(table, dict):
        raise LogError(f"{path}: {where}must be a table of the profile")
    for key in table:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"known are: {', '.join(keys)}"
            raise LogError(f"{path}: {where}unknown key `{key}`; {hint}")
