"""`zonelog formats guess`: what it says of a table, and that its profile makes the file readable."""

import math

import pytest
from click.testing import CliRunner

from analyzer.__main__ import cli
from analyzer.errors import LogError
from analyzer.logs import ReadOptions, guess_log, read_log
from tests.hostile import NAMES


def write(tmp_path, text, name="log.csv", encoding="utf-8"):
    (tmp_path / name).write_bytes(text.encode(encoding))
    return str(tmp_path / name)


def again(tmp_path, path, timezone=None):
    """Return the guess, and the log read by it."""
    page = guess_log(path, timezone, "en")
    profile = tmp_path / "guessed.toml"
    profile.write_text(page, encoding="utf-8")
    return page, read_log(path, ReadOptions(profile=profile))


def drive(unit=1.0, seconds=60, step_mps=5.0):
    """Yield second, latitude, longitude, speed in some unit of a drive to the north."""
    for second in range(seconds):
        yield second, 35.15 + second * step_mps / 111_195.0, 126.80321, step_mps * unit


@pytest.mark.parametrize(
    ("unit", "name"), [(1.0, "speed_mps"), (3.6, "speed_kph"), (2.237, "speed_mph"), (1.944, "speed_kn")]
)
def test_the_unit_of_speed_by_the_way(tmp_path, unit, name):
    rows = [f"V1,2026-03-17T10:00:{s:02d}+09:00,{lat},{lon},{v}" for s, lat, lon, v in drive(unit)]
    path = write(tmp_path, "\n".join(["vehicle_id,timestamp,latitude,longitude,speed", *rows]) + "\n")
    page, log = again(tmp_path, path)
    assert f'\n{name} = "speed"\n' in page
    assert f"is {unit:.2f} over 59 moving pairs" in page
    assert log.records["speed_kph"].to_list() == pytest.approx([18.0] * 60, rel=1e-3)


def test_a_unit_that_nothing_tells_is_left_open(tmp_path):
    path = write(tmp_path, "vehicle_id,timestamp,lat,lon,speed\nV1,2026-03-17T10:00:00Z,35.1,126.8,5\n")
    page = guess_log(path, None, "en")
    assert '\n# speed_kph = "speed"\n' in page
    assert "refused until you say it" in page


def test_a_declared_unit_that_does_not_agree_is_said(tmp_path):
    rows = [f"V1,2026-03-17T10:00:{s:02d}+09:00,{lat},{lon},{v}" for s, lat, lon, v in drive(3.6)]
    path = write(tmp_path, "\n".join(["vehicle_id,timestamp,latitude,longitude,speed_mps", *rows]) + "\n")
    assert "the name says speed_mps, but the way does not agree" in guess_log(path, None, "en")


def test_no_header_and_local_times(tmp_path):
    rows = [f"{lat:.6f} | {lon:.6f} | T-{s % 2} | 2026-03-17 10:00:{s:02d}" for s, lat, lon, _ in drive()]
    path = write(tmp_path, "\n".join(rows) + "\n", "log.psv")
    page = guess_log(path, None, "en")
    assert "no header" in page
    assert "times have no offset" in page
    _, log = again(tmp_path, path, "Asia/Seoul")
    assert log.records["vehicle_id"].unique().sort().to_list() == ["T-0", "T-1"]
    assert (log.record_count, log.rejects.height) == (60, 0)
    assert log.records["latitude"].to_list()[0] == pytest.approx(35.15)


def test_korean_table_with_commas_formats_and_words(tmp_path):
    header = "차량번호;일시;위도;경도;속도;주행모드"
    rows = [
        f"청소1호;17.03.2026 10:00:{s:02d};{lat:.6f};{lon:.6f};{v:.1f};자율".replace("35.", "35,")
        .replace("126.", "126,")
        .replace("18.0", "18,0")
        for s, lat, lon, v in drive(3.6)
    ]
    path = write(tmp_path, "\n".join([header, *rows]) + "\n", encoding="cp949")
    page, log = again(tmp_path, path, "Asia/Seoul")
    assert 'decimal = ","' in page
    assert 'encoding = "cp949"' in page
    assert 'format = "%d.%m.%Y %H:%M:%S"' in page
    assert log.records["speed_kph"].to_list() == [18.0] * 60
    assert log.records["control_mode"].unique().to_list() == ["autonomous"]
    assert "인코딩 cp949" in guess_log(path, None, "ko")


@pytest.mark.parametrize(("x", "y", "crs"), [("x", "y", "EPSG:5179"), ("y", "x", "EPSG:5179")])
def test_metres_are_recognised_and_put_in_order(tmp_path, x, y, crs):
    rows = [f"V1,2026-03-17T10:00:{s:02d}Z,{938120.7},{1688687.6 + 5 * s}" for s in range(30)]
    path = write(tmp_path, "\n".join([f"vehicle_id,time,{x},{y}", *rows]) + "\n")
    page, log = again(tmp_path, path)
    assert f'crs = "{crs}"' in page
    assert log.records["longitude"][0] == pytest.approx(126.8203, abs=1e-4)
    assert log.records["latitude"][0] == pytest.approx(35.1916, abs=1e-4)


def test_swapped_degrees_are_exchanged(tmp_path):
    path = write(tmp_path, "vehicle_id,timestamp,latitude,longitude\nV1,2026-03-17T10:00:00Z,126.8203,35.1916\n")
    page, log = again(tmp_path, path)
    assert "the names are swapped" in page
    assert log.records.select("longitude", "latitude").rows() == [(126.8203, 35.1916)]


def test_days_first_or_months_first_is_not_decided(tmp_path):
    path = write(tmp_path, "id,when,lat,lon\nV1,03/04/2026 10:00:00,35.1,126.8\n")
    assert '"%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S" all fit' in guess_log(path, None, "en")


def test_hostile_names_stay_inside_their_line(tmp_path):
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["vehicle_id", "timestamp", "latitude", "longitude", *NAMES, 'a\n[fixed]\nvehicle_id = "evil"'])
    writer.writerow(["V1", "2026-03-17T10:00:00Z", "35.1", "126.8", *NAMES, "x"])
    path = write(tmp_path, out.getvalue())
    page, log = again(tmp_path, path)
    assert log.records["vehicle_id"].to_list() == ["V1"]
    assert all(math.isfinite(ord(c)) and (c == "\n" or (c.isprintable())) for c in page)


def test_on_the_command_line(tmp_path):
    path = write(tmp_path, "vehicle_id,timestamp,lat,lon\nV1,2026-03-17T10:00:00Z,35.1,126.8\n")
    runner = CliRunner()
    done = runner.invoke(cli, ["formats", "guess", path, "--lang", "en"])
    assert done.exit_code == 0
    assert done.output.startswith('# "log.csv": read as csv\n')
    assert runner.invoke(cli, ["formats", "guess"]).exit_code == 2
    assert runner.invoke(cli, ["formats", "csv", path]).exit_code == 2


@pytest.mark.parametrize("text", ["", "just words\nand more\n", "a,b\n1,2\n", "a,b,c\n" + "x" * 200_000 + ",2,3\n"])
def test_what_is_no_table_is_refused(tmp_path, text):
    with pytest.raises(LogError):
        guess_log(write(tmp_path, text), None, "en")


def test_real_tables(real_logs, tmp_path):
    _, trucks = again(tmp_path, str(real_logs / "jersey_city_garbage_trucks.psv"), "America/New_York")
    assert (trucks.record_count, trucks.records["vehicle_id"].n_unique()) == (7971, 68)
    page = guess_log(str(real_logs / "capmetrics_2016-12-16_mps.csv"), None, "en")
    assert "nearest to speed_mps" in page


def test_old_line_ends_are_read(tmp_path):
    path = write(tmp_path, "vehicle_id,timestamp,lat,lon\rV1,2026-03-17T10:00:00Z,35.1,126.8\rx\n")
    assert 'latitude = "lat"' in guess_log(path, None, "en")


def test_times_of_a_korean_spreadsheet(tmp_path):
    rows = [f"V1,2026. 3. 17. 오후 1:00:{s:02d},{lat},{lon},{v}" for s, lat, lon, v in drive(3.6)]
    path = write(tmp_path, "\n".join(["차량번호,일시,위도,경도,속도_kph", *rows]) + "\n", encoding="cp949")
    page, log = again(tmp_path, path, "Asia/Seoul")
    assert 'timestamp = "일시"' in page
    assert log.records["time"][0].isoformat() == "2026-03-17T04:00:00+00:00"


def test_a_refusal_shows_what_it_could_not_read_and_where_to_look(tmp_path):
    path = write(tmp_path, "vehicle_id,timestamp,lat,lon\nv,\x1b[31mnow,35.1,126.8\n")
    with pytest.raises(LogError, match=r"bad-time \('v  \[31mnow 35.1 126.8'\).*zonelog formats guess"):
        read_log(path, ReadOptions())
