"""report.xlsx: real numbers and times, filters, frozen heads, colours; LibreOffice opens it."""

import datetime as dt
import os
import shutil
import subprocess

import openpyxl
import pytest

from analyzer.analysis import Options, analyze
from analyzer.demo import run_demo
from analyzer.outputs import Run, write_outputs
from analyzer.zone_loading import load_zone_set
from tests.hostile import NAMES, hostile_log

SHEETS = ["Summary", "Findings", "Coverage", "Exposure", "Visits", "Events", "Rejects"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "out"
    analysis, _ = run_demo(out, "en")
    return analysis, out / "report.xlsx"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    analysis = analyze([hostile_log(folder / "log.csv")], load_zone_set("gwangju"), Options(base=folder))
    write_outputs(analysis, folder / "out", Run(("zonelog",), "0", lang="ko"))
    return folder / "out" / "report.xlsx"


def rows(sheet):
    heads = [cell.value for cell in sheet[1]]
    return [dict(zip(heads, [c.value for c in row], strict=True)) for row in sheet.iter_rows(min_row=2)]


def test_sheets_filters_heads_and_colours(demo):
    book = openpyxl.load_workbook(demo[1])
    assert book.sheetnames == SHEETS
    for sheet in book.worksheets[1:]:
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref.startswith("A1:")
    assert len(book["Findings"].conditional_formatting) == 1
    assert {str(f.sqref) for f in book["Coverage"].conditional_formatting} == {"F2:F51"}


def test_numbers_and_times_are_real(demo):
    analysis, path = demo
    first = rows(openpyxl.load_workbook(path)["Findings"])[0]
    assert first["Verdict"] == "violation"
    assert first["Check"] == "Outside the zones"
    assert first["Start (UTC+09:00)"] == dt.datetime.fromisoformat("2026-03-17T10:05:24")
    assert first["Peak"] == pytest.approx(30.0, abs=0.01)
    assert isinstance(first["First record"], int)
    exposure = rows(openpyxl.load_workbook(path)["Exposure"])
    assert sum(r["Distance (m)"] for r in exposure) == pytest.approx(analysis.summary["distance_m"], abs=0.01)
    assert exposure[0]["Day"] == dt.datetime.fromisoformat("2026-03-17T00:00:00")


def test_the_summary_says_what_summary_json_says(demo):
    analysis, path = demo
    cells = {row[0].value: row[1].value for row in openpyxl.load_workbook(path)["Summary"].iter_rows()}
    assert cells["violation"] == analysis.summary["findings"]["violation"]
    assert cells["Vehicles"] == analysis.summary["vehicles"]
    assert cells["Did anyone break a rule?"].startswith("Yes: 5 certain violations (3 of 4 vehicles).")


def test_hostile_names_are_text(hostile):
    book = openpyxl.load_workbook(hostile)
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)
    assert all(cell.hyperlink is None for sheet in book for row in sheet.iter_rows() for cell in row)
    names = {row["차량"] for row in rows(book["Findings"])}
    assert len(names) == len(NAMES)
    assert not any("\x1b" in name or "\u202e" in name for name in names)


def test_it_prints_across_with_heads_and_whole_sentences(demo):
    for sheet in openpyxl.load_workbook(demo[1]):
        assert (sheet.page_setup.orientation, int(sheet.page_setup.paperSize)) == ("landscape", 9)
        assert sheet.print_title_rows == "$1:$1"
        assert int(sheet.page_setup.fitToHeight) == 0  # as many as it takes
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
    sheet = openpyxl.load_workbook(demo[1])["Findings"]
    (column,) = (c.column for c in sheet[1] if c.value in {"문장(영어)", "Sentence (English)"})
    for row in range(2, sheet.max_row + 1):
        assert sheet.row_dimensions[row].height >= 15 * len(sheet.cell(row, column).value) / 70
    times = [c for row in openpyxl.load_workbook(demo[1])["Summary"] for c in row if isinstance(c.value, dt.datetime)]
    assert len(times) == 2
    assert all(sheet.parent["Summary"].column_dimensions["B"].width >= 19 for _ in times)


def test_the_same_input_gives_the_same_bytes(tmp_path):
    files = []
    for name in ("a", "b"):
        run_demo(tmp_path / name, "ko")
        files.append((tmp_path / name / "report.xlsx").read_bytes())
    assert files[0] == files[1]


def test_libreoffice_opens_it(demo, hostile, tmp_path):
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        assert not os.environ.get("CI"), "CI must have LibreOffice Calc: see .ci/run"
        pytest.skip("no LibreOffice on this machine: that it opens report.xlsx is NOT tested")
    for number, path in enumerate((demo[1], hostile)):
        home = f"-env:UserInstallation={(tmp_path / 'home').as_uri()}"
        folder = tmp_path / str(number)
        command = [
            office,
            home,
            "--headless",
            "--convert-to",
            "xlsx:Calc MS Excel 2007 XML",
            "--outdir",
            str(folder),
            str(path),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        before, after = openpyxl.load_workbook(path), openpyxl.load_workbook(folder / "report.xlsx")
        assert after.sheetnames == before.sheetnames
        for sheet in before:
            values = [[c.value for c in row] for row in sheet.iter_rows(max_col=3)]
            again = [[c.value for c in row] for row in after[sheet.title].iter_rows(max_col=3, max_row=len(values))]
            assert [r[0] for r in again] == [r[0] for r in values], sheet.title
