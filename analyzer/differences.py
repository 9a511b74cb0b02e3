"""What became a finding between two runs, what ceased to be one, and why.

A finding is the same in both where its id is, or where the same check of the same rule is broken
on the same trip at the same time. Why it differs is told from what differs between the
runs: its own file comes first, then its own rule and zone, then what concerns every finding.
Where several of them differ, each may be the reason, and all are named.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from analyzer.errors import LedgerError
from analyzer.language import Both, both
from analyzer.manifests import changes
from analyzer.store import Store

SAME = ("vehicle_id", "trip_id", "trip_start", "check", "rule_id")
SHOWN = ("verdict", "start", "end", "peak", "limit", "rule_revision")
REASONS: Mapping[str, Both] = {
    "new": both("new data"),
    "changed": both("changed data"),
    "removed": both("removed data"),
    "rules": both("rules"),
    "zones": both("zones"),
    "evaluation": both("evaluation settings"),
    "fleet": both("fleet file"),
    "options": both("options of the run"),
    "tool": both("another zonelog or library"),
    "other": both("data of other files"),
}
KINDS: Mapping[str, Both] = {"new": both("new"), "changed": both("changed"), "removed": both("removed")}


@dataclass(frozen=True)
class Change:
    """One finding that differs: `before` or `after` is null where there was none."""

    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    why: tuple[Both, ...]


@dataclass(frozen=True)
class Between:
    """What differs between two runs."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    changes: Mapping[str, Any]


def differences(store: Store, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Return all findings that differ between two runs, in the order of the tables."""
    between = Between(before, after, changes(after, before))
    pairs = _pairs(_findings(store, before), _findings(store, after))
    differing = [(b, a) for b, a in pairs if b is None or a is None or any(b[n] != a[n] for n in SHOWN)]
    return [Change(b, a, tuple(_why(b, a, between))) for b, a in differing]


def _findings(store: Store, manifest: Mapping[str, Any]) -> pl.DataFrame:
    """Return the findings of a run."""
    frames = store.frames(manifest["findings"])
    if frames is None:
        raise LedgerError(f"{store.place}: {store.damaged[-1]} is damaged or gone: the findings of {manifest['key']}")
    return frames["findings"]


Row = dict[str, Any]


def _pairs(before: pl.DataFrame, after: pl.DataFrame) -> list[tuple[Row | None, Row | None]]:
    """Return the findings of both runs that are the same, and those without another."""
    left = {row["finding_id"]: row for row in before.iter_rows(named=True)}
    pairs: list[tuple[Row | None, Row | None]] = []
    alone = []
    for row in after.iter_rows(named=True):
        if row["finding_id"] in left:
            pairs.append((left.pop(row["finding_id"]), row))
        else:
            alone.append(row)
    by_kind: dict[tuple[Any, ...], list[Row]] = {}
    for row in left.values():
        by_kind.setdefault(_kind(row), []).append(row)
    for row in alone:
        others = by_kind.get(_kind(row), [])
        other = next((o for o in others if o["start"] <= row["end"] and row["start"] <= o["end"]), None)
        if other is not None:
            others.remove(other)
        pairs.append((other, row))
    pairs += [(row, None) for rows in by_kind.values() for row in rows]
    return sorted(pairs, key=_place)


def _kind(row: Row) -> tuple[Any, ...]:
    """Return what two findings share that may be the same."""
    return tuple(row[name] for name in SAME)


def _place(pair: tuple[Row | None, Row | None]) -> tuple[Any, ...]:
    """Return where a pair stands in the order of the tables."""
    row = pair[1] or pair[0] or {}
    return row["vehicle_id"], row["start"], row["check"], row["finding_id"]


def _why(before: Row | None, after: Row | None, between: Between) -> Iterator[Both]:
    """Yield the reasons that a finding may have to differ: the first that is certain, else all that are possible."""
    data = list(_own_data(before, after, between.changes["files"]))
    if data:
        yield from data
        return
    found = list(_grounds(before or after or {}, between))
    found += [REASONS[n] for n in between.changes["other"] if n not in ("rules", "zones")]
    if any(between.changes["counts"][kind] for kind in KINDS):
        found.append(REASONS["other"])
    yield from found


def _own_data(before: Row | None, after: Row | None, files: Mapping[str, list[str]]) -> Iterator[Both]:
    """Yield what became of the files of a finding."""
    for kind in KINDS:
        rows = [row for row in (before if kind == "removed" else after, before or after) if row]
        own = {row[f"{end}_file"] for row in rows for end in ("first", "last")}
        named = sorted(own & set(files[kind]))
        if named:
            yield both("{reason}: {names}", reason=REASONS[kind], names=", ".join(named))


def _grounds(row: Row, between: Between) -> Iterator[Both]:
    """Yield the rules and zones that differ: those of the finding itself, else all of them."""
    for name, of_row in (("rules", row["rule_id"]), ("zones", row["zone_id"])):
        then, now = (run["grounds"][name] for run in (between.before, between.after))
        differing = [key for key in {**then, **now} if then.get(key) != now.get(key)]
        own = [key for key in differing if of_row is not None and _is_own(key, of_row, name)]
        for key in own or differing:
            kind = "new" if key not in then else "removed" if key not in now else "changed"
            yield both("{reason}: {name} ({kind})", reason=REASONS[name], name=key, kind=KINDS[kind])
        if not differing and name in between.changes["other"]:
            yield REASONS[name]


def _is_own(key: str, of_row: str, name: str) -> bool:
    """Return whether a rule (`id, revision`) or zone is one that a finding names."""
    return key.rsplit(", ", 1)[0] == of_row if name == "rules" else key in of_row.split("+")
