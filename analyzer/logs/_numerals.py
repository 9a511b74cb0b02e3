"""Numbers and dates written as ASCII digits in a buffer of bytes, many at once."""

from functools import cached_property

import numpy as np

from analyzer.records import record

MOST_CHARACTERS = 17
DAY_US = 86_400_000_000
_SECOND_US = 1_000_000
_DOT, _ZERO = 46, 48
_POWERS = 10 ** np.arange(MOST_CHARACTERS + 1)


@record(frozen=True, eq=False)
class Decimals:
    """Numbers `mantissa / 10**places`; `whole` digits before the point; garbage where not `sound`."""

    mantissa: np.ndarray
    places: np.ndarray
    whole: np.ndarray
    sound: np.ndarray

    @cached_property
    def power(self) -> np.ndarray:
        """Return ten to the power of the places."""
        return _POWERS[self.places]

    @cached_property
    def integer(self) -> np.ndarray:
        """Return the whole part."""
        return self.mantissa // self.power

    def floats(self) -> np.ndarray:
        """Return the numbers, NaN where there is none."""
        return np.where(self.sound, self.mantissa / self.power, np.nan)


def decimals(buffer: np.ndarray, start: np.ndarray, stop: np.ndarray) -> Decimals:
    """Return the unsigned decimal numbers at `[start, stop)`: digits with at most one point among them.

    The buffer goes on for MOST_CHARACTERS after the last start.
    """
    length = stop - start
    mantissa, places = np.zeros(len(start), dtype=np.int64), np.zeros(len(start), dtype=np.int64)
    dotted = np.zeros(len(start), dtype=bool)
    sound = (length > 0) & (length <= MOST_CHARACTERS)
    shortest = int(length.min(initial=MOST_CHARACTERS))
    for column in range(min(int(length.max(initial=0)), MOST_CHARACTERS)):
        sign = buffer[start + column]
        digit = sign - np.uint8(_ZERO)  # what is below zero wraps round to above nine
        is_digit, is_dot = digit <= 9, (sign == _DOT) & ~dotted  # noqa: PLR2004
        if column >= shortest:
            inside = column < length
            is_digit, is_dot, beyond = is_digit & inside, is_dot & inside, ~inside
            sound &= is_digit | is_dot | beyond
        else:
            sound &= is_digit | is_dot
        mantissa = np.where(is_digit, mantissa * 10 + digit, mantissa)
        places += is_digit & dotted
        dotted |= is_dot
    sound &= length > dotted
    return Decimals(mantissa, places, length - dotted - places, sound)


def clock_us(number: Decimals) -> tuple[np.ndarray, np.ndarray]:
    """Return microseconds of the day of times `hhmmss.sss`, and which are sound.

    A leap second (23:59:60) is the first second of the next day, as POSIX counts.
    """
    whole = number.integer
    hour, minute, second = whole // 10_000, whole // 100 % 100, whole % 100
    leap = (hour == 23) & (minute == 59) & (second == 60)  # noqa: PLR2004
    sound = number.sound & (number.whole == 6) & (hour < 24) & (minute < 60) & ((second < 60) | leap)  # noqa: PLR2004
    fraction = (number.mantissa - whole * number.power) / number.power
    seconds = (hour * 60 + minute) * 60 + second
    return seconds * _SECOND_US + np.rint(fraction * _SECOND_US).astype(np.int64), sound


def days(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the days since 1970 of dates, and which of them exist."""
    plausible = (month >= 1) & (month <= 12) & (day >= 1) & (year >= 1) & (year <= 9999)  # noqa: PLR2004
    months = np.where(plausible, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    date = months.astype("datetime64[D]") + np.where(plausible, day - 1, 0)
    return date.astype(np.int64), plausible & (date.astype("datetime64[M]") == months)
