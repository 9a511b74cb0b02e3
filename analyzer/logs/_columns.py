"""Which column of a plain table is which: our names, those that other systems use, a profile's."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache

from analyzer.errors import LogError
from analyzer.logs._profile import Profile

_MEASURED = (
    "fix_time",
    "fixtime",
    "gps_time",
    "gpstime",
    "gnss_time",
    "position_time",
    "pos_time",
    "postime",
    "measured_at",
    "utc_time",
    "측정시각",
    "측정일시",
)
_PLAIN = ("time", "datetime", "date_time", "iso_time", "시각", "일시")
_BY_DEVICE = ("device_time", "devicetime")
_RECEIVED = (
    "recorded_at",
    "기록일시",
    "log_time",
    "logtime",
    "server_time",
    "servertime",
    "received_at",
    "receivedat",
    "received_ts",
    "receivedts",
    "수신시각",
    "수신일시",
)
RECEIVED = frozenset(_RECEIVED[2:])
"""Names of columns that say when a record was received or written, later than it was measured."""

ALIASES: dict[str, tuple[str, ...]] = {
    "vehicle_id": (
        "vehicle",
        "vehicleid",
        "veh_id",
        "car_id",
        "bus_id",
        "device_id",
        "unit_id",
        "asset_id",
        "차량",
        "차량번호",
        "차량id",
        "차량_id",
    ),
    "timestamp": (*_MEASURED, *_PLAIN, *_BY_DEVICE, *_RECEIVED),
    "timestamp_s": ("epoch_s", "unix_s", "unixtime", "unix_time", "utc_s", "time_s"),
    "timestamp_ms": ("epoch_ms", "unix_ms", "utc_ms", "time_ms"),
    "timestamp_us": ("epoch_us", "unix_us", "utc_us", "time_us"),
    "timestamp_ns": ("epoch_ns", "unix_ns", "utc_ns", "time_ns"),
    "latitude": ("lat", "gps_lat", "gps_latitude", "latitude_deg", "lat_deg", "위도"),
    "longitude": ("lon", "lng", "long", "gps_lon", "gps_lng", "gps_longitude", "longitude_deg", "lon_deg", "경도"),
    "trip_id": ("trip", "tripid", "운행번호", "운행id", "운행_id"),
    "vehicle_type": ("type", "vehicletype", "차종", "차량종류"),
    "speed_kph": (
        "speed_kmh",
        "speed_km_h",
        "kph",
        "kmh",
        "속도_kph",
        "속도_kmh",
        "속도(km/h)",
        "speed(km/h)",
        "speed (km/h)",
        "speed[km/h]",
        "speed [km/h]",
    ),
    "speed_mps": (
        "speed_ms",
        "speed_m_s",
        "mps",
        "속도(m/s)",
        "speed(m/s)",
        "speed (m/s)",
        "speed[m/s]",
        "speed [m/s]",
    ),
    "speed_mph": ("mph", "speed(mph)", "speed (mph)"),
    "speed_kn": ("speed_knots", "sog_kn", "speed_kt", "speed(knots)", "speed (knots)"),
    "heading_deg": ("heading", "course_deg", "bearing", "bearing_deg", "track_deg", "방위각"),
    "horizontal_accuracy_m": ("accuracy_m", "h_accuracy_m", "hacc_m", "sigma_m", "수평정확도_m"),
    "control_mode": ("mode", "driving_mode", "drive_mode", "주행모드", "운전모드", "제어모드"),
    "operator": ("safety_operator", "안전요원"),
    "odometer_m": ("주행거리_m",),
}
ON_REQUEST = ("date", "speed_with_unit", "fix")
"""Our columns that are there only where a profile names them."""

SPEED_TO_KPH = {"speed_kph": 1.0, "speed_mps": 3.6, "speed_mph": 1.609344, "speed_kn": 1.852}
SPEEDS = ("speed_with_unit", *SPEED_TO_KPH)
TIMES = ("timestamp", "timestamp_s", "timestamp_ms", "timestamp_us", "timestamp_ns")
BESIDE = ("beside_0", "beside_1", "beside_2")
"""Other columns of times than the one that is used; more are not looked at."""
ALSO = ("also_0", "also_1", "also_2", "also_3")
"""Columns whose names say the same as one that is used; more are not looked at."""
BARE_SPEEDS = ("speed", "velocity", "vel", "gps_speed", "sog", "속도", "속력")


def columns_of(path: str, names: list[str], profile: Profile) -> dict[str, str]:
    """Return our name -> the log's name, BESIDE and ALSO among ours; LogError where a needed column is not there."""
    found = named_columns(path, names, profile)
    _needed(path, names, found)
    _bare_speed(path, names, found)
    kinds, left = _kinds_of_time(), [name for name in names if name not in found.values()]
    times = (name for name in left if _once(name) in kinds)
    doubles = (name for name in left if _once(name) in _doubles())
    return found | dict(zip(BESIDE, times, strict=False)) | dict(zip(ALSO, doubles, strict=False))


def _once(name: str) -> str:
    """Return a simple column name as the header has it: polars numbers those that come again."""
    return re.sub(r"_duplicated_\d+$", "", simple(name))


@cache
def _doubles() -> dict[str, tuple[str, ...]]:
    """Return name of a column that a verdict hangs on -> which of ours say the same."""
    same = (("latitude",), ("longitude",), SPEEDS, ("horizontal_accuracy_m",), ("control_mode",), ("operator",))
    found = {name: ours for ours in same for one in ours for name in (one, *ALIASES.get(one, ()))}
    return found | dict.fromkeys(BARE_SPEEDS, SPEEDS)


def doubled(columns: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (the column that is used, another that by its name says the same)."""
    for other in (columns[name] for name in ALSO if name in columns):
        used = next((columns[ours] for ours in _doubles()[_once(other)] if ours in columns), None)
        if used is not None:
            yield used, other


@cache
def _kinds_of_time() -> dict[str, str]:
    """Return name of a column of times -> which of TIMES it is."""
    return {name: kind for kind in TIMES for name in (kind, *ALIASES[kind])}


def kind_of_time(name: str) -> str:
    """Return which of TIMES a column of times is by its name."""
    return _kinds_of_time()[_once(name)]


def named_columns(path: str, names: list[str], profile: Profile) -> dict[str, str]:
    """Return our name -> the log's name, of those that are there."""
    found: dict[str, str] = {}
    there = {simple(name): name for name in reversed(names)}
    said = {simple(name) for name in profile.columns.values()}
    for target, aliases in (ALIASES | {name: () for name in ON_REQUEST if name in profile.columns}).items():
        wanted = (profile.columns[target],) if target in profile.columns else (target, *aliases)
        if target not in profile.columns:  # what the profile calls otherwise is not taken for this
            wanted = tuple(w for w in wanted if simple(w) not in said)
        match = next((there[simple(w)] for w in wanted if simple(w) in there), None)
        if target in profile.columns and match is None:
            message = f"{path}: the profile names a column {wanted[0]!r} that is not there; {_has(names)}"
            raise LogError(message)
        taken = [log for ours, log in found.items() if ours not in ON_REQUEST]
        if match is not None and match not in taken:
            found[target] = match
    _keep_one(found, (*TIMES[1:], TIMES[0]), profile)  # a numeric one says its unit and needs no time zone
    _keep_one(found, SPEEDS, profile)
    return found


@lru_cache(maxsize=1 << 12)
def simple(name: str) -> str:
    """Return a column name without what people vary: case, spaces around, a byte order mark."""
    return name.strip().strip("\ufeff\"'").lower().replace("-", "_")


def _has(names: list[str]) -> str:
    """Return a clause that names the log's own columns."""
    shown = ", ".join(shortened(n, 30) for n in names[:12])
    return f"it has: {shown}{', …' if len(names) > 12 else ''}"  # noqa: PLR2004


def _keep_one(found: dict[str, str], targets: Sequence[str], profile: Profile) -> None:
    """Keep one column of those that say the same: the profile's, else the first of `targets`."""
    there = [t for t in targets if t in found]
    there.sort(key=lambda name: name not in profile.columns)
    for extra in there[1:]:
        del found[extra]


def _needed(path: str, names: list[str], found: Mapping[str, str]) -> None:
    """Refuse a log without time or position."""
    missing = [n for n in ("latitude", "longitude") if n not in found]
    if not any(t in found for t in TIMES):
        missing.insert(0, "timestamp")
    if missing:
        message = (
            f"{path}: no column for {', '.join(missing)}; {_has(names)}; rename it, or name it in a profile (--profile)"
        )
        raise LogError(message)


def _bare_speed(path: str, names: list[str], found: Mapping[str, str]) -> None:
    """Refuse a speed of which nobody says the unit: m/s read as km/h hides every breach."""
    if any(name in found for name in (*SPEED_TO_KPH, "speed_with_unit")):
        return
    bare = next((n for n in names if simple(n) in BARE_SPEEDS), None)
    if bare is not None:
        message = (
            f"{path}: the unit of column {shortened(bare, 30)!r} is not said; rename it to speed_kph, "
            "speed_mps, speed_mph or speed_kn, or give a profile (--profile) with, for example, "
            f'[columns] speed_mps = "{shortened(bare, 30)}"'
        )
        raise LogError(message)


def shortened(text: str, length: int) -> str:
    """Return a text of at most `length` characters."""
    return text if len(text) <= length else text[: length - 1] + "…"
