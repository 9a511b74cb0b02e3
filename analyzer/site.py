"""index.html of a folder of many runs: by month, with headline figures and links; static and offline."""

import datetime as dt
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from analyzer import __version__
from analyzer.errors import OutputError
from analyzer.figures import kilometres, local_time, month_text, offset_text, share
from analyzer.language import both, several
from analyzer.outputs._template import render
from analyzer.plain_text import plain
from analyzer.summary import FINDING_VERDICTS
from analyzer.terms import VERDICTS
from analyzer.wording import WORDS

INDEX = "index.html"
MARK = '<meta name="generator" content="zonelog site">'
PAGES = (("report.html", both("Report")), ("map.html", both("Map")), ("report.xlsx", both("Workbook")))


def write_site(folder: Path, lang: str) -> tuple[Path, int]:
    """Write index.html into a folder of runs; return where it is and how many runs it lists.

    Raises OutputError where there is no folder or no run, or an index.html that somebody else wrote.
    """
    if not folder.is_dir():
        raise OutputError(f"{folder}: is no folder; name one that holds results of zonelog")
    index = folder / INDEX
    if index.exists() and MARK not in index.read_text(encoding="utf-8", errors="replace"):
        raise OutputError(
            f"{index}: zonelog did not write it and leaves it alone; move it away, or name another folder"
        )
    runs, broken = _runs(folder)
    if not runs:
        raise OutputError(f"{folder}: holds no result of zonelog (no run.json); name the folder above the results")
    page = render("site.html", _content(runs, broken, lang))
    beside = folder / f".{INDEX}.new"
    try:
        beside.write_text(page, encoding="utf-8", newline="\n")
        os.replace(beside, index)  # noqa: PTH105 - replaces on Windows too
    except OSError as error:
        raise OutputError(f"{index}: cannot be written ({error.strerror or error})") from error
    return index, len(runs)


def _runs(folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the runs of a folder, the latest first, and the names of those that cannot be read."""
    runs, broken = [], []
    for path in _folders(folder):
        name = plain(path.relative_to(folder).as_posix())
        try:
            run = json.loads((path / "run.json").read_text(encoding="utf-8"))
            if "zonelog" in run:
                runs.append(_run(folder, path, run))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            broken.append(name)
    return sorted(runs, key=lambda r: (r["first_at"], r["name"]), reverse=True), sorted(broken)


def _folders(folder: Path) -> Iterator[Path]:
    """Yield the folders below that hold a run.json, links not followed, results not searched."""
    for place, below, files in os.walk(folder):
        if "run.json" in files and Path(place) != folder:
            below.clear()
            yield Path(place)
        below[:] = sorted(name for name in below if not name.startswith("."))


def _run(folder: Path, path: Path, run: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page shows of one run."""
    summary = json.loads((path / "summary.json").read_text(encoding="utf-8"))
    zone = ZoneInfo(run["timezone"])
    first, last = (dt.datetime.fromisoformat(summary[name]).astimezone(zone) for name in ("first", "last"))
    findings = {verdict: int(summary["findings"][verdict]) for verdict in FINDING_VERDICTS}
    relative = path.relative_to(folder).as_posix()
    return {
        "name": plain(relative),
        "zone_set": {lang: plain(str(summary["zone_set"]["name"][lang])) for lang in ("ko", "en")},
        "first_at": first,
        "first": local_time(first, zone)[:16],
        "last": local_time(last, zone)[:16],
        "offset": offset_text(first, zone),
        "verdict": VERDICTS[VERDICTS.index(summary["verdict"])],
        "findings": findings,
        "vehicles": int(summary["vehicles"]),
        "trips": int(summary["trips"]),
        "metres": float(summary["distance_m"]),
        "distance": kilometres(float(summary["distance_m"])),
        "observed": share(float(summary["observed_s"]), float(summary["duration_s"])),
        "links": [{"href": f"./{quote(f'{relative}/{p}')}", "text": text} for p, text in PAGES if (path / p).is_file()],
    }


def _content(runs: Sequence[Mapping[str, Any]], broken: Sequence[str], lang: str) -> dict[str, Any]:
    """Return what the template shows."""
    months = groupby(runs, key=lambda run: (run["first_at"].year, run["first_at"].month))
    return {
        "lang": lang,
        "version": __version__,
        "words": WORDS,
        "total": several(len(runs), "{n} run", "{n} runs"),
        "months": [_month(key, list(own)) for key, own in months],
        "broken": broken,
    }


def _month(key: tuple[int, int], runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the runs of a month with their sums."""
    return {
        "name": month_text(*key),
        "runs": runs,
        "findings": {v: sum(run["findings"][v] for run in runs) for v in FINDING_VERDICTS},
        "trips": sum(run["trips"] for run in runs),
        "distance": kilometres(sum(run["metres"] for run in runs)),
    }
