"""What a ledger says of each run: what went in, by what it was judged, what came out, what changed since.

A manifest is sealed like a receipt and names pieces: the zone set, the profile, basemaps and the
findings. With the outcomes that the ledger keeps, it is all that is needed to make the
result of that run again.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from analyzer.addresses import place_of
from analyzer.errors import LedgerError
from analyzer.grounds import grounds_of
from analyzer.ledger import Ledger
from analyzer.results import Analysis
from analyzer.shelf import KeptLog, files_below
from analyzer.store import RUNS, Store, digest_of, packed
from analyzer.zones import ZoneSet

WHOLE = {"at", "command", "said", "tool", "grounds", "zone_set", "logs", "found", "findings", "changes", "outputs"}
"""What every manifest says, and more."""
PastLog: TypeAlias = Mapping[str, Any]
"""A log as a manifest names it: `path` as the tables show it, `place`, `sha256`."""
Pair: TypeAlias = tuple[PastLog | None, PastLog | None]
"""A log in an earlier and in a later run, null where it was not there."""


@dataclass(frozen=True)
class Given:
    """What a run was told, as plain data: `said` are options, the rest are files whose content is kept."""

    said: Mapping[str, Any]
    command: Sequence[str]
    zone_set: ZoneSet
    fleet: Path | None
    profile: Path | None
    join: Path | None
    msgs: Path | None
    basemap: Sequence[Path]


def manifest_of(ledger: Ledger, analysis: Analysis, given: Given) -> dict[str, Any]:
    """Return the manifest of a run but for its outputs, once all pieces that it names are kept."""
    store, keeper = ledger.store, ledger.keeper
    manifest = {
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="microseconds"),
        "command": list(given.command),
        "said": dict(given.said),
        "tool": dict(ledger.tool),
        "grounds": grounds_of(given.zone_set),
        "zone_set": _kept_zone_set(store, given),
        "profile": _kept_profile(store, given.profile),
        "join": given.join and _kept_file(store, given.join),
        "msgs": given.msgs and _kept_folder(store, given.msgs),
        "basemap": [_kept_file(store, path) for path in given.basemap],
        "logs": [_log(log) for _, log in sorted(ledger.logs.items())],
        "groups": _groups(ledger),
        "errors": {account.path: account.error for account in analysis.logs if account.error},
        "beside": [asdict(remark) for remark in ledger.remarks],
        "verdict": analysis.summary["verdict"],
        "found": analysis.summary["findings"],
        "findings": store.put(packed({"findings": analysis.findings})),
        "judged": keeper.done if keeper else 0,
        "reused": keeper.reused if keeper else 0,
        "damaged": ledger.damaged,
    }
    manifest["changes"] = changes(manifest, _previous(runs_of(store), manifest))
    return manifest


def commit_manifest(store: Store, manifest: Mapping[str, Any], outputs: Mapping[str, str]) -> str:
    """Keep the manifest of a run whose result is written beside, `outputs` by their hashes; return its name."""
    whole = {**manifest, "outputs": dict(outputs)}
    at = dt.datetime.fromisoformat(whole["at"])
    name = f"{at:%Y%m%dT%H%M%S}.{at.microsecond // 1000:03d}Z-{digest_of(whole)[:6]}"
    store.commit(RUNS, name, whole)
    return name


def runs_of(store: Store) -> list[dict[str, Any]]:
    """Return the manifests of all runs, the oldest first; damaged ones are noted."""
    found = store.runs()
    for run in found:
        if not run.keys() >= WHOLE:
            store.receipt_is_bad(RUNS, run["key"])
    return sorted((run for run in found if run.keys() >= WHOLE), key=lambda run: (run["at"], run["key"]))


def run_named(store: Store, name: str) -> dict[str, Any]:
    """Return the manifest of the run of this name, of the one that starts so, or of the last."""
    runs = runs_of(store)
    fit = runs[-1:] if name == "last" else [run for run in runs if run["key"].startswith(name)]
    if len(fit) == 1:
        return fit[0]
    what = "several runs" if fit else "no run"
    damaged = f"; damaged: {', '.join(store.damaged)}" if store.damaged else ""
    raise LedgerError(f"{store.place}: {what} with a name that starts with {name!r}; see `zonelog runs`{damaged}")


def past_logs(manifest: Mapping[str, Any]) -> dict[str, KeptLog]:
    """Return the logs of a past run: known by content, not to be opened."""
    return {log["path"]: KeptLog(log["path"], log["key"], log["sha256"]) for log in manifest["logs"]}


def changes(manifest: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what differs from the run before on the same logs: files by name (of now, if there), and what else.

    Files are told apart by content: one that was moved or renamed is known, and no other.
    """
    pairs = pairs_of_logs(before["logs"] if before else [], manifest["logs"])
    files: dict[str, list[str]] = {"new": [], "changed": [], "removed": [], "renamed": []}
    for pair in pairs:
        if (kind := kind_of(pair)) is not None:
            files[kind].append((pair[1] or pair[0] or {})["path"])
    counts = {kind: len(names) for kind, names in files.items()}
    counts["same"] = len(pairs) - counts["new"] - counts["changed"] - counts["removed"]
    return {
        "since": before and before["key"],
        "files": {kind: sorted(names) for kind, names in files.items()},
        "counts": counts,
        "other": other_changes(manifest, before),
    }


def pairs_of_logs(then: Sequence[PastLog], now: Sequence[PastLog]) -> list[Pair]:
    """Return the logs of two runs, each beside what it was: by content, wherever that lies, else by its place."""
    pairs: list[Pair] = []
    earlier, later = list(then), list(now)
    for names in (("place", "sha256"), ("sha256",), ("place",)):
        waiting: dict[tuple[str, ...], list[PastLog]] = {}
        for log in earlier:
            waiting.setdefault(_values(log, names), []).append(log)
        alike = [(waiting.get(_values(log, names)), log) for log in later]
        found = [(logs.pop(0) if logs else None, log) for logs, log in alike]
        pairs += [pair for pair in found if pair[0] is not None]
        earlier = [log for logs in waiting.values() for log in logs]
        later = [log for other, log in found if other is None]
    return [*pairs, *((log, None) for log in earlier), *((None, log) for log in later)]


def _values(log: PastLog, names: Sequence[str]) -> tuple[str, ...]:
    """Return what a log is found by."""
    return tuple(log[name] for name in names)


def kind_of(pair: Pair) -> str | None:
    """Return what became of a log: new, removed, changed or renamed (the same content elsewhere), null for nothing."""
    then, now = pair
    if then is None or now is None:
        return "new" if then is None else "removed"
    if then["sha256"] != now["sha256"]:
        return "changed"
    return "renamed" if then["place"] != now["place"] else None


def other_changes(manifest: Mapping[str, Any], before: Mapping[str, Any] | None) -> list[str]:
    """Return in what but logs two runs differ: rules, zones, evaluation, fleet, joined file, options, tool."""
    if before is None:
        return []
    now, then = manifest["grounds"], before["grounds"]
    differs = {
        "rules": any(now[name] != then[name] for name in ("rules", "rule_order", "timezone")),
        "zones": any(now[name] != then[name] for name in ("zones", "order")),
        "evaluation": now["evaluation"] != then["evaluation"],
        "fleet": now["fleet"] != then["fleet"],
        "join": _piece_of(manifest["join"]) != _piece_of(before["join"]),
        "options": judging_options(manifest) != judging_options(before),
        "tool": manifest["tool"] != before["tool"],
    }
    return [name for name, found in differs.items() if found]


def judging_options(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a run that verdicts depend on, but for data: what is joined."""
    said = {name: manifest["said"][name] for name in ("timezone", "start", "end", "vehicles", "join_tolerance_s")}
    return {**said, "profile": _piece_of(manifest["profile"]), "msgs": (manifest["msgs"] or {}).get("files")}


def _piece_of(kept: Mapping[str, Any] | None) -> str | None:
    """Return the content of a file that a run was given, null where it was given none."""
    return None if kept is None else kept["piece"]


def _previous(runs: Sequence[Mapping[str, Any]], manifest: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the last run on the same logs, as they were named."""
    alike = [run for run in runs if run["said"]["places"] == manifest["said"]["places"]]
    return alike[-1] if alike else None


def _log(log: KeptLog) -> dict[str, Any]:
    """Return a log as plain data, with what is worth remembering of its files."""
    files = [{**asdict(file), "place": place_of(file.path)} for file in log.files]
    return {"path": log.path, "place": place_of(log.path), "key": log.key, "sha256": log.sha256, "files": files}


def _groups(ledger: Ledger) -> list[list[int]]:
    """Return the logs that shared a task, by their numbers in the manifest."""
    numbers: dict[str, list[int]] = {}
    for number, (_, log) in enumerate(sorted(ledger.logs.items())):
        numbers.setdefault(log.key, []).append(number)
    return [[numbers[key][0] for key in group] for group in ledger.groups]


def _kept_zone_set(store: Store, given: Given) -> dict[str, Any]:
    """Return the pieces of a zone set by the names of its files."""
    folder = given.zone_set.path
    paths = [folder / "zones.geojson", folder / "rules.toml", given.fleet or folder / "fleet.csv"]
    files = {path.name: _kept_file(store, path)["piece"] for path in paths if path.is_file()}
    if files != dict(given.zone_set.files):
        raise LedgerError(f"{folder}: the zone set was changed while the logs were judged; analyze again")
    fleet = paths[-1].name if given.fleet else None
    return {"folder": folder.resolve().name, "path": str(folder), "files": files, "fleet": fleet}


def _kept_profile(store: Store, profile: Path | None) -> dict[str, Any] | None:
    """Return a profile: the piece of a file, or the name of one that comes along."""
    if profile is None:
        return None
    return _kept_file(store, profile) if profile.is_file() else {"path": str(profile), "piece": None}


def _kept_file(store: Store, path: Path) -> dict[str, Any]:
    """Return the piece that holds a file."""
    return {"path": str(path), "piece": store.put(path.read_bytes())}


def _kept_folder(store: Store, folder: Path) -> dict[str, Any]:
    """Return the pieces that hold the files of a folder."""
    return {"path": str(folder), "files": {name: store.put(file.read_bytes()) for name, file in files_below(folder)}}
