"""rules.toml, read and validated: whatever is unclear is refused with its line and a remedy."""

import datetime as dt
import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from analyzer.errors import RuleError
from analyzer.rules import Evaluation, Rule, Rules, Window
from analyzer.terms import CONTROL_MODES, RULE_CONFIDENCES, WEEKDAYS
from analyzer.windows import instant_us

TOP_KEYS = ("schema", "timezone", "evaluation", "rule")
RULE_KEYS = (
    "id",
    "revision",
    "kind",
    "text",
    "legal_basis",
    "source",
    "confidence",
    "note",
    "effective",
    "expires",
    "zones",
    "vehicle_types",
    "vehicles",
    "control_modes",
    "max_speed_kph",
    "operator",
    "hours",
    "except_dates",
    "no_entry",
)
REQUIRED = ("id", "kind", "text", "effective", "zones")
RULE_OPERATORS = ("on_board", "remote", "any")
_DAY_S = 86_400


@dataclass(frozen=True)
class _Place:
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


def load_rules(path: Path, zone_ids: Iterable[str]) -> Rules:
    """Return the validated rules of a rules.toml; `zone_ids` are the zones that may be named.

    Raises RuleError with file, line, what is wrong and what to write instead.
    """
    text = _read(path)
    document = _parse(path, text)
    top = _Place(path, text, "", 0)
    _known(top, document, TOP_KEYS)
    if document.get("schema") != 1:
        raise top.fault("schema", "this version reads `schema = 1`; write that at the top")
    timezone = document.get("timezone")
    if timezone not in available_timezones():
        problem = f'{timezone!r} is no IANA time zone; write for example timezone = "Asia/Seoul"'
        raise top.fault("timezone", problem)
    evaluation = _evaluation(_Place(path, text, "[evaluation]", 0), document.get("evaluation", {}))
    tables = document.get("rule", [])
    if not isinstance(tables, list):
        raise top.fault("rule", "write each rule under a [[rule]] heading")
    places = [_Place(path, text, "[[rule]]", number) for number in range(len(tables))]
    known = tuple(zone_ids)
    rules = [_rule(place, table, known) for place, table in zip(places, tables, strict=True)]
    return Rules(timezone, evaluation, _revised(places, rules))


def _read(path: Path) -> str:
    """Return the text of the file."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        message = f"{path}: not found; a zone set is a folder with zones.geojson and rules.toml"
        raise RuleError(message) from None
    except (OSError, UnicodeDecodeError) as error:
        raise RuleError(f"{path}: cannot be read as UTF-8 text ({error})") from error


def _parse(path: Path, text: str) -> dict[str, Any]:
    """Return the TOML document."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"{path}: not valid TOML: {error}") from error


def _known(place: _Place, table: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    """Refuse keys that nobody reads: a misspelt condition would silently not be asked."""
    for key in table:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"known are: {', '.join(keys)}"
            raise place.fault(key, f"unknown key `{key}`; {hint}")


def _evaluation(place: _Place, table: Mapping[str, Any]) -> Evaluation:
    """Return the evaluation settings."""
    defaults = {f.name: f.default for f in fields(Evaluation)}
    _known(place, table, tuple(defaults))
    values = {key: _setting(place, key, value, defaults[key]) for key, value in table.items()}
    return Evaluation(**values)


def _setting(place: _Place, key: str, value: Any, default: Any) -> Any:
    """Return one setting, refused where it is no sensible value."""
    if key == "permit_needed_for":
        return _words(place, key, value, CONTROL_MODES)
    if key == "assumed_control_mode":
        return _word(place, key, value, CONTROL_MODES)
    number = _number(place, key, value)
    low, high = (0.5, 1.0) if key == "confidence" else (0.0, float("inf"))
    fraction = key in ("confidence", "min_observed_share")
    inside = low <= number < high if key == "confidence" else low <= number
    if not inside or (fraction and number > 1):
        bounds = "from 0.5 up to, but not, 1" if key == "confidence" else "0 or more (a share: up to 1)"
        raise place.fault(key, f"{key} = {value} is out of range; it must be {bounds}")
    return type(default)(number)


def _number(place: _Place, key: str, value: Any) -> float:
    """Return a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) == float("inf"):  # noqa: PLR0124 - NaN differs from itself
        raise place.fault(key, f"{key} must be a number, not {value!r}")
    return float(value)


def _word(place: _Place, key: str, value: Any, words: tuple[str, ...]) -> str:
    """Return one of the known words."""
    if not isinstance(value, str) or value not in words:
        near = difflib.get_close_matches(str(value), words, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"write one of {', '.join(words)}"
        raise place.fault(key, f"{key}: {value!r} is not known; {hint}")
    return value


def _words(place: _Place, key: str, value: Any, words: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return a list of texts, of known words where `words` is given."""
    if not isinstance(value, list) or any(not isinstance(v, str) or not v for v in value):
        raise place.fault(key, f'{key} must be a list of texts, for example {key} = ["…"]')
    return tuple(value if words is None else (_word(place, key, v, words) for v in value))


def _rule(place: _Place, table: Mapping[str, Any], zone_ids: tuple[str, ...]) -> Rule:
    """Return one rule (its end not yet cut by later revisions)."""
    _known(place, table, RULE_KEYS)
    for key in REQUIRED:
        if key not in table:
            raise place.fault(key, f"a rule needs `{key}`; add it below this [[rule]]")
    kind = _word(place, "kind", table["kind"], ("permit", "restriction"))
    read: dict[str, Any] = {
        "id": _text(place, "id", table["id"]),
        "revision": _revision(place, table.get("revision", 1)),
        "kind": kind,
        "text": _texts(place, table["text"]),
        "zones": _zones(place, table["zones"], zone_ids),
        "effective_us": _instant(place, "effective", table["effective"]),
    }
    readers: dict[str, Callable[[_Place, str, Any], Any]] = {
        "legal_basis": _text,
        "source": _text,
        "note": _text,
        "confidence": lambda p, k, v: _word(p, k, v, RULE_CONFIDENCES),
        "vehicle_types": lambda p, k, v: _words(p, k, v, None),
        "vehicles": lambda p, k, v: _words(p, k, v, None),
        "control_modes": lambda p, k, v: _words(p, k, v, CONTROL_MODES),
        "max_speed_kph": _speed,
        "operator": lambda p, k, v: _word(p, k, v, RULE_OPERATORS),
        "hours": _hours,
        "except_dates": _dates,
        "no_entry": _flag,
    }
    read |= {k: readers[k](place, k, v) for k, v in table.items() if k in readers}
    if "expires" in table:
        read["expires_us"] = _instant(place, "expires", table["expires"])
        if read["expires_us"] <= read["effective_us"]:
            raise place.fault("expires", "the rule expires before it takes effect; swap the dates")
    rule = Rule(**read)
    _sensible(place, rule)
    return rule


def _sensible(place: _Place, rule: Rule) -> None:
    """Refuse conditions that the kind of rule does not have, and rules that say nothing."""
    if rule.kind == "permit" and rule.no_entry:
        raise place.fault("no_entry", 'a permit cannot forbid entry; write kind = "restriction"')
    if rule.kind == "restriction" and rule.operator:
        raise place.fault("operator", "only a permit asks for an operator; leave it out here")
    if rule.kind == "restriction" and not rule.no_entry and rule.max_speed_kph is None:
        raise place.fault("kind", "a restriction needs `no_entry = true` and/or `max_speed_kph`")


def _text(place: _Place, key: str, value: Any) -> str:
    """Return a text."""
    if not isinstance(value, str) or (key == "id" and (not value or ";" in value)):
        raise place.fault(key, f"{key} must be a text (an id without `;`), not {value!r}")
    return value


def _revision(place: _Place, value: Any) -> int:
    """Return the number of a revision."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise place.fault("revision", f"revision must be a whole number from 1, not {value!r}")
    return value


def _texts(place: _Place, value: Any) -> dict[str, str]:
    """Return the rule's text in Korean and English."""
    if not isinstance(value, dict) or not all(isinstance(value.get(k), str) for k in ("ko", "en")):
        raise place.fault("text", 'text needs both languages: text = { ko = "…", en = "…" }')
    return {"ko": value["ko"], "en": value["en"]}


def _zones(place: _Place, value: Any, zone_ids: tuple[str, ...]) -> tuple[str, ...]:
    """Return the zones named, all of which exist."""
    named = _words(place, "zones", value, None)
    if not named:
        raise place.fault("zones", "a rule acts through zones; name at least one")
    for zone in named:
        if zone not in zone_ids:
            near = difflib.get_close_matches(zone, zone_ids, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(zone_ids)}"
            raise place.fault("zones", f"zone {zone!r} is not in zones.geojson; {hint}")
    return tuple(dict.fromkeys(named))


def _instant(place: _Place, key: str, value: Any) -> int:
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


def _speed(place: _Place, key: str, value: Any) -> float:
    """Return a speed limit."""
    speed = _number(place, key, value)
    if speed <= 0:
        raise place.fault(key, f"{key} must be above 0 (to forbid a zone, write no_entry = true)")
    return speed


def _flag(place: _Place, key: str, value: Any) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise place.fault(key, f"{key} must be true or false, not {value!r}")
    return value


def _dates(place: _Place, key: str, value: Any) -> tuple[dt.date, ...]:
    """Return local days."""
    good = isinstance(value, list) and all(isinstance(v, dt.date) and not isinstance(v, dt.datetime) for v in value)
    if not good:
        raise place.fault(key, f"{key} must be a list of days: {key} = [2021-03-01]")
    return tuple(value)


def _hours(place: _Place, key: str, value: Any) -> tuple[Window, ...]:
    """Return the windows."""
    if not isinstance(value, list) or any(not isinstance(v, dict) for v in value) or not value:
        example = '[{ days = ["mon"], from = "10:00", to = "12:00" }]'
        raise place.fault(key, f"{key} must be a list of windows: hours = {example}")
    return tuple(_window(place, window) for window in value)


def _window(place: _Place, window: Mapping[str, Any]) -> Window:
    """Return one window; one past midnight ends on the next day."""
    _known(place, window, ("days", "from", "to"))
    days = _words(place, "hours", window.get("days"), WEEKDAYS)
    start = _clock(place, window.get("from"), last="23:59:59")
    end = _clock(place, window.get("to"), last="24:00")
    if start == end or not days:
        raise place.fault(
            "hours",
            'a window needs days, and `from` and `to` that differ; for a whole day write from = "00:00", to = "24:00"',
        )
    numbers = tuple(sorted({WEEKDAYS.index(day) for day in days}))
    return Window(numbers, start, end if end > start else end + _DAY_S)


def _clock(place: _Place, value: Any, last: str) -> int:
    """Return seconds after midnight of `HH:MM` or `HH:MM:SS`."""
    match = re.fullmatch(r"(\d\d):(\d\d)(?::(\d\d))?", value) if isinstance(value, str) else None
    hour, minute, second = (int(part or 0) for part in match.groups()) if match else (99, 0, 0)
    seconds = hour * 3600 + minute * 60 + second
    most = _DAY_S if last == "24:00" else _DAY_S - 1
    if minute > 59 or second > 59 or seconds > most:  # noqa: PLR2004
        raise place.fault("hours", f'{value!r} is no time of day; write "HH:MM" up to "{last}"')
    return seconds


def _revised(places: list[_Place], rules: list[Rule]) -> tuple[Rule, ...]:
    """Return the rules, each ended where its next revision takes effect."""
    by_id: dict[str, list[int]] = {}
    for number, rule in enumerate(rules):
        by_id.setdefault(rule.id, []).append(number)
    until: dict[int, int | None] = {}
    for rule_id, numbers in by_id.items():
        ordered = sorted(numbers, key=lambda n: rules[n].effective_us)
        for one, other in pairwise(ordered):
            if rules[one].effective_us == rules[other].effective_us:
                problem = f"two revisions of {rule_id!r} take effect at once; change one `effective`"
                raise places[max(one, other)].fault("effective", problem)
        _one_kind(places, rules, ordered)
        following = [rules[n].effective_us for n in ordered[1:]]
        for number, next_us in zip(ordered, [*following, None], strict=True):
            ends = [us for us in (rules[number].expires_us, next_us) if us is not None]
            until[number] = min(ends) if ends else None
    return tuple(replace(rule, until_us=until[number]) for number, rule in enumerate(rules))


def _one_kind(places: list[_Place], rules: list[Rule], numbers: list[int]) -> None:
    """Refuse revisions of one id that differ in kind or share a revision number."""
    first = rules[numbers[0]]
    seen: set[int] = set()
    for number in numbers:
        rule = rules[number]
        if rule.kind != first.kind:
            raise places[number].fault("kind", f"revisions of {rule.id!r} differ in kind; use two ids")
        if rule.revision in seen:
            problem = f"revision {rule.revision} of {rule.id!r} is there twice; number them apart"
            raise places[number].fault("revision", problem)
        seen.add(rule.revision)
