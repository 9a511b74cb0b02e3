"""Pictures of the demo's pages in both languages, for the documentation: `make screenshots`."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from analyzer.demo import run_demo
from analyzer.outputs.report_pdf import find_browser

PAGES = {
    "report": ({"width": 1200, "height": 1000}, "html"),
    "map": ({"width": 1440, "height": 900}, "html[data-loaded]"),
}
LINKS = {("map", "en"): "#finding=0a04be774fa4"}
"""Pages that are opened by a link to one finding of the demo."""


def take(folder):
    """Write report-ko.png, report-en.png, map-ko.png and map-en.png; the network is off."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox", "--disable-gpu"])
        for lang in ("ko", "en"):
            out = Path(work) / lang
            run_demo(out, lang)
            for name, (size, ready) in PAGES.items():
                page = browser.new_context(offline=True, viewport=size).new_page()
                page.goto((out / f"{name}.html").as_uri() + LINKS.get((name, lang), ""))
                page.wait_for_selector(ready, state="attached")
                page.wait_for_timeout(500)
                page.screenshot(path=folder / f"{name}-{lang}.png")
        browser.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]))
