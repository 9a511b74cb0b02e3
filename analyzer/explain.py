"""One finding with its evidence: the rule's text, the numbers, the formula, the records."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from analyzer.errors import AnalyzerError
from analyzer.messages import number
from analyzer.plain_text import plain
from analyzer.wording import CHECK_WORDS, WORDS

FORMULAS = {
    "outside-zone": "margin = distance to the nearest permit zone - border_buffer_m; "
    "error = z * sqrt(horizontal_accuracy_m^2 + accuracy_m^2 of the zone)",
    "no-entry": "margin = depth inside the union of the rule's zones - border_buffer_m; "
    "error = z * sqrt(horizontal_accuracy_m^2 + accuracy_m^2 of the zone)",
    "speed-limit": "margin = speed - (max_speed_kph + speed_tolerance_kph); error = 0 for a reported "
    "speed, 3.6 * z * sqrt(2) * sigma / w for one derived over w seconds",
    "log-gap": "peak = straight line between the two fixes",
    "unlogged-movement": "margin = straight line - unlogged_distance_m; "
    "error = z * (both accuracies) + last speed * time between (at most max_gap_s)",
}
MOST_LINES = 8


def explain(out: Path, finding_id: str, lang: str) -> str:
    """Return the explanation of the finding whose id starts with `finding_id`.

    Raises AnalyzerError where the folder is no result, or no or several findings match.
    """
    run, findings = _read(out)
    matches = findings.filter(pl.col("finding_id").str.starts_with(finding_id))
    if matches.height != 1:
        what = "no finding" if matches.is_empty() else f"{matches.height} findings"
        message = f"{out}: {what} with an id that starts with {finding_id!r}; ids are in findings.csv"
        raise AnalyzerError(message)
    row = matches.row(0, named=True)
    parts = [_head(row, lang), _numbers(row), _rule(run, row, lang), *_records(out, run, row)]
    return "\n\n".join(plain(part, keep_lines=True) for part in parts if part)


def _read(out: Path) -> tuple[dict[str, Any], pl.DataFrame]:
    """Return run.json and the findings of a result."""
    try:
        run = json.loads((out / "run.json").read_text(encoding="utf-8"))
        return run, pl.read_parquet(out / "findings.parquet")
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        message = f"{out}: is no result of zonelog (run.json and findings.parquet); name its folder"
        raise AnalyzerError(message) from error


def _head(row: Mapping[str, Any], lang: str) -> str:
    """Return what, how sure, and the sentence."""
    what, verdict = CHECK_WORDS[row["check"]][lang], WORDS[row["verdict"]][lang]
    return f"{row['finding_id']}  {what} ({row['check']}) – {verdict}\n{row[f'message_{lang}']}"


def _numbers(row: Mapping[str, Any]) -> str:
    """Return the numbers and the formula."""
    unit = row["unit"]
    lines = [
        f"vehicle     {row['vehicle_id']}, trip {row['trip_id']}",
        f"start       {row['start'].isoformat()}  {row['start_latitude']:.7f} {row['start_longitude']:.7f}",
        f"end         {row['end'].isoformat()}  {row['end_latitude']:.7f} {row['end_longitude']:.7f}",
        f"duration    {row['duration_s']:.3f} s, observed {row['observed_s']:.3f} s",
        f"mode, zone  {row['control_mode']}, {row['zone_id'] or '–'}",
    ]
    if row["peak"] is not None:
        lines.append(f"peak        {number(row['peak'], unit)} at {row['peak_time'].isoformat()}")
    if row["margin"] is not None:
        lines.append(f"limit       {number(row['limit'], unit)}")
        sign = ">" if row["margin"] > row["error"] else "<="
        lines.append(f"margin      {row['margin']:.3f} {sign} error {row['error']:.3f} {unit}")
    lines.append(f"decided at  {row['decided_at'].isoformat()}")
    formula = FORMULAS.get(row["check"])
    return "\n".join([*lines, f"formula     {formula}"] if formula else lines)


def _rule(run: Mapping[str, Any], row: Mapping[str, Any], lang: str) -> str:
    """Return the text of the rules in question with source and confidence."""
    ids = [row["rule_id"], *row["rules_matched"].split(";")]
    lines = []
    for rule in run["rules"]:
        own = rule["id"] == row["rule_id"] and rule["revision"] == row["rule_revision"]
        if own or (rule["id"] in ids and rule["id"] != row["rule_id"]):
            role = "rule" if own else "also looked at"
            sure = WORDS[rule["confidence"]][lang]
            lines += [
                f"{role}: {rule['id']}, revision {rule['revision']} [{sure}]",
                f"  {rule['text'][lang]}",
                f"  {rule['legal_basis']} {rule['source']}".rstrip(),
            ]
    return "\n".join(lines)


def _records(out: Path, run: Mapping[str, Any], row: Mapping[str, Any]) -> list[str]:
    """Return the records around start and end, where the log is still what was judged."""
    hashes = {log["path"]: log["sha256"] for log in run["inputs"]}
    if row["first_file"] == row["last_file"]:
        spans = [(row["first_file"], row["first_record"], row["last_record"])]
    else:
        spans = [(row[f"{end}_file"], row[f"{end}_record"], row[f"{end}_record"]) for end in ("first", "last")]
    return [_span(out, hashes, *span) for span in spans]


def _span(out: Path, hashes: Mapping[str, str | None], file: str, first: int, last: int) -> str:
    """Return the records from `first` to `last` of one file, the middle of many left out."""
    head = f"records {first} to {last} of {file}"
    path = next((p for p in (out / file, Path(file)) if p.is_file()), None)
    if path is None:
        return f"{head} (the file is not here any more)"
    with path.open("rb") as opened:
        if hashlib.file_digest(opened, "sha256").hexdigest() != hashes.get(file):
            return f"{head} (the file has changed since: SHA-256 differs)"
    lines = _lines(path, first, last)
    return "\n".join([head + (":" if lines else " (a binary log)"), *lines])


def _lines(path: Path, first: int, last: int) -> list[str]:
    """Return lines of a text table by record number (1 is the first below the header)."""
    if path.suffix.lower() not in (".csv", ".tsv", ".tab", ".txt", ".psv", ".ndjson", ".jsonl"):
        return []
    header = path.suffix.lower() not in (".ndjson", ".jsonl")
    text = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    wanted = range(first, last + 1)
    half = MOST_LINES // 2
    shown = list(wanted) if len(wanted) <= MOST_LINES else [*wanted[:half], None, *wanted[-half:]]
    lines = [f"        {text[0]}"] if header else []
    for record in shown:
        index = None if record is None else record if header else record - 1
        lines.append("      …" if index is None else f"{record:>7} {text[index]}" if index < len(text) else "")
    return lines
