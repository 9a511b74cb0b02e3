"""`make screenshots`: pictures of the demo's map in both languages, for docs/, with the network off."""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from analyzer.demo import run_demo

SIZE = {"width": 1440, "height": 900}


def main(folder):
    """Write map-ko.png and map-en.png: the first glance, and one finding."""
    path = next(found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name)))
    with tempfile.TemporaryDirectory() as work, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for lang, after in (("ko", ""), ("en", "#finding=0a04be774fa4")):
            run_demo(Path(work) / lang, lang)
            page = browser.new_context(offline=True, viewport=SIZE).new_page()
            page.goto((Path(work) / lang / "map.html").as_uri() + after)
            page.wait_for_selector("html[data-loaded]", state="attached")
            page.wait_for_timeout(300)
            page.screenshot(path=str(folder / f"map-{lang}.png"))
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
