"""Report and map in a real browser, with the network off and hostile names in the log."""

import pytest

from analyzer.analysis import Options, analyze
from analyzer.demo import run_demo
from analyzer.outputs import Run, write_outputs
from analyzer.zone_loading import load_zone_set
from tests.hostile import NAMES, hostile_log

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(browser):
    """Return a function that opens a file offline; it fails on any error, message or request to elsewhere."""
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
    page, trouble = context.new_page(), []
    page.on("console", lambda message: trouble.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
    page.on(
        "request", lambda request: None if request.url.startswith(("file:", "data:")) else trouble.append(request.url)
    )
    page.on("dialog", lambda dialog: trouble.append("dialog"))

    def open_file(path):
        page.goto(path.resolve().as_uri())
        return page

    yield open_file
    assert trouble == []
    context.close()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    analysis = analyze([hostile_log(folder / "log.csv")], load_zone_set("gwangju"), Options(base=folder))
    write_outputs(analysis, folder / "out", Run(("zonelog",), "0", lang="en"))
    return folder / "out"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "out"
    run_demo(out, "ko")
    return out


def test_report_answers_first_in_both_languages(opened, demo):
    page = opened(demo / "report.html")
    assert page.locator(".answer").bounding_box()["y"] < 200
    assert "확실한 위반이 5건" in page.inner_text(".answer")
    assert page.locator("table.findings tbody tr").count() == 8
    assert page.locator("svg.drawing path.track").count() >= 3
    page.check("#show-en")
    assert "5 certain violation" in page.inner_text(".answer")
    assert "확실한" not in page.inner_text("main")


@pytest.mark.parametrize("name", ["map.html", "report.html"])
def test_names_from_the_log_are_text_only(opened, hostile, name):
    page = opened(hostile / name)
    page.wait_for_timeout(300)
    assert page.evaluate("window.pwned") is None
    text = page.inner_text("body")
    assert "{{7*7}}" in text
    assert "49{%" not in text
    assert "<img src=x onerror=window.pwned=1>" in text
    for finding in page.locator("#side .finding").all()[: len(NAMES)]:
        finding.click()
    assert page.evaluate("window.pwned") is None


def test_report_prints(opened, demo, tmp_path):
    page = opened(demo / "report.html")
    page.emulate_media(media="print")
    page.pdf(path=str(tmp_path / "report.pdf"))
    assert (tmp_path / "report.pdf").stat().st_size > 20_000
