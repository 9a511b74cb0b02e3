"""summary.json: totals per check, vehicle and zone, suppressed counts, accounting per file."""

import json
from pathlib import Path

from analyzer.outputs._output import Output, Run
from analyzer.results import Analysis


def _write(analysis: Analysis, folder: Path, _run: Run) -> None:
    text = json.dumps(analysis.summary, ensure_ascii=False, indent=1) + "\n"
    (folder / "summary.json").write_text(text, encoding="utf-8", newline="\n")


OUTPUT = Output(files=("summary.json",), write=_write)
