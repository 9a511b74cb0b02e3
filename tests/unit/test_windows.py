"""Windows across midnight, clock changes and exceptions."""

import datetime as dt

import pytest

from analyzer.rules import Window
from analyzer.windows import instant_us, local_midnights, window_edges

DAILY = tuple(range(7))
HOUR = 3600


def us(text):
    return instant_us(dt.datetime.fromisoformat(text))


def edges(windows, start, end, zone="Asia/Seoul", exceptions=()):
    found = window_edges(windows, exceptions, zone, us(start), us(end))
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return [tuple((epoch + dt.timedelta(microseconds=int(v))).strftime("%d %H:%M") for v in row) for row in found]


def test_plain_window_in_utc():
    window = (Window((1,), 10 * HOUR, 12 * HOUR),)
    assert edges(window, "2026-03-17T00:00:00+09:00", "2026-03-17T23:00:00+09:00") == [("17 01:00", "17 03:00")]


def test_window_past_midnight_belongs_to_its_first_day():
    window = (Window((0,), 22 * HOUR, 26 * HOUR),)
    assert edges(window, "2026-03-16T00:00:00+09:00", "2026-03-18T00:00:00+09:00") == [("16 13:00", "16 17:00")]


def test_exceptions_close_a_day_also_without_hours():
    day = (dt.date(2026, 3, 17),)
    assert edges((), "2026-03-16T12:00:00+09:00", "2026-03-18T12:00:00+09:00", exceptions=day) == [
        ("13 15:00", "16 15:00"),
        ("17 15:00", "20 15:00"),
    ]


def test_touching_windows_are_one():
    windows = (Window(DAILY, 0, 12 * HOUR), Window(DAILY, 12 * HOUR, 24 * HOUR))
    assert len(edges(windows, "2026-03-16T00:00:00+09:00", "2026-03-18T00:00:00+09:00")) == 1


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-03-07", [("07 07:15", "07 08:15")]),
        ("2026-03-08", [("08 07:00", "08 07:15")]),  # 02:15 does not exist: the next that does is 03:00
        ("2026-11-01", [("01 07:15", "01 08:15")]),  # 02:15 EST; 02:15 exists once
    ],
)
def test_clock_changes(day, expected):
    window = (Window(DAILY, 2 * HOUR + 900, 3 * HOUR + 900),)
    start, end = f"{day}T05:30:00+00:00", f"{day}T23:00:00+00:00"
    assert edges(window, start, end, "America/New_York") == expected


def test_an_ambiguous_time_is_the_first():
    window = (Window(DAILY, HOUR + 1800, 4 * HOUR),)
    found = edges(window, "2026-11-01T05:00:00+00:00", "2026-11-01T12:00:00+00:00", "America/New_York")
    assert found == [("01 05:30", "01 09:00")]


def test_midnights():
    found = local_midnights("Asia/Seoul", us("2026-03-16T23:59:00+09:00"), us("2026-03-17T00:01:00+09:00"))
    assert [date.day for _, date in found] == [16, 17]
    assert found[1][0] == us("2026-03-17T00:00:00+09:00")
