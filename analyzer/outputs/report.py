"""report.html: the answer first, then where, the findings, the rules, the settings, the logs.

The page has no script at all; both languages are in it, and what is shown is chosen by
two buttons. Every value goes through the template's escaping.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from analyzer.messages import duration_text, local_time, number
from analyzer.outputs._drawing import drawing
from analyzer.outputs._output import Output, Run
from analyzer.outputs._page import ASSETS, asset, with_policy
from analyzer.outputs._run import rule_record
from analyzer.outputs.map import worst_first
from analyzer.results import Analysis
from analyzer.terms import VERDICTS
from analyzer.wording import CHECK_WORDS, WORDS, answer

MOST_FINDINGS = 500


def _write(analysis: Analysis, folder: Path, run: Run) -> None:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(loader=FileSystemLoader(ASSETS), autoescape=True, undefined=StrictUndefined)
    page = environment.get_template("report.html").render(_content(analysis, run))
    (folder / "report.html").write_text(with_policy(page), encoding="utf-8", newline="\n")


def _content(analysis: Analysis, run: Run) -> dict[str, Any]:
    """Return what the template shows."""
    from markupsafe import Markup  # noqa: PLC0415

    zone_set, summary = analysis.zone_set, analysis.summary
    zone = ZoneInfo(zone_set.rules.timezone)
    shown = worst_first(analysis.findings).head(MOST_FINDINGS)
    return {
        "lang": run.lang,
        "version": run.version,
        "style": Markup(asset("report.css")),  # noqa: S704 - our own file
        "drawing": Markup(drawing(analysis, shown)),  # noqa: S704 - escaped where it is made
        "words": WORDS,
        "checks": CHECK_WORDS,
        "verdicts": VERDICTS,
        "zone_set": zone_set,
        "zones": zone_set.zones,
        "timezone": zone_set.rules.timezone,
        "summary": summary,
        "answer": {lang: answer(summary, lang) for lang in ("ko", "en")},
        "period": _period(analysis, zone),
        "distance": number(summary["distance_m"] / 1000, "km"),
        "duration": _both(summary["duration_s"]),
        "observed": _both(summary["observed_s"]),
        "notices": analysis.notices,
        "findings": [_finding(row, zone) for row in shown.iter_rows(named=True)],
        "total": analysis.findings.height,
        "per_check": [(c, summary["checks"][c]) for c in CHECK_WORDS if c in summary["checks"]],
        "per_vehicle": [(n, _vehicle(v)) for n, v in summary["per_vehicle"].items()],
        "rules": [_rule(rule_record(rule)) for rule in zone_set.rules.rules],
        "evaluation": list(asdict(zone_set.rules.evaluation).items()),
        "logs": analysis.logs,
    }


def _both(seconds: float) -> dict[str, str]:
    """Return a duration in both languages."""
    return dict(zip(("ko", "en"), duration_text(seconds), strict=True))


def _period(analysis: Analysis, zone: ZoneInfo) -> str:
    """Return from when to when, in local time."""
    first, last = analysis.coverage["trip_start"].min(), analysis.coverage["trip_end"].max()
    return f"{local_time(first, zone)} – {local_time(last, zone)}"  # type: ignore[arg-type]


def _finding(row: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """Return one finding with its numbers as text."""
    texts = {f"{n}_text": number(row[n], row["unit"]) for n in ("peak", "margin", "error")}
    when = local_time(row["start"], zone)
    return {**row, **texts, "when": when, "lasts": _both(row["duration_s"])}


def _vehicle(totals: Mapping[str, Any]) -> dict[str, Any]:
    """Return the totals of one vehicle with its numbers as text."""
    duration = totals["duration_s"]
    share = f"{100 * totals['observed_s'] / duration:.1f} %" if duration else "–"
    distance = number(totals["distance_m"] / 1000, "km")
    return {**totals, "distance": distance, "time": _both(duration), "share": share}


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return one rule with the span in which it is in force."""
    return {**rule, "span": f"{rule['effective']} – {rule['until'] or '…'}"}


OUTPUT = Output(files=("report.html",), write=_write, wanted=lambda run: run.report)
