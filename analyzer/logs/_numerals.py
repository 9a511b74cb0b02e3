"""Numbers and dates written as ASCII digits in a buffer of bytes, many at once."""

from dataclasses import dataclass

import numpy as np

MOST_CHARACTERS = 17
DAY_US = 86_400_000_000
_SECOND_US = 1_000_000
_DOT, _ZERO = 46, 48


@dataclass(frozen=True)
class Decimals:
    """Numbers `mantissa / 10**places`; `whole` digits before the point; garbage where not `sound`."""

    mantissa: np.ndarray
    places: np.ndarray
    whole: np.ndarray
    sound: np.ndarray

    @property
    def power(self) -> np.ndarray:
        """Return ten to the power of the places."""
        return 10**self.places

    @property
    def integer(self) -> np.ndarray:
        """Return the whole part."""
        return self.mantissa // self.power

    def floats(self) -> np.ndarray:
        """Return the numbers, NaN where there is none."""
        return np.where(self.sound, self.mantissa / self.power, np.nan)


def decimals(buffer: np.ndarray, start: np.ndarray, stop: np.ndarray) -> Decimals:
    """Return the unsigned decimal numbers at `[start, stop)`: digits with at most one point among them."""
    length = stop - start
    mantissa = np.zeros(len(start), dtype=np.int64)
    places, dots = np.zeros_like(mantissa), np.zeros_like(mantissa)
    sound = (length > 0) & (length <= MOST_CHARACTERS)
    for column in range(min(int(length.max(initial=0)), MOST_CHARACTERS)):
        inside = sound & (column < length)
        sign = buffer[np.where(inside, start + column, start)]
        digit = sign - np.uint8(_ZERO)  # what is below zero wraps round to above nine
        is_digit, is_dot = inside & (digit <= 9), inside & (sign == _DOT)  # noqa: PLR2004
        np.copyto(mantissa, mantissa * 10 + digit, where=is_digit)
        places += is_digit & (dots > 0)
        dots += is_dot
        sound &= ~inside | is_digit | is_dot
    sound &= (dots <= 1) & (length > dots)
    return Decimals(mantissa, places, length - dots - places, sound)


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
