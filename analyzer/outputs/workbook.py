"""report.xlsx: summary, findings, coverage, exposure, events and rejects as sheets; no cell is a formula.

Numbers and times are real ones: times in the time zone of the rules, whose offset the
heading says. Verdicts have the colours of report and map, also after sorting.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from analyzer.figures import offset_text
from analyzer.language import Both, both
from analyzer.outputs import _columns as columns
from analyzer.outputs import _facts as facts
from analyzer.outputs._output import Output, Run
from analyzer.outputs.map import worst_first
from analyzer.plain_text import plain
from analyzer.results import Analysis
from analyzer.terms import VERDICTS
from analyzer.wording import CHECK_WORDS, EVENT_WORDS, MODE_WORDS, REJECT_WORDS, VISIT_WORDS, WORDS, answer, word

MOST_ROWS = 1_000_000
MOST_CHARACTERS = 32_000
CREATED = dt.datetime(2000, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)
"""A fixed date in the file's properties: the same input gives the same bytes."""

A4, PRINTED_CHARACTERS = 9, 260
"""Excel's number of the paper, and how many characters wide a printed page is at half the size."""

LINE_POINTS, HEAD_LINES, NUMBER_WIDTH, WORD = 15, 2, 12, 6
WIDE = "\u1100"
"""From here on letters are taken to be as wide as two."""

COLOURS = {
    "violation": {"bg_color": "#f6d5ca", "font_color": "#8c1010", "bold": True},
    "indeterminate": {"bg_color": "#ffe7bd", "font_color": "#7a3e00", "bold": True},
    "not_checkable": {"bg_color": "#e3e3e3", "font_color": "#4d4d4d", "italic": True},
    "not_observed": {"bg_color": "#e3e3e3", "font_color": "#4d4d4d", "italic": True},
    "compliant": {"bg_color": "#dcefe2", "font_color": "#14613a"},
}
FORMATS = {
    "head": {"bold": True, "bg_color": "#e8eef4", "border": 1, "text_wrap": True, "valign": "top"},
    "title": {"bold": True, "font_size": 15},
    "answer": {"bold": True, "font_size": 12},
    "name": {"valign": "top"},
    "time": {"num_format": "yyyy-mm-dd hh:mm:ss", "valign": "top"},
    "date": {"num_format": "yyyy-mm-dd", "valign": "top"},
    "number": {"num_format": "#,##0.000", "valign": "top"},
    "whole": {"num_format": "#,##0", "valign": "top"},
    "degrees": {"num_format": "0.0000000", "valign": "top"},
    "share": {"num_format": "0.0%", "valign": "top"},
    "long": {"text_wrap": True, "valign": "top"},
}


def _write(analysis: Analysis, folder: Path, run: Run) -> None:
    import xlsxwriter  # noqa: PLC0415 - only this output needs it

    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": True,
        "constant_memory": True,
    }
    with xlsxwriter.Workbook(folder / "report.xlsx", options) as book:
        book.set_properties({"title": "zonelog", "created": CREATED})
        writer = _Writer(book, analysis, run.lang)
        writer.summary()
        for name, shown, frame in _tables(analysis):
            writer.table(name, shown, frame)


def _tables(analysis: Analysis) -> Iterator[tuple[str, Sequence[columns.Shown], pl.DataFrame]]:
    """Yield name, columns and rows of every sheet but the first."""
    yield "Findings", columns.FINDINGS, worst_first(analysis.findings)
    yield "Coverage", columns.COVERAGE, analysis.coverage
    yield "Exposure", columns.EXPOSURE, analysis.exposure
    yield "Visits", columns.VISITS, analysis.visits
    yield "Events", columns.EVENTS, analysis.events
    yield "Rejects", columns.REJECTS, analysis.rejects


class _Writer:
    """Writes the sheets of one workbook in one language."""

    def __init__(self, book: Any, analysis: Analysis, lang: str) -> None:
        self._book, self._analysis, self._lang = book, analysis, lang
        self._zone = ZoneInfo(analysis.zone_set.rules.timezone)
        self._formats = {name: book.add_format(given) for name, given in {**FORMATS, **COLOURS}.items()}
        self._zones = {zone.zone_id: zone.name[lang] for zone in analysis.zone_set.zones}
        self._offset = self._offset_text()

    def _offset_text(self) -> str:
        """Return the offset of all times, the name of the zone where there are several."""
        ends = (self._analysis.coverage["trip_start"].min(), self._analysis.coverage["trip_end"].max())
        offsets = {offset_text(end, self._zone) for end in ends}  # type: ignore[arg-type]
        return offsets.pop() if len(offsets) == 1 else str(self._zone)

    def _say(self, text: Both) -> str:
        """Return a text in the language of the workbook."""
        return text[self._lang]

    def table(self, name: str, shown: Sequence[columns.Shown], frame: pl.DataFrame) -> None:
        """Write one table: headings that stay, filters, widths, colours of verdicts."""
        sheet = self._book.add_worksheet(name)
        rows = frame.head(MOST_ROWS)
        _printed(sheet, sum(columns.WIDTHS.get(column.kind, NUMBER_WIDTH) for column in shown))
        sheet.set_row(0, HEAD_LINES * LINE_POINTS)
        for at, column in enumerate(shown):
            own = self._formats["long"] if column.kind == "long" else None
            sheet.set_column(at, at, columns.WIDTHS.get(column.kind, NUMBER_WIDTH), own)
            label = self._say(column.label)
            sheet.write_string(
                0, at, f"{label} ({self._offset})" if column.kind == "time" else label, self._formats["head"]
            )
        writers = [self._writer(column) for column in shown]
        long = [at for at, column in enumerate(shown) if column.kind == "long"]
        for number, row in enumerate(rows.select(c.column for c in shown).iter_rows(), start=1):
            lines = max((_lines(row[at]) for at in long if row[at]), default=1)
            if lines > 1:
                sheet.set_row(number, lines * LINE_POINTS, self._formats["name"])
            for at, value in enumerate(row):
                if value is not None:
                    writers[at](sheet, number, at, value)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(rows.height, 1), len(shown) - 1)
        for at, column in enumerate(shown):
            if column.kind == "verdict":
                self._colour(sheet, at, max(rows.height, 1))

    def _colour(self, sheet: Any, at: int, last: int) -> None:
        """Colour the verdicts of a column."""
        for verdict in VERDICTS:
            rule = {"type": "cell", "criteria": "==", "value": f'"{self._say(WORDS[verdict])}"'}
            sheet.conditional_format(1, at, last, at, {**rule, "format": self._formats[verdict]})

    def _writer(self, column: columns.Shown) -> Callable[[Any, int, int, Any], None]:
        """Return what writes a value of a column; text is always written as text."""
        own = self._formats.get(column.kind)
        if column.kind in ("number", "whole", "degrees", "share"):
            return lambda sheet, row, at, value: sheet.write_number(row, at, value, own)
        if column.kind == "date":
            return lambda sheet, row, at, value: sheet.write_datetime(row, at, value, own)
        if column.kind == "time":
            return lambda sheet, row, at, value: sheet.write_datetime(
                row, at, value.astimezone(self._zone).replace(tzinfo=None), own
            )
        words = self._words(column)
        return lambda sheet, row, at, value: sheet.write_string(row, at, _text(words(value)))

    def _words(self, column: columns.Shown) -> Callable[[str], str]:
        """Return what turns a code into words."""
        known = {"verdict": WORDS, "check": CHECK_WORDS, "mode": MODE_WORDS}.get(column.kind)
        known = {"event": EVENT_WORDS, "reason": REJECT_WORDS}.get(column.column, known)
        if known is not None:
            return lambda code: self._say(word(known, code))
        if column.kind == "visit":
            return lambda code: self._say(word(VISIT_WORDS, code))
        if column.kind == "zone":
            outside = self._say(both("outside every zone"))
            return lambda ids: ", ".join(self._zones.get(z, z) for z in ids.split("+")) if ids else outside
        return str

    def summary(self) -> None:
        """Write the first sheet: the answer, the figures, what must be known."""
        sheet = self._book.add_worksheet("Summary")
        sheet.set_column(0, 0, 46, self._formats["name"])
        sheet.set_column(1, 8, columns.WIDTHS["time"] + 1)
        _printed(sheet, PRINTED_CHARACTERS)
        for number, (style, cells) in enumerate(self._lines()):
            if style == "head":
                sheet.set_row(number, HEAD_LINES * LINE_POINTS)
            for at, value in enumerate(cells):
                self._cell(sheet, number, at, value, style)
        sheet.freeze_panes(2, 0)

    def _cell(self, sheet: Any, row: int, at: int, value: Any, style: str | None) -> None:
        """Write one cell of the first sheet; numbers stay numbers."""
        if isinstance(value, Mapping):
            value = self._say(value)
        if isinstance(value, dt.datetime):
            local = value.astimezone(self._zone).replace(tzinfo=None)
            sheet.write_datetime(row, at, local, self._formats["time"])
        elif isinstance(value, float):
            sheet.write_number(row, at, value, self._formats["share" if style == "share" else "number"])
        elif isinstance(value, int):
            sheet.write_number(row, at, value, self._formats.get(style or "", self._formats["whole"]))
        else:
            sheet.write_string(row, at, _text(value), self._formats.get(style or ""))

    def _lines(self) -> Iterable[tuple[str | None, Sequence[Any]]]:
        """Yield style and cells of every line of the first sheet."""
        analysis, summary = self._analysis, self._analysis.summary
        first, last = analysis.coverage["trip_start"].min(), analysis.coverage["trip_end"].max()
        duration = summary["duration_s"]
        yield "title", [both("Verdicts on trip logs")]
        yield "answer", [both("Did anyone break a rule?"), answer(summary, self._lang)]
        yield None, [both("Zone set"), analysis.zone_set.name]
        yield None, [both("First and last fix ({offset})", offset=self._offset), first, last]
        yield None, [both("Vehicles"), summary["vehicles"]]
        yield None, [both("Trips"), summary["trips"]]
        yield None, [both("Distance (km)"), summary["distance_m"] / 1000]
        yield None, [both("Time under way (h)"), duration / 3600]
        yield "share", [both("Observed share"), summary["observed_s"] / duration if duration else 0.0]
        for verdict, count in summary["findings"].items():
            yield verdict, [WORDS[verdict], count]
        yield None, []
        yield "head", [both("What you must know")]
        for notice in analysis.notices:
            yield None, [{"ko": notice.ko, "en": notice.en}]
        yield from self._blocks()

    def _blocks(self) -> Iterable[tuple[str | None, Sequence[Any]]]:
        """Yield the lines of modes, zones, checks, quality and rules."""
        analysis, summary = self._analysis, self._analysis.summary
        yield None, []
        yield "head", [both("Check (trips)"), *(WORDS[v] for v in VERDICTS)]
        for code in (c for c in CHECK_WORDS if c in summary["checks"]):
            yield None, [CHECK_WORDS[code], *summary["checks"][code]["lines"].values()]
        yield None, []
        yield "head", [both("By control mode"), both("Distance (m)"), both("Duration (s)"), both("Observed (s)")]
        sums = analysis.exposure.group_by("control_mode").agg(pl.col("distance_m", "duration_s", "observed_s").sum())
        for mode, *figures in sums.sort("control_mode").iter_rows():
            yield None, [word(MODE_WORDS, mode), *figures]
        yield None, []
        yield "head", [both("Quality of the logs")]
        for row in facts.quality(analysis):
            yield None, [row["name"], row["value"]]
        yield None, []
        yield "head", [both("Rule"), both("How sure, and from where"), both("Text")]
        for rule in analysis.zone_set.rules.rules:
            yield None, [f"{rule.id} ({rule.revision})", WORDS[rule.confidence], rule.text]


def _printed(sheet: Any, width: int) -> None:
    """Set how a sheet prints: A4 across, as many pages wide as stay legible, heads on each, numbered."""
    sheet.set_paper(A4)
    sheet.set_landscape()
    sheet.fit_to_pages(-(-width // PRINTED_CHARACTERS), 0)
    sheet.repeat_rows(0)
    sheet.set_footer("&C&A  &P / &N")


def _lines(text: str) -> int:
    """Return how many lines a text takes in its column."""
    letters = len(text) + sum(letter >= WIDE for letter in text)
    return -(-letters // (columns.WIDTHS["long"] - WORD))


def _text(value: Any) -> str:
    """Return text as a cell can hold it, control characters shown."""
    return plain(str(value))[:MOST_CHARACTERS]


OUTPUT = Output(files=("report.xlsx",), write=_write, wanted=lambda run: run.report)
