"""What became a finding between two runs, what ceased to be one, and why.

A finding is the same in both where its id is, or where the same check of the same rule is broken
on the same trip at the same time. Why it differs is told from what differs between the
runs: its own logs come first, by their content, then its own rule and zone, then what concerns every
finding. Where several of them differ, each may be the reason, and all are named.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import Any

import polars as pl

from analyzer.errors import LedgerError
from analyzer.language import Both, both
from analyzer.manifests import Pair, PastLog, kind_of, other_changes, pairs_of_logs
from analyzer.store import Store

SAME = ("vehicle_id", "trip_id", "trip_start", "check", "rule_id")
ENDS = ("first_file", "last_file")
SHOWN = ("verdict", "start", "end", "peak", "limit", "rule_revision")
REASONS: Mapping[str, Both] = {
    "new": both("new data"),
    "changed": both("changed data"),
    "removed": both("removed data"),
    "renamed": both("renamed log"),
    "rules": both("rules"),
    "zones": both("zones"),
    "evaluation": both("evaluation settings"),
    "fleet": both("fleet file"),
    "join": both("joined file (--join)"),
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
    """What differs between two runs: `logs` that were read, each beside what it was, and `other` respects."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    logs: Sequence[Pair]
    other: Sequence[str]

    @cached_property
    def kinds(self) -> Counter[str | None]:
        """Return how many logs are new, changed, removed, renamed or (null) the same."""
        return Counter(map(kind_of, self.logs))

    @cached_property
    def _by_path(self) -> tuple[dict[str, Pair], dict[str, Pair]]:
        """Return the logs by what they were called in either run."""
        then, now = ({log["path"]: pair for pair in self.logs if (log := pair[run])} for run in (0, 1))
        return then, now

    def logs_of(self, before: "Row | None", after: "Row | None") -> list[Pair]:
        """Return the logs in which a finding begins and ends, in either run, each once."""
        rows = zip((before, after), self._by_path, strict=True)
        found = (logs.get(row[name]) for row, logs in rows if row for name in ENDS)
        return list({id(pair): pair for pair in found if pair}.values())


def differences(store: Store, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Return all findings that differ between two runs, in the order of the tables."""
    logs = pairs_of_logs(_read(before), _read(after))
    between = Between(before, after, logs, other_changes(after, before))
    pairs = _pairs(_findings(store, before), _findings(store, after))
    differing = [(b, a) for b, a in pairs if b is None or a is None or any(b[n] != a[n] for n in SHOWN)]
    return [Change(b, a, tuple(_why(b, a, between))) for b, a in differing]


def _read(manifest: Mapping[str, Any]) -> list[PastLog]:
    """Return the logs of a run but for those that could not be read then: nothing was known of them."""
    return [log for log in manifest["logs"] if log["path"] not in manifest["errors"]]


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
    """Yield all reasons that a finding may have to differ: one that is alone is certain.

    Of data its own logs come first; where one of them is new or gone as a whole, other logs are not named.
    """
    own = between.logs_of(before, after)
    kinds = Counter(map(kind_of, own))
    others = between.kinds - kinds
    found = [*_own_data(own), *_called(own, before, after), *_grounds(before or after or {}, between)]
    found += [REASONS[name] for name in between.other if name not in ("rules", "zones")]
    if not kinds.keys() & {"new", "removed"} and others.keys() & KINDS.keys():
        found.append(REASONS["other"])
    yield from found or [_renamed(pair) for pair in own if kind_of(pair) == "renamed"]


def _own_data(own: Sequence[Pair]) -> Iterator[Both]:
    """Yield what became of the content of a finding's own logs."""
    for kind in KINDS:
        named = sorted((pair[1] or pair[0] or {})["path"] for pair in own if kind_of(pair) == kind)
        if named:
            yield both("{reason}: {names}", reason=REASONS[kind], names=", ".join(named))


def _called(own: Sequence[Pair], before: Row | None, after: Row | None) -> Iterator[Both]:
    """Yield the renamed logs after which the vehicle of a finding may be called, which the other run lacks."""
    if before is not None and after is not None:
        return
    run, vehicle = (1, (after or {}).get("vehicle_id")) if before is None else (0, before["vehicle_id"])
    for pair in own:
        called = [log and PurePath(log["path"]).name.split(".")[0] for log in pair]
        if kind_of(pair) == "renamed" and called[run] == vehicle and called[0] != called[1]:
            yield _renamed(pair)


def _renamed(pair: Pair) -> Both:
    """Return that a log has another name or place."""
    then, now = ((log or {}).get("path", "") for log in pair)
    return both("{reason}: {then} → {now}", reason=REASONS["renamed"], then=then, now=now)


def _grounds(row: Row, between: Between) -> Iterator[Both]:
    """Yield the rules and zones that differ: those of the finding itself, else all of them."""
    for name, of_row in (("rules", row["rule_id"]), ("zones", row["zone_id"])):
        then, now = (run["grounds"][name] for run in (between.before, between.after))
        differing = [key for key in {**then, **now} if then.get(key) != now.get(key)]
        own = [key for key in differing if of_row is not None and _is_own(key, of_row, name)]
        for key in own or differing:
            kind = "new" if key not in then else "removed" if key not in now else "changed"
            yield both("{reason}: {name} ({kind})", reason=REASONS[name], name=key, kind=KINDS[kind])
        if not differing and name in between.other:
            yield REASONS[name]


def _is_own(key: str, of_row: str, name: str) -> bool:
    """Return whether a rule (`id, revision`) or zone is one that a finding names."""
    return key.rsplit(", ", 1)[0] == of_row if name == "rules" else key in of_row.split("+")
