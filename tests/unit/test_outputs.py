"""The output folder: whole or not at all, and nothing in it runs."""

import csv
import json

import openpyxl
import polars as pl
import pytest

import analyzer.outputs
from analyzer import tables
from analyzer.analysis import Options, analyze
from analyzer.errors import OutputError
from analyzer.outputs import ALWAYS, Run, outputs, refuse_output, write_outputs
from analyzer.zone_loading import load_zone_set
from tests.hostile import NAMES, hostile_log

RUN = Run(("zonelog", "analyze"), "0.1.0")


@pytest.fixture(scope="module")
def analysis(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    return analyze([hostile_log(folder / "log.csv")], load_zone_set("gwangju"), Options(base=folder))


@pytest.fixture(scope="module")
def written(analysis, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "result"
    write_outputs(analysis, out, RUN)
    return out


def test_every_output_writes_what_it_says(written):
    promised = {name for output in outputs().values() if output.wanted(RUN) for name in output.files} | {"run.json"}
    assert {path.name for path in written.iterdir()} == promised


def test_tables_are_as_documented(written):
    for table in tables.PUBLIC:
        assert pl.read_parquet(written / f"{table.name}.parquet").schema == tables.schema(table)


def test_findings_are_the_same_in_every_form(written, analysis):
    ids = analysis.findings["finding_id"].to_list()
    assert len(set(ids)) == len(ids) == len(NAMES)
    geo = json.loads((written / "findings.geojson").read_text(encoding="utf-8"))
    assert [f["id"] for f in geo["features"]] == ids
    assert {f["properties"]["vehicle_id"] for f in geo["features"]} == set(analysis.findings["vehicle_id"])
    with (written / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["finding_id"] for row in csv.DictReader(file)] == ids
    sheet = openpyxl.load_workbook(written / "report.xlsx")["Findings"]
    assert sorted(cell.value for cell in sheet["A"][1:]) == sorted(ids)


def test_no_cell_is_a_formula(written):
    with (written / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.reader(file):
            for cell in row:
                assert not cell.startswith(("=", "@", "\t")), cell
                assert not cell.startswith(("+", "-")) or cell.lstrip("+-").replace(".", "").replace("e-", "").isdigit()
    for sheet in openpyxl.load_workbook(written / "report.xlsx"):
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)


def test_pages_hold_no_markup_from_the_log(written):
    for name in ("report.html", "map.html"):
        page = (written / name).read_text(encoding="utf-8")
        assert "<img src=x" not in page
        assert "<script>window.pwned" not in page
        assert "<svg/onload" not in page
        assert "{{7*7}}" in page  # shown as it is, never evaluated
        assert "https://" not in page.replace("https://leafletjs.com", "").replace("https://www.hankyung.com", "") or (
            name == "report.html" or 'src="https' not in page
        )
        assert "Content-Security-Policy" in page


def test_run_json_names_all_hashes(written):
    run = json.loads((written / "run.json").read_text(encoding="utf-8"))
    assert set(run["outputs"]) == {p.name for p in written.iterdir()} - {"run.json"}
    assert run["inputs"][0]["sha256"]
    assert set(run["zone_set"]["files"]) == {"zones.geojson", "rules.toml"}
    assert run["evaluation"]["confidence"] == 0.95


def test_every_report_repeats_what_is_not_sure(written):
    for name in ("report.html", "map.html", "summary.json", "run.json"):
        text = (written / name).read_text(encoding="utf-8")
        assert "16.79" in text, name
        assert "sketch" in text, name
        assert "press" in text, name


def test_tables_only(analysis, tmp_path):
    write_outputs(analysis, tmp_path / "out", Run(("zonelog",), "0", map=False, report=False))
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert not names & {"map.html", "report.html", "report.xlsx"}


def test_folders_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.doc").write_text("x", encoding="utf-8")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "run.json").write_text('{"other": 1}', encoding="utf-8")
    for name in (".", "..", "mine", "file", "file/below", "foreign"):
        with pytest.raises(OutputError):
            refuse_output(tmp_path / name if name not in (".", "..") else __import__("pathlib").Path(name))
    assert (tmp_path / "mine" / "thesis.doc").exists()


def test_unwritable_folder(tmp_path, monkeypatch):
    def refused(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(analyzer.outputs.tempfile, "TemporaryDirectory", refused)
    with pytest.raises(OutputError, match="no folder can be written"):
        refuse_output(tmp_path / "out")


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError])
def test_a_crash_leaves_the_previous_result(analysis, tmp_path, monkeypatch, fault):
    out = tmp_path / "out"
    write_outputs(analysis, out, RUN)
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def crash(*_):
        raise fault

    monkeypatch.setattr(analyzer.outputs, "run_record", crash)
    with pytest.raises((KeyboardInterrupt, OutputError)):
        write_outputs(analysis, out, RUN)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_failed_swap_brings_the_previous_result_back(analysis, tmp_path, monkeypatch):
    out = tmp_path / "out"
    write_outputs(analysis, out, RUN)
    honest, calls = analyzer.outputs.os.replace, []

    def second_fails(source, target):
        calls.append(target)
        if len(calls) == 2:
            raise OSError(5, "broken")
        honest(source, target)

    monkeypatch.setattr(analyzer.outputs.os, "replace", second_fails)
    with pytest.raises(OutputError, match="previous result is unchanged"):
        write_outputs(analysis, out, RUN)
    assert (out / "run.json").exists()


def test_what_every_run_wants_is_what_is_imported_without_drawing():
    wanted = {
        name for name, output in outputs().items() if output.wanted(Run(("zonelog",), "0", map=False, report=False))
    }
    assert wanted == set(ALWAYS)
