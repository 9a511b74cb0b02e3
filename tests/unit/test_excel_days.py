"""Times that are days as Excel counts them: read where a profile says so, else refused and suggested."""

import datetime as dt
import json

import polars as pl
import pytest
import xlsxwriter

from analyzer.errors import LogError
from analyzer.logs import ReadOptions, guess_log, read_log

SEOUL = 'timezone = "Asia/Seoul"\n'
EXCEL = f'[time]\nformat = "excel"\n[fixed]\n{SEOUL}'
START = dt.datetime(2026, 3, 17, 10, 0, 0)  # noqa: DTZ001 - local, as in a workbook
DAYS = [(START - dt.datetime(1899, 12, 30)) / dt.timedelta(days=1) + n / 86_400 for n in range(30)]  # noqa: DTZ001
INSTANTS = [dt.datetime(2026, 3, 17, 1, 0, n, tzinfo=dt.UTC) for n in range(30)]


def table(*days, name="timestamp"):
    rows = [f"V1,{day},{35.15 + n * 1e-5:.7f},126.8" for n, day in enumerate(days)]
    return "\n".join([f"vehicle_id,{name},latitude,longitude", *rows]) + "\n"


def read(tmp_path, text, profile=EXCEL, timezone=None):
    (tmp_path / "log.csv").write_text(text, encoding="utf-8")
    (tmp_path / "profile.toml").write_text(profile, encoding="utf-8")
    options = ReadOptions(timezone=timezone, profile=tmp_path / "profile.toml" if profile else None)
    return read_log(str(tmp_path / "log.csv"), options)


def test_days_are_read_where_a_profile_says_so(tmp_path):
    log = read(tmp_path, table(*(f"{day:.10f}" for day in DAYS)))
    assert log.records["time"].to_list() == INSTANTS
    assert [remark.code for remark in log.remarks] == []


def test_days_of_a_decimal_comma_and_beside_a_date(tmp_path):
    commas = table(f"{DAYS[0]:.9f}").replace(",", ";").replace(".", ",")
    assert read(tmp_path, commas, f'[read]\ndecimal = ","\n{EXCEL}').records["time"].to_list() == INSTANTS[:1]
    text = f"day,timestamp,latitude,longitude\n46098,{DAYS[7] % 1:.10f},35.15,126.8\n"
    beside = read(tmp_path, text, f'[columns]\ndate = "day"\n{EXCEL}')
    assert beside.records["time"].to_list() == [INSTANTS[7]]


def test_days_without_a_zone_are_refused(tmp_path):
    with pytest.raises(LogError, match="no offset"):
        read(tmp_path, table(DAYS[0]), '[time]\nformat = "excel"\n')


def test_what_is_no_day_is_a_bad_time(tmp_path):
    log = read(tmp_path, table(DAYS[0], "x", "", "nan", "1e300", -3, 0.5, "9" * 30))
    assert (log.records.height, log.rejects["reason"].to_list()) == (1, ["bad-time"] * 7)


def test_few_decimals_are_told(tmp_path):
    log = read(tmp_path, table(f"{DAYS[0]:.5f}", f"{DAYS[1]:.5f}"))
    assert [(remark.code, remark.words) for remark in log.remarks] == [("coarse-days", ("0.86",))]


@pytest.mark.parametrize("name", ["timestamp", "time", "timestamp_s", "timestamp_ms"])
def test_days_that_nobody_declares_are_refused_with_the_way_out(tmp_path, name):
    with pytest.raises(LogError, match=r'days as Excel counts them.*format = "excel"'):
        read(tmp_path, table(*DAYS, name=name), "", "Asia/Seoul")


def test_days_in_typed_tables_and_workbooks(tmp_path):
    profile = tmp_path / "profile.toml"
    profile.write_text(EXCEL, encoding="utf-8")
    frame = pl.DataFrame({"vehicle_id": "V1", "timestamp": DAYS, "latitude": 35.15, "longitude": 126.8})
    frame.write_parquet(tmp_path / "log.parquet")
    frame.write_ndjson(tmp_path / "log.ndjson")
    (tmp_path / "log.json").write_text(json.dumps(frame.to_dicts()), encoding="utf-8")
    book = xlsxwriter.Workbook(str(tmp_path / "log.xlsx"))
    sheet = book.add_worksheet()
    for place, row in enumerate([frame.columns, *frame.rows()]):
        sheet.write_row(place, 0, row)
    book.close()
    for name in ("log.parquet", "log.ndjson", "log.json", "log.xlsx"):
        assert read_log(str(tmp_path / name), ReadOptions(profile=profile)).records["time"].to_list() == INSTANTS
        with pytest.raises(LogError, match="days as Excel counts them"):
            read_log(str(tmp_path / name), ReadOptions(timezone="Asia/Seoul"))


@pytest.mark.parametrize("name", ["timestamp", "찍힌 때"])
def test_a_guess_suggests_them(tmp_path, name):
    path = tmp_path / "log.csv"
    path.write_text(table(*(f"{day:.10f}" for day in DAYS), name=name), encoding="utf-8")
    page = guess_log(str(path), "Asia/Seoul", "en")
    assert "look like days as Excel counts them" in page
    assert read(tmp_path, path.read_text("utf-8"), page).records["time"].to_list() == INSTANTS


def test_an_odometer_is_not_guessed_to_be_a_time(tmp_path):
    path = tmp_path / "log.csv"
    rows = [f"{45123 + n / 7:.2f},2026-03-17T10:00:{n:02}Z,35.{n:05},126.8" for n in range(30)]
    path.write_text("\n".join(["km,when,latitude,longitude", *rows]) + "\n", encoding="utf-8")
    assert 'timestamp = "when"' in guess_log(str(path), None, "en")
