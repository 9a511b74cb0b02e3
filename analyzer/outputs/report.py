"""report.html: the answer first, then where, the findings, the hours, the rules, the settings, the logs.

The page has no script at all; both languages are in it, and what is shown is chosen by
two buttons. Every value goes through the template's escaping.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from analyzer.figures import (
    above,
    day_text,
    kilometres,
    lasting,
    local_time,
    moment_text,
    number,
    offset_text,
    share,
)
from analyzer.language import LANGUAGES, both
from analyzer.outputs import _facts as facts
from analyzer.outputs._charts import Timeline, speed_charts
from analyzer.outputs._drawing import HATCH, close_up, overview
from analyzer.outputs._far_apart import places_apart
from analyzer.outputs._output import Output, Run
from analyzer.outputs._run import rule_record
from analyzer.outputs._template import own_markup, render
from analyzer.outputs.map import worst_first
from analyzer.results import Analysis
from analyzer.terms import VERDICTS
from analyzer.wording import CHECK_WORDS, KIND_WORDS, MODE_WORDS, WORDS, answer, told, word

MOST_FINDINGS = 500
MOST_DAY_ROWS = 600
MOST_TIMELINES = 40
MOST_CLOSE_UPS = 8
MOST_LOGS = 400
MOST_VISITS = 40
"""Visits to one zone that are printed; all are in report.xlsx."""


def _write(analysis: Analysis, folder: Path, run: Run) -> None:
    page = render("report.html", _content(analysis, run))
    (folder / "report.html").write_text(page, encoding="utf-8", newline="\n")


def _content(analysis: Analysis, run: Run) -> dict[str, Any]:
    """Return what the template shows."""
    zone = ZoneInfo(analysis.zone_set.rules.timezone)
    return {
        "lang": run.lang,
        "version": run.version,
        "has_map": run.map,
        "words": WORDS,
        "checks": CHECK_WORDS,
        "verdicts": VERDICTS,
        "timezone": analysis.zone_set.rules.timezone,
        "zone_set": analysis.zone_set,
        **_head(analysis, zone),
        **_drawn(analysis, zone),
        **_found(analysis, zone),
        **_appendix(analysis, run, zone),
    }


def _head(analysis: Analysis, zone: ZoneInfo) -> dict[str, Any]:
    """Return page one."""
    summary = analysis.summary
    first, last = _period(analysis)
    kinds = facts.notice_kinds(analysis.notices)
    return {
        "summary": summary,
        "answer": {lang: answer(summary, lang) for lang in LANGUAGES},
        "tiles": _tiles(summary),
        "first": moment_text(first, zone),
        "last": moment_text(last, zone),
        "offset": " / ".join(dict.fromkeys((offset_text(first, zone), offset_text(last, zone)))),
        "cards": facts.cards(analysis),
        "modes": facts.by_mode(analysis),
        "zone_rows": facts.by_zone(analysis),
        "not_entered": facts.not_entered(analysis),
        "quality": facts.quality(analysis),
        "rule_notices": told(kinds["rules"]),
        "log_notices": told(kinds["logs"]),
    }


def _period(analysis: Analysis) -> tuple[Any, Any]:
    """Return the first and the last instant of all trips."""
    return analysis.coverage["trip_start"].min(), analysis.coverage["trip_end"].max()


def _tiles(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the headline figures: a value and what it is."""
    guilty = sum(1 for v in summary["per_vehicle"].values() if v["findings"]["violation"])
    found = summary["findings"]
    return [
        {"kind": "violation", "value": f"{found['violation']:,}", "name": both("certain violations")},
        {"kind": "indeterminate", "value": f"{found['indeterminate']:,}", "name": both("indeterminate")},
        {"kind": "not_observed", "value": f"{found['not_observed']:,}", "name": both("stretches not observed")},
        {"kind": "", "value": f"{guilty:,} / {summary['vehicles']:,}", "name": both("vehicles with a violation")},
        {"kind": "", "value": f"{summary['trips']:,}", "name": both("trips")},
        {"kind": "", "value": kilometres(summary["distance_m"]), "name": both("driven")},
        {"kind": "", "value": lasting(summary["duration_s"]), "name": both("under way")},
        {"kind": "", "value": share(summary["observed_s"], summary["duration_s"]), "name": both("of it observed")},
    ]


def _drawn(analysis: Analysis, zone: ZoneInfo) -> dict[str, Any]:
    """Return the drawings."""
    numbered = _numbered(analysis)
    timeline = Timeline(analysis, zone)
    days = timeline.days()
    badges = facts.zone_badges(analysis)
    return {
        "hatch": own_markup(HATCH),
        "overview": own_markup(overview(analysis, badges)),
        "places": [own_markup(overview(analysis, badges, box)) for box in places_apart(analysis)],
        "close_ups": _close_ups(analysis, numbered),
        "timelines": [
            {"day": day_text(d), "drawing": own_markup(svg)}
            for d in days[:MOST_TIMELINES]
            for svg in timeline.drawings(d)
        ],
        "more_days": max(len(days) - MOST_TIMELINES, 0),
        "speeds": [{**chart, "drawing": own_markup(chart["drawing"])} for chart in speed_charts(analysis)],
    }


def _numbered(analysis: Analysis) -> pl.DataFrame:
    """Return the findings that are shown, the weightiest first, with `number`."""
    shown = worst_first(analysis.findings).head(MOST_FINDINGS)
    return shown.with_columns(number=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))


def _close_ups(analysis: Analysis, numbered: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the places with the weightiest findings, a drawing each."""
    places = numbered.filter(~pl.col("check").is_in(["unlogged-movement"]))
    groups = places.partition_by("zone_id", maintain_order=True)
    names = {zone.zone_id: zone.name for zone in analysis.zone_set.zones}
    return [
        {
            "name": names.get(group["zone_id"][0], both("in no zone")),
            "drawing": own_markup(close_up(analysis, group)),
            "numbers": _ranges(group["number"].to_list()),
        }
        for group in groups[:MOST_CLOSE_UPS]
    ]


def _ranges(numbers: Sequence[int]) -> str:
    """Return numbers as text, runs of them as `3–7`."""
    runs: list[list[int]] = []
    for n in sorted(numbers):
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in runs)


def _found(analysis: Analysis, zone: ZoneInfo) -> dict[str, Any]:
    """Return the tables of findings, checks, vehicles and days."""
    summary = analysis.summary
    days = facts.by_day(analysis, zone)
    return {
        "findings": [_finding(row, zone) for row in _numbered(analysis).iter_rows(named=True)],
        "total": analysis.findings.height,
        "per_check": [(c, summary["checks"][c]) for c in CHECK_WORDS if c in summary["checks"]],
        "per_vehicle": [(n, _vehicle(v)) for n, v in summary["per_vehicle"].items()],
        "visits": facts.visits(analysis, zone, MOST_VISITS),
        "days": days[:MOST_DAY_ROWS],
        "more_day_rows": max(len(days) - MOST_DAY_ROWS, 0),
        "events": [(word({}, k), v) for k, v in summary["events"].items()],
    }


def _finding(row: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """Return one finding with its numbers as text."""
    texts = {f"{n}_text": number(row[n], row["unit"]) for n in ("limit", "margin", "error")}
    peak, limit = row["peak"], row["limit"]
    fast = row["check"] == "speed-limit" and peak is not None and peak > limit
    return {
        **row,
        **texts,
        "peak_text": above(peak, limit, row["unit"]) if fast else number(peak, row["unit"]),
        "when": local_time(row["start"], zone),
        "until": local_time(row["end"], zone),
        "lasts": lasting(row["duration_s"]),
        "seen": share(row["observed_s"], row["duration_s"]) if row["duration_s"] else "–",
        "mode": word(MODE_WORDS, row["control_mode"]),
    }


def _vehicle(totals: Mapping[str, Any]) -> dict[str, Any]:
    """Return the totals of one vehicle with its numbers as text."""
    duration = totals["duration_s"]
    texts = {"time": lasting(duration), "share": share(totals["observed_s"], duration)}
    return {**totals, **texts, "distance": kilometres(totals["distance_m"])}


def _appendix(analysis: Analysis, run: Run, zone: ZoneInfo) -> dict[str, Any]:
    """Return rules, zones, settings and logs."""
    first, last = _period(analysis)
    rules = analysis.zone_set.rules
    return {
        "rules": [_rule(r, zone) for r in rules.rules if facts.in_force(r, first, last)],
        "other_rules": [r.id for r in rules.rules if not facts.in_force(r, first, last)],
        "zones": analysis.zone_set.zones,
        "evaluation": list(asdict(rules.evaluation).items()),
        "logs": analysis.logs[:MOST_LOGS],
        "more_logs": max(len(analysis.logs) - MOST_LOGS, 0),
        "set_files": sorted(analysis.zone_set.files.items()),
        "command": " ".join(run.command),
    }


def _rule(rule: Any, zone: ZoneInfo) -> dict[str, Any]:
    """Return one rule with the span in which it is in force."""
    record = rule_record(rule)
    bounds = [day_text(_local(record[k], zone)) if record[k] else both("open end") for k in ("effective", "until")]
    return {
        **record,
        "kind_word": KIND_WORDS[rule.kind],
        "span": {lang: f"{bounds[0][lang]} – {bounds[1][lang]}" for lang in LANGUAGES},
    }


def _local(text: str, zone: ZoneInfo) -> Any:
    """Return the local day of an instant."""
    return dt.datetime.fromisoformat(text).astimezone(zone).date()


OUTPUT = Output(files=("report.html",), write=_write, wanted=lambda run: run.report)
