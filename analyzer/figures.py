"""Numbers, times and durations as every output shows them: formatted once, here."""

import datetime as dt
from zoneinfo import ZoneInfo

from analyzer.language import Both, both

NOTHING = "–"
FAR_M = 10_000


def number(value: float | None, unit: str | None) -> str:
    """Return a number with its unit, metres from ten kilometres on as kilometres; a dash where there is none."""
    if value is None:
        return NOTHING
    if unit == "m" and abs(value) >= FAR_M:
        return kilometres(value)
    digits = 0 if abs(value) >= 1000 else 1  # noqa: PLR2004
    return f"{value:,.{digits}f} {unit or ''}".strip()


def above(value: float, limit: float, unit: str) -> str:
    """Return a value above a limit with as many digits as it takes to show that it is above."""
    for digits in range(1, 7):
        if f"{value:.{digits}f}" != f"{limit:.{digits}f}":
            return f"{value:,.{digits}f} {unit}"
    return f"{value:.6f} {unit}"


def kilometres(metres: float) -> str:
    """Return a distance in kilometres."""
    return f"{metres / 1000:,.2f} km" if abs(metres) < 100_000 else f"{metres / 1000:,.0f} km"  # noqa: PLR2004


def share(part: float, whole: float) -> str:
    """Return a share in per cent; never rounded up to the whole, a dash of nothing."""
    if not whole:
        return NOTHING
    tenths = min(round(1000 * part / whole), 999) if part < whole else 1000
    return f"{tenths / 10:.1f} %"


def local_time(instant: dt.datetime, zone: ZoneInfo) -> str:
    """Return a local time to the second."""
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def offset_text(instant: dt.datetime, zone: ZoneInfo) -> str:
    """Return the offset from UTC in force at an instant, as `UTC+09:00`."""
    text = instant.astimezone(zone).strftime("%z")
    return f"UTC{text[:3]}:{text[3:5]}"


WEEKDAYS = (both("Mon"), both("Tue"), both("Wed"), both("Thu"), both("Fri"), both("Sat"), both("Sun"))
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day_text(day: dt.date) -> dict[str, str]:
    """Return a day as a reader of each language writes it."""
    weekday = WEEKDAYS[day.weekday()]
    return {
        "ko": f"{day.year}년 {day.month}월 {day.day}일({weekday['ko']})",
        "en": f"{weekday['en']} {day.day} {MONTHS[day.month - 1]} {day.year}",
    }


def month_text(year: int, month: int) -> dict[str, str]:
    """Return a month as a reader of each language writes it."""
    return {"ko": f"{year}년 {month}월", "en": f"{MONTHS[month - 1]} {year}"}


def moment_text(instant: dt.datetime, zone: ZoneInfo) -> dict[str, str]:
    """Return a local day and time to the minute."""
    local = instant.astimezone(zone)
    return {lang: f"{text} {local:%H:%M}" for lang, text in day_text(local.date()).items()}


def duration_text(seconds: float) -> tuple[str, str]:
    """Return a duration in Korean and English."""
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.1f}초", f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 100:  # noqa: PLR2004 - nobody counts the seconds of a hundred hours
        return f"{hours:,}시간 {minutes}분", f"{hours:,} h {minutes} min"
    if hours:
        return f"{hours}시간 {minutes}분 {rest}초", f"{hours} h {minutes} min {rest} s"
    return f"{minutes}분 {rest}초", f"{minutes} min {rest} s"


def lasting(seconds: float) -> Both:
    """Return a duration in both languages."""
    ko, en = duration_text(seconds)
    return {"ko": ko, "en": en}
