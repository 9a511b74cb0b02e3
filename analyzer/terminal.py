"""What the command line prints: the answer first, then the evidence, then where it is."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click
import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from analyzer.language import both, several, translate
from analyzer.outputs.map import worst_first
from analyzer.plain_text import plain
from analyzer.results import Analysis
from analyzer.windows import local_date
from analyzer.wording import CHECK_WORDS, KIND_WORDS, WORDS, answer, told
from analyzer.zones import ZoneSet

if TYPE_CHECKING:
    from analyzer.demo import Outcome
    from analyzer.zone_making import Made

MOST_SHOWN = 10
COLOURS = {
    "violation": "bold white on #8c1010",
    "indeterminate": "bold #d9771a",
    "not_observed": "italic",
    "not_checkable": "italic",
    "compliant": "#4a94c8",
}
"""The colours of the map, those of text lighter: a terminal is dark or light, nobody knows."""

ZONE_HEADS = (
    both("Zone"),
    both("Name"),
    both("km² measured"),
    both("km² declared"),
    both("Vertices"),
    both("Outline"),
    both("1 sigma (m)"),
    both("Valid"),
)


def safe(text: Any) -> str:
    """Return a text that neither the terminal nor rich takes for a command."""
    return escape(plain(str(text)))


def _console() -> Console:
    """Return a console for standard output; full width in a pipe."""
    width = None if sys.stdout.isatty() else 120
    return Console(file=sys.stdout, highlight=False, width=width, emoji=False)


def print_summary(analysis: Analysis, out: Path | str, lang: str) -> None:
    """Print whether anyone broke a rule, where, and how sure it is."""
    console, summary = _console(), analysis.summary
    colour = COLOURS[summary["verdict"]]
    question = translate("Did anyone break a rule?", lang)
    console.print(f"\n[b]{question}[/b]  [{colour}]{safe(answer(summary, lang))}[/]")
    for notice in told(analysis.notices):
        console.print(f"[yellow]![/] {safe(notice[lang])}")
    _print_coverage(console, summary, lang)
    _print_findings(console, worst_first(analysis.findings), lang)
    for account in analysis.logs:
        if account.error:
            console.print(f"[red]{safe(account.error)}[/]")
    console.print(_accounting(summary["logs"], lang))
    _print_place(console, out, lang)


def _print_coverage(console: Console, summary: Mapping[str, Any], lang: str) -> None:
    """Print how many trips have which verdict, check by check."""
    verdicts = ("violation", "indeterminate", "not_checkable", "not_observed", "compliant")
    table = Table("", *(WORDS[v][lang] for v in verdicts), box=None, pad_edge=False)
    for code, words in CHECK_WORDS.items():
        if code in summary["checks"]:
            lines = summary["checks"][code]["lines"]
            cells = [f"[{COLOURS[v]}]{lines[v]}[/]" if lines[v] else "·" for v in verdicts]
            table.add_row(words[lang], *cells)
    console.print(table)


def _print_findings(console: Console, findings: pl.DataFrame, lang: str) -> None:
    """Print the weightiest findings, one line each."""
    for row in findings.head(MOST_SHOWN).iter_rows(named=True):
        colour = COLOURS[row["verdict"]]
        verdict = WORDS[row["verdict"]][lang]
        console.print(f"[{colour}]{verdict}[/] {row['finding_id']}  {safe(row[f'message_{lang}'])}")
    rest = findings.height - MOST_SHOWN
    if rest > 0:
        console.print(both("… {n} more are in the report.", n=f"{rest:,}")[lang])


def _accounting(logs: Sequence[Mapping[str, Any]], lang: str) -> str:
    """Return what became of all records, in one line."""
    sums = {k: sum(log[k] for log in logs) for k in ("records", "fixes", "rejects", "other_records")}
    texts = {name: f"{number:,}" for name, number in sums.items()}
    return both("{records} records = {fixes} fixes + {rejects} rejects + {other_records} other", **texts)[lang]


def _print_place(console: Console, out: Path | str, lang: str) -> None:
    """Print where the result is."""
    pages = [] if isinstance(out, str) else [p for p in (out / "report.html", out / "map.html") if p.exists()]
    shown = ", ".join(safe(p) for p in pages) or safe(out)
    console.print(both("Result: {pages}", pages=shown)[lang], soft_wrap=True)


def print_explanation(verdict: str, text: str) -> None:
    """Print one finding, its first line in the colour of its verdict; lines are not broken."""
    from rich.text import Text  # noqa: PLC0415

    first, _, rest = text.partition("\n")
    _console().print(Text(first, style=COLOURS[verdict]), soft_wrap=True)
    click.echo(rest)


def print_truth(outcome: "Outcome", lang: str) -> None:
    """Print how the verdicts compare with what was built into the synthetic day."""
    console = _console()
    table = Table("", "", "", "", box=None, pad_edge=False, show_header=False)
    for row, found in outcome.rows:
        mark = "[green]✓[/]" if found else "[red]✗[/]"
        table.add_row(mark, safe(row["vehicle_id"]), safe(row["check"] or "–"), safe(row[f"what_{lang}"]))
    console.print(table)
    right = sum(found for _, found in outcome.rows)
    text = both(
        "Of {all} facts built into the synthetic day {right} were found; not expected: {extra}.",
        all=str(len(outcome.rows)),
        right=str(right),
        extra=str(outcome.extra),
    )
    console.print(text[lang])


def print_zone_sets(zone_sets: Mapping[str, ZoneSet], lang: str) -> None:
    """Print the bundled zone sets."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, zone_set in zone_sets.items():
        count = several(len(zone_set.zones), "{n} zone", "{n} zones")
        table.add_row(f"[b]{name}[/]", safe(zone_set.name[lang]), count[lang])
    _console().print(table)


def print_zone_set(zone_set: ZoneSet, lang: str) -> None:
    """Print zones, totals against what is declared, rules, and what a reader must know."""
    console = _console()
    table = Table(*(head[lang] for head in ZONE_HEADS), box=None, pad_edge=False)
    local = ZoneInfo(zone_set.rules.timezone)
    for zone in zone_set.zones:
        declared = "–" if zone.declared_area_km2 is None else f"{zone.declared_area_km2:.3f}"
        table.add_row(
            safe(zone.zone_id),
            safe(zone.name[lang]),
            f"{zone.measured_area_km2:.3f}",
            declared,
            str(zone.vertices),
            WORDS[zone.geometry_confidence][lang],
            f"{zone.accuracy_m:g}",
            f"{_day(zone.valid_from_us, local)} – {_day(zone.valid_to_us, local)}",
        )
    console.print(f"[b]{safe(zone_set.name[lang])}[/] ({safe(zone_set.path)})")
    console.print(table)
    console.print(_totals(zone_set, lang))
    for rule in zone_set.rules.rules:
        how_sure = WORDS[rule.confidence][lang]
        revision, kind = both("revision {n}", n=rule.revision)[lang], KIND_WORDS[rule.kind][lang]
        console.print(f"• {safe(rule.id)}, {revision} ({kind}, {how_sure}): {safe(rule.text[lang])}")
    for notice in zone_set.notices:
        console.print(f"[yellow]![/] {safe(getattr(notice, lang))}")
    console.print(translate("The zone set is valid.", lang))


def print_made(made: "Made", lang: str) -> None:
    """Print what was understood of the sources, and what has no counterpart."""
    console = _console()
    for remark in made.remarks:
        console.print(f"• {safe(remark[lang])}", soft_wrap=True)
    if made.without_counterpart:
        console.print(translate("These have no counterpart; they are comments in rules.toml:", lang))
    for line in made.without_counterpart:
        console.print(f"  - {safe(line)}", soft_wrap=True)


def _day(time_us: int | None, zone: ZoneInfo) -> str:
    """Return the local day of an instant, dots for always."""
    return "…" if time_us is None else local_date(time_us, zone).isoformat()


def _totals(zone_set: ZoneSet, lang: str) -> str:
    """Return number and total area against the declared ones."""
    measured = sum(zone.measured_area_km2 for zone in zone_set.zones)
    count, area = zone_set.declared_zones, zone_set.declared_area_km2
    return both(
        "total {n} zones, {measured} km² (declared {declared_n} zones, {declared} km²)",
        n=str(len(zone_set.zones)),
        measured=f"{measured:.2f}",
        declared_n=str(count) if count is not None else "–",
        declared=f"{area:.2f}" if area is not None else "–",
    )[lang]
