"""map.html: zones, tracks by verdict and findings on one page that needs no network.

folium draws the frame of the page; nothing from a log goes through its templates. All data
is inert blocks of JSON and packed numbers, read by our own script, which sets text and never
markup. Where a page would be larger than `MOST_BYTES`, vertices of findings are rounded more, up to 9 cm;
where that is not enough, days and stories are in a folder `map/` beside it. No vertex of a finding is left out.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import shapely

from analyzer.outputs._basemap import packed_layers
from analyzer.outputs._map_findings import farthest_first, finding_columns, worst_first
from analyzer.outputs._map_stories import PART, finding_parts
from analyzer.outputs._map_tracks import VERDICTS, Day, days_that_fit
from analyzer.outputs._map_words import MAP_WORDS, headline
from analyzer.outputs._map_zones import rules_of, zones_of
from analyzer.outputs._output import Output, Run
from analyzer.outputs._page import asset, chunk_script, inert_block, inert_json, leaflet, tile_source, with_policy
from analyzer.results import Analysis
from analyzer.wording import CHECK_WORDS, WORDS, answer, told

__all__ = ["OUTPUT", "worst_first"]

MOST_BYTES = 8_000_000
SPARE = 20_000
"""Bytes for the policy, and for the names and heads of the days."""

FOLDER = "map"
SCRIPTS = ("map_geodesy.js", "map_data.js", "map_canvas.js", "map_list.js", "map_detail.js", "map.js")
VIEWPORT = re.compile(r'content="width=device-width,[^"]*"')
"""folium forbids readers to enlarge the page."""

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
    found = farthest_first(analysis.findings)
    trips = _trips(analysis)
    parts = {f"part-{n}": part for n, part in enumerate(finding_parts(found, analysis.zone_set))}
    first = {"findings": finding_columns(found, _numbers(analysis, trips), analysis.zone_set.rules.timezone)}
    if run.basemap:
        first["ground"] = packed_layers(run.basemap, _bounds(analysis))
    room = MOST_BYTES - SPARE - len(_page(_data(analysis, run, [], trips), first | parts).encode())
    days, step = days_that_fit(analysis.tracks, trips, analysis.zone_set.rules.timezone, room)
    chunks = {f"day-{day.date}": day.lines for day in days} | parts
    beside = sum(len(day.lines) for day in days) > room
    if beside:
        _write_beside(chunks, folder / FOLDER)
    page = _page(
        _data(analysis, run, days, trips) | {"beside": FOLDER if beside else None, "fine": step},
        first if beside else first | chunks,
    )
    images = tile_source(run.tiles) if run.tiles else None
    text = with_policy(page, beside=beside, images=images)
    (folder / "map.html").write_text(text, encoding="utf-8", newline="\n")


def _write_beside(chunks: Mapping[str, str], folder: Path) -> None:
    """Write a script for each chunk."""
    folder.mkdir()
    for name, packed in chunks.items():
        (folder / f"{name}.js").write_text(chunk_script(name, packed), encoding="ascii", newline="\n")


def _page(data: Mapping[str, Any], blocks: Mapping[str, str]) -> str:
    """Return the page: folium's frame, our style and script, and the data."""
    page = _scaffold()
    head = f"<title>zonelog</title>\n<style>{leaflet('leaflet.css')}\n{asset('map.css')}</style>"
    said = "".join(f'<p lang="{lang}">{MAP_WORDS["noscript"][lang]}</p>' for lang in ("ko", "en"))
    inert = "\n".join([inert_json(data), *(inert_block(name, packed) for name, packed in blocks.items())])
    body = f"<noscript>{said}</noscript>\n{inert}\n<script>{leaflet('leaflet.js')}</script>"
    page = page.replace("</head>", LICENCE.format(BSD_2) + f"\n{head}\n</head>", 1)
    page = page.replace("</body>", f"{body}\n</body>", 1)
    return page.replace("</html>", f"<script>{''.join(map(asset, SCRIPTS))}</script>\n</html>", 1)


def _scaffold() -> str:
    """Return folium's page with an empty map and nothing to load."""
    import folium  # noqa: PLC0415 - half a second, and only the map needs it

    class Page(folium.Map):  # type: ignore[misc]
        default_js: list[tuple[str, str]] = []  # noqa: RUF012 - folium's own name and kind
        default_css: list[tuple[str, str]] = []  # noqa: RUF012

    page = Page(
        location=[35.16, 126.8],
        zoom_start=12,
        tiles=None,
        zoom_control=False,
        prefer_canvas=True,
        maxZoom=22,
        zoomSnap=0.25,
        zoomAnimation=False,
        attributionControl=False,
    )
    page._id = "zonelog"  # noqa: SLF001 - else a random name: other bytes on every run
    return VIEWPORT.sub('content="width=device-width, initial-scale=1"', str(page.get_root().render()))


def _trips(analysis: Analysis) -> dict[tuple[Any, ...], int]:
    """Return a number for every trip (vehicle_id, trip_id, trip_start), in this order."""
    keys = ("vehicle_id", "trip_start", "trip_id")
    named = [frame.select(keys) for frame in (analysis.coverage, analysis.tracks, analysis.findings)]
    every = pl.concat(named).unique().sort(keys).select("vehicle_id", "trip_id", "trip_start")
    return {row: number for number, row in enumerate(every.iter_rows())}


def _bounds(analysis: Analysis) -> list[float]:
    """Return west, south, east, north of all tracks; of the zones where there are none."""
    if analysis.tracks.is_empty():
        return shapely.total_bounds([zone.geometry for zone in analysis.zone_set.zones]).tolist()
    low = analysis.tracks.select(pl.col("longitude", "latitude").list.min().min()).row(0)
    high = analysis.tracks.select(pl.col("longitude", "latitude").list.max().max()).row(0)
    return [*low, *high]


def _numbers(analysis: Analysis, trips: dict[tuple[Any, ...], int]) -> dict[str, dict[Any, int]]:
    """Return the numbers by which findings name things."""
    zones = (zone.zone_id for zone in analysis.zone_set.zones)
    return {"trips": trips} | {
        name: {value: number for number, value in enumerate(values)}
        for name, values in (("checks", CHECK_WORDS), ("verdicts", VERDICTS), ("zones", zones))
    }


def _data(analysis: Analysis, run: Run, days: list[Day], trips: Mapping[tuple[Any, ...], int]) -> dict[str, Any]:
    """Return what the page needs at once."""
    zone_set, summary = analysis.zone_set, analysis.summary
    vehicles = list(dict.fromkeys(vehicle for vehicle, _, _ in trips))
    number = {vehicle: n for n, vehicle in enumerate(vehicles)}
    return {
        "lang": run.lang,
        "version": run.version,
        "verdict": summary["verdict"],
        "title": dict(zone_set.name),
        "headline": headline(summary),
        "answer": {lang: answer(summary, lang) for lang in ("ko", "en")},
        "words": {**WORDS, **MAP_WORDS},
        "checks": [{"code": code, **words} for code, words in CHECK_WORDS.items()],
        "verdicts": VERDICTS,
        "notices": told(analysis.notices),
        "timezone": zone_set.rules.timezone,
        "zones": zones_of(zone_set, summary["per_zone"]),
        "rules": rules_of(zone_set),
        "vehicles": vehicles,
        "trips": [[number[vehicle], trip] for vehicle, trip, _ in trips],
        "days": [{"date": d.date, "start": d.start_ms, "end": d.end_ms, "vertices": d.vertices} for d in days],
        "bounds": _bounds(analysis),
        "part": PART,
        "ground": bool(run.basemap),
        "tiles": run.tiles,
        "attribution": run.attribution,
        "total": analysis.findings.height,
    }


OUTPUT = Output(files=("map.html",), write=_write, wanted=lambda run: run.map)
