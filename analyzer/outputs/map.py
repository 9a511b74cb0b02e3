"""map.html: zones, tracks by verdict and findings on one page that needs no network.

folium draws the frame of the page; nothing from a log goes through its templates. All data
is one inert block of JSON, read by our own script, which sets text and never markup.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import shapely

from analyzer.messages import local_time, number
from analyzer.outputs._output import Output, Run
from analyzer.outputs._page import asset, inert_json, leaflet, with_policy
from analyzer.results import Analysis
from analyzer.wording import CHECK_WORDS, WORDS, answer

MOST_FINDINGS = 2_000
MOST_VERTICES = 300_000
DIGITS = 6
LICENCE = "<!-- Leaflet 1.9.3, (c) Vladimir Agafonkin and contributors, BSD-2-Clause:\n{}\n-->"
BSD_2 = """Redistribution and use in source and binary forms, with or without modification, are permitted
provided that the following conditions are met: 1. Redistributions of source code must retain the above
copyright notice, this list of conditions and the following disclaimer. 2. Redistributions in binary form
must reproduce the above copyright notice, this list of conditions and the following disclaimer in the
documentation and/or other materials provided with the distribution. THIS SOFTWARE IS PROVIDED BY THE
COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED
TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO
EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL,
EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF
LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY
WAY OUT OF THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE."""


def _write(analysis: Analysis, folder: Path, run: Run) -> None:
    page = _scaffold()
    head = f"<title>zonelog</title>\n<style>{leaflet('leaflet.css')}\n{asset('map.css')}</style>"
    body = f'<div id="side"></div>\n{inert_json(_data(analysis, run))}'
    page = page.replace("</head>", LICENCE.format(BSD_2) + f"\n{head}\n</head>", 1)
    page = page.replace("</body>", f"{body}\n<script>{leaflet('leaflet.js')}</script>\n</body>", 1)
    page = page.replace("</html>", f"<script>{asset('map.js')}</script>\n</html>", 1)
    (folder / "map.html").write_text(with_policy(page), encoding="utf-8", newline="\n")


def _scaffold() -> str:
    """Return folium's page with an empty map and nothing to load."""
    import folium  # noqa: PLC0415 - half a second, and only the map needs it

    class Page(folium.Map):  # type: ignore[misc]
        default_js: list[tuple[str, str]] = []  # noqa: RUF012 - folium's own name and kind
        default_css: list[tuple[str, str]] = []  # noqa: RUF012

    page = Page(location=[35.16, 126.8], zoom_start=12, tiles=None, prefer_canvas=True, maxZoom=22)
    page._id = "zonelog"  # noqa: SLF001 - else a random name: other bytes on every run
    return str(page.get_root().render())


def _data(analysis: Analysis, run: Run) -> dict[str, Any]:
    """Return everything the page shows."""
    zone_set, summary = analysis.zone_set, analysis.summary
    zone = ZoneInfo(zone_set.rules.timezone)
    restricted = {z for r in zone_set.rules.rules if r.kind == "restriction" for z in r.zones}
    restricted -= {z for r in zone_set.rules.rules if r.kind == "permit" for z in r.zones}
    shown = worst_first(analysis.findings).head(MOST_FINDINGS)
    return {
        "lang": run.lang,
        "verdict": summary["verdict"],
        "title": dict(zone_set.name),
        "answer": {lang: answer(summary, lang) for lang in ("ko", "en")},
        "words": {**WORDS, "checks": CHECK_WORDS},
        "notices": [{"ko": n.ko, "en": n.en} for n in analysis.notices],
        "zones": [
            {
                "name": dict(z.name),
                "sketch": z.geometry_confidence == "sketch",
                "restriction": z.zone_id in restricted,
                "geometry": shapely.geometry.mapping(shapely.set_precision(z.geometry, 1e-7)),
            }
            for z in zone_set.zones
        ],
        "tracks": _tracks(analysis.tracks, zone),
        "findings": [_finding(row, zone) for row in shown.iter_rows(named=True)],
        "total": analysis.findings.height,
        "more": {
            "ko": f"중요한 순서로 {MOST_FINDINGS}건만 표시합니다. 나머지는 findings 표에 있습니다.",
            "en": f"Only the {MOST_FINDINGS} weightiest are shown; the table of findings has them all.",
        },
    }


def worst_first(findings: pl.DataFrame) -> pl.DataFrame:
    """Return the findings, violations first, then by time."""
    order = pl.col("verdict").replace_strict(
        {"violation": 0, "indeterminate": 1, "not_observed": 2}, return_dtype=pl.Int8
    )
    return findings.sort(order, "start", "vehicle_id", "check", maintain_order=True)


def _tracks(tracks: pl.DataFrame, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Return the tracks as points, thinned where there are too many to draw."""
    total = int(tracks["longitude"].list.len().sum()) if tracks.height else 0
    step = max(1, -(-total // MOST_VERTICES))
    return [
        {
            "vehicle": row["vehicle_id"],
            "verdict": row["verdict"],
            "start": local_time(row["start"], zone),
            "end": local_time(row["end"], zone)[11:],
            "points": _thinned(row["longitude"], row["latitude"], step),
        }
        for row in tracks.iter_rows(named=True)
    ]


def _thinned(longitude: list[float], latitude: list[float], step: int) -> list[list[float]]:
    """Return every `step`-th vertex, and the last."""
    points = [[round(x, DIGITS), round(y, DIGITS)] for x, y in zip(longitude, latitude, strict=True)]
    return points[:-1:step] + points[-1:]


def _finding(row: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """Return what the page shows of one finding."""
    at = "peak" if row["peak_longitude"] is not None else "start"
    details = [
        ("vehicle", row["vehicle_id"]),
        ("trip", row["trip_id"]),
        ("start", local_time(row["start"], zone)),
        ("end", local_time(row["end"], zone)),
        ("rule", f"{row['rule_id']} ({row['rule_revision']})" if row["rule_id"] else None),
        ("peak", number(row["peak"], row["unit"]) if row["peak"] is not None else None),
        ("margin", number(row["margin"], row["unit"]) if row["margin"] is not None else None),
        ("error", number(row["error"], row["unit"]) if row["error"] is not None else None),
        ("records", f"{row['first_file']} {row['first_record']} – {row['last_file']} {row['last_record']}"),
        ("id", row["finding_id"]),
    ]
    return {
        "check": row["check"],
        "verdict": row["verdict"],
        "vehicle": row["vehicle_id"],
        "when": local_time(row["start"], zone),
        "place": [row[f"{at}_longitude"], row[f"{at}_latitude"]],
        "message": {"ko": row["message_ko"], "en": row["message_en"]},
        "details": [pair for pair in details if pair[1] is not None],
    }


OUTPUT = Output(files=("map.html",), write=_write, wanted=lambda run: run.map)
