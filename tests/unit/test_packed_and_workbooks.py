"""Tables packed by gzip and Zstandard, and workbooks: read as the plain ones, and what is refused."""

import datetime as dt
import gzip
import io
import json
import random
import zipfile
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from analyzer.errors import LogError
from analyzer.logs import PartSize, ReadOptions, _packed, find_logs, plan_log, read_log

HEADER = "vehicle_id,timestamp,latitude,longitude,speed_kph,note"
ROWS = [f'V{n % 3},2026-03-17T10:{n // 60:02d}:{n % 60:02d}+09:00,35.15,126.8{n:04d},5,"a\nb"' for n in range(300)]
TEXT = "\n".join([HEADER, *ROWS]) + "\n"
SEOUL = ReadOptions(timezone="Asia/Seoul")


def zst(data):
    return _packed.zstd.compress(data)


PACKERS = {".gz": gzip.compress, ".zst": zst}


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
def test_packed_tables_are_read_as_the_plain_ones(tmp_path, suffix, encoding):
    data = TEXT.replace("V1", "청소1호").encode(encoding)
    plain, packed = tmp_path / "log.csv", tmp_path / f"log.csv{suffix}"
    plain.write_bytes(data)
    packed.write_bytes(PACKERS[suffix](data))
    one = read_log(str(plain), ReadOptions())
    size = PartSize(text_bytes=4000)
    other = read_log(str(packed), ReadOptions(), size)
    assert other.records.equals(one.records)
    assert other.record_count == 300
    assert encoding == "utf-16" or len(plan_log(str(packed), ReadOptions(), size).parts) > 3
    assert find_logs([str(tmp_path)]) == sorted(map(str, (plain, packed)))


def test_members_of_gzip_one_after_the_other_with_blanks_behind(tmp_path):
    data = TEXT.encode()
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(data[:999]) + gzip.compress(data[999:]) + b"\0" * 600_000)
    assert read_log(str(path), ReadOptions()).record_count == 300
    path.write_bytes(gzip.compress(data) + b"garbage")
    with pytest.raises(LogError, match="cannot be unpacked"):
        read_log(str(path), ReadOptions())


@pytest.mark.parametrize("suffix", PACKERS)
def test_what_is_packed_is_unpacked_once_and_again_when_it_is_another_file(tmp_path, suffix, monkeypatch):
    """Three parts, two passes and more: the file that is read far into is unpacked a single time."""
    copied = []
    once = _packed._copy
    monkeypatch.setattr(_packed, "_copy", lambda opened: copied.append(1) or once(opened))
    path = tmp_path / f"log.csv{suffix}"
    path.write_bytes(PACKERS[suffix](TEXT.encode()))
    assert read_log(str(path), ReadOptions(), PartSize(text_bytes=6000)).record_count == 300
    assert len(copied) == 1
    path.write_bytes(PACKERS[suffix]("\n".join([HEADER, *ROWS[:99]]).encode()))
    assert read_log(str(path), ReadOptions(), PartSize(text_bytes=6000)).record_count == 99
    assert len(copied) == 2


def test_without_room_for_a_copy_it_is_unpacked_on_the_way(tmp_path, monkeypatch):
    def full(opened):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_packed, "_copy", full)
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(TEXT.encode()))
    assert read_log(str(path), ReadOptions(), PartSize(text_bytes=6000)).record_count == 300


def test_packed_lines_of_json_and_a_wrong_name(tmp_path):
    row = '{"vehicle_id":"V1","timestamp":"2026-03-17T10:00:00Z","latitude":35.1,"longitude":126.8}\n'
    (tmp_path / "log.ndjson.gz").write_bytes(gzip.compress(row.encode() * 3))
    assert read_log(str(tmp_path / "log.ndjson.gz"), ReadOptions()).record_count == 3
    (tmp_path / "log.csv").write_bytes(gzip.compress(TEXT.encode()))
    assert read_log(str(tmp_path / "log.csv"), ReadOptions()).record_count == 300


def test_packed_formats_that_are_not_read_so_are_named(tmp_path):
    buffer = io.BytesIO()
    pl.DataFrame({"a": [1]}).write_parquet(buffer)
    (tmp_path / "log.parquet.gz").write_bytes(gzip.compress(buffer.getvalue()))
    with pytest.raises(LogError, match="unpack it first"):
        read_log(str(tmp_path / "log.parquet.gz"), ReadOptions())


@pytest.mark.parametrize("suffix", PACKERS)
def test_bombs_and_cut_files_are_refused(tmp_path, suffix):
    path = tmp_path / f"log.csv{suffix}"
    path.write_bytes(PACKERS[suffix](TEXT.encode() + b"\n" * (64 << 20)))
    with pytest.raises(LogError, match="unpacks to more than"):
        read_log(str(path), ReadOptions())
    whole = PACKERS[suffix](TEXT.encode() * 50)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LogError, match="cannot be unpacked"):
        read_log(str(path), ReadOptions())


def workbook(path, *sheets):
    book = xlsxwriter.Workbook(str(path))
    when = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for name, rows in sheets:
        sheet = book.add_worksheet(name)
        for place, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, dt.datetime):
                    sheet.write_datetime(place, column, value, when)
                elif value is not None:
                    sheet.write(place, column, value)
    book.close()
    return str(path)


def route(*speeds):
    start = dt.datetime(2026, 3, 17, 10, 0, 0)  # noqa: DTZ001 - a workbook has local times
    rows = [(True, start + dt.timedelta(seconds=n), 35.1916, 126.8203, 40, speed) for n, speed in enumerate(speeds)]
    header = ("Valid", "Time", "Latitude", "Longitude", "Altitude", "Speed")
    return [("Report type:", "Route"), ("Device:", "Sweeper 1"), (None,), header, *rows]


def test_route_report_of_traccar(tmp_path):
    path = workbook(tmp_path / "route.xlsx", ("Sweeper 1", route("18.5 km/h", "10 mph", "10 kn")), ("Notes", [("x",)]))
    with pytest.raises(LogError, match="--timezone"):
        read_log(path, ReadOptions())
    log = read_log(path, SEOUL)
    assert log.records["time"].to_list() == [dt.datetime(2026, 3, 17, 1, 0, n, tzinfo=dt.UTC) for n in range(3)]
    assert log.records["speed_kph"].to_list() == pytest.approx([18.5, 16.09344, 18.52])
    assert log.records["latitude"].to_list() == [35.1916] * 3
    assert {n.code for n in log.notices} == {"built-in-profile", "vehicle-from-file"}


def test_the_sheet_must_be_sure(tmp_path):
    path = workbook(tmp_path / "two.xlsx", ("a", route("1 km/h")), ("b", route("2 km/h", "3 km/h")))
    with pytest.raises(LogError, match=r"several sheets can be the log \(a, b\)"):
        read_log(path, SEOUL)
    profile = tmp_path / "p.toml"
    profile.write_text(
        '[columns]\nspeed_with_unit = "Speed"\n[read]\nsheet = "b"\n[fixed]\ntimezone = "Asia/Seoul"\n', "utf-8"
    )
    assert read_log(path, ReadOptions(profile=profile)).records["speed_kph"].to_list() == [2.0, 3.0]
    profile.write_text('[read]\nsheet = "c"\n', "utf-8")
    with pytest.raises(LogError, match="has no sheet 'c'; it has a, b"):
        read_log(path, ReadOptions(profile=profile))


def test_workbooks_with_numbers_as_names_and_empty_rows(tmp_path):
    rows = [("vehicle_id", "timestamp", "latitude", "longitude")]
    rows += [(971650, "2026-03-17T10:00:00+09:00", 35.1, 126.8), (None,), (971650, "2026-03-17T10:00:01+09:00", 0, 0)]
    log = read_log(workbook(tmp_path / "log.xlsx", ("log", rows)), ReadOptions())
    assert log.records["vehicle_id"].to_list() == ["971650"]
    assert (log.record_count, log.rejects.select("record", "reason").rows()) == (2, [(2, "bad-position")])


def repacked(path, change):
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(info.filename, change(info.filename, old.read(info)))
    Path(path).write_bytes(out.getvalue())


def test_workbooks_that_are_bombs_are_refused(tmp_path):
    path = workbook(tmp_path / "log.xlsx", ("log", route("1 km/h")))
    repacked(path, lambda name, data: data + b" " * (64 << 20) if "sheet1" in name else data)
    with pytest.raises(LogError, match="unpacks to more than"):
        read_log(path, SEOUL)


@pytest.mark.parametrize("cell", [b'<c r="XFD1048576"', b"<c r='XFD1048576'"])
def test_cells_far_apart_are_refused(tmp_path, cell):
    path = workbook(tmp_path / "far.xlsx", ("log", route("1 km/h")))
    repacked(path, lambda name, data: data.replace(b'<c r="A1"', cell) if "sheet1" in name else data)
    with pytest.raises(LogError, match="too far apart"):
        read_log(path, SEOUL)


@pytest.mark.parametrize("rows", [10, 5000])
def test_packed_json(tmp_path, rows):
    record = {"vehicle_id": "V1", "timestamp": "2026-03-17T01:00:00Z", "latitude": 35.15, "longitude": 126.8}
    feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [126.8, 35.15]}, "properties": record}
    for name, value in (
        ("a.json.gz", [record] * rows),
        ("b.geojson.gz", {"type": "FeatureCollection", "features": [feature] * rows}),
    ):
        (tmp_path / name).write_bytes(gzip.compress(json.dumps(value).encode()))
        assert read_log(str(tmp_path / name), ReadOptions()).records.height == rows


def test_packed_json_that_grows_far_is_refused(tmp_path):
    (tmp_path / "a.json.gz").write_bytes(
        gzip.compress(b'[{"a": "' + bin(random.Random(1).getrandbits(18 << 20)).encode() + b'"}]', 1)
    )
    with pytest.raises(LogError, match="unpack it first"):
        read_log(str(tmp_path / "a.json.gz"), ReadOptions())
