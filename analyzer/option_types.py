"""Values of options that click does not know: instants and time zones."""

from datetime import datetime
from typing import Any

import click


class Instant(click.ParamType[datetime]):
    """A time with an offset from UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the instant; wrong usage where it is none or has no offset."""
        try:
            instant = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except ValueError:
            instant = None
        if instant is None or instant.tzinfo is None:
            self.fail(f"{value!r} is no time with an offset; write 2021-02-17T10:00:00+09:00", param, ctx)
        return instant


class TimeZone(click.ParamType[str]):
    """A time zone that exists."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return its name; wrong usage where there is none of that name."""
        from analyzer.timezones import is_timezone  # noqa: PLC0415 - before processes are started, only who asks

        if not is_timezone(value):
            self.fail(f"{value!r} is no IANA time zone; write for example Asia/Seoul", param, ctx)
        return value


WHEN = Instant()
ZONE = TimeZone()
