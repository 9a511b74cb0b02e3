"""Profiles: what they can say, what is refused in them, those that are built in."""

import datetime as dt

import pytest
from pyproj import Transformer

from analyzer.errors import LogError
from analyzer.logs import ReadOptions, _places, plan_log, read_log
from analyzer.logs._profile import BUILT_IN, built_in_names, load_profile

UTC = dt.UTC
LON, LAT = 126.8203, 35.1916


def read(tmp_path, text, profile="", *, timezone=None, encoding="utf-8", name="log.csv"):
    (tmp_path / name).write_bytes(text.encode(encoding))
    path = None
    if profile:
        path = tmp_path / "profile.toml"
        path.write_text(profile, encoding="utf-8")
    return read_log(str(tmp_path / name), ReadOptions(timezone=timezone, profile=path))


def codes(log):
    return [notice.code for notice in log.notices]


# Eastings and northings of 126.8203 E, 35.1916 N; those of KGD2002 by pyproj, KATEC by PROJ's command line.
@pytest.mark.parametrize("crs", ["EPSG:5179", "EPSG:5186", "EPSG:5181", "EPSG:5174", "EPSG:32652", "KATEC"])
def test_metres_of_a_declared_system(tmp_path, crs):
    there = Transformer.from_crs("EPSG:4326", _places.KATEC if crs == "KATEC" else crs, always_xy=True)
    x, y = there.transform(LON, LAT)
    text = f"car,time,x,y\nV1,2026-03-17T10:00:00Z,{x:.4f},{y:.4f}\nV1,2026-03-17T10:00:01Z,,{y}\n"
    columns = '[columns]\nvehicle_id = "car"\nlongitude = "x"\nlatitude = "y"\n'
    log = read(tmp_path, text, f'{columns}[position]\ncrs = "{crs}"\n')
    assert log.records["longitude"][0] == pytest.approx(LON, abs=1e-7)
    assert log.records["latitude"][0] == pytest.approx(LAT, abs=1e-7)
    assert log.rejects["reason"].to_list() == ["bad-position"]
    with pytest.raises(LogError, match="not degrees"):
        read(tmp_path, text, columns)


def test_metres_with_exchanged_axes_are_refused_where_they_fall_elsewhere(tmp_path):
    text = "vehicle_id,time,x,y\nV1,2026-03-17T10:00:00Z,938120.7,1688687.6\n"
    columns = '[columns]\nlongitude = "y"\nlatitude = "x"\n'
    with pytest.raises(LogError, match="exchanged"):
        read(tmp_path, text, f'{columns}[position]\ncrs = "EPSG:5179"\n')


def test_katec_lies_where_the_older_belt_lies():
    katec = Transformer.from_crs(_places.KATEC, "EPSG:4326", always_xy=True).transform(292764.048, 288710.829)
    assert katec == pytest.approx((LON, LAT), abs=1e-6)


def test_semicolons_decimal_commas_and_a_day_of_its_own(tmp_path):
    text = "Bericht vom 17.3.\n\nWagen;Tag;Uhr;Breite;Laenge;v\nK1;17.03.2026;10:00:00;35,1916;126,8203;5,5\n"
    profile = """[columns]
vehicle_id = "Wagen"
date = "Tag"
timestamp = "Uhr"
latitude = "Breite"
longitude = "Laenge"
speed_kph = "v"
[time]
format = "%d.%m.%Y %H:%M:%S"
[fixed]
timezone = "Europe/Berlin"
[read]
delimiter = ";"
decimal = ","
skip_rows = 1
"""
    row = read(tmp_path, text, profile).records.row(0, named=True)
    assert row["time"] == dt.datetime(2026, 3, 17, 9, tzinfo=UTC)
    assert (row["latitude"], row["longitude"], row["speed_kph"]) == (35.1916, 126.8203, 5.5)


def test_format_of_time_needs_a_zone_and_counts_what_does_not_fit(tmp_path):
    text = "car,when,lat,lon\nV1,20260317100000,35.1,126.8\nV1,soon,35.1,126.8\n"
    profile = '[columns]\nvehicle_id = "car"\ntimestamp = "when"\n[time]\nformat = "%Y%m%d%H%M%S"\n'
    with pytest.raises(LogError, match="--timezone"):
        read(tmp_path, text, profile)
    log = read(tmp_path, text, profile, timezone="Asia/Seoul")
    assert log.records["time"].to_list() == [dt.datetime(2026, 3, 17, 1, tzinfo=UTC)]
    assert log.rejects["reason"].to_list() == ["bad-time"]


@pytest.mark.parametrize(
    ("profile", "says"),
    [
        ('[time]\nformat = "%Q"', "format"),
        ('[time]\nformat = "yesterday"', "format"),
        ('[position]\ncrs = "5186"', "EPSG:5186"),
        ('[position]\ncrs = "EPSG:999999"', "not known"),
        ("[position]\nintegerscale = 1e7", "did you mean `integer_scale`"),
        ('[position]\ncrs = "KATEC"\ninteger_scale = 1e7', "not both"),
        ('[read]\ndelimiter = "||"', "one character"),
        ('[read]\ndecimal = ";"', "decimal"),
        ("[read]\nskip_rows = -1", "skip_rows"),
        ('[read]\nencoding = "rot13"', "encoding"),
        ('[read]\ncolumns = ["a", "a"]', "different names"),
        ('[fixed]\ntimezone = "Seoul"', "IANA"),
        ('[fixed]\ncontrol_mode = "auto"', "must be one of"),
        ("[columns]\nlatitude = 3", "must be text"),
        ('[values.fix]\n"0" = "none"', "not one of yes, no"),
        ("[values]\nfix = 1", "must be a table"),
        ("[match]", "must be names"),
    ],
)
def test_a_profile_that_means_nothing_is_refused(tmp_path, profile, says):
    text = "vehicle_id,timestamp,latitude,longitude\nV1,2026-03-17T10:00:00Z,35.1,126.8\n"
    with pytest.raises(LogError, match=says):
        read(tmp_path, text, profile)


def test_built_in_profiles_are_sound_and_known_by_name(tmp_path):
    assert {path.stem for path in BUILT_IN.glob("*.toml")} == set(built_in_names())
    for name in built_in_names():
        assert load_profile(tmp_path.__class__(name)).name == name
    with pytest.raises(LogError, match=r"built in are: .*traccar-csv"):
        load_profile(tmp_path / "none.toml")


TRACCAR = """id,deviceId,protocol,serverTime,deviceTime,fixTime,valid,latitude,longitude,altitude,speed,course,address,accuracy
1,7,osmand,2026-03-17 10:00:09,2026-03-17 10:00:00,2026-03-17 10:00:00,true,35.1916,126.8203,40,10,90,,0
2,7,osmand,2026-03-17 10:00:19,2026-03-17 10:00:10,2026-03-17 10:00:10,false,35.1916,126.8203,40,0,90,,0
"""


def test_traccar_csv_is_in_knots_and_in_the_time_of_its_user(tmp_path):
    with pytest.raises(LogError, match="--timezone"):
        read(tmp_path, TRACCAR)
    log = read(tmp_path, TRACCAR, timezone="Asia/Seoul")
    row = log.records.row(0, named=True)
    assert (row["vehicle_id"], row["time"]) == ("7", dt.datetime(2026, 3, 17, 1, tzinfo=UTC))
    assert row["speed_kph"] == pytest.approx(18.52)
    assert "horizontal_accuracy_m" not in log.records.columns
    assert log.rejects.select("record", "reason").rows() == [(2, "no-fix")]
    assert codes(log) == ["built-in-profile", "other-times"]


@pytest.mark.parametrize(("lon", "lat"), [("1268203000", "351916000"), ("126.8203", "35.1916")])
def test_teltonika_in_degrees_or_whole_numbers(tmp_path, lon, lat):
    rows = [f"1773709200250,1,{lon},{lat},40,90,{satellites},{speed}" for satellites, speed in ((9, 12), (0, 0))]
    text = "\n".join(["timestamp,priority,longitude,latitude,altitude,angle,satellites,speed", *rows]) + "\n"
    log = read(tmp_path, text)
    row = log.records.row(0, named=True)
    assert row["time"] == dt.datetime(2026, 3, 17, 1, 0, 0, 250_000, tzinfo=UTC)
    assert (row["longitude"], row["latitude"]) == pytest.approx((LON, LAT))
    assert row["speed_kph"] == 12
    assert log.rejects["reason"].to_list() == ["no-fix"]


def test_speeds_with_their_unit(tmp_path):
    rows = [
        f"true,2026-03-17 10:00:0{n},35.1,126.8,{speed}"
        for n, speed in enumerate(["12.3 km/h", "10 mph", "10 kn", "", "fast"])
    ]
    text = "\n".join(["Valid,Time,Latitude,Longitude,Speed", *rows]) + "\n"
    log = read(tmp_path, text, timezone="Asia/Seoul")
    assert log.records["speed_kph"].to_list() == [
        pytest.approx(12.3),
        pytest.approx(16.09344),
        pytest.approx(18.52),
        None,
        None,
    ]
    with pytest.raises(LogError, match="has no unit"):
        read(tmp_path, text.replace(" km/h", "").replace(" mph", "").replace(" kn", ""), timezone="Asia/Seoul")
    with pytest.raises(LogError, match=r'decimal comma is said in a profile: \[read\] decimal = ","'):
        read(
            tmp_path,
            text.replace(",", ";").replace("12.3 km", "12,3 km").replace("10 ", "10,5 "),
            timezone="Asia/Seoul",
        )


@pytest.mark.parametrize(("number", "unit"), [("1773709200", "s"), ("1773709200000", "ms"), ("1773709200000000", "us")])
def test_the_size_of_an_epoch_is_taken_where_no_name_says_it(tmp_path, number, unit):
    log = read(tmp_path, f"vehicle_id,time,lat,lon\nV1,{number},35.1,126.8\n")
    assert log.records["time"].to_list() == [dt.datetime(2026, 3, 17, 1, tzinfo=UTC)]
    assert f"as {unit} since" in str(log.notices)


def test_names_of_vehicles_lose_a_point_only_with_a_word(tmp_path):
    header = "vehicle_id,timestamp,latitude,longitude\n"
    row = ",2026-03-17T10:00:00Z,35.1,126.8\n"
    log = read(tmp_path, f"{header}971650.0{row}977331{row}971650.0{row}")
    assert log.records["vehicle_id"].to_list() == ["971650", "977331", "971650"]
    assert " 2 vehicle names" in str(log.notices)
    log = read(tmp_path, f"{header}1.0{row}v1.0{row}1.50{row}")
    assert log.records["vehicle_id"].to_list() == ["1", "v1.0", "1.50"]


def test_a_point_where_commas_are_decimal_is_no_number(tmp_path):
    text = "vehicle_id;timestamp;latitude;longitude;speed_kph\n" + "".join(
        f"V1;2026-03-17T10:00:00Z;35,1;126,8;{speed}\n" for speed in ("5,5", "1.005,5", "5.5", "5")
    )
    log = read(tmp_path, text, '[read]\ndelimiter = ";"\ndecimal = ","\n')
    assert log.records["speed_kph"].to_list() == [5.5, 1005.5, None, 5.0]


def test_local_times_that_are_skipped_or_come_twice(tmp_path):
    # Berlin 2026: 29 March 02:00 becomes 03:00 (01:00 UTC); 25 October 03:00 becomes 02:00.
    text = "vehicle_id,timestamp,latitude,longitude\n" + "".join(
        f"V1,{when},35.1,126.8\n"
        for when in ("2026-03-29 01:59:59", "2026-03-29 02:30:30", "2026-03-29 03:00:01", "2026-10-25 02:30:00")
    )
    log = read(tmp_path, text, timezone="Europe/Berlin")
    assert log.records["time"].to_list() == [
        dt.datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC),
        dt.datetime(2026, 3, 29, 1, 0, 0, tzinfo=UTC),
        dt.datetime(2026, 3, 29, 1, 0, 1, tzinfo=UTC),
        dt.datetime(2026, 10, 25, 0, 30, 0, tzinfo=UTC),
    ]
    assert codes(log) == ["clock-fold", "clock-gap"]


def test_garbage_trucks(real_logs, tmp_path):
    path = str(real_logs / "jersey_city_garbage_trucks.psv")
    log = read_log(path, ReadOptions(profile=tmp_path.__class__("jersey-city-trucks")))
    assert (log.record_count, log.records.height, log.rejects.height) == (7971, 7971, 0)
    assert log.records["vehicle_id"].n_unique() == 68
    assert log.records.unique(["vehicle_id", "time"]).height == 7349


def test_other_real_tables(real_logs, tmp_path):
    name = tmp_path.__class__
    buses = read_log(str(real_logs / "capmetrics_2016-12-16_mps.csv"), ReadOptions(profile=name("capmetrics-mps")))
    assert (buses.record_count, buses.records["vehicle_id"].n_unique()) == (34501, 279)
    assert buses.records["speed_kph"][0] == pytest.approx(5.36448 * 3.6)
    car = read_log(str(real_logs / "comma2k19_ublox_10hz.csv"), ReadOptions())
    assert car.record_count == car.records.height == 579
    ford = read_log(str(real_logs / "catvehicle_gps_odom.csv"), ReadOptions(profile=name("catvehicle-odometry")))
    assert ford.record_count == 560
    assert ford.records["latitude"][0] == pytest.approx(32.21, abs=0.02)  # Tucson
    assert ford.records["longitude"][0] == pytest.approx(-110.94, abs=0.02)
    assert plan_log(str(real_logs / "comma2k19_ublox_10hz.csv"), ReadOptions()).format == "csv"


def test_blanks_around_the_separator_do_not_count(tmp_path):
    text = "vehicle_id | timestamp | latitude | longitude | speed_kph\nV1 | 2026-03-17T10:00:00Z | 35.1 | 126.8 | 5\n"
    log = read(tmp_path, text, name="log.psv")
    assert log.records.select("vehicle_id", "latitude", "longitude", "speed_kph").rows() == [("V1", 35.1, 126.8, 5.0)]


def test_garbage_trucks_become_fixes(real_logs, tmp_path):
    from analyzer.analysis import Options, analyze
    from analyzer.zone_loading import load_zone_set

    path = real_logs / "jersey_city_garbage_trucks.psv"
    options = Options(profile=tmp_path.__class__("jersey-city-trucks"), draw=False)
    account = analyze([path], load_zone_set("gwangju"), options).logs[0]
    assert (account.records, account.fixes, account.rejects) == (7971, 7349, 622)
