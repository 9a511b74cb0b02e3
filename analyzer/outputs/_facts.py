"""The tables of the report: who drove how far and how long, where, when, and how well it was seen.

Every number is text here already, in both languages where they differ; `None` is never shown.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from analyzer.figures import kilometres, lasting, local_time, number, share
from analyzer.language import Both, both, joined, several
from analyzer.results import Analysis
from analyzer.summary import FINDING_VERDICTS
from analyzer.terms import CONTROL_MODES
from analyzer.wording import CHECK_WORDS, MODE_WORDS, REJECT_WORDS, VISIT_WORDS, word

Row = dict[str, Any]
OUTSIDE = both("outside every zone")
_DASH = {"ko": "–", "en": "–"}


def _driven(rows: pl.DataFrame) -> Row:
    """Return distance, time and observed share of some rows of exposure."""
    distance, duration, observed = (float(rows[n].sum()) for n in ("distance_m", "duration_s", "observed_s"))
    top: Any = rows["top_speed_kph"].max()
    if rows.is_empty():
        return {"distance": "–", "time": _DASH, "observed": "–", "mean": "–", "top": "–", "total": False}
    return {
        "distance": kilometres(distance),
        "time": lasting(duration),
        "observed": share(observed, duration),
        "mean": number(3.6 * distance / observed, "km/h") if observed else "–",
        "top": number(top, "km/h"),
        "total": False,
    }


def _counts(findings: pl.DataFrame) -> dict[str, int]:
    """Return how many findings have each verdict."""
    return {v: int((findings["verdict"] == v).sum()) for v in FINDING_VERDICTS}


def with_day(findings: pl.DataFrame, zone: ZoneInfo) -> pl.DataFrame:
    """Return findings with `local_date`, the day on which they start."""
    return findings.with_columns(local_date=pl.col("start").dt.convert_time_zone(str(zone)).dt.date())


def by_mode(analysis: Analysis) -> list[Row]:
    """Return distance and time of each control mode that occurs, and of all."""
    exposure = analysis.exposure
    present = [m for m in CONTROL_MODES if (exposure["control_mode"] == m).any()]
    rows = [{"name": MODE_WORDS[m], **_driven(exposure.filter(pl.col("control_mode") == m))} for m in present]
    return [*rows, {"name": both("all modes"), **_driven(exposure), "total": True}]


def by_zone(analysis: Analysis) -> list[Row]:
    """Return time inside and outside of each zone that was entered or that findings name, then outside all."""
    exposure, findings = analysis.exposure, analysis.findings
    rows = []
    for zone in analysis.zone_set.zones:
        inside = exposure.filter(pl.col("zone_id").str.split("+").list.contains(zone.zone_id))
        found = findings.filter(pl.col("zone_id") == zone.zone_id)
        if inside.height or found.height:
            rows.append({"name": zone.name, **_zone_row(inside, found)})
    needed = list(analysis.zone_set.rules.evaluation.permit_needed_for)
    outside = exposure.filter(pl.col("zone_id") == "")
    for name, own in (
        (both("outside every zone, permit needed"), outside.filter(pl.col("control_mode").is_in(needed))),
        (both("outside every zone, manual driving"), outside.filter(~pl.col("control_mode").is_in(needed))),
    ):
        if own.height:
            rows.append({"name": name, **_zone_row(own, findings.clear()), "total": True})
    nowhere = findings.filter(pl.col("zone_id").is_null())
    if nowhere.height:
        rows.append({"name": both("in no zone"), **_zone_row(exposure.clear(), nowhere), "total": True})
    return rows


def _zone_row(inside: pl.DataFrame, found: pl.DataFrame) -> Row:
    """Return exposure inside a zone, findings of it, and the time of departures from it."""
    left = found.filter(pl.col("check") == "outside-zone")
    away = {v: float(left.filter(pl.col("verdict") == v)["duration_s"].sum()) for v in ("violation", "indeterminate")}
    return {
        **_driven(inside),
        "counts": _counts(found),
        "away": lasting(away["violation"]) if away["violation"] else _DASH,
        "away_unsure": lasting(away["indeterminate"]) if away["indeterminate"] else _DASH,
    }


def not_entered(analysis: Analysis) -> list[Both]:
    """Return the names of zones that nobody entered and no finding names."""
    seen = {z for text in analysis.exposure["zone_id"] for z in text.split("+")} | set(analysis.findings["zone_id"])
    return [zone.name for zone in analysis.zone_set.zones if zone.zone_id not in seen]


def by_day(analysis: Analysis, zone: ZoneInfo) -> list[Row]:
    """Return one row per vehicle and local day."""
    found = with_day(analysis.findings, zone).partition_by("vehicle_id", "local_date", as_dict=True)
    driven = analysis.exposure.partition_by("vehicle_id", "local_date", as_dict=True, maintain_order=True)
    none = analysis.findings.clear()
    return [
        {
            "vehicle": vehicle,
            "day": day,
            "zones": _zone_names(analysis, rows["zone_id"]),
            "counts": _counts(found.get((vehicle, day), none)),
            **_driven(rows),
        }
        for (vehicle, day), rows in sorted(driven.items())
    ]


def _zone_names(analysis: Analysis, ids: pl.Series) -> Both:
    """Return the names of the zones of some rows."""
    present = {z for text in ids for z in text.split("+")}
    names = [zone.name for zone in analysis.zone_set.zones if zone.zone_id in present]
    names += [OUTSIDE] if "" in present else []
    return {lang: ", ".join(name[lang] for name in names) for lang in ("ko", "en")}


def visits(analysis: Analysis, zone: ZoneInfo, most: int) -> list[Row]:
    """Return, zone by zone, who was inside from when until when, at most `most` rows each in order of time."""
    found = analysis.visits.partition_by("zone_id", as_dict=True)
    made = []
    for own in analysis.zone_set.zones:
        rows = found.get((own.zone_id,))
        if rows is not None:
            shown = rows.sort("start", "vehicle_id", "trip_id", "end").head(most)
            count = several(rows.height, "{n} visit", "{n} visits")
            lines = [_visit(row, zone) for row in shown.iter_rows(named=True)]
            made.append({"name": own.name, "count": count, "rows": lines, "more": max(rows.height - most, 0)})
    return made


def _visit(row: Mapping[str, Any], zone: ZoneInfo) -> Row:
    """Return one visit with its times as text."""
    return {
        "vehicle": row["vehicle_id"],
        "trip": row["trip_id"],
        "start": local_time(row["start"], zone),
        "end": local_time(row["end"], zone),
        "starts_with": VISIT_WORDS[row["starts_with"]],
        "ends_with": VISIT_WORDS[row["ends_with"]],
        "time": lasting(row["duration_s"]),
    }


def zone_badges(analysis: Analysis) -> dict[str, Both]:
    """Return zone id -> what was found there, in a few words, where anything was."""
    badges: dict[str, Both] = {}
    for zone in analysis.zone_set.zones:
        counts = _counts(analysis.findings.filter(pl.col("zone_id") == zone.zone_id))
        texts = [_counted(verdict, n) for verdict, n in counts.items() if n]
        if texts:
            badges[zone.zone_id] = joined(texts, " · ")
    return badges


def _counted(verdict: str, number_: int) -> Both:
    """Return how many findings there are of a verdict, in words."""
    if verdict == "violation":
        return several(number_, "{n} violation", "{n} violations")
    if verdict == "indeterminate":
        return both("{n} indeterminate", n=f"{number_:,}")
    return both("{n} not observed", n=f"{number_:,}")


def cards(analysis: Analysis) -> list[Row]:
    """Return what is certain, undecided, not checkable and not observed: number, what, how long."""
    findings, coverage = analysis.findings, analysis.coverage
    made = []
    for verdict in FINDING_VERDICTS:
        own = findings.filter(pl.col("verdict") == verdict)
        made.append({"verdict": verdict, "count": own.height, "lines": list(_by_check(own))})
    silent = coverage.filter(pl.col("verdict") == "not_checkable")
    made.append({"verdict": "not_checkable", "count": silent.height, "lines": list(_lines_by_check(silent))})
    return made


def _by_check(findings: pl.DataFrame) -> Iterable[Both]:
    """Yield a line for each check: how many findings, how long together."""
    for code, name in CHECK_WORDS.items():
        own = findings.filter(pl.col("check") == code)
        if own.height:
            spent = lasting(float(own["duration_s"].sum()))
            yield both("{check}: {n}, {time} in all", check=name, n=f"{own.height:,}", time=spent)


def _lines_by_check(coverage: pl.DataFrame) -> Iterable[Both]:
    """Yield a line for each check: of how many trips it could not be asked."""
    for code, name in CHECK_WORDS.items():
        count = int((coverage["check"] == code).sum())
        if count:
            yield both("{check}: {trips}", check=name, trips=several(count, "{n} trip", "{n} trips"))


def quality(analysis: Analysis) -> list[Row]:
    """Return the figures of how good the logs are: name, value, whether a reader should look."""
    summary = analysis.summary
    sums = {k: sum(log[k] for log in summary["logs"]) for k in ("records", "fixes", "rejects", "other_records")}
    failed = sum(1 for log in summary["logs"] if log["error"])
    gaps = analysis.findings.filter(pl.col("check") == "log-gap")
    moved = int((analysis.findings["check"] == "unlogged-movement").sum())
    unseen = summary["duration_s"] - summary["observed_s"]
    rows: list[tuple[Both, Any, bool]] = [
        (both("Log files"), several(len(summary["logs"]) - failed, "{n} file read", "{n} files read"), False),
        (both("Files that could not be read"), f"{failed:,}", failed > 0),
        (both("Records"), f"{sums['records']:,}", False),
        (both("of which positions (fixes)"), f"{sums['fixes']:,}", False),
        (both("of which rejected"), f"{sums['rejects']:,}", sums["rejects"] > 0),
        *((word(REJECT_WORDS, reason), f"{n:,}", True) for reason, n in summary["rejects"].items()),
        (both("of which other records (no positions)"), f"{sums['other_records']:,}", False),
        (both("Observed share of the time under way"), share(summary["observed_s"], summary["duration_s"]), unseen > 0),
        (both("Gaps in the log"), _gaps(gaps), gaps.height > 0),
        (both("Trips that start away from where the last one ended"), f"{moved:,}", moved > 0),
        (both("Findings left out as too short"), f"{summary['suppressed']:,}", summary["suppressed"] > 0),
    ]
    return [{"name": name, "value": value, "look": look} for name, value, look in rows]


def _gaps(gaps: pl.DataFrame) -> Both:
    """Return how many gaps there are and how long the longest is."""
    if gaps.is_empty():
        return {"ko": "0", "en": "0"}
    longest: Any = gaps["duration_s"].max()
    return both("{n}, the longest {time}", n=f"{gaps.height:,}", time=lasting(float(longest)))


def in_force(rule: Any, first: dt.datetime, last: dt.datetime) -> bool:
    """Return whether a rule is in force at some time of the period."""
    starts, ends = (int(t.timestamp() * 1_000_000) for t in (first, last))
    return rule.effective_us <= ends and (rule.until_us is None or rule.until_us > starts)


def notice_kinds(notices: Iterable[Any]) -> Mapping[str, list[Any]]:
    """Return notices on rules and zones apart from those on the logs (units, clocks, modes, types)."""
    kinds: dict[str, list[Any]] = {"rules": [], "logs": []}
    for notice in notices:
        of_rules = notice.code.endswith(("-rule", "-outline", "-mismatch")) or notice.code.startswith(("zone-", "ring"))
        kinds["rules" if of_rules else "logs"].append(notice)
    return kinds
