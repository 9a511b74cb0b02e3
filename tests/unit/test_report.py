"""The report of every golden scenario is written, says its verdict, and says it again byte by byte."""

import re
from pathlib import Path

import pytest

from analyzer.analysis import Options, analyze
from analyzer.outputs import Run, outputs
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
