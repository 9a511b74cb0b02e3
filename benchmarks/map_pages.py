"""`python -m benchmarks.map_pages`: the map at size: bytes, seconds to make, to open, to move; memory of both.

    day, month      20 vehicles at 10 Hz on noisy, curved ways (`data`), through the whole analysis
    vertices        a million vertices without a finding, given to the map
    findings        50,000 findings on the demo's tracks, given to the map

Needs a Chromium and the environment of the tests (`make .venv/.zonelog-stamp`).
"""

import argparse
import datetime as dt
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from analyzer.demo import run_demo
from analyzer.outputs import Run
from analyzer.outputs.map import OUTPUT
from analyzer.results import Analysis
from analyzer.tables import TRACKS, conform
from benchmarks import data, measure, zone_sets

VEHICLES, DAY_FIXES, MONTH_FIXES = 20, 5_000_000, 127_000_000
ANALYZED = (0, 1, 3)
CASES = ("findings", "vertices", "day", "month")
PAN = """async () => {
  const map = zonelog.map, frames = [];
  for (let k = 0; k < 40; k += 1) {
    map.panBy([k % 2 ? -60 : 60, 20 - k], { animate: false });
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    frames.push(zonelog.overlay.frameMs);
  }
  frames.sort((a, b) => a - b);
  return frames[Math.floor(frames.length * 0.95)];
}"""


def analyzed(fixes: int, work: Path) -> Path:
    """Return the result of a whole analysis; say how long it took with the map and without."""
    zones, log = work / "zones", work / f"fleet-{fixes}"
    if not zones.exists():
        zone_sets.write_zone_set(zones, zones=7)
        data.write_fleet_list(VEHICLES, zones / "fleet.csv")
    if not log.exists():
        data.write_folder(data.Fleet(zone_sets.SIX, fixes, VEHICLES), log)
    out = work / f"out-{fixes}"
    base = [sys.executable, measure.ROOT / "cli.py", "analyze", log, "--zones", zones, "--quiet", "--no-report"]
    without = measure.run([*base, "--out", work / "tables", "--no-map"], ANALYZED).seconds
    with_map = measure.run([*base, "--out", out], ANALYZED).seconds
    peak = measure.peak([*base, "--out", out], ANALYZED)
    print(f"  analysis {without:.1f} s, with the map {with_map:.1f} s, peak {peak.rss:.0f} MB", flush=True)
    return out


def given(analysis: Analysis, work: Path) -> Path:
    """Return a folder with the map of an analysis; say how long it took."""
    started = time.perf_counter()
    work.mkdir()
    OUTPUT.write(analysis, work, Run(("zonelog",), "0"))
    print(f"  made in {time.perf_counter() - started:.1f} s", flush=True)
    return work


def many_findings(analysis: Analysis, count: int) -> Analysis:
    """Return an analysis with its findings again and again, each elsewhere and later."""
    numbers = np.arange(count)
    rows = analysis.findings[(numbers % analysis.findings.height).tolist()]
    rng, later = np.random.default_rng(1), pl.Series(numbers * 500_000).cast(pl.Duration("us"))
    spread = {
        name: pl.col(name) + rng.normal(0, 0.03, count)
        for name in rows.columns
        if name.endswith(("_longitude", "_latitude"))
    }
    times = {name: pl.col(name) + later for name in ("start", "end", "decided_at")}
    ids = pl.Series([f"{n:012x}" for n in rng.permutation(count)])
    return replace(analysis, findings=rows.with_columns(finding_id=ids, **spread, **times))


def many_vertices(analysis: Analysis, count: int, lines: int = 400) -> Analysis:
    """Return an analysis with compliant tracks of so many vertices, noisy and curved."""
    rng, each = np.random.default_rng(1), count // lines
    names = analysis.tracks.row(0, named=True)
    start = names["start"]
    rows = []
    for n in range(lines):
        turn = np.cumsum(np.cumsum(rng.normal(0, 0.01, each)) * 0.05)
        lon, lat = 126.8 + np.cumsum(np.cos(turn)) * 2e-5, 35.16 + np.cumsum(np.sin(turn)) * 2e-5
        begin = start + dt.timedelta(days=n // 20)
        us = int(begin.timestamp() * 1e6) + np.arange(each) * 2_000_000
        end = begin + dt.timedelta(microseconds=int(us[-1] - us[0]))
        own = {"verdict": "compliant", "start": begin, "end": end, "time_us": us.tolist()}
        rows.append(
            names
            | own
            | {"longitude": (lon + rng.normal(0, 4e-6, each)).round(7).tolist(), "latitude": lat.round(7).tolist()}
        )
    tracks = conform(pl.DataFrame(rows, schema_overrides={c.name: c.dtype for c in TRACKS.columns}), TRACKS)
    return replace(analysis, tracks=tracks, findings=analysis.findings.clear())


def opened(folder: Path) -> None:
    """Open a map and say what it took."""
    from playwright.sync_api import sync_playwright

    path = next(found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name)))
    sizes = [p.stat().st_size for p in [folder / "map.html", *(folder / "map").glob("*")]]
    print(f"  {sizes[0] / 1e6:.2f} MB in one file, {len(sizes) - 1} files beside it of {sum(sizes[1:]) / 1e6:.2f} MB")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--enable-precise-memory-info"]
        )
        page = browser.new_context(offline=True, viewport={"width": 1440, "height": 900}).new_page()
        started = time.perf_counter()
        page.goto((folder / "map.html").resolve().as_uri(), wait_until="commit")
        page.wait_for_selector("html[data-ready=yes]", state="attached", timeout=60_000)
        ready = time.perf_counter() - started
        page.wait_for_selector("html[data-loaded]", state="attached", timeout=120_000)
        loaded = time.perf_counter() - started
        page.wait_for_timeout(500)
        heap = page.evaluate("performance.memory.usedJSHeapSize") / 1e6
        drawn, frame = page.evaluate("zonelog.overlay.drawn"), page.evaluate(PAN)
        print(f"  usable after {ready:.2f} s, all drawn after {loaded:.2f} s, heap {heap:.0f} MB")
        print(f"  {drawn:,} vertices on screen, a frame while moving takes {frame:.0f} ms (95 %)")
        filtering = page.evaluate(
            "() => { const s = document.getElementById('search'); const t = performance.now(); s.value = 'sweep'; "
            "s.dispatchEvent(new Event('input')); return performance.now() - t; }"
        )
        print(
            f"  a search takes {filtering:.0f} ms, rows in the page: {page.locator('#findings .row').count()}",
            flush=True,
        )
        browser.close()


def main() -> None:
    """Measure the wanted cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", choices=CASES, default=CASES[:3])
    parser.add_argument("--work", type=Path, help="keep the data here")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        demo, _ = run_demo(work / "demo", "ko")
        for case in wanted.cases:
            print(case, flush=True)
            if case in ("day", "month"):
                keep = wanted.work or work
                keep.mkdir(parents=True, exist_ok=True)
                opened(analyzed(DAY_FIXES if case == "day" else MONTH_FIXES, keep))
            else:
                changed = many_findings(demo, 50_000) if case == "findings" else many_vertices(demo, 1_000_000)
                opened(given(changed, work / case))


if __name__ == "__main__":
    main()
