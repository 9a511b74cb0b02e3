"""report.pdf, only with --pdf: the report as a browser of this machine prints it (Chromium, Chrome or Edge).

Nothing is installed for it and nothing is loaded: the browser gets the page that was just
written, with no network. Without such a browser: open report.html, and print. The dates of
the file are fixed: the same report and browser give the same bytes.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from analyzer.errors import OutputError
from analyzer.outputs._output import Output, Run
from analyzer.results import Analysis

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "msedge", "chrome")
PLACES = (
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-pdf-header-footer",
)
LONGEST_S = 300
_DATE = re.compile(rb"(?<=Date \(D:)\d{14}[+-]\d{2}'\d{2}'(?=\))")
_FIXED_DATE = b"20000101000000+00'00'"
_NODE = re.compile(rb"(?<=\(node)\d{8}(?=\))")
_LINK = re.compile(r'<a href="[^"]*">')


def find_browser() -> str:
    """Return the browser that prints; OutputError where there is none, with what to do."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    found = found or next((path for path in PLACES if Path(path).is_file()), None)
    if found is None:
        raise OutputError("--pdf needs Chromium, Chrome or Edge; without one, open report.html and print it to a PDF")
    return found


def _write(_analysis: Analysis, folder: Path, _run: Run) -> None:
    target = folder / "report.pdf"
    with tempfile.TemporaryDirectory(prefix="zonelog-pdf-") as profile:
        page = _without_links(folder / "report.html", Path(profile) / "report.html")
        command = [
            find_browser(),
            *OPTIONS,
            *_as_root(),
            f"--user-data-dir={profile}/browser",
            f"--print-to-pdf={target}",
            page,
        ]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=LONGEST_S)  # noqa: S603
        except (subprocess.SubprocessError, OSError) as error:
            message = f"the browser {command[0]} did not print report.pdf; leave out --pdf, open report.html and print"
            raise OutputError(message) from error
    if not target.is_file():
        raise OutputError(f"the browser {command[0]} wrote no report.pdf; leave out --pdf, open report.html and print")
    target.write_bytes(_without_chance(target.read_bytes()))


def _without_chance(pdf: bytes) -> bytes:
    """Return a PDF with fixed dates, and with the names of its nodes in order: as long as before, so nothing moves."""
    numbers: dict[bytes, bytes] = {}
    named = _NODE.sub(lambda node: numbers.setdefault(node[0], b"%08d" % len(numbers)), pdf)
    return _DATE.sub(_FIXED_DATE, named)


def _without_links(report: Path, copy: Path) -> str:
    """Copy the page without its links, which a PDF would hold as paths of this machine; return its address."""
    copy.write_text(_LINK.sub("<a>", report.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    return copy.resolve().as_uri()


def _as_root() -> tuple[str, ...]:
    """Return what Chromium needs in a container, where everybody is root."""
    return ("--no-sandbox",) if getattr(os, "geteuid", lambda: 1)() == 0 else ()


OUTPUT = Output(files=("report.pdf",), write=_write, wanted=lambda run: run.pdf and run.report)
