"""The report of every golden scenario is written, says its verdict, and says it again byte by byte."""

import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from analyzer.analysis import Options, analyze
from analyzer.outputs import Run, outputs
from analyzer.outputs._far_apart import places_apart
from analyzer.wording import answer
from analyzer.zone_loading import load_zone_set

SCENARIOS = sorted(path.parent for path in (Path(__file__).resolve().parents[1] / "scenarios").glob("*/log.csv"))
WANTED = ("report", "workbook", "geopackage", "geoparquet", "geojson")


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda path: path.name)
def test_every_scenario(folder, tmp_path):
    analysis = analyze([folder / "log.csv"], load_zone_set(str(folder)), Options(base=folder))
    for name in WANTED:
        outputs()[name].write(analysis, tmp_path, Run(("zonelog",), "0", lang="en"))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert answer(analysis.summary, "en") in page
    assert answer(analysis.summary, "ko") in page
    assert page.count('<tr class="') >= analysis.findings.height
    assert not re.search(
        r"\b(nan|None|inf)\b",
        re.sub(r"<style>.*?</style>|<table class=\"settings\">.*?</table>", "", page, flags=re.DOTALL),
    )
    outputs()["report"].write(analysis, tmp_path, Run(("zonelog",), "0", lang="en"))
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page


def test_places_far_apart_are_drawn_each_by_itself(tmp_path):
    folder = next(path for path in SCENARIOS if path.name == "clipped-corner")
    analysis = analyze([folder / "log.csv"], load_zone_set(str(folder)), Options(base=folder))
    assert places_apart(analysis) == []
    tracks = analysis.tracks
    away = tracks.with_columns(pl.col("longitude").list.eval(pl.element() - 200))
    both = replace(analysis, tracks=pl.concat([tracks, away]))
    far, near = places_apart(both)
    low, high = (getattr(tracks["longitude"].list.explode(), end)() for end in ("min", "max"))
    assert far[0] == pytest.approx(low - 200)
    assert far[2] == pytest.approx(high - 200)
    assert near[0] <= low
    assert near[2] >= high
    outputs()["report"].write(both, tmp_path, Run(("zonelog",), "0", lang="en"))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    where = page.split('class="where"')[1].split("</section>")[0]
    assert where.count('<svg class="drawing"') == 3
    assert "lie far apart" in where
