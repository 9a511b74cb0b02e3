"""One finding with its evidence: the rule's text, the numbers, the formula, the records."""

import datetime as dt
import hashlib
import json
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from analyzer.errors import AnalyzerError
from analyzer.figures import lasting, number
from analyzer.language import Both, both, translate
from analyzer.plain_text import plain
from analyzer.wording import CHECK_WORDS, MODE_WORDS, WORDS, word

FORMULAS: Mapping[str, Both] = {
    "outside-zone": both(
        "margin = distance to the nearest permit zone - border_buffer_m; "
        "error = z * sqrt(horizontal_accuracy_m^2 + accuracy_m^2 of the zone)"
    ),
    "no-entry": both(
        "margin = depth inside the union of the rule's zones - border_buffer_m; "
        "error = z * sqrt(horizontal_accuracy_m^2 + accuracy_m^2 of the zone)"
    ),
    "speed-limit": both(
        "margin = speed - (max_speed_kph + speed_tolerance_kph); error = 0 for a reported "
        "speed, 3.6 * z * sqrt(2) * sigma / w for one derived over w seconds"
    ),
    "log-gap": both("peak = straight line between the two fixes"),
    "unlogged-movement": both(
        "margin = straight line - unlogged_distance_m; "
        "error = z * (both accuracies) + last speed * time between (at most max_gap_s)"
    ),
}
MOST_LINES = 8


def explain(out: Path, finding_id: str, lang: str) -> tuple[str, str]:
    """Return verdict and explanation of the finding whose id starts with `finding_id`.

    Raises AnalyzerError where the folder is no result, or no or several findings match.
    """
    run, findings = _read(out)
    matches = findings.filter(pl.col("finding_id").str.starts_with(finding_id))
    if matches.height != 1:
        what = "no finding" if matches.is_empty() else f"{matches.height} findings"
        message = f"{out}: {what} with an id that starts with {finding_id!r}; ids are in findings.csv"
        raise AnalyzerError(message)
    row = matches.row(0, named=True)
    zone = ZoneInfo(run["timezone"])
    parts = [_head(row, lang), _numbers(row, lang, zone), _rule(run, row, lang), *_records(out, run, row, lang)]
    return row["verdict"], "\n\n".join(plain(part, keep_lines=True) for part in parts if part)


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


def _numbers(row: Mapping[str, Any], lang: str, zone: ZoneInfo) -> str:
    """Return the numbers and the formula, a line each, names in a column."""
    lines = list(_lines_of(row, lang, zone))
    wide = max(_width(name) for name, _ in lines)
    return "\n".join(f"{name}{' ' * (wide - _width(name))}  {text}" for name, text in lines)


def _lines_of(row: Mapping[str, Any], lang: str, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    """Yield name and text of every number."""
    unit, mode = row["unit"], word(MODE_WORDS, row["control_mode"])[lang]
    yield both("vehicle")[lang], both("{vehicle}, trip {trip}", vehicle=row["vehicle_id"], trip=row["trip_id"])[lang]
    for name, text in (("start", both("start")), ("end", both("end"))):
        at = f"{row[f'{name}_latitude']:.7f} {row[f'{name}_longitude']:.7f}"
        yield text[lang], f"{_instant(row[name], zone)}  {at}"
    seen = both("{time} ({duration} s), observed {observed} s", **_spans(row))
    yield both("duration")[lang], seen[lang]
    yield both("mode, zone")[lang], f"{mode}, {row['zone_id'] or '–'}"
    if row["peak"] is not None:
        yield both("peak")[lang], f"{number(row['peak'], unit)}  {_instant(row['peak_time'], zone)}"
    if row["margin"] is not None:
        yield both("limit")[lang], number(row["limit"], unit)
        sign = ">" if row["margin"] > row["error"] else "<="
        gaps = {"margin": f"{row['margin']:.3f}", "sign": sign, "error": f"{row['error']:.3f}", "unit": unit}
        yield both("margin")[lang], both("{margin} {sign} error {error} {unit}", **gaps)[lang]
    yield both("decided at")[lang], _instant(row["decided_at"], zone)
    if formula := FORMULAS.get(row["check"]):
        yield both("formula")[lang], formula[lang]


def _spans(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return how long it lasted, in words and in seconds, and how much of it was observed."""
    seconds = {name: f"{row[f'{name}_s']:.3f}" for name in ("duration", "observed")}
    return {"time": lasting(row["duration_s"]), **seconds}


def _instant(instant: dt.datetime, zone: ZoneInfo) -> str:
    """Return a local time to the millisecond with its offset."""
    return instant.astimezone(zone).isoformat(sep=" ", timespec="milliseconds")


def _width(text: str) -> int:
    """Return the columns that a text takes on a terminal: a Korean letter takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _rule(run: Mapping[str, Any], row: Mapping[str, Any], lang: str) -> str:
    """Return the text of the rules in question with source and confidence."""
    ids = [row["rule_id"], *row["rules_matched"].split(";")]
    lines = []
    for rule in run["rules"]:
        own = rule["id"] == row["rule_id"] and rule["revision"] == row["rule_revision"]
        if own or (rule["id"] in ids and rule["id"] != row["rule_id"]):
            role = both("rule") if own else both("also looked at")
            sure = WORDS[rule["confidence"]]
            head = both("{role}: {id}, revision {n} [{sure}]", role=role, id=rule["id"], n=rule["revision"], sure=sure)
            lines += [
                head[lang],
                f"  {rule['text'][lang]}",
                f"  {rule['legal_basis']} {rule['source']}".rstrip(),
            ]
    return "\n".join(lines)


def _records(out: Path, run: Mapping[str, Any], row: Mapping[str, Any], lang: str) -> list[str]:
    """Return the records around start and end, where the log is still what was judged."""
    hashes = {log["path"]: log["sha256"] for log in run["inputs"]}
    if row["first_file"] == row["last_file"]:
        spans = [(row["first_file"], row["first_record"], row["last_record"])]
    else:
        spans = [(row[f"{end}_file"], row[f"{end}_record"], row[f"{end}_record"]) for end in ("first", "last")]
    return [_span(out, hashes, *span, lang) for span in spans]


def _span(  # noqa: PLR0913 - of one file, from and to
    out: Path, hashes: Mapping[str, str | None], file: str, first: int, last: int, lang: str
) -> str:
    """Return the records from `first` to `last` of one file, the middle of many left out."""
    head = both("records {first} to {last} of {file}", first=first, last=last, file=file)[lang]
    path = next((p for p in (out / file, Path(file)) if p.is_file()), None)
    if path is None:
        return f"{head} {translate('(the file is not here any more)', lang)}"
    with path.open("rb") as opened:
        if hashlib.file_digest(opened, "sha256").hexdigest() != hashes.get(file):
            return f"{head} {translate('(the file has changed since: SHA-256 differs)', lang)}"
    lines = _lines(path, first, last)
    return "\n".join([head + (":" if lines else " " + translate("(a binary log)", lang)), *lines])


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
