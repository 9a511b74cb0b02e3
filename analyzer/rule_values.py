"""Single values of rules.toml: what each may be, and what to write instead."""

import datetime as dt
import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analyzer.errors import RuleError
from analyzer.records import record
from analyzer.rules import Window
from analyzer.terms import WEEKDAYS
from analyzer.windows import instant_us

_DAY_S = 86_400


@record(frozen=True)
class Place:
    """A table of the file, to say where a fault is: its line is looked up in the text."""

    path: Path
    text: str
    header: str
    number: int

    def fault(self, key: str, problem: str) -> RuleError:
        """Return an error that names file, line and key."""
        return RuleError(f"{self.path}, line {self._line(key)}: {problem}")

    def _line(self, key: str) -> int:
        """Return the line of a key in this table, or of its header."""
        lines = self.text.splitlines()
        starts = [i for i, line in enumerate(lines) if line.strip().startswith(self.header)]
        start = starts[self.number] if self.number < len(starts) else 0
        for offset, line in enumerate(lines[start:]):
            if offset and line.strip().startswith("["):
                break
            if re.match(rf"\s*{re.escape(key)}\s*=", line):
                return start + offset + 1
        return start + 1


def refuse_unknown(place: Place, table: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    """Refuse keys that nobody reads: a misspelt condition would silently not be asked."""
    for key in table:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"known are: {', '.join(keys)}"
            raise place.fault(key, f"unknown key `{key}`; {hint}")


def number_of(place: Place, key: str, value: Any) -> float:
    """Return a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) == float("inf"):  # noqa: PLR0124 - NaN differs from itself
        raise place.fault(key, f"{key} must be a number, not {value!r}")
    return float(value)


def word_of(place: Place, key: str, value: Any, words: tuple[str, ...]) -> str:
    """Return one of the known words."""
    if not isinstance(value, str) or value not in words:
        near = difflib.get_close_matches(str(value), words, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"write one of {', '.join(words)}"
        raise place.fault(key, f"{key}: {value!r} is not known; {hint}")
    return value


def words_of(place: Place, key: str, value: Any, words: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return a list of texts, of known words where `words` is given."""
    if not isinstance(value, list) or any(not isinstance(v, str) or not v for v in value):
        raise place.fault(key, f'{key} must be a list of texts, for example {key} = ["…"]')
    return tuple(value if words is None else (word_of(place, key, v, words) for v in value))


def text_of(place: Place, key: str, value: Any) -> str:
    """Return a text."""
    if not isinstance(value, str) or (key == "id" and (not value or ";" in value)):
        raise place.fault(key, f"{key} must be a text (an id without `;`), not {value!r}")
    return value


def revision_of(place: Place, value: Any) -> int:
    """Return the number of a revision."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise place.fault("revision", f"revision must be a whole number from 1, not {value!r}")
    return value


def texts_of(place: Place, value: Any) -> dict[str, str]:
    """Return the rule's text in Korean and English."""
    if not isinstance(value, dict) or not all(isinstance(value.get(k), str) for k in ("ko", "en")):
        raise place.fault("text", 'text needs both languages: text = { ko = "…", en = "…" }')
    return {"ko": value["ko"], "en": value["en"]}


def zones_of(place: Place, value: Any, zone_ids: tuple[str, ...]) -> tuple[str, ...]:
    """Return the zones named, all of which exist."""
    named = words_of(place, "zones", value, None)
    if not named:
        raise place.fault("zones", "a rule acts through zones; name at least one")
    for zone in named:
        if zone not in zone_ids:
            near = difflib.get_close_matches(zone, zone_ids, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(zone_ids)}"
            raise place.fault("zones", f"zone {zone!r} is not in zones.geojson; {hint}")
    return tuple(dict.fromkeys(named))


def instant_of(place: Place, key: str, value: Any) -> int:
    """Return an instant with an offset as microseconds since 1970 UTC."""
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, dt.datetime) or value.tzinfo is None:
        example = f"{key} = 2023-12-01T00:00:00+09:00"
        raise place.fault(key, f"{key} must be a date and time with an offset; write {example}")
    return instant_us(value)


def speed_of(place: Place, key: str, value: Any) -> float:
    """Return a speed limit."""
    speed = number_of(place, key, value)
    if speed <= 0:
        raise place.fault(key, f"{key} must be above 0 (to forbid a zone, write no_entry = true)")
    return speed


def flag_of(place: Place, key: str, value: Any) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise place.fault(key, f"{key} must be true or false, not {value!r}")
    return value


def dates_of(place: Place, key: str, value: Any) -> tuple[dt.date, ...]:
    """Return local days."""
    good = isinstance(value, list) and all(isinstance(v, dt.date) and not isinstance(v, dt.datetime) for v in value)
    if not good:
        raise place.fault(key, f"{key} must be a list of days: {key} = [2021-03-01]")
    return tuple(value)


def hours_of(place: Place, key: str, value: Any) -> tuple[Window, ...]:
    """Return the windows."""
    if not isinstance(value, list) or any(not isinstance(v, dict) for v in value) or not value:
        example = '[{ days = ["mon"], from = "10:00", to = "12:00" }]'
        raise place.fault(key, f"{key} must be a list of windows: hours = {example}")
    return tuple(_window(place, window) for window in value)


def _window(place: Place, window: Mapping[str, Any]) -> Window:
    """Return one window; one past midnight ends on the next day."""
    refuse_unknown(place, window, ("days", "from", "to"))
    days = words_of(place, "hours", window.get("days"), WEEKDAYS)
    start = _clock(place, window.get("from"), last="23:59:59")
    end = _clock(place, window.get("to"), last="24:00")
    if start == end or not days:
        raise place.fault(
            "hours",
            'a window needs days, and `from` and `to` that differ; for a whole day write from = "00:00", to = "24:00"',
        )
    numbers = tuple(sorted({WEEKDAYS.index(day) for day in days}))
    return Window(numbers, start, end if end > start else end + _DAY_S)


def _clock(place: Place, value: Any, last: str) -> int:
    """Return seconds after midnight of `HH:MM` or `HH:MM:SS`."""
    match = re.fullmatch(r"(\d\d):(\d\d)(?::(\d\d))?", value) if isinstance(value, str) else None
    hour, minute, second = (int(part or 0) for part in match.groups()) if match else (99, 0, 0)
    seconds = hour * 3600 + minute * 60 + second
    most = _DAY_S if last == "24:00" else _DAY_S - 1
    if minute > 59 or second > 59 or seconds > most:  # noqa: PLR2004
        raise place.fault("hours", f'{value!r} is no time of day; write "HH:MM" up to "{last}"')
    return seconds
