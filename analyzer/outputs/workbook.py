"""report.xlsx: findings, coverage, exposure, rules and notices as sheets; no cell is a formula."""

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl

from analyzer.outputs._output import Output, Run
from analyzer.results import Analysis

MOST_ROWS = 1_000_000
CREATED = dt.datetime(2000, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)
"""A fixed date in the file's properties: the same input gives the same bytes."""


def _write(analysis: Analysis, folder: Path, _run: Run) -> None:
    import xlsxwriter  # noqa: PLC0415 - only this output needs it

    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": True,
    }
    with xlsxwriter.Workbook(folder / "report.xlsx", options) as book:
        book.set_properties({"title": "zonelog", "created": CREATED})
        head = book.add_format({"bold": True, "bg_color": "#e8eef4", "border": 1})
        for name, frame in _sheets(analysis).items():
            _sheet(book.add_worksheet(name), frame, head)


def _sheets(analysis: Analysis) -> dict[str, pl.DataFrame]:
    """Return the content of every sheet."""
    rules = [
        {
            "rule": r.id,
            "revision": r.revision,
            "kind": r.kind,
            "text_ko": r.text["ko"],
            "text_en": r.text["en"],
            "confidence": r.confidence,
            "source": r.source,
            "note": r.note,
        }
        for r in analysis.zone_set.rules.rules
    ]
    notices = [vars(n) for n in analysis.notices]
    return {
        "findings": analysis.findings,
        "coverage": analysis.coverage,
        "exposure": analysis.exposure,
        "events": analysis.events,
        "rules": pl.DataFrame(rules),
        "notices": pl.DataFrame(notices, schema=["code", "subject", "ko", "en"]),
    }


def _sheet(sheet: Any, frame: pl.DataFrame, head: Any) -> None:
    """Write one table; instants as ISO 8601 text in UTC, so nothing is rounded."""
    for column, name in enumerate(frame.columns):
        sheet.write_string(0, column, name, head)
    shown = frame.head(MOST_ROWS)
    for number, row in enumerate(shown.iter_rows(), start=1):
        for column, value in enumerate(row):
            _cell(sheet, number, column, value)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, max(len(frame.columns) - 1, 0), 18)
    if frame.height:
        sheet.autofilter(0, 0, shown.height, len(frame.columns) - 1)


def _cell(sheet: Any, row: int, column: int, value: Any) -> None:
    """Write one value, text always as text."""
    if value is None:
        return
    if isinstance(value, bool | int | float):
        sheet.write_number(row, column, value)
    elif isinstance(value, dt.datetime):
        sheet.write_string(row, column, value.isoformat().replace("+00:00", "Z"))
    else:
        sheet.write_string(row, column, str(value)[:32_000])


OUTPUT = Output(files=("report.xlsx",), write=_write, wanted=lambda run: run.report)
