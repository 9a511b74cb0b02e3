"""The map in a real browser, with the network off: every control, every word, every sink."""

import json
import os
import re
import shutil
import zlib
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from analyzer.analysis import Options, analyze
from analyzer.demo import run_demo
from analyzer.outputs import Run, read_basemap, write_outputs
from analyzer.zone_loading import load_zone_set
from tests.hostile import NAMES, hostile_log
from tests.unit.test_map import unwritten

pytestmark = pytest.mark.browser
AXE = Path(__file__).resolve().parents[2] / ".cache" / "axe-core" / "axe.min.js"
WIDTHS = (1440, 1024, 390)


@pytest.fixture
def opened(browser):
    """Return a function that opens a map offline; it fails on any error, message or request to elsewhere."""
    context = browser.new_context(offline=True, viewport={"width": 1440, "height": 900})
    page, trouble = context.new_page(), []
    page.on("console", lambda message: trouble.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
    own = ("file:", "data:", "blob:", "about:")
    page.on("request", lambda request: None if request.url.startswith(own) else trouble.append(request.url))
    page.on("dialog", lambda dialog: trouble.append("dialog"))

    def open_file(path, after="", width=1440, height=900):
        page.set_viewport_size({"width": width, "height": height})
        page.goto(path.resolve().as_uri() + after)
        return ready(page)

    yield open_file
    assert trouble == []
    context.close()


def ready(frame):
    frame.wait_for_selector("html[data-ready=yes]", state="attached")
    frame.wait_for_selector("html[data-loaded]", state="attached")
    frame.wait_for_timeout(100)
    return frame


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "out"
    run_demo(out, "ko")
    return out


@pytest.fixture(scope="module")
def summary(demo):
    return json.loads((demo / "summary.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    analysis = analyze([hostile_log(folder / "log.csv")], load_zone_set("gwangju"), Options(base=folder))
    write_outputs(analysis, folder / "out", Run(("zonelog",), "0", lang="en"))
    return folder / "out"


def until(page, condition):
    """Wait until a condition holds; the page's policy forbids Playwright's own way, which needs eval."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(condition)


def rows(page):
    return page.locator("#findings .row")


def test_headline_and_badges_are_those_of_the_summary(opened, demo, summary):
    page = opened(demo / "map.html")
    found = summary["findings"]
    bad = sum(v["findings"]["violation"] > 0 for v in summary["per_vehicle"].values())
    assert page.inner_text("h1") == f"위반 {found['violation']}건 · 차량 {summary['vehicles']}대 중 {bad}대"
    apart = page.inner_text("header .apart")
    assert f"판정 불가 {found['indeterminate']}건" in apart
    assert f"관측되지 않음 {found['not_observed']}건" in apart
    badges = [int(text) for text in page.locator(".badge.violation").all_inner_texts()]
    zones = [z["findings"]["violation"] for zone, z in summary["per_zone"].items() if zone]
    assert sum(badges) == sum(zones) == found["violation"]
    assert len(badges) == 8
    assert rows(page).count() == sum(found.values())


def test_the_list_is_sorted_by_severity_and_distance(opened, demo):
    page = opened(demo / "map.html")
    assert page.locator("#findings .row .amount").all_inner_texts()[:2] == ["30.0 m", "1.4 m"]
    kinds = [next(k for k in ("violation", "indeterminate", "not_observed") if k in c) for c in classes(page)]
    assert kinds == ["violation"] * 5 + ["indeterminate"] + ["not_observed"] * 2
    page.select_option("#order", "time")
    times = page.locator("#findings .row .when").all_inner_texts()
    assert times == sorted(times)


def classes(page):
    return [row.get_attribute("class") for row in rows(page).all()]


def test_tracks_are_drawn_by_verdict(opened, demo):
    page = opened(demo / "map.html")
    assert 10 < int(page.get_attribute("html", "data-drawn")) < 100_000
    painted = page.evaluate(
        "() => { const c = document.querySelector('canvas.tracks'); const d = c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data; let n = 0; for (let k = 3; k < d.length; k += 4) n += d[k] > 0; return n; }"
    )
    assert painted > 500
    looks = page.evaluate("Object.values(zonelog.styles).map((s) => s.width + ' ' + s.dash.join(','))")
    assert len(set(looks)) == len(looks)  # told apart without colour


@pytest.mark.parametrize(
    ("key", "value", "left"),
    [("verdict", "4", 5), ("verdict", "3", 1), ("check", "0", 3), ("zone", "-1", 2), ("day", "2026-03-17", 8)],
)
def test_each_filter(opened, demo, key, value, left):
    page = opened(demo / "map.html")
    page.select_option(f"#by-{key}", value)
    assert rows(page).count() == left
    assert page.inner_text(".tally") == f"8건 중 {left}건 표시"
    page.click("button.reset")
    assert rows(page).count() == 8


def test_vehicle_filter_and_search(opened, demo):
    page = opened(demo / "map.html")
    page.select_option("#by-vehicle", label="SYNTHETIC-RESIDENTIAL")
    assert rows(page).count() == 2
    page.select_option("#by-vehicle", "")
    page.fill("#search", "synthetic-resid")
    assert rows(page).count() == 2
    page.fill("#search", "0a04be")
    assert rows(page).count() == 1
    page.keyboard.press("Enter")
    page.wait_for_selector(".detail h2")
    assert "0a04be774fa4" in page.inner_text(".detail")
    page.keyboard.press("Escape")
    page.fill("#search", "nobody")
    assert page.inner_text(".empty") == "조건에 맞는 발견 사항이 없습니다."


def test_the_list_follows_the_viewport_and_the_slider(opened, demo):
    page = opened(demo / "map.html")
    page.evaluate("zonelog.map.setView([35.119, 126.761], 17)")
    assert 0 < rows(page).count() < 8
    page.uncheck("#in-view")
    assert rows(page).count() == 8
    page.focus("#time")
    page.keyboard.press("Home")
    assert rows(page).count() == 0
    assert page.inner_text(".clock") == "2026-03-17 10:05:00 +09:00"
    page.evaluate(
        "t => { const s = document.getElementById('time'); s.value = t; s.dispatchEvent(new Event('input')); }",
        1773709530,
    )
    assert rows(page).count() == 1
    assert page.get_attribute("#time", "aria-valuetext") == "2026-03-17 10:05:30 +09:00"
    until(page, "zonelog.overlay.vehicles === 1")
    page.click("button.to-end")
    assert rows(page).count() == 8


def test_the_day_plays(opened, demo):
    page = opened(demo / "map.html")
    page.select_option("#speed", "60")
    page.click("button.play")
    page.wait_for_timeout(900)
    first = page.input_value("#time")
    page.wait_for_timeout(300)
    assert int(page.input_value("#time")) > int(first) > int(page.get_attribute("#time", "min"))
    page.click("button.play")
    assert page.get_attribute("button.play", "aria-pressed") == "false"


def test_a_finding_tells_its_whole_story(opened, demo):
    page = opened(demo / "map.html")
    rows(page).first.click()
    page.wait_for_selector(".detail h2")
    text = page.inner_text(".detail")
    for part in (
        "30.0 m ± ",
        "2026-03-17 10:05:24 +09:00",
        "36.0초",
        "100 %",
        "자율",
        "logs/SYNTHETIC-SWEEPER.csv: 241 – 601",
        "demo-low-speed",
    ):
        assert part in text, part
    assert page.evaluate("zonelog.map.getZoom()") >= 16
    assert page.evaluate("zonelog.map.getBounds().contains([35.1199, 126.761])")
    page.click(".detail .next")
    until(page, "document.querySelector('.detail').innerText.includes('1.4 m')")
    page.click(".detail .back")
    assert rows(page).count() == 8


def test_a_link_opens_its_finding(opened, demo):
    page = opened(demo / "map.html", "#finding=1a49ae008276")
    page.wait_for_selector(".detail h2")
    assert "9.0 km/h" in page.inner_text(".detail")
    assert page.input_value("#link").endswith("map.html#finding=1a49ae008276")
    page.evaluate("location.hash = '#finding=0a04be774fa4'")
    until(page, "document.querySelector('.detail').innerText.includes('30.0 m')")
    page.evaluate("location.hash = '#finding=%E0%A4%A<b>'")  # no id at all
    until(page, "document.querySelector('.status').textContent.includes('%E0%A4%A')")
    assert page.locator(".status b").count() == 0
    page.evaluate("location.hash = '#finding=1a49ae008276'")
    until(page, "document.querySelector('.status').textContent === ''")


def test_of_findings_that_overlap_each_has_its_own_stretch(opened, tmp_path):
    from analyzer.outputs.map import OUTPUT

    analysis, _ = run_demo(tmp_path / "demo", "ko")
    whole = analysis.findings.filter(pl.col("finding_id") == "0a04be774fa4")
    early = whole.with_columns(pl.col("start") + pl.duration(seconds=1), pl.col("start").alias("end"))
    early = early.with_columns(end=pl.col("start") + pl.duration(seconds=9), finding_id=pl.lit("early"))
    OUTPUT.write(replace(analysis, findings=pl.concat([whole, early])), tmp_path, Run(("zonelog",), "0"))
    page = opened(tmp_path / "map.html", "#finding=early")
    page.wait_for_selector(".detail h2")
    spans = page.evaluate("zonelog.overlay._scene.stretch().map(({ line }) => line.end - line.start)")
    assert spans == [9_000]


def test_the_language_switches_without_reload(opened, demo):
    page = opened(demo / "map.html")
    rows(page).first.click()
    page.wait_for_selector(".detail h2")
    page.evaluate("window.same = 1")
    page.click("button.language")
    assert page.inner_text("h1") == "5 violations · 3 of 4 vehicles"
    assert page.get_attribute("html", "lang") == "en"
    assert "was outside every permit zone" in page.inner_text(".detail")
    page.click(".detail .back")
    text = page.inner_text("body").replace("한국어", "").replace("(가상)", "")
    assert not any("\uac00" <= letter <= "\ud7a3" for letter in text), text
    assert page.evaluate("window.same") == 1


def test_all_of_it_by_keyboard(opened, demo):
    page = opened(demo / "map.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").first.bounding_box()["x"] >= 0  # seen when focused
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "row-0"
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.id") == "row-1"
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.id") == "row-7"
    assert page.locator("#findings [tabindex='0']").count() == 1
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    page.wait_for_selector(".detail h2:focus")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "row-0"
    stops = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        stops.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"time", "by-check", "search", "map_zonelog", "tool measure", "play"} <= {
        s.split(" leaflet")[0] for s in stops
    }


def test_measure_by_mouse_and_keyboard(opened, demo):
    page = opened(demo / "map.html")
    page.click(".tool.measure")
    box = page.locator("#map_zonelog").bounding_box()
    for x in (300, 500):
        page.mouse.click(box["x"] + x, box["y"] + 500)
    said = page.inner_text(".length").split(" – ")[0]
    number, unit = said.split()
    ends = page.evaluate(
        "[300, 500].map((x) => { const p = zonelog.map.containerPointToLatLng([x, 500]); return [p.lng, p.lat]; }).flat()"
    )
    from pyproj import Geod

    exact = Geod(ellps="WGS84").inv(*ends)[2]
    assert float(number) * {"km": 1000, "m": 1}[unit] == pytest.approx(exact, rel=1e-3)
    page.focus("#map_zonelog")
    page.keyboard.press("Enter")
    assert page.inner_text(".length") != said
    page.keyboard.press("Escape")
    assert page.locator(".length").is_hidden()


def test_the_local_grid_is_that_of_pyproj(opened, demo):
    from pyproj import Transformer

    page = opened(demo / "map.html")
    places = [(126.8, 35.16), (127.0, 38.0), (124.7, 37.9), (131.87, 37.24), (126.27, 33.2), (129.4, 36.0)]
    exact = Transformer.from_crs(4326, 5186, always_xy=True)
    for lon, lat in places:
        assert page.evaluate("([x, y]) => zonelog.localGrid(x, y)", [lon, lat]) == pytest.approx(
            exact.transform(lon, lat), abs=0.001
        )
    assert page.evaluate("zonelog.localGrid(2.35, 48.86)") is None
    page.mouse.move(400, 400)
    until(page, "document.querySelector('.where').innerText.includes('EPSG:5186')")


def test_layers_can_be_put_away(opened, demo):
    page = opened(demo / "map.html")
    before = int(page.get_attribute("html", "data-drawn"))
    page.uncheck("#layer-compliant")
    until(page, f"+document.documentElement.dataset.drawn < {before}")
    page.uncheck("#layer-zones")
    assert page.locator(".zone-name").count() == 0
    page.check("#layer-zones")
    assert page.locator(".zone-name").count() == 8


def test_uncertain_borders_have_a_band(opened, hostile):
    page = opened(hostile / "map.html")
    assert page.evaluate("zonelog.data.zones.every((zone) => zone.accuracy_m > 0 && zone.band !== null)")
    page.uncheck("#layer-band")


def test_clicking_a_mark_opens_it(opened, demo):
    page = opened(demo / "map.html")
    page.evaluate("zonelog.map.setView([35.1199, 126.761], 18)")
    page.wait_for_timeout(200)
    at = page.evaluate(
        "(() => { const p = zonelog.map.latLngToContainerPoint([35.11974, 126.76108]); return [p.x, p.y]; })()"
    )
    box = page.locator("#map_zonelog").bounding_box()
    spot = page.evaluate(
        "zonelog.overlay.spots.map((s) => [s.px - zonelog.overlay._view.margin.x, s.py - zonelog.overlay._view.margin.y])"
    )[0]
    assert at
    page.mouse.click(box["x"] + spot[0], box["y"] + spot[1])
    page.wait_for_selector(".detail h2")


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut_off(opened, demo, width):
    page = opened(demo / "map.html", width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for selector in ("h1", "button.language", "#map_zonelog", "#search", "#time", "#findings", ".play"):
        box = page.locator(selector).bounding_box()
        assert box["x"] >= 0, selector
        assert box["x"] + box["width"] <= width + 1, selector


def axe_source():
    if not AXE.is_file():
        assert not os.environ.get("CI"), "CI must have axe-core: see .ci/axe"
        pytest.skip("no axe-core: accessibility is NOT tested (run .ci/axe, which needs npm)")
    return AXE.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("part", ["list", "detail"])
def test_accessible(opened, demo, width, part):
    source = axe_source()
    page = opened(demo / "map.html", width=width)
    if part == "detail":
        rows(page).first.click()
        page.wait_for_selector(".detail h2")
    page.evaluate(source)
    found = page.evaluate(
        "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })"
    )
    said = [(v["id"], v["impact"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found["violations"]]
    assert said == []


def test_names_from_the_log_are_text_only(opened, hostile):
    page = opened(hostile / "map.html")
    listed = [
        page.evaluate("(n) => n.textContent", bdi) for bdi in page.locator("#findings .row bdi").element_handles()
    ]
    assert sorted(listed) == sorted(NAMES)
    for number in range(len(NAMES)):
        rows(page).nth(number).click()
        page.wait_for_selector(".detail h2")
        details = page.evaluate("[...document.querySelectorAll('.detail dd bdi')].map((n) => n.textContent)")
        assert details[0] == details[1]  # the trip is named as the vehicle
        assert details[0] in NAMES
        page.click(".detail .back")
    options = page.evaluate("[...document.querySelectorAll('#by-vehicle option')].slice(1).map((n) => n.textContent)")
    assert sorted(options) == sorted(NAMES)
    page.evaluate("zonelog.map.setZoom(15)")
    assert page.evaluate("window.pwned") is None
    assert page.locator("img").count() == 0


ZONE_NAME = "`${window.pwned=1}`</script><script>window.pwned=1</script> {{7*7}} \u202e구역"
RULE_TEXT = "{% raw %}<svg/onload=window.pwned=1> %s %(x)s 100 % \"'`"
FILE_NAME = "<img src=x onerror=window.pwned=1> {{7*7}} `${window.pwned=1}` '%.csv"


@pytest.fixture(scope="module")
def hostile_world(tmp_path_factory):
    """Write the demo's zone set with hostile names and rule texts, and judge the demo's logs under a hostile name."""
    folder = tmp_path_factory.mktemp("world")
    shutil.copytree(Path(__file__).resolve().parents[2] / "zones" / "demo", folder / "set")
    zones = json.loads((folder / "set" / "zones.geojson").read_text(encoding="utf-8"))
    for feature in zones["features"]:
        feature["properties"]["name"] = {"ko": ZONE_NAME, "en": ZONE_NAME}
    (folder / "set" / "zones.geojson").write_text(json.dumps(zones), encoding="utf-8")
    rules = (folder / "set" / "rules.toml").read_text(encoding="utf-8")
    text = json.dumps(RULE_TEXT)
    rules = re.sub(r"(?m)^text = .*$", lambda _: f"text = {{ ko = {text}, en = {text} }}", rules)
    rules = re.sub(r"(?m)^(source|legal_basis) = .*$", lambda m: f"{m[1]} = {text}", rules)
    (folder / "set" / "rules.toml").write_text(rules, encoding="utf-8")
    run_demo(folder / "demo", "en")
    (folder / "logs").mkdir()
    for path in (folder / "demo" / "logs").glob("*SWEEPER.csv"):
        shutil.copy(path, folder / "logs" / FILE_NAME)
    analysis = analyze([folder / "logs" / FILE_NAME], load_zone_set(str(folder / "set")), Options(base=folder))
    write_outputs(analysis, folder / "out", Run(("zonelog",), "0", lang="en"))
    return folder / "out"


@pytest.mark.skipif(os.name == "nt", reason="no such file name on Windows")
def test_names_of_zones_rules_and_files_are_text_only(opened, hostile_world):
    page = opened(hostile_world / "map.html")
    assert set(page.evaluate("[...document.querySelectorAll('.zone-name .name')].map((n) => n.textContent)")) == {
        ZONE_NAME
    }
    assert page.evaluate("document.querySelectorAll('#by-zone option')[1].textContent") == ZONE_NAME
    rows(page).first.click()
    page.wait_for_selector(".detail h2")
    texts = page.evaluate("[...document.querySelectorAll('.detail bdi')].map((n) => n.textContent)")
    assert ZONE_NAME in texts
    assert texts.count(RULE_TEXT) >= 3  # the text, its legal basis, its source
    assert any(FILE_NAME in text for text in texts)
    assert any(ZONE_NAME in text and "outside every permit zone" in text for text in texts)
    for language in range(2):
        page.click("button.language")
        page.wait_for_timeout(100 + language)
    page.evaluate("document.querySelector('.zone-name').click()")
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("document.scripts.length") == page.evaluate(
        "document.querySelectorAll('head script, html > script, body > script').length"
    )


def test_a_great_deal_is_drawn_with_few_vertices(opened, tmp_path):
    from analyzer.outputs.map import OUTPUT
    from benchmarks.map_pages import many_findings, many_vertices

    analysis, _ = run_demo(tmp_path / "demo", "ko")
    many = many_findings(analysis, 20_000)
    OUTPUT.write(replace(many_vertices(analysis, 300_000), findings=many.findings), tmp_path, Run(("zonelog",), "0"))
    page = opened(tmp_path / "map.html")
    assert 1_000 < int(page.get_attribute("html", "data-drawn")) < 100_000
    assert page.evaluate("zonelog.map.setZoom(15), 1")
    page.wait_for_timeout(300)
    assert int(page.get_attribute("html", "data-drawn")) < 100_000
    page.uncheck("#in-view")
    assert rows(page).count() < 40  # of 20,000
    page.focus("#findings [tabindex='0']")
    own = page.evaluate("document.activeElement.id")
    page.mouse.move(1300, 700)
    page.mouse.wheel(0, 9_000)
    page.wait_for_timeout(200)
    assert page.evaluate("document.activeElement.id") == own  # out of sight, and still where the keys go on
    assert page.locator(f"#{own}").bounding_box()["y"] < 0
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.id") == "row-19999"
    assert page.locator("#findings [tabindex='0']").count() == 1
    page.keyboard.press("Enter")
    page.wait_for_selector(".detail h2")


def test_works_in_a_sandboxed_frame(opened, demo, browser, tmp_path):
    import html

    page_text = (demo / "map.html").read_text(encoding="utf-8")
    (tmp_path / "frame.html").write_text(
        f'<!doctype html><title>x</title><iframe sandbox="allow-scripts" style="width:1200px;height:800px" srcdoc="{html.escape(page_text)}"></iframe>',
        encoding="utf-8",
    )
    context = browser.new_context(offline=True, viewport={"width": 1300, "height": 900})
    page, trouble = context.new_page(), []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto((tmp_path / "frame.html").as_uri())
    frame = ready(page.frames[1])
    frame.locator("#findings .row").first.click()
    frame.wait_for_selector(".detail h2")
    assert trouble == []
    context.close()


def test_days_come_from_a_folder_where_one_file_is_too_big(opened, demo, tmp_path, monkeypatch):
    from analyzer.outputs import map as output

    monkeypatch.setattr(output, "MOST_BYTES", 1)
    run_demo(tmp_path / "out", "en")
    names = sorted(p.name for p in (tmp_path / "out" / "map").iterdir())
    assert names == ["day-2026-03-17.js", "part-0.js"]
    text = (tmp_path / "out" / "map.html").read_text(encoding="utf-8")
    assert "'strict-dynamic'" in text
    assert "'strict-dynamic'" not in (demo / "map.html").read_text(encoding="utf-8")
    page = opened(tmp_path / "out" / "map.html")
    assert int(page.get_attribute("html", "data-drawn")) > 10
    rows(page).first.click()
    page.wait_for_selector(".detail h2")


def test_a_page_that_is_nearly_too_big_rounds_and_keeps_every_vertex(opened, demo, tmp_path, monkeypatch):
    from analyzer.outputs import map as output

    honest, rooms = output.days_that_fit, []

    def nearly_too_big(*given):
        rooms.append(sum(len(day.lines) for day in honest(*given)[0]) - 1)
        return honest(*given[:-1], rooms[0])

    monkeypatch.setattr(output, "days_that_fit", nearly_too_big)
    run_demo(tmp_path / "out", "ko")
    assert not (tmp_path / "out" / "map").exists()
    asked = "zonelog.overlay._scene.stretch().map(({ day, line }) => [line.to - line.from, day.x[line.from], day.y[line.to - 1]])"
    fine, rounded = [], []
    for folder, found in ((demo, fine), (tmp_path / "out", rounded)):
        page = opened(folder / "map.html", "#finding=0a04be774fa4")
        page.wait_for_selector(".detail h2")
        found += [page.evaluate("zonelog.data.fine"), *page.evaluate(asked)[0]]
    assert (fine[0], rounded[0]) == (1, 5)
    assert fine[1] == rounded[1] == 361  # 36 s at 10 Hz
    assert rounded[2:] == pytest.approx(fine[2:], abs=0.03 / 40_075_000)


def test_a_large_fleet_is_thin_until_somebody_looks(opened, demo, tmp_path):
    text = (demo / "map.html").read_text(encoding="utf-8")
    assert text.count("MOST_LOADED = 3e6") == 1
    policy = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
    (tmp_path / "map.html").write_text(
        policy.sub("", text).replace("MOST_LOADED = 3e6", "MOST_LOADED = 100"), encoding="utf-8"
    )
    page = opened(tmp_path / "map.html")
    held = "[...zonelog.overlay._scene.days()].map((day) => day.t.length)"
    (thin,) = page.evaluate(held)
    rows(page).first.click()
    page.wait_for_selector(".detail h2")
    (whole,) = page.evaluate(held)
    assert thin < whole / 2
    assert (
        page.evaluate("zonelog.overlay._scene.stretch()[0].line.to - zonelog.overlay._scene.stretch()[0].line.from")
        == 361
    )


def test_without_its_folder_a_map_still_answers(browser, tmp_path, monkeypatch):
    from analyzer.outputs import map as output

    monkeypatch.setattr(output, "MOST_BYTES", 1)
    run_demo(tmp_path / "out", "en")
    shutil.rmtree(tmp_path / "out" / "map")
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((tmp_path / "out" / "map.html").as_uri())
    ready(page)
    assert page.inner_text("h1") == "5 violations · 3 of 4 vehicles"
    assert "cannot be read" in page.inner_text(".status")
    assert rows(page).count() == 8
    rows(page).first.click()
    page.click(".detail .back")
    assert rows(page).count() == 8
    assert errors == []
    page.close()


def test_a_basemap_lies_under_the_zones(opened, hostile, tmp_path):
    ring = [[126.6, 35.0], [127.0, 35.0], [127.0, 35.3], [126.6, 35.3], [126.6, 35.0]]
    (tmp_path / "base.geojson").write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}), encoding="utf-8")
    analysis = analyze([hostile_log(tmp_path / "log.csv")], load_zone_set("gwangju"), Options(base=tmp_path))
    maker = "<b>국토지리정보원</b> {{7*7}}"
    run = Run(("zonelog",), "0", basemap=read_basemap([tmp_path / "base.geojson"]), attribution=maker)
    write_outputs(analysis, tmp_path / "out", run)
    page = opened(tmp_path / "out" / "map.html")
    assert maker in page.evaluate("document.querySelector('.made').textContent")
    middle = "(() => { const c = document.querySelector('canvas.ground'); return [...c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data]; })()"
    assert page.evaluate(middle)[3] == 255
    page.uncheck("#layer-ground")
    assert page.locator("canvas.ground").count() == 0


def test_only_tiles_that_were_asked_for_are_allowed(demo, hostile, tmp_path):
    analysis = analyze([hostile_log(tmp_path / "log.csv")], load_zone_set("gwangju"), Options(base=tmp_path))
    run = Run(("zonelog",), "0", tiles="https://{s}.tiles.example.org/{z}/{x}/{y}.png", attribution="Example")
    write_outputs(analysis, tmp_path / "out", run)
    policy = re.compile(r'img-src ([^;"]*)')
    assert (
        policy.search((tmp_path / "out" / "map.html").read_text(encoding="utf-8"))[1]
        == "data: https://*.tiles.example.org"
    )
    assert policy.search((demo / "map.html").read_text(encoding="utf-8"))[1] == "data:"


def test_what_is_packed_is_what_was_drawn(demo):
    text = (demo / "map.html").read_text(encoding="utf-8")
    block = text.split('id="zonelog-findings">')[1].split("<")[0]
    columns = json.loads(zlib.decompress(unwritten(block)))
    assert len(columns["id"]) == 8
