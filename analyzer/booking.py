"""A run on a ledger as the command line makes it: where a ledger may be, and its manifest."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analyzer.errors import LedgerError
from analyzer.ledger import Ledger
from analyzer.ledger_words import print_ledger
from analyzer.manifests import Given, commit_manifest, manifest_of
from analyzer.outputs import Run, write_outputs
from analyzer.results import Analysis


def refuse_place(root: Path, out: Path, logs: Sequence[str]) -> None:
    """Refuse a ledger in the output, which is replaced as a whole, or among the logs, which are searched."""
    place, target = root.resolve(), out.resolve()
    if place == target or target in place.parents or place in target.parents:
        raise LedgerError(f"{root}: lies in the output {out}, or that in it; name two folders side by side")
    folders = (Path(log).resolve() for log in logs if Path(log).is_dir())
    if any(place == folder or folder in place.parents for folder in folders):
        raise LedgerError(f"{root}: lies in a folder of logs, where it would be searched; name a folder elsewhere")


def write_and_book(ledger: Ledger, analysis: Analysis, run: Run, given: Mapping[str, Any]) -> None:
    """Write the result, then the manifest of the run: a run is in the ledger when its result was written."""
    manifest = manifest_of(ledger, analysis, _given(analysis, run, given))
    write_outputs(analysis, given["out"], run)
    commit_manifest(ledger.store, manifest, given["out"])
    if not given["quiet"]:
        print_ledger(manifest, given["lang"])


def _given(analysis: Analysis, run: Run, given: Mapping[str, Any]) -> Given:
    """Return what a run was told."""
    said = {
        "logs": list(given["logs"]),
        "places": sorted(str(Path(log).absolute()) for log in given["logs"]),
        "timezone": given["timezone"],
        "start": given["start"] and given["start"].isoformat(),
        "end": given["end"] and given["end"].isoformat(),
        "vehicles": sorted(given["vehicles"]),
        "join_tolerance_s": given["join_tolerance"],
        "lang": run.lang,
        "map": run.map,
        "report": run.report,
        "tiles": run.tiles,
        "attribution": run.attribution,
        "out": str(given["out"]),
    }
    files = {name: given[name] for name in ("fleet", "profile", "join", "msgs", "basemap")}
    return Given(said, run.command, analysis.zone_set, **files)
