"""A run on a ledger as the command line makes it: where a ledger may be, and its manifest."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analyzer.addresses import lies_in, place_of, where
from analyzer.errors import LedgerError, OutputError
from analyzer.ledger import Ledger
from analyzer.ledger_words import print_ledger
from analyzer.manifests import Given, commit_manifest, manifest_of
from analyzer.outputs import Run, write_outputs
from analyzer.results import Analysis
from analyzer.store import RUNS


def refuse_place(root: Path | str, out: Path | str, logs: Sequence[str]) -> None:
    """Refuse a ledger in the output, which is replaced as a whole, or among the logs, which are searched."""
    if lies_in(root, out) or lies_in(out, root):
        raise LedgerError(f"{root}: lies in the output {out}, or that in it; name two folders side by side")
    if any(lies_in(root, where(log)) for log in logs):
        raise LedgerError(f"{root}: lies in a folder of logs, where it would be searched; name a folder elsewhere")


def write_and_book(ledger: Ledger, analysis: Analysis, run: Run, given: Mapping[str, Any]) -> None:
    """Write the result and the manifest of the run.

    The result is written beside first, then the manifest, then the result takes its place: a ledger that cannot be
    written leaves the previous one. A run whose result could not take its place is withdrawn from the ledger.
    """
    manifest = manifest_of(ledger, analysis, _given(analysis, run, given))
    booked: list[str] = []
    try:
        write_outputs(analysis, given["out"], run, lambda o: booked.append(commit_manifest(ledger.store, manifest, o)))
    except OutputError:
        for name in booked:
            ledger.store.withdraw(RUNS, name)
        raise
    if not given["quiet"]:
        print_ledger(manifest, given["lang"])


def _given(analysis: Analysis, run: Run, given: Mapping[str, Any]) -> Given:
    """Return what a run was told."""
    said = {
        "logs": list(given["logs"]),
        "places": sorted(place_of(log) for log in given["logs"]),
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
