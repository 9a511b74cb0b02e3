"""Zone sets from what people have: files of shapes, MDS, ED-318.

A set that was just made grants nothing: its permit takes effect in the year 9999, until
somebody fills it in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from analyzer.errors import RuleError, ZoneSetError
from analyzer.language import Both, both
from analyzer.plain_text import plain
from analyzer.rule_loading import rule_of
from analyzer.vectors import document_of, is_json, read_layers
from analyzer.zone_making import _ed318, _mds
from analyzer.zone_making._drafts import Choices, Draft, Import, Made, RuleDraft
from analyzer.zone_making._outlines import curiosities, unique, valid
from analyzer.zone_making._scaffold import rules_toml
from analyzer.zone_making._shapes import of_layers
from analyzer.zone_making._writing import refuse_existing, write_set, zones_geojson
from analyzer.zones import ZoneSet

__all__ = ["Choices", "Made", "make_zone_set"]


def make_zone_set(folder: Path, sources: Sequence[Path], choices: Choices) -> tuple[ZoneSet, Made]:
    """Write a zone set made of files and return it as it loads, with what must be said.

    Raises ZoneSetError or VectorError: what is wrong, where, and how to say what is missing.
    """
    refuse_existing(folder)
    imports = [_import(path, choices) for path in sources]
    drafts = [_named(draft) for own in imports for draft in own.drafts]
    if not drafts:
        raise ZoneSetError(f"{', '.join(map(str, sources))}: no zone in it; policies need their geographies too")
    unique(drafts)
    checked = [valid(draft, repair=choices.repair) for draft in drafts]
    drafts = [draft for draft, _ in checked]
    repairs = [text for _, said in checked for text in said]
    names = ", ".join(path.name for path in sources)
    notes = [note for own in imports for note in own.without_counterpart]
    rules, refused = _rules(imports, [d.zone_id for d in drafts])
    zones = zones_geojson(drafts, choices.set_id or folder.name, names)
    permit = [d.zone_id for d in drafts if not d.restricts] or [d.zone_id for d in drafts]
    text = rules_toml(permit, choices.timezone, rules, [*notes, *refused], names)
    zone_set = write_set(folder, zones, text)
    remarks = [*(text for own in imports for text in own.remarks), *repairs, *curiosities(drafts), _next_step(folder)]
    return zone_set, Made(folder, tuple(remarks), (*notes, *refused))


def _import(path: Path, choices: Choices) -> Import:
    """Return what one file gives."""
    try:
        with path.open("rb") as file:
            json_begins = is_json(file.read(512))
        document = document_of(path.read_bytes()) if json_begins else None
    except (OSError, ValueError) as error:
        raise ZoneSetError(f"{path}: cannot be read ({error})") from error
    if document is not None:
        geographies, policies = (_mds.part_of(document, name) for name in ("geographies", "policies"))
        if geographies is not None:
            return _mds.geographies(str(path), geographies, choices)
        if policies is not None:
            return _mds.policies(str(path), policies, choices.timezone)
        if _ed318.is_ed318(document):
            return _ed318.zones_of(str(path), document, choices)
    return of_layers(path, read_layers(path, choices.encoding), choices)


def _named(draft: Draft) -> Draft:
    """Return a draft whose id holds no `+` and no `;`, which tables use to join ids."""
    own = draft.zone_id.replace("+", "_").replace(";", "_")
    if not own:
        raise ZoneSetError(f"{draft.where}: its id is empty; choose another --id-field, or fill it in")
    return replace(draft, zone_id=own)


def _rules(imports: Sequence[Import], zone_ids: Sequence[str]) -> tuple[list[RuleDraft], list[str]]:
    """Return the rules whose zones exist, and why the others are left out."""
    rules, refused = [], []
    ids: set[str] = set()
    for rule in (rule for own in imports for rule in own.rules):
        known = [zone for zone in rule.table["zones"] if zone in zone_ids]
        missing = [zone for zone in rule.table["zones"] if zone not in zone_ids]
        if not known or rule.table["id"] in ids:
            why = "its id is there twice" if rule.table["id"] in ids else "none of its zones is here"
            refused.append(f"rule {rule.table['id']}: {why}")
            continue
        ids.add(rule.table["id"])
        doubts = [*rule.doubts, *(f"zone {zone} is not here" for zone in missing)]
        table = {**rule.table, "zones": known}
        rules.append(RuleDraft(table, (*doubts, *_fault(table, zone_ids))))
    return rules, refused


def _fault(table: Mapping[str, Any], zone_ids: Sequence[str]) -> list[str]:
    """Return why rules.toml would refuse a rule, nothing where it would not."""
    try:
        rule_of(table, zone_ids)
    except RuleError as error:
        return [str(error)]
    return []


def _next_step(folder: Path) -> Both:
    """Return what is to be done now."""
    path = plain(str(folder / "rules.toml"))
    return both(
        "Now fill in the permit in {path}; until then no permit is in force, and no drive that needs one passes.",
        path=path,
    )
