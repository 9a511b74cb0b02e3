"""The report in a real browser: no request, no script, both languages, narrow and wide, and on paper."""

import json
import os
import re
import shutil
import time
from pathlib import Path

import pypdfium2
import pytest

from analyzer.analysis import Options, analyze
from analyzer.demo import run_demo
from analyzer.errors import OutputError
from analyzer.outputs import Run, report_pdf, write_outputs
from analyzer.site import write_site
from analyzer.zone_loading import load_zone_set
from tests.hostile import CANARY, NAMES, hostile_log

pytestmark = pytest.mark.browser
A4 = (595, 842)
ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / ".cache" / "axe-core" / "axe.min.js"


@pytest.fixture
def opened(browser):
    """Return a function that opens a file offline in some width; it fails on any message or request to elsewhere."""
    context = browser.new_context(offline=True)
    page, trouble = context.new_page(), []
    page.on("console", lambda message: trouble.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
    page.on("request", lambda request: trouble.append(request.url) if not request.url.startswith("file:") else None)
    page.on("dialog", lambda _: trouble.append("dialog"))

    def open_file(path, width=1440):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(path.resolve().as_uri())
        return page

    yield open_file
    assert trouble == []
    context.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "out"
    run_demo(out, "ko")
    return out


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    analysis = analyze([hostile_log(folder / "log.csv")], load_zone_set("gwangju"), Options(base=folder))
    write_outputs(analysis, folder / "runs" / "<img src=x onerror=window.pwned=1>", Run(("zonelog",), "0", lang="en"))
    return folder / "runs"


def text_of_tiles(page):
    return [tile.inner_text().split("\n")[0].strip() for tile in page.locator(".tiles b").all()]


def test_the_headline_is_summary_json(opened, demo):
    summary = json.loads((demo / "summary.json").read_text(encoding="utf-8"))
    page = opened(demo / "report.html")
    values = text_of_tiles(page)
    assert values[:3] == [str(n) for n in summary["findings"].values()]
    assert values[4] == str(summary["trips"])
    assert values[5] == f"{summary['distance_m'] / 1000:.2f} km"
    cards = [int(card.inner_text()) for card in page.locator(".card h3 b").all()]
    assert cards[:3] == list(summary["findings"].values())
    assert page.locator(".answer").bounding_box()["y"] < 200
    assert page.locator("table.findings tbody tr").count() == sum(summary["findings"].values())


def test_languages_switch_without_reload_by_keyboard(opened, demo):
    page = opened(demo / "report.html")
    assert re.search("[가-힣]", page.inner_text("h1"))
    page.locator("#show-ko").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#show-en").is_checked()
    shown = page.inner_text("main")
    assert not re.search("[가-힣]", re.sub(r"\(가상\)", "", shown)), re.findall(".*[가-힣].*", shown)
    page.keyboard.press("ArrowLeft")
    assert "확실한 위반이 5건" in page.inner_text(".answer")


@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_nothing_is_wider_than_the_window(opened, demo, width):
    page = opened(demo / "report.html", width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_drawings_have_names_and_sections_have_headings(opened, demo):
    page = opened(demo / "report.html")
    for drawing in page.locator("svg[role=img]").all():
        assert drawing.get_attribute("aria-label")
    assert page.locator("h1").count() == 1
    assert page.locator("main > section > h2").count() >= 10
    assert page.locator("script").count() == 0


@pytest.mark.parametrize("width", [1440, 390])
def test_accessible(opened, demo, hostile, width):
    if not AXE.is_file():
        assert not (os.environ.get("CI") and (ROOT / ".ci" / "axe").exists()), "CI must have axe-core: see .ci/axe"
        pytest.skip("no axe-core in .cache: accessibility of the report is NOT tested")
    write_site(hostile, "en")
    for path in (demo / "report.html", hostile / "index.html"):
        page = opened(path, width)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })")
        assert [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found["violations"]] == []


def test_links_lead_somewhere(opened, demo):
    page = opened(demo / "report.html")
    for link in page.locator("a").all():
        target, _, place = link.get_attribute("href").partition("#")
        assert not target or (demo / target).is_file()
        assert target or page.locator(f"#{place}").count() == 1


def test_hostile_names_are_text_in_report_and_site(opened, hostile):
    write_site(hostile, "en")
    run = next(path for path in hostile.iterdir() if path.is_dir())
    for path in (hostile / "index.html", run / "report.html"):
        page = opened(path)
        assert page.evaluate(CANARY.split("=")[0]) is None
        assert "<img src=x onerror=window.pwned=1>" in page.inner_text("main")
        assert page.locator("img, script, iframe, object").count() == 0
    shown = page.inner_text("main")
    for name in NAMES[:4]:
        assert name in shown
    assert "49{%" not in shown
    assert "?gnp.exe" in shown  # a turning character is shown, and turns nothing
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", shown.replace("\r", ""))


def test_site_leads_to_the_report(opened, hostile):
    write_site(hostile, "en")
    page = opened(hostile / "index.html")
    page.get_by_role("link", name="Report").click()
    assert page.locator(".answer").count() == 1


def test_paper(opened, demo, tmp_path):
    page = opened(demo / "report.html")
    page.pdf(path=str(tmp_path / "report.pdf"), prefer_css_page_size=True, print_background=True)
    pages = pypdfium2.PdfDocument(tmp_path / "report.pdf")
    assert {tuple(round(side) for side in sheet.get_size()) for sheet in pages} == {A4}
    texts = [sheet.get_textpage().get_text_range() for sheet in pages]
    for number, text in enumerate(texts, start=1):
        assert f"{number} / {len(texts)}" in text
    for wanted in (
        "확실한 위반이 5건",
        "2.17 km",
        "제어 모드별",
        "기록의 품질",
        "구역별 안과 밖의 시간",
        "관측되지 않음",
    ):
        assert wanted in texts[0], wanted
    assert "움직이는 지도 열기" not in "".join(texts)


def test_heads_of_tables_are_repeated_and_rows_are_whole(opened, tmp_path):
    log = tmp_path / "log.csv"
    with log.open("w", encoding="utf-8") as file:
        file.write("vehicle_id,timestamp,latitude,longitude,trip_id,control_mode\n")
        for n in range(60):
            file.writelines(f"V{n:02d},2026-03-17T10:00:{s:02d}+09:00,35.11,126.7,T,autonomous\n" for s in (0, 5))
    analysis = analyze([log], load_zone_set("demo"), Options(base=tmp_path))
    write_outputs(analysis, tmp_path / "out", Run(("zonelog",), "0", lang="en"))
    page = opened(tmp_path / "out" / "report.html")
    page.pdf(path=str(tmp_path / "report.pdf"), prefer_css_page_size=True)
    texts = [sheet.get_textpage().get_text_range() for sheet in pypdfium2.PdfDocument(tmp_path / "report.pdf")]
    with_findings = [text for text in texts if "was outside every permit zone" in text]
    assert len(with_findings) > 2
    assert all("What happened" in text for text in with_findings)
    for finding, vehicle, check in analysis.findings.select("finding_id", "vehicle_id", "check").iter_rows():
        if check == "outside-zone":  # the first and the last line of its row are on one page
            assert any(finding in text and f"Vehicle {vehicle} was outside" in text for text in texts), vehicle


def test_pdf_option(browser, demo, tmp_path):
    analysis = analyze([hostile_log(tmp_path / "log.csv")], load_zone_set("gwangju"), Options(base=tmp_path))
    write_outputs(analysis, tmp_path / "out", Run(("zonelog",), "0", lang="ko", pdf=True))
    data = (tmp_path / "out" / "report.pdf").read_bytes()
    assert b"file:///" not in data
    assert "판정 보고서" in pypdfium2.PdfDocument(data)[0].get_textpage().get_text_range()
    time.sleep(1.1)  # its dates are to the second
    write_outputs(analysis, tmp_path / "out", Run(("zonelog",), "0", lang="ko", pdf=True))
    assert (tmp_path / "out" / "report.pdf").read_bytes() == data


def test_what_chance_puts_into_a_pdf_is_taken_out():
    pdf = b"/ID (node00000233) /Headers [(node00000233) (node00000240)] (D:x) Date (D:20261125142233+09'00')"
    other = pdf.replace(b"233", b"247").replace(b"240", b"251").replace(b"20261125", b"20261126")
    assert report_pdf._without_chance(pdf) == report_pdf._without_chance(other)
    assert b"(node00000000) (node00000001)" in report_pdf._without_chance(pdf)
    assert len(report_pdf._without_chance(pdf)) == len(pdf)


def test_without_a_browser_the_pdf_is_refused(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(report_pdf, "PLACES", ())
    with pytest.raises(OutputError, match="print it to a PDF"):
        report_pdf.find_browser()
