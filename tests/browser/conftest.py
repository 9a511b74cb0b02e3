"""What the browser tests share: the system's Chromium, which CI must have."""

import os
import shutil

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")


@pytest.fixture(scope="module")
def browser():
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        assert not os.environ.get("CI"), "CI must have a Chromium: see .ci/run"
        pytest.skip("no Chromium on this machine: report and map are NOT tested in a browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
        launched = playwright.chromium.launch(executable_path=path, args=arguments)
        yield launched
        launched.close()
