"""NMEA 0183: hand-computed sentences, clocks that roll over or step back, and pynmea2 as the oracle."""

import datetime as dt
from functools import reduce
from operator import xor

import pynmea2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.analysis import analyze
from analyzer.catalogue import format_page
from analyzer.errors import LogError
from analyzer.logs import ReadOptions, find_logs, plan_log, read_log
from analyzer.zone_loading import load_zone_set


def sentence(body, wrong=0):
    return f"${body}*{reduce(xor, body.encode()) ^ wrong:02X}"


def rmc(time="010203.00", status="A", date="170326", lat="3511.4960,N", lon="12649.2180,E", knots="2.70", more=",,A"):
    return sentence(f"GNRMC,{time},{status},{lat},{lon},{knots},085.0,{date},{more}")


def gga(time="010203.00", quality=1, lat="3511.4960,N", lon="12649.2180,E"):
    return sentence(f"GPGGA,{time},{lat},{lon},{quality},10,0.9,30.0,M,18.0,M,,")


def zda(time="010203.00", date="17,03,2026"):
    return sentence(f"GPZDA,{time},{date},00,00")


def read(tmp_path, *lines, name="drive.nmea", end="\r\n", profile=None):
    path = tmp_path / name
    path.write_bytes(b"".join(line if isinstance(line, bytes) else (line + end).encode() for line in lines))
    log = read_log(str(path), ReadOptions(profile=profile))
    assert log.record_count == log.records.height + log.rejects.height + log.other_records
    return log


def at(*clock, day=17, month=3, year=2026):
    return dt.datetime(year, month, day, *clock, tzinfo=dt.UTC)


def codes(log):
    return {notice.code for notice in log.notices}


def test_an_epoch_by_hand(tmp_path):
    gst = sentence("GPGST,010203.00,1.0,5.0,4.0,30.0,3.0,4.0,9.0")
    log = read(tmp_path, gga(), gst, sentence("PTNL,GGK,1,2"), rmc(), sentence("GPGSV,1,1,00"))
    row = log.records.row(0, named=True)
    assert (log.record_count, log.records.height, log.other_records) == (5, 1, 4)
    assert (row["record"], row["time"], row["vehicle_id"]) == (4, at(1, 2, 3), "drive")
    assert row["latitude"] == pytest.approx(35 + 11.496 / 60, abs=1e-12)
    assert row["longitude"] == pytest.approx(126 + 49.218 / 60, abs=1e-12)
    assert row["speed_kph"] == pytest.approx(2.7 * 1.852)
    assert row["heading_deg"] == 85.0
    assert row["horizontal_accuracy_m"] == pytest.approx(((3**2 + 4**2) / 2) ** 0.5)


@pytest.mark.parametrize("more", [",", ",,A", ",,A,V", "3.1,W", "3.1,W,D,S"])
def test_rmc_of_every_age(tmp_path, more):
    log = read(tmp_path, rmc(more=more))
    assert log.records["time"].to_list() == [at(1, 2, 3)]


def test_southwest_and_fractions(tmp_path):
    log = read(tmp_path, rmc("235959.987654", lat="3330.0,S", lon="07015.0,W"))
    assert log.records.select("latitude", "longitude").row(0) == (-33.5, -70.25)
    assert log.records["time"].to_list() == [at(23, 59, 59, 987654)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (rmc(status="V"), "no-fix"),
        (rmc(lat=",", lon=","), "no-fix"),
        (rmc(more=",,N"), "no-fix"),
        (rmc(more=",,S"), "not-measured"),
        (rmc("250000"), "bad-time"),
        (rmc("0102"), "bad-time"),
        (rmc(date="300226"), "bad-time"),
        (rmc(date=""), "bad-time"),
        (rmc(lat="3561.0,N"), "bad-position"),
        (rmc(lat="9100.0,N"), "bad-position"),
        (rmc(lat="3511.0,X"), "bad-position"),
        (rmc(lat="3511..0,N"), "bad-position"),
        (rmc(lat="0000.0000,N", lon="00000.0000,E"), "bad-position"),
        (sentence("GNRMC,010203.00,A,3511.4960,N,12649.2180,E,002.70,085.0,170326,,,A", wrong=1), "bad-checksum"),
        (rmc()[:-2], "bad-checksum"),
        (rmc()[:-3], "bad-checksum"),
        (rmc()[:40], "bad-checksum"),
        (sentence("GPGST,010203.00,1,1,1,1,1,1,1", wrong=4), "bad-checksum"),
    ],
)
def test_rejects_have_a_reason_and_their_own_words(tmp_path, line, reason):
    log = read(tmp_path, rmc("010202.00"), rmc("010203.50"), line)
    assert log.rejects.rows() == [(3, reason, line)]


def test_a_void_gga_takes_the_position_of_its_rmc(tmp_path):
    log = read(tmp_path, gga(quality=0), rmc(), gga("010204.00"), rmc("010204.00"))
    assert log.records["record"].to_list() == [4]
    assert log.rejects.select("record", "reason").rows() == [(2, "no-fix")]


def test_gga_over_midnight_with_one_date(tmp_path):
    lines = [gga(f"{clock}.20") for clock in ("235958", "235959", "000000", "000001")]
    log = read(tmp_path, zda("235958.20", "31,12,2025"), *lines)
    new_year = [at(0, 0, s, 200_000, day=1, month=1) for s in (0, 1)]
    assert (
        log.records["time"].to_list()
        == [at(23, 59, s, 200_000, day=31, month=12, year=2025) for s in (58, 59)] + new_year
    )


def test_gga_takes_the_next_date_where_none_came_before(tmp_path):
    log = read(tmp_path, gga("235959.00"), gga("000000.00"), zda("000001.00", "01,03,2026"))
    assert log.records["time"].to_list() == [at(23, 59, 59, day=28, month=2), at(0, 0, day=1)]


def test_gga_without_any_date_is_refused(tmp_path):
    with pytest.raises(LogError, match=r"no date; record ZDA or RMC"):
        read(tmp_path, gga(), gga("010204.00"))
    with pytest.raises(LogError, match="without a position"):
        read(tmp_path, zda())


def test_many_more_gga_than_rmc_are_the_positions(tmp_path):
    lines = [gga(f"01020{s}.{tenth}0") for s in range(3, 5) for tenth in range(5)]
    log = read(tmp_path, rmc(), *lines)
    assert log.records.height == 10
    assert log.records["speed_kph"][0] == pytest.approx(2.7 * 1.852)
    assert log.records["speed_kph"].null_count() == 9


def test_vtg_says_the_speed_of_the_time_before_it(tmp_path):
    vtg = sentence("GPVTG,90.0,T,,M,2.0,N,3.7,K,A")
    log = read(tmp_path, zda(), gga(), vtg, gga("010204.00"))
    assert log.records["speed_kph"].to_list() == [pytest.approx(2 * 1.852), None]
    assert log.records["heading_deg"].to_list() == [90.0, None]


def test_leap_second_is_named(tmp_path):
    log = read(
        tmp_path, rmc("235959.00", date="311216"), rmc("235960.00", date="311216"), rmc("000001.00", date="010117")
    )
    seconds = [moment.timestamp() - log.records["time"][0].timestamp() for moment in log.records["time"]]
    assert seconds == [0, 1, 2]
    assert "leap-second" in codes(log)


def test_roll_over_of_the_week_is_named_and_not_changed(tmp_path):
    log = read(tmp_path, rmc(date="010806"))
    assert log.records["time"].to_list() == [at(1, 2, 3, day=1, month=8, year=2006)]
    assert "week-roll-over" in codes(log)
    assert "week-roll-over" not in codes(read(tmp_path, rmc()))


def test_a_step_of_1024_weeks_is_named(tmp_path):
    """7168 days before 2026-03-17 is 2006-08-01."""
    assert "week-jump" in codes(read(tmp_path, rmc(date="010806"), rmc("010204.00")))
    assert "week-jump" not in codes(read(tmp_path, rmc(date="030806"), rmc("010204.00")))


def test_years_pivot_at_80(tmp_path):
    log = read(tmp_path, rmc(date="010180"), rmc(date="010179"))
    assert [moment.year for moment in log.records["time"]] == [1980, 2079]


def test_a_clock_that_steps_back_starts_a_trip(tmp_path):
    """A cold start as seen in a real receiver: 22:57:38, then 22:56:21."""
    log = read(tmp_path, rmc("225737"), rmc("225738"), rmc("225621"), rmc("225621"), rmc("225622"), rmc("225500"))
    assert log.records["trip_id"].to_list() == [None, None, "drive#2", "drive#2", "drive#2", "drive#3"]
    assert "clock-back" in codes(log)
    assert "trip_id" not in read(tmp_path, rmc("225737"), rmc("225737")).records.columns


def test_void_clocks_do_not_step(tmp_path):
    log = read(tmp_path, rmc("225738", "V"), rmc("225621"))
    assert "trip_id" not in log.records.columns


def test_sentences_among_ubx_and_in_other_text(tmp_path):
    ubx = b"\xb5\x62\x01\x07\x5c\x00$\x00\xff!*$G,\n\x01\x02"
    log = read(tmp_path, ubx, rmc("010203").encode(), ubx, rmc("010204").encode(), ubx, name="mixed.ubx")
    assert log.records["time"].to_list() == [at(1, 2, 3), at(1, 2, 4)]
    assert (log.record_count, codes(log) & {"outside-sentences"}) == (2, {"outside-sentences"})


@pytest.mark.parametrize("name", ["rows.csv", "notes.txt", "trace.log"])
def test_sentences_in_rows_of_a_table(tmp_path, name):
    rows = [f"1773709323.{n},gps,b'{rmc(f'01020{n}')}\\r\\n'" for n in range(3)]
    rows += [f'1773709327,gps,"{rmc("010207")}"', f"1773709328,{rmc('010208')},x,y"]
    log = read(tmp_path, *rows, name=name)
    assert log.format == "nmea"
    assert [moment.second for moment in log.records["time"]] == [0, 1, 2, 7, 8]
    assert find_logs([str(tmp_path)]) == [str(tmp_path / name)]


def test_a_table_with_positions_of_its_own_stays_one(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(f'timestamp,latitude,longitude,raw\n2026-03-17T01:02:03Z,35.1,126.8,"{rmc()}"\n', encoding="utf-8")
    assert plan_log(str(path), ReadOptions()).format == "csv"


def test_other_texts_in_a_folder_are_no_logs(tmp_path):
    (tmp_path / "a.dat").write_text("price $GOOD,1", encoding="utf-8")
    (tmp_path / "b.dat").write_text(rmc() + "\n", encoding="utf-8")
    assert find_logs([str(tmp_path)]) == [str(tmp_path / "b.dat")]


def test_a_stream_without_checksums_is_believed_and_named(tmp_path):
    log = read(tmp_path, rmc("010203")[:-3], rmc("010204")[:-3], rmc("010205"))
    assert log.records.height == 3
    assert "no-checksum" in codes(log)


def test_parts_of_a_file_end_at_lines(tmp_path, monkeypatch):
    monkeypatch.setattr("analyzer.logs.nmea.PART_BYTES", 100)
    lines = [text for s in range(60) for text in (gga(f"0102{s:02}.00"), rmc(f"0102{s:02}.00"))]
    log = read(tmp_path, *lines)
    assert log.records["record"].to_list() == list(range(2, 121, 2))


def test_the_profile_names_the_vehicle(tmp_path):
    profile = tmp_path / "p.toml"
    profile.write_text(
        '[fixed]\nvehicle_id = "S-1"\nvehicle_type = "sweeper"\ntrip_id = "t"\ncontrol_mode = "manual"\n'
    )
    log = read(tmp_path, rmc("010203"), rmc("010202"), profile=profile)
    assert log.records.select("vehicle_id", "vehicle_type", "trip_id", "control_mode").rows() == [
        ("S-1", "sweeper", "t", "manual"),
        ("S-1", "sweeper", "t#2", "manual"),
    ]
    assert codes(log) == {"clock-back"}


CLOCKS = st.times().map(lambda t: t.strftime("%H%M%S") + f".{t.microsecond // 1000:03}")
DATES = st.dates(dt.date(1980, 1, 1), dt.date(2079, 12, 31))
MINUTES = st.integers(0, 59_999_999).map(lambda m: f"{m // 10**6:02}.{m % 10**6:06}")


@given(
    CLOCKS,
    DATES,
    st.integers(0, 89),
    st.integers(0, 179),
    MINUTES,
    MINUTES,
    st.sampled_from("NS"),
    st.sampled_from("EW"),
    st.integers(0, 99_999),
    st.sampled_from(["GP", "GN", "GL", "GA", "GB", "BD", "GQ"]),
)
def test_pynmea2_says_the_same(tmp_path_factory, clock, date, lat, lon, south, west, ns, ew, speed, talker):
    body = f"{talker}RMC,{clock},A,{lat:02}{south},{ns},{lon:03}{west},{ew},{speed / 100:06.2f},012.5,{date:%d%m%y},,,A"
    oracle = pynmea2.parse(sentence(body), check=True)
    # A sound line before it: what is at 0/0 would leave no record at all.
    log = read(tmp_path_factory.mktemp("nmea"), rmc("000000", date="010180"), sentence(body))
    row = log.records.row(-1, named=True)
    if oracle.latitude == oracle.longitude == 0:
        assert log.rejects["reason"].to_list() == ["bad-position"]
        return
    assert row["latitude"] == pytest.approx(oracle.latitude, abs=1e-13)
    assert row["longitude"] == pytest.approx(oracle.longitude, abs=1e-13)
    assert row["speed_kph"] == pytest.approx(oracle.spd_over_grnd * 1.852, rel=1e-12)
    year = date.year  # pynmea2 has a pivot of its own
    assert row["time"] == dt.datetime.combine(
        oracle.datestamp.replace(year=year), oracle.timestamp.replace(tzinfo=dt.UTC)
    )


def test_sessions_whose_times_overlap_are_judged_apart(tmp_path):
    """The clock of 01:02:10 goes back to 01:02:05: one instant of the two sessions stands, the others are kept."""
    first = [rmc(f"0102{s:02}.00", lat=f"3511.49{s:02},N") for s in range(11)]
    second = [rmc(f"0102{s:02}.50", lat=f"3511.48{s:02},N") for s in range(5, 20)]
    again = rmc("010225.00")
    read(tmp_path, *first, *second, again, again)
    analysis = analyze([tmp_path / "drive.nmea"], load_zone_set("demo"))
    account = analysis.logs[0]
    assert (account.records, account.fixes, account.rejects) == (28, 27, 1)
    trips = analysis.coverage.select("trip_id", "trip_start", "trip_end").unique().sort("trip_start").rows()
    assert trips == [
        ("2026-03-17T01:02:00Z", at(1, 2), at(1, 2, 10)),
        ("drive#2", at(1, 2, 5, 500_000), at(1, 2, 25)),
    ]
    assert "clock-back" in {notice["code"] for notice in analysis.summary["notices"]}


def test_the_example_of_the_page_is_sound(tmp_path):
    example = format_page("nmea").split("```")[1].strip()
    assert read(tmp_path, example).records["speed_kph"].to_list() == [pytest.approx(2.7 * 1.852)]


def epochs(*clocks, order=(gga, rmc), moved=0):
    """Return sentences of fixes at times of day `hhmmss.s`; RMC says whole seconds."""
    lines = []
    for number, clock in enumerate(clocks):
        lat = f"3511.{4960 + number * moved:04},N"
        lines += [make(clock if make is gga else clock.split(".")[0], lat=lat) for make in order]
    return lines


@pytest.mark.parametrize("order", [(gga, rmc), (rmc, gga)])
@pytest.mark.parametrize("moved", [0, 7])
def test_whole_second_rmc_takes_the_fraction_of_its_gga(tmp_path, order, moved):
    log = read(tmp_path, *epochs("010203.50", "010204.00", "010204.50", "010205.00", order=order, moved=moved))
    halves = [500_000, 0, 500_000, 0]
    assert log.records["time"].to_list() == [at(1, 2, 3 + (n + 1) // 2, us) for n, us in enumerate(halves)]
    assert "2 positions" in next(n.en for n in log.notices if n.code == "finer-times")


def test_a_second_that_does_not_pair_stays_whole(tmp_path):
    whole = epochs("010203.00", "010203.50", "010204.00", "010204.50", moved=7)
    lost = [line for line in whole if not line.startswith("$GPGGA,010204.50")]
    log = read(tmp_path, *lost)
    assert log.records["time"].to_list() == [at(1, 2, 3), at(1, 2, 3, 500_000), at(1, 2, 4), at(1, 2, 4)]
    elsewhere = [line if "010203.50" not in line else gga("010203.50", lat="3511.9999,N") for line in whole]
    log = read(tmp_path, *elsewhere)
    assert [time.microsecond for time in log.records["time"]] == [0, 0, 0, 500_000]


def test_rmc_with_fractions_of_its_own_keeps_them(tmp_path):
    log = read(tmp_path, gga("010203.70"), rmc("010203.20"), gga("010204.70"), rmc("010204.20"))
    assert [time.microsecond for time in log.records["time"]] == [200_000, 200_000]
    assert "finer-times" not in codes(log)
