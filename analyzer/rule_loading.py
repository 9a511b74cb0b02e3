"""rules.toml, read and validated: whatever is unclear is refused with its line and a remedy."""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from analyzer.errors import RuleError
from analyzer.rule_values import (
    Place,
    dates_of,
    flag_of,
    hours_of,
    instant_of,
    number_of,
    refuse_unknown,
    revision_of,
    speed_of,
    text_of,
    texts_of,
    word_of,
    words_of,
    zones_of,
)
from analyzer.rules import Evaluation, Rule, Rules
from analyzer.terms import CONTROL_MODES, RULE_CONFIDENCES
from analyzer.timezones import is_timezone

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


def load_rules(path: Path, zone_ids: Iterable[str]) -> Rules:
    """Return the validated rules of a rules.toml; `zone_ids` are the zones that may be named.

    Raises RuleError with file, line, what is wrong and what to write instead.
    """
    text = _read(path)
    document = _parse(path, text)
    top = Place(path, text, "", 0)
    refuse_unknown(top, document, TOP_KEYS)
    if document.get("schema") != 1:
        raise top.fault("schema", "this version reads `schema = 1`; write that at the top")
    timezone = document.get("timezone")
    if not is_timezone(timezone):
        problem = f'{timezone!r} is no IANA time zone; write for example timezone = "Asia/Seoul"'
        raise top.fault("timezone", problem)
    evaluation = _evaluation(Place(path, text, "[evaluation]", 0), document.get("evaluation", {}))
    tables = document.get("rule", [])
    if not isinstance(tables, list):
        raise top.fault("rule", "write each rule under a [[rule]] heading")
    places = [Place(path, text, "[[rule]]", number) for number in range(len(tables))]
    known = tuple(zone_ids)
    rules = [_rule(place, table, known) for place, table in zip(places, tables, strict=True)]
    return Rules(timezone, evaluation, _revised(places, rules))


def rule_of(table: Mapping[str, Any], zone_ids: Iterable[str]) -> Rule:
    """Return the validated rule of one table that is in no file yet; raises RuleError."""
    return _rule(Place(Path("rule"), "", "[[rule]]", 0), table, tuple(zone_ids))


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


def _evaluation(place: Place, table: Mapping[str, Any]) -> Evaluation:
    """Return the evaluation settings."""
    defaults = {f.name: f.default for f in fields(Evaluation)}
    refuse_unknown(place, table, tuple(defaults))
    values = {key: _setting(place, key, value, defaults[key]) for key, value in table.items()}
    return Evaluation(**values)


def _setting(place: Place, key: str, value: Any, default: Any) -> Any:
    """Return one setting, refused where it is no sensible value."""
    if key == "permit_needed_for":
        return words_of(place, key, value, CONTROL_MODES)
    if key == "assumed_control_mode":
        return word_of(place, key, value, CONTROL_MODES)
    number = number_of(place, key, value)
    low, high = (0.5, 1.0) if key == "confidence" else (0.0, float("inf"))
    fraction = key in ("confidence", "min_observed_share")
    inside = low <= number < high if key == "confidence" else low <= number
    if not inside or (fraction and number > 1):
        bounds = "from 0.5 up to, but not, 1" if key == "confidence" else "0 or more (a share: up to 1)"
        raise place.fault(key, f"{key} = {value} is out of range; it must be {bounds}")
    return type(default)(number)


def _rule(place: Place, table: Mapping[str, Any], zone_ids: tuple[str, ...]) -> Rule:
    """Return one rule (its end not yet cut by later revisions)."""
    refuse_unknown(place, table, RULE_KEYS)
    for key in REQUIRED:
        if key not in table:
            raise place.fault(key, f"a rule needs `{key}`; add it below this [[rule]]")
    kind = word_of(place, "kind", table["kind"], ("permit", "restriction"))
    read: dict[str, Any] = {
        "id": text_of(place, "id", table["id"]),
        "revision": revision_of(place, table.get("revision", 1)),
        "kind": kind,
        "text": texts_of(place, table["text"]),
        "zones": zones_of(place, table["zones"], zone_ids),
        "effective_us": instant_of(place, "effective", table["effective"]),
    }
    readers: dict[str, Callable[[Place, str, Any], Any]] = {
        "legal_basis": text_of,
        "source": text_of,
        "note": text_of,
        "confidence": lambda p, k, v: word_of(p, k, v, RULE_CONFIDENCES),
        "vehicle_types": lambda p, k, v: words_of(p, k, v, None),
        "vehicles": lambda p, k, v: words_of(p, k, v, None),
        "control_modes": lambda p, k, v: words_of(p, k, v, CONTROL_MODES),
        "max_speed_kph": speed_of,
        "operator": lambda p, k, v: word_of(p, k, v, RULE_OPERATORS),
        "hours": hours_of,
        "except_dates": dates_of,
        "no_entry": flag_of,
    }
    read |= {k: readers[k](place, k, v) for k, v in table.items() if k in readers}
    if "expires" in table:
        read["expires_us"] = instant_of(place, "expires", table["expires"])
        if read["expires_us"] <= read["effective_us"]:
            raise place.fault("expires", "the rule expires before it takes effect; swap the dates")
    rule = Rule(**read)
    _sensible(place, rule)
    return rule


def _sensible(place: Place, rule: Rule) -> None:
    """Refuse conditions that the kind of rule does not have, and rules that say nothing."""
    if rule.kind == "permit" and rule.no_entry:
        raise place.fault("no_entry", 'a permit cannot forbid entry; write kind = "restriction"')
    if rule.kind == "restriction" and rule.operator:
        raise place.fault("operator", "only a permit asks for an operator; leave it out here")
    if rule.kind == "restriction" and not rule.no_entry and rule.max_speed_kph is None:
        raise place.fault("kind", "a restriction needs `no_entry = true` and/or `max_speed_kph`")


def _revised(places: list[Place], rules: list[Rule]) -> tuple[Rule, ...]:
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


def _one_kind(places: list[Place], rules: list[Rule], numbers: list[int]) -> None:
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
