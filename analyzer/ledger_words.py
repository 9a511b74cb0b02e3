"""What the command line says of a ledger: what was done, past runs, and what differs between two."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from analyzer.differences import Change
from analyzer.history import MadeAgain
from analyzer.language import Both, both, joined, several
from analyzer.plain_text import plain
from analyzer.store import RUNS, Store
from analyzer.terminal import safe
from analyzer.wording import CHECK_WORDS, WORDS

MOST_SHOWN = 10
CHANGED: Mapping[str, Both] = {
    "rules": both("rules changed"),
    "zones": both("zones changed"),
    "evaluation": both("evaluation settings changed"),
    "fleet": both("fleet file changed"),
    "join": both("joined file changed"),
    "options": both("options changed"),
    "tool": both("zonelog or a library changed"),
}
HEADS = (both("Run"), both("Command"), both("Logs"), both("Violations"), both("Indeterminate"), both("What changed"))
NOTHING = both("nothing changed")
FIRST = both("the first run on these logs")


def _console() -> Console:
    """Return a console for standard output; full width in a pipe."""
    return Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 160, emoji=False)


def _tell(text: Both, lang: str) -> None:
    """Print a line beside the result, which is what standard output is for."""
    click.echo(plain(text[lang]), err=True)


def print_ledger(manifest: Mapping[str, Any], lang: str) -> None:
    """Say what was new, what was done, what is gone, and what was damaged."""
    counts = {kind: f"{count:,}" for kind, count in manifest["changes"]["counts"].items()}
    done = {"judged": f"{manifest['judged']:,}", "reused": f"{manifest['reused']:,}"}
    text = both(
        "Ledger: {new} new, {changed} changed, {removed} removed, {same} known logs; {judged} pieces judged, "
        "{reused} found there.",
        **counts,
        **done,
    )
    _tell(text, lang)
    for path in manifest["changes"]["files"]["removed"]:
        _tell(both("Ledger: {path} is no longer there; the result is without it.", path=path), lang)
    print_damaged(manifest["damaged"], lang)


def print_damaged(names: Sequence[str], lang: str) -> None:
    """Name what was damaged: a manifest is lost, all else is made again."""
    lost = both("Ledger: {name} is damaged; this run is lost.")
    mended = both("Ledger: {name} was damaged or missing; it was made again.")
    for name in dict.fromkeys(names):
        text = lost if name.startswith(f"{RUNS}/") else mended
        _tell({language: words.format(name=name) for language, words in text.items()}, lang)


def print_runs(store: Store, runs: Sequence[Mapping[str, Any]], lang: str) -> None:
    """Print past runs, the latest first."""
    print_damaged(store.damaged, lang)
    table = Table(*(head[lang] for head in HEADS), box=None, pad_edge=False)
    for run in reversed(runs):
        found = run["found"]
        cells = (f"{len(run['logs']):,}", f"{found['violation']:,}", f"{found['indeterminate']:,}")
        table.add_row(safe(run["key"]), safe(" ".join(run["command"])), *cells, safe(_changed(run["changes"])[lang]))
    _console().print(table)


def _changed(changes: Mapping[str, Any]) -> Both:
    """Return what changed since the run before on the same logs."""
    if changes["since"] is None:
        return FIRST
    counts = changes["counts"]
    texts = [
        several(counts["new"], "{n} new log", "{n} new logs"),
        several(counts["changed"], "{n} changed log", "{n} changed logs"),
        several(counts["removed"], "{n} removed log", "{n} removed logs"),
        several(counts.get("renamed", 0), "{n} renamed log", "{n} renamed logs"),
    ]
    kinds = ("new", "changed", "removed", "renamed")  # the last is not in manifests of before
    files = [text for text, kind in zip(texts, kinds, strict=True) if counts.get(kind)]
    return (
        joined([*files, *(CHANGED[name] for name in changes["other"])], ", ") if files or changes["other"] else NOTHING
    )


def print_made_again(manifest: Mapping[str, Any], made: MadeAgain, lang: str) -> None:
    """Say whether a result that was made again is as it was."""
    for name, (then, now) in made.tool.items():
        _tell(both("{name} was {then} then, and is {now} now.", name=name, then=then or "–", now=now or "–"), lang)
    for name in made.differing:
        _tell(both("{name} is not as it was.", name=name), lang)
    if not made.differing:
        _tell(both("The result of {run} was made again, with the same bytes.", run=manifest["key"]), lang)


def print_differences(changes: Sequence[Change], lang: str) -> None:
    """Print what became a finding, what ceased to be one, what changed, and why."""
    console = _console()
    heads = (
        (both("Became findings: {n}"), [c for c in changes if c.before is None]),
        (both("Ceased to be findings: {n}"), [c for c in changes if c.after is None]),
        (both("Changed: {n}"), [c for c in changes if c.before is not None and c.after is not None]),
    )
    for head, some in heads:
        console.print(f"[b]{head[lang].format(n=f'{len(some):,}')}[/]")
        for change in some:
            console.print(safe(_line(change, lang)), soft_wrap=True)


def _line(change: Change, lang: str) -> str:
    """Return one finding that differs."""
    row = change.after or change.before or {}
    verdicts = dict.fromkeys(WORDS[own["verdict"]][lang] for own in (change.before, change.after) if own)
    why = both("why: {reasons}", reasons=joined(change.why, both("; or ")[lang]) if change.why else both("not known"))
    start = row["start"].isoformat().replace("+00:00", "Z")
    check = CHECK_WORDS[row["check"]][lang]
    return f"  {row['finding_id']}  {' → '.join(verdicts)}  {check}  {row['vehicle_id']}  {start}  ({why[lang]})"
