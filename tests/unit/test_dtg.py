"""Korean DTG: files written here by an encoder of its own, plain and obfuscated, sound and damaged."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.catalogue import format_page
from analyzer.errors import LogError
from analyzer.logs import ReadOptions, find_logs, read_log

KST = dt.timezone(dt.timedelta(hours=9))
START = dt.datetime(2026, 3, 17, 10, 0, 0, tzinfo=KST)


def padded(text, width):
    return text.encode("cp949").ljust(width, b"#")


def header(number="광주12가3456", spare=b""):
    return (
        padded("DTG-STD-1", 20)
        + padded("KMJHT18BP9C012345", 17)
        + b"11"
        + padded(number, 12)
        + padded("3801100123", 10)
        + padded("D-01", 18)
        + spare
    )


def record(
    second=0.0,
    speed="005",
    x="126820300",
    y="035191600",
    status="00",
    azimuth="085",
    total="0001234",
    when=None,
    tail=b"",
):
    moment = START + dt.timedelta(seconds=second)
    stamp = when or moment.strftime("%y%m%d%H%M%S") + f"{moment.microsecond // 10_000:02}"
    text = f"0012{total}{stamp}{speed}01200{x}{y}{azimuth}+000.1-000.2{status}"
    assert len(text) == 68
    return text.encode("ascii") + tail


def write(path, records, first=None, end=b"", after=b"", key=0):
    data = (header() if first is None else first) + after + b"".join(one + end for one in records)
    path.write_bytes(bytes(byte ^ key for byte in data))
    return str(path)


def read(tmp_path, records, name="drive.txt", options=None, **how):
    log = read_log(write(tmp_path / name, records, **how), options or ReadOptions())
    assert log.format == "dtg"
    assert log.record_count == log.records.height + log.rejects.height
    return log


def codes(log):
    return {notice.code for notice in log.notices}


def test_a_record_by_hand(tmp_path):
    log = read(tmp_path, [record(0.25)])
    assert log.records.row(0, named=True) == {
        "time": dt.datetime(2026, 3, 17, 1, 0, 0, 250_000, tzinfo=dt.UTC),
        "longitude": 126.8203,
        "latitude": 35.1916,
        "speed_kph": 5.0,
        "heading_deg": 85.0,
        "odometer_m": 1_234_000.0,
        "record": 1,
        "vehicle_id": "광주12가3456",
    }
    assert not log.notices


@pytest.mark.parametrize("key", [0, 1, 0x0E, 0x5A, 0xFF])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
@pytest.mark.parametrize("tail", [b"", b"1234567012" + b"0023" * 2, b"x" * 35])
@pytest.mark.parametrize("spare", [b"", b"0"])
def test_every_layout(tmp_path, key, end, tail, spare):
    records = [record(s / 2, tail=tail) for s in range(80)]
    log = read(tmp_path, records, first=header(spare=spare), after=end, end=end, key=key, name="2026-X-03.dat")
    assert log.records["time"].to_list() == [START + dt.timedelta(seconds=s / 2) for s in range(80)]
    assert log.records["vehicle_id"].unique().to_list() == ["광주12가3456"]
    assert codes(log) == ({"obfuscated"} if key else set())


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_few_records(tmp_path, count, end):
    assert read(tmp_path, [record(s) for s in range(count)], after=end, end=end).records.height == count


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (record(1, status="11", x="000000000", y="000000000"), "no-fix"),
        (record(1, x="000000000", y="000000000"), "bad-position"),
        (record(1, x="#########"), "bad-position"),
        (record(1, x="035191600", y="126820300"), "bad-position"),
        (record(when="26023010000000"), "bad-time"),
        (record(when="26031725000000"), "bad-time"),
        (record(when="26031710######"), "bad-time"),
    ],
)
@pytest.mark.parametrize("place", [0, 2])
def test_rejects_have_a_reason_and_their_own_words(tmp_path, bad, reason, place):
    records = [record(s) for s in range(2, 5)]
    records.insert(place, bad)
    log = read(tmp_path, records)
    assert log.rejects.rows() == [(place + 1, reason, bad.decode())]


@pytest.mark.parametrize(("status", "kph"), [("12", None), ("21", None), ("13", 5.0), ("99", 5.0), ("??", 5.0)])
def test_a_speed_sensor_that_fails_says_no_speed(tmp_path, status, kph):
    assert read(tmp_path, [record(status=status)]).records["speed_kph"].to_list() == [kph]


def test_fields_that_say_nothing(tmp_path):
    log = read(tmp_path, [record(speed="###", azimuth="   ", total="#######")])
    assert log.records.select("speed_kph", "heading_deg", "odometer_m").row(0) == (None, None, None)


def test_cut_off_records_and_lines_of_another_length(tmp_path):
    log = read(tmp_path, [record(0), record(1), record(2)[:30]])
    assert log.rejects.select("record", "reason").rows() == [(3, "bad-record")]
    lines = [record(0), record(1)[5:], b"", record(2), record(3) + b"7", record(4)[:60]]
    log = read(tmp_path, lines, end=b"\r\n", after=b"\r\n")
    assert log.records["record"].to_list() == [1, 3]
    assert log.rejects.select("record", "reason").rows() == [(2, "bad-record"), (4, "bad-record"), (5, "bad-record")]


def test_a_clock_that_steps_back_starts_a_trip(tmp_path):
    log = read(tmp_path, [record(10), record(11), record(3), record(3.5)])
    assert log.records["trip_id"].to_list() == [None, None, "drive#2", "drive#2"]
    assert codes(log) == {"clock-back"}


def test_time_is_korean_whatever_the_option_says(tmp_path):
    log = read(tmp_path, [record()], options=ReadOptions(timezone="America/Chicago"))
    assert log.records["time"][0] == START


@pytest.mark.parametrize(
    ("first", "name", "notices"),
    [
        (header("#" * 12), "drive", {"vehicle-from-file"}),
        (header("a").replace(b"a", b"\xff"), "drive", {"vehicle-from-file"}),
        (header("가\x1b[31m<b>"), "가 [31m<b>", set()),
        (header("=1+1"), "=1+1", set()),
    ],
)
def test_names_of_vehicles_are_only_text(tmp_path, first, name, notices):
    log = read(tmp_path, [record()], first=first)
    assert (log.records["vehicle_id"].to_list(), codes(log)) == ([name], notices)


def test_the_profile_says_what_dtg_does_not(tmp_path):
    profile = tmp_path / "p.toml"
    profile.write_text(
        '[fixed]\nvehicle_id = "S-1"\ncontrol_mode = "manual"\noperator = "on_board"\n', encoding="utf-8"
    )
    log = read(tmp_path, [record()], options=ReadOptions(profile=profile))
    assert log.records.select("vehicle_id", "control_mode", "operator").row(0) == ("S-1", "manual", "on_board")


def test_a_folder_of_any_suffix(tmp_path):
    for name in ("a.dat", "b.DTG", "c.txt", "d"):
        write(tmp_path / name, [record()])
    (tmp_path / "e.dat").write_bytes(bytes(500))
    (tmp_path / "f.dat").write_bytes(b"")
    assert find_logs([str(tmp_path)]) == [str(tmp_path / name) for name in ("a.dat", "b.DTG", "c.txt", "d")]


@pytest.mark.parametrize("data", [b"1" * 500, header() + b"#" * 300, header() + record()[:-1], bytes(300)])
def test_what_is_no_dtg_is_refused(tmp_path, data):
    (tmp_path / "x.dtg").write_bytes(data)
    with pytest.raises(LogError, match=r"no DTG records of 68 bytes"):
        read_log(str(tmp_path / "x.dtg"), ReadOptions())


def test_a_key_that_is_no_single_byte_is_refused(tmp_path):
    data = header() + b"".join(record(s) for s in range(50))
    (tmp_path / "x.dtg").write_bytes(bytes(byte ^ (17 + place % 5) for place, byte in enumerate(data)))
    with pytest.raises(LogError, match="no DTG records"):
        read_log(str(tmp_path / "x.dtg"), ReadOptions())


MOMENTS = st.integers(0, 3_155_000_000).map(lambda s: dt.datetime.fromtimestamp(946_652_400 + s + s % 97 / 97, KST))


@given(
    st.lists(
        st.tuples(MOMENTS, st.integers(0, 255), st.integers(1, 180_000_000), st.integers(0, 90_000_000)),
        min_size=1,
        max_size=20,
    ),
    st.integers(0, 255),
)
def test_what_is_written_is_read(tmp_path_factory, rows, key):
    rows = sorted(rows)
    written = [
        record(when=f"{t:%y%m%d%H%M%S}{t.microsecond // 10_000:02}", speed=f"{v:03}", x=f"{x:09}", y=f"{y:09}")
        for t, v, x, y in rows
    ]
    log = read(tmp_path_factory.mktemp("dtg"), written, key=key)
    kept = [t.replace(microsecond=t.microsecond // 10_000 * 10_000) for t, *_ in rows]
    assert log.records["time"].to_list() == kept
    assert log.records.select("speed_kph", "longitude", "latitude").rows() == [
        (v, x / 1e6, y / 1e6) for _, v, x, y in rows
    ]


def test_the_example_of_the_page_is_sound(tmp_path):
    example = format_page("dtg").split("```")[1].strip().encode()
    assert read(tmp_path, [example]).records["latitude"].to_list() == [35.1916]


def test_reading_goes_on_behind_lost_and_added_bytes(tmp_path):
    """Without line ends all records behind one lost byte would be misread."""
    data = header() + b"".join(record(second) for second in range(100))
    at = len(header()) + 68 * 30
    for name, damaged in (
        ("lost", data[: at + 20] + data[at + 21 :]),
        ("added", data[: at + 20] + b"?" + data[at + 20 :]),
        ("twice", data[: at + 20] + data[at + 21 : at + 700] + data[at + 705 :]),
    ):
        path = tmp_path / f"{name}.txt"
        path.write_bytes(damaged)
        log = read_log(str(path), ReadOptions())
        lost = 2 if name == "twice" else 1
        assert (log.record_count, log.records.height) == (100, 100 - lost)
        assert log.rejects["reason"].to_list() == ["bad-record"] * lost
        assert log.rejects["record"].to_list() == [31, 41][:lost]
        assert log.records["record"].to_list() == sorted({*range(1, 101)} - {31, 41} | ({41} if lost == 1 else set()))
        assert log.records["time"].dt.second().tail(1).to_list() == [39]


def test_blank_accelerations_are_no_lost_bytes(tmp_path):
    """Records without points in place count where those around them are whole numbers of records away."""
    records = [record(second) for second in range(20)]
    records[5:8] = [one[:54] + b" " * 12 + one[66:] for one in records[5:8]]
    log = read(tmp_path, records)
    assert (log.records.height, log.rejects.height) == (20, 0)


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
@pytest.mark.parametrize("whole", [True, False])
def test_files_put_one_after_another(tmp_path, end, whole):
    """The records after each header are those of its vehicle; the first file may lack its end."""
    first = header() + end + b"".join(record(second) + end for second in range(10))
    second = header("부산34나7890") + end + b"".join(record(60 + second) + end for second in range(10))
    path = tmp_path / "both.txt"
    path.write_bytes((first if whole else first[: -len(end) - 8]) + second)
    log = read_log(str(path), ReadOptions())
    assert dict(log.records.group_by("vehicle_id").len().rows()) == {"광주12가3456": 9 + whole, "부산34나7890": 10}
    assert log.record_count == 20
    assert log.rejects["reason"].to_list() == ([] if whole else ["bad-record"])
    assert {n.code for n in log.notices} == {"several-headers"}
    path.write_bytes(first.rstrip(b"\r\n") + second)  # as `cat` makes of a file without a last line end
    assert read_log(str(path), ReadOptions()).records.height == 20
