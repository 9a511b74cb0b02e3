"""Which time zones there are."""

from contextlib import suppress
from importlib import resources
from typing import TypeGuard
from zoneinfo import available_timezones


def is_timezone(name: object) -> TypeGuard[str]:
    """Return whether there is an IANA time zone of a name.

    `available_timezones` opens every file of the system's zones; most names are in tzdata's list, which is part of it.
    """
    with suppress(ImportError, OSError):
        if name in resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split():
            return True
    return name in available_timezones()
