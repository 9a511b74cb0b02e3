"""The stories of findings, in parts of `PART` that the page unpacks when one is looked at.

A story is a text of JSON. Stories differ in their numbers above all: a part says the texts between
numbers once (`forms`), with the numbers of each story in columns, one column for all the places
where the same numbers stand. Put together, piece by piece, each story is the very text it was.
"""

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from analyzer.figures import duration_text, local_time, number
from analyzer.outputs._packing import packed_json
from analyzer.wording import MODE_WORDS, word
from analyzer.zones import ZoneSet

PART = 1_000
NUMBER = re.compile(r"([0-9]+(?:\.[0-9]+)?)")


def finding_parts(findings: pl.DataFrame, zone_set: ZoneSet) -> list[str]:
    """Return the stories of `PART` findings each, packed."""
    zone = ZoneInfo(zone_set.rules.timezone)
    names = {z.zone_id: dict(z.name) for z in zone_set.zones}
    return [
        packed_json(_forms([_story(row, zone, names) for row in part.iter_rows(named=True)]))
        for part in findings.iter_slices(PART)
    ]


def _forms(stories: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return `which` form each story has, and the forms.

    A form has the texts between numbers, `at` which column the number after each text is, and the
    columns: a value for each story of the form.
    """
    forms: dict[tuple[str, ...], int] = {}
    which, numbers = [], []
    for story in stories:
        pieces = NUMBER.split(json.dumps(story, ensure_ascii=False, separators=(",", ":"), allow_nan=False))
        which.append(forms.setdefault(tuple(pieces[::2]), len(forms)))
        numbers.append(pieces[1::2])
    own: list[list[list[str]]] = [[] for _ in forms]
    for form, row in zip(which, numbers, strict=True):
        own[form].append(row)
    return {"which": which, "forms": [_form(texts, rows) for texts, rows in zip(forms, own, strict=True)]}


def _form(texts: tuple[str, ...], rows: list[list[str]]) -> dict[str, Any]:
    """Return one form; columns that are the same are one."""
    columns: dict[tuple[str, ...], int] = {}
    at = [columns.setdefault(column, len(columns)) for column in zip(*rows, strict=True)]
    return {"texts": texts, "at": at, "columns": list(columns)}


def _story(row: Mapping[str, Any], zone: ZoneInfo, names: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return all that the page tells of one finding: sentences, rules, and rows of word and text."""
    unit = row["unit"]
    lasts = dict(zip(("ko", "en"), duration_text(row["duration_s"]), strict=True))
    rows = [
        ("vehicle", row["vehicle_id"]),
        ("trip", row["trip_id"]),
        ("zone", names.get(row["zone_id"] or "")),
        ("start", with_offset(row["start"], zone)),
        ("end", with_offset(row["end"], zone)),
        ("duration", lasts),
        ("observed_share", _share(row["observed_s"], row["duration_s"])),
        ("mode", word(MODE_WORDS, row["control_mode"])),
        ("limit", _number(row["limit"], unit) if row["check"] == "speed-limit" else None),
        ("peak", _number(row["peak"], unit)),
        ("margin", _margin(row["margin"], row["error"], unit)),
        ("decided_at", with_offset(row["decided_at"], zone)),
        ("records", _records(row)),
    ]
    own = [f"{row['rule_id']}/{row['rule_revision']}"] if row["rule_id"] else []
    return {
        "ko": row["message_ko"],
        "en": row["message_en"],
        "rules": own,
        "matched": (row["rules_matched"] or "").split(";") if row["rules_matched"] else [],
        "rows": [pair for pair in rows if pair[1] is not None],
    }


def with_offset(instant: dt.datetime, zone: ZoneInfo) -> str:
    """Return a local time to the second with its offset."""
    return f"{local_time(instant, zone)} {instant.astimezone(zone).isoformat()[-6:]}"


def _number(value: float | None, unit: str | None) -> str | None:
    """Return a number with its unit, null where there is none."""
    return None if value is None else number(value, unit)


def _margin(margin: float | None, error: float | None, unit: str | None) -> str | None:
    """Return a margin with its error, null where there is none."""
    if margin is None:
        return None
    return number(margin, unit) if error is None else f"{number(margin, unit)} ± {number(error, unit)}"


def _share(observed_s: float, duration_s: float) -> str | None:
    """Return the observed share in percent, null of an instant; only all of it is 100 %."""
    if duration_s <= 0:
        return None
    share = 100 * observed_s / duration_s
    return f"{min(share, 99.9):.1f} %" if share < 100 else "100 %"  # noqa: PLR2004


def _records(row: Mapping[str, Any]) -> str:
    """Return the records between which it lies."""
    if row["first_file"] == row["last_file"]:
        return f"{row['first_file']}: {row['first_record']} – {row['last_record']}"
    return f"{row['first_file']}: {row['first_record']} – {row['last_file']}: {row['last_record']}"
