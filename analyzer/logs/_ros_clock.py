"""When things were measured: the messages' own times, checked against the recorder's clock.

A message's own time (header.stamp) counts; the recorder's (log time) where it has none.

- Own times before the year 2000 are seconds of the day or since a start. Their date comes
  from the log time; without a dated log time they are refused.
- Own times a whole number of days away from the log time are moved to its date, each by
  itself: a date that turns at another midnight is wrong for some hours of the day only.
- Own times a number of half hours away stay; the other topics are moved to agree.
- Own times more than a minute away otherwise stay, as in a recording that was played again.
- Positions whose time goes back by more than a second begin a new trip.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from analyzer.errors import LogError
from analyzer.logs._remarks import Remark
from analyzer.logs._ros_rows import Rows

Times = np.ndarray[Any, np.dtype[np.int64]]
SECOND_NS = 1_000_000_000
DAY_NS, HALF_HOUR_NS = 86_400 * SECOND_NS, 1800 * SECOND_NS
YEAR_2000_NS = 946_684_800 * SECOND_NS
NEAR_NS = 5 * SECOND_NS
"""Two clocks whole half hours apart agree on the rest up to this."""
SAME_DAY_NS = 60 * SECOND_NS
"""A second of the day agrees with the log time up to this."""
BACK_NS = SECOND_NS
APART_NS = 2 * SECOND_NS
AWAY_NS = 60 * SECOND_NS
MOST_RATE = 0.02
RATE_SPAN_NS, RATE_STEP_NS = 10 * SECOND_NS, 60 * SECOND_NS


@dataclass
class Clock:
    """Times in nanoseconds since 1970 UTC, one a row; `session` counts jumps back before it (null: none)."""

    path: str
    time: Times
    session: Times | None = None
    remarks: list[Remark] = field(default_factory=list)

    def say(self, code: str, count: int = 0, *words: str) -> None:
        """Remark on something."""
        self.remarks.append(Remark(code, self.path, count, words))


def settled(path: str, rows: Rows) -> Clock:
    """Return when everything was measured; LogError where no clock knows the date."""
    table = rows.table()
    stamp, log, topic = (table[name].astype(np.int64) for name in ("stamp", "log", "topic"))
    record, is_position = table["record"], ~np.isnan(table["longitude"])
    clock = Clock(path, np.where(stamp == 0, log, stamp))
    _dated(clock, stamp, log, topic)
    if not (stamp != 0).all():
        clock.say("log-time-used", int((stamp == 0).sum()))
    positions = np.bincount(topic[is_position])
    main = int(positions.argmax())
    _offsets(clock, log, topic, main)
    mine = np.flatnonzero(topic == main)
    _rate(clock, log[mine], clock.time[mine])
    jumps = mine[1:][np.diff(clock.time[mine]) < -BACK_NS]
    if len(jumps):
        clock.session = np.searchsorted(record[jumps], record, side="right")
        clock.say("clock-set-back", len(jumps))
    return clock


def _dated(clock: Clock, stamp: Times, log: Times, topic: Times) -> None:
    """Give a date to times without one."""
    early = clock.time < YEAR_2000_NS
    if not early.any():
        return
    if (log[early] < YEAR_2000_NS).any():
        message = (
            f"{clock.path}: neither the messages' own times nor the log times have a date in {int(early.sum())} of its "
            "messages (they lie before the year 2000: seconds of the day, or since a start); set the recorder's clock"
        )
        raise LogError(message)
    for number in np.unique(topic[early]):
        at = np.flatnonzero(early & (topic == number))
        clock.time[at] = _with_date(stamp[at], log[at])
    clock.say("date-recovered", int(early.sum()))


def _with_date(stamp: Times, log: Times) -> Times:
    """Return times of one topic with the date of the log time."""
    days = np.round((log - stamp) / DAY_NS).astype(np.int64) * DAY_NS
    rest = log - stamp - days
    if (stamp < DAY_NS).all() and abs(_middle(rest)) < SAME_DAY_NS:
        return stamp + days  # seconds of the day: over midnight the day is another
    out = stamp.copy()
    starts = [0, *(np.flatnonzero(np.diff(stamp) < -BACK_NS) + 1), len(stamp)]
    for low, high in pairwise(starts):  # since a start: each start by itself
        out[low:high] += _middle(log[low:high] - stamp[low:high])
    return out


def _middle(values: Times) -> int:
    """Return the lower median: a float would be off by some hundred nanoseconds."""
    half = (len(values) - 1) // 2
    return int(np.partition(values, half)[half])


def _offsets(clock: Clock, log: Times, topic: Times, main: int) -> None:
    """Move what is whole days away from the log, and other topics to the clock of the positions."""
    if (log < YEAR_2000_NS).any():
        return
    ahead: dict[int, int] = {}
    for number in np.unique(topic):
        at = np.flatnonzero(topic == number)
        offsets = clock.time[at] - log[at]
        days = _days(offsets)
        if days.any():
            clock.time[at] -= days * DAY_NS
            words = (f"{day:+d}" for day in np.unique(days[days != 0]).tolist()[:3])
            clock.say("clock-days-off", int(np.count_nonzero(days)), *words)
        ahead[int(number)] = _middle(offsets - days * DAY_NS)
    zone = _half_hours(ahead[main])
    if zone:
        clock.say("clock-hours-off", int((topic == main).sum()), f"{zone / 2:+g}")
    elif abs(ahead[main]) > AWAY_NS:
        clock.say("clock-away", int((topic == main).sum()), f"{ahead[main] / SECOND_NS:+,.0f}")
    for number, offset in ahead.items():
        other = _half_hours(offset)
        if number != main and other != zone and zone is not None and other is not None:
            clock.time[topic == number] += (zone - other) * HALF_HOUR_NS
            clock.say("clock-hours-moved", int((topic == number).sum()), f"{(other - zone) / 2:+g}")
        elif abs(offset - ahead[main]) > APART_NS:
            clock.say("clocks-apart", int((topic == number).sum()), f"{(offset - ahead[main]) / SECOND_NS:+.0f}")


def _days(offset: Times) -> Times:
    """Return how many whole days each message of a topic is off; 0 where it is off by something else.

    Where most are, one that was logged late is, too.
    """
    days = np.rint(offset / DAY_NS).astype(np.int64)
    most = _middle(days)
    near = np.abs(offset - days * DAY_NS) < NEAR_NS
    usual = (days == most) & (abs(_middle(offset) - most * DAY_NS) < NEAR_NS)
    return np.where(near | usual, days, 0)


def _half_hours(offset: int) -> int | None:
    """Return how many half hours two clocks are apart (0: they agree), null where it is something else."""
    steps = round(offset / HALF_HOUR_NS)
    return steps if abs(offset - steps * HALF_HOUR_NS) < NEAR_NS else None


def _rate(clock: Clock, log: Times, time: Times) -> None:
    """Remark on a log clock that runs at another rate than that of the positions."""
    logged, measured = np.diff(log), np.diff(time)
    steady = (logged >= 0) & (logged < RATE_STEP_NS) & (measured > -BACK_NS) & (measured < RATE_STEP_NS)
    span, spent = int(measured[steady].sum()), int(logged[steady].sum())
    if span < RATE_SPAN_NS or not spent:  # a log time that stands still is no clock
        return
    rate = spent / span
    if abs(rate - 1) > MOST_RATE:
        clock.say("log-clock-rate", int(steady.sum()), f"{rate:.2f}")
