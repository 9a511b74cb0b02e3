"""rules.toml of a new set: every field explained, a permit that grants nothing yet, and what was imported."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analyzer.zone_making._drafts import RuleDraft

HEAD = Path(__file__).resolve().parent.parent / "assets" / "rules-scaffold.toml"
_HIDDEN = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
FLEET = """vehicle_id,vehicle_type,name,operator
EXAMPLE-1,sweeper,노면청소차 1호 (example),운영사 (example)
EXAMPLE-2,waste_collector,폐기물 수거차 1호 (example),운영사 (example)
"""


def quoted(text: str) -> str:
    """Return a text as a TOML string, harmless also inside a comment: one line, nothing hidden."""
    own = json.dumps(text.encode("utf-8", "replace").decode("utf-8"), ensure_ascii=False)
    return _HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", own)


def rules_toml(
    zone_ids: Sequence[str], timezone: str, rules: Sequence[RuleDraft], notes: Sequence[str], source: str
) -> str:
    """Return rules.toml: head, a permit to be filled in, imported rules, and what was not imported."""
    gaps = {
        '"Asia/Seoul"': quoted(timezone),
        '"@every"': ", ".join(map(quoted, zone_ids)),
        '"@first"': quoted(zone_ids[0]),
    }
    head = re.sub("|".join(gaps), lambda match: gaps[match[0]], HEAD.read_text(encoding="utf-8"))
    parts = [f"# zonelog zones new: {quoted(source)}\n", head]
    if rules:
        parts.append("\n# 가져온 규칙 / Imported rules\n")
    parts += [_rule(rule) for rule in rules]
    if notes:
        parts.append("\n# 대응하는 항목이 없어 가져오지 않은 것 / What has no counterpart and was not imported\n")
        parts += [f"# - {quoted(note)}\n" for note in notes]
    return "".join(parts)


def _rule(rule: RuleDraft) -> str:
    """Return one imported rule; as a comment where something in it is in doubt."""
    lines = ["[[rule]]", *(f"{key} = {_value(value)}" for key, value in rule.table.items())]
    if rule.doubts:
        why = [f"# 확인 필요 / To be checked: {quoted(doubt)}" for doubt in rule.doubts]
        lines = [*why, *(f"# {line}" for line in lines)]
    return "\n" + "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    """Return a value as TOML; an instant is a text, which rules.toml takes as well."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(own)}" for key, own in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return quoted(str(value))
