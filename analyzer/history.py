"""The result of a past run, made again from what the ledger keeps: no log is opened."""

import datetime as dt
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from analyzer.analysis import Options, analyze
from analyzer.engines import Engine, engine_of
from analyzer.errors import LedgerError
from analyzer.ledger import Ledger, groups_of
from analyzer.manifests import past_logs
from analyzer.outputs import Run, read_basemap, write_outputs
from analyzer.results import Analysis
from analyzer.shelf import remarks_from
from analyzer.store import Store
from analyzer.tool import tool
from analyzer.zone_loading import load_zone_set
from analyzer.zones import ZoneSet

UNSTABLE = ("report.pdf",)
"""Outputs that a browser makes, with the time in them."""


@dataclass(frozen=True)
class MadeAgain:
    """A result that was made again: the outputs whose bytes differ, and what differs of zonelog and its libraries."""

    analysis: Analysis
    differing: tuple[str, ...]
    tool: Mapping[str, tuple[str, str]]


def make_again(store: Store, manifest: Mapping[str, Any], out: Path | str, version: str) -> MadeAgain:
    """Write the result of a past run; it is as it was, byte for byte, unless zonelog itself is another.

    Raises LedgerError where something that it needs is damaged or gone.
    """
    with ExitStack() as stack:
        work = Path(stack.enter_context(TemporaryDirectory(prefix="zonelog-")))
        zone_set = _zone_set(store, manifest, work)
        ledger = Ledger(store, past_logs(manifest), manifest["tool"], past_errors=manifest["errors"])
        ledger.past_groups = groups_of(manifest)
        if manifest["join"] is not None:
            ledger.past_join = _restored(
                store, manifest["join"]["piece"], work / "join" / Path(manifest["join"]["path"]).name
            )
        paths = sorted({*ledger.known_paths(), *manifest["errors"]})
        pool = stack.enter_context(engine_of("local", apart=True))  # what is damaged is judged again
        analysis = analyze(paths, zone_set, _options(store, manifest, ledger, work, pool))
        outputs = write_outputs(analysis, out, _run(store, manifest, work, version))
    then = {name: sha256 for name, sha256 in manifest["outputs"].items() if name not in UNSTABLE}
    differing = sorted(name for name in outputs.keys() | then.keys() if outputs.get(name) != then.get(name))
    return MadeAgain(analysis, tuple(differing), tool_changes(manifest["tool"], tool()))


def tool_changes(then: Mapping[str, str], now: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return what differs of zonelog and its libraries: name -> (then, now)."""
    names = sorted(then.keys() | now.keys())
    return {n: (then.get(n, ""), now.get(n, "")) for n in names if then.get(n, "") != now.get(n, "")}


def _zone_set(store: Store, manifest: Mapping[str, Any], work: Path) -> ZoneSet:
    """Return the zone set of a past run."""
    kept = manifest["zone_set"]
    folder = work / "zones" / (Path(kept["folder"]).name or "zones")
    fleet = None if kept["fleet"] is None else _restored(store, kept["files"][kept["fleet"]], work / kept["fleet"])
    for name, piece in kept["files"].items():
        if name != kept["fleet"]:
            _restored(store, piece, folder / Path(name).name)
    return replace(load_zone_set(folder, fleet), path=Path(kept["path"]))


def _options(store: Store, manifest: Mapping[str, Any], ledger: Ledger, work: Path, pool: Engine) -> Options:
    """Return the options of a past run."""
    said, profile = manifest["said"], manifest["profile"]
    path = None
    if profile is not None:
        path = Path(profile["path"])
        if profile["piece"] is not None:
            path = _restored(store, profile["piece"], work / "profile" / path.name)
    msgs = manifest["msgs"] and work / "msgs"
    for name, piece in (manifest["msgs"] or {"files": {}})["files"].items():
        _restored(store, piece, _inside(work / "msgs", name))
    start, end = (said[name] and dt.datetime.fromisoformat(said[name]) for name in ("start", "end"))
    return Options(
        timezone=said["timezone"],
        profile=path,
        msgs=msgs,
        start=start,
        end=end,
        vehicles=tuple(said["vehicles"]),
        draw=said["map"] or said["report"],
        ledger=ledger,
        pool=pool,
        join=manifest["join"] and Path(manifest["join"]["path"]),
        join_tolerance_s=said["join_tolerance_s"],
        remarks=remarks_from(manifest.get("beside", []), ""),  # manifests of before have none
    )


def _run(store: Store, manifest: Mapping[str, Any], work: Path, version: str) -> Run:
    """Return how a past run was called."""
    said = manifest["said"]
    layers = []
    for number, kept in enumerate(manifest["basemap"]):
        path = _restored(store, kept["piece"], work / f"basemap-{number}" / Path(kept["path"]).name)
        layers += [replace(layer, file=kept["path"]) for layer in read_basemap([path])]
    return Run(
        command=tuple(manifest["command"]),
        version=version,
        lang=said["lang"],
        map=said["map"],
        report=said["report"],
        basemap=tuple(layers),
        tiles=said["tiles"],
        attribution=said["attribution"],
    )


def _restored(store: Store, piece: str, path: Path) -> Path:
    """Write a piece to a file."""
    data = store.get(piece)
    if data is None:
        raise LedgerError(
            f"{store.place}: {store.damaged[-1]} is damaged or gone; {path.name} of this run is lost with it"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def _inside(folder: Path, name: str) -> Path:
    """Return the path of a file in a folder; a manifest that names one outside is not ours."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise LedgerError(f"{name!r}: lies outside the folder that it was kept from")
    return path
