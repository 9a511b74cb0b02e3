"""What the messages of a recording say, gathered in columns: a few dozen bytes a message."""

import math
import struct
from array import array
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from analyzer.logs._format import NO_REJECTS
from analyzer.logs._ros_modes import Modes, Names, Said
from analyzer.logs._ros_types import Decode
from analyzer.logs._ros_walk import MODE_KINDS, Topic

NO_FIX = -1
MPS_TO_KPH = 3.6
_SECOND_NS = 1_000_000_000
_NAN = math.nan
_DTYPE = np.dtype(
    [
        *((name, "<i8") for name in ("record", "log", "stamp")),
        ("topic", "<u2"),
        ("mode", "<i4"),
        *((name, "<f8") for name in ("longitude", "latitude", "speed", "sigma")),
    ]
)
_PACK = struct.Struct("<qqqHidddd").pack
"""Makes the bytes of a row: one call instead of one for each column."""
REASONS = ("no-fix", "bad-position", "bad-message")

Take = Callable[[int, int, bytes], None]
"""Takes the number, the log time and the bytes of a message."""


class Rows:
    """One row a message that says something; times in nanoseconds, a stamp of 0 is none.

    `bad` has the rows of rejects; `said` are the modes that `mode` counts from 0 (-1: none).
    """

    def __init__(self) -> None:
        self._packed = bytearray()
        self.bad_record, self.bad_log, self.bad_reason = array("q"), array("q"), array("B")
        self.bad_longitude, self.bad_latitude, self.bad_topic = array("d"), array("d"), array("H")
        self.modes = Modes()
        self.said: dict[Said, int] = {}
        self.topics: list[Topic] = []
        self.positions = 0

    def taker(self, topic: Topic, decode: Decode) -> Take:
        """Return what takes the messages of a topic."""
        number = len(self.topics)
        self.topics.append(topic)
        says = _SAYS.get(topic.kind)
        if topic.kind in MODE_KINDS:
            names = Names()
            return partial(self._take, number, decode, partial(self._mode, topic.kind, names))
        if topic.kind == "NavSatFix":
            return partial(self._take, number, decode, self._position)
        return partial(self._take, number, decode, partial(self._speed, says))

    def _take(self, topic: int, decode: Decode, say: Any, record: int, log_ns: int, raw: bytes) -> None:  # noqa: PLR0913 - of every message
        """Take one message; what cannot be decoded is a reject."""
        try:
            say(topic, record, log_ns, decode(raw))
        except Exception:  # noqa: BLE001 - bytes that make no sense may raise anything
            self._reject(topic, record, log_ns, 2, _NAN, _NAN)

    def _reject(self, topic: int, record: int, log_ns: int, reason: int, lon: float, lat: float) -> None:  # noqa: PLR0913 - a row
        self.bad_record.append(record)
        self.bad_log.append(log_ns)
        self.bad_reason.append(reason)
        self.bad_longitude.append(lon)
        self.bad_latitude.append(lat)
        self.bad_topic.append(topic)

    def table(self) -> np.ndarray[Any, Any]:
        """Return the rows, a field of the array a column; no row can be added while anybody holds them."""
        return np.frombuffer(self._packed, dtype=_DTYPE)

    def _position(self, topic: int, record: int, log_ns: int, message: Any) -> None:
        """Take a position, or a reject."""
        lon, lat, status = message.longitude, message.latitude, message.status.status
        # A comparison with what is no number is false.
        if status == NO_FIX or not (-180 <= lon <= 180 and -90 <= lat <= 90) or (lon == 0 and lat == 0):  # noqa: PLR2004
            self._reject(topic, record, log_ns, 0 if status == NO_FIX else 1, lon, lat)
            return
        sigma = _NAN
        if message.position_covariance_type:
            covariance = message.position_covariance
            variance = (covariance.item(0) + covariance.item(4)) / 2
            sigma = math.sqrt(variance) if 0 < variance < math.inf else _NAN
        stamp = message.header.stamp
        stamp_ns = stamp.sec * _SECOND_NS + stamp.nanosec
        self._packed += _PACK(record, log_ns, stamp_ns, topic, -1, lon, lat, _NAN, sigma)
        self.positions += 1

    def _speed(self, says: Any, topic: int, record: int, log_ns: int, message: Any) -> None:
        """Take a speed."""
        mps = says(message)
        self._sample(topic, record, log_ns, message.header.stamp, mps * MPS_TO_KPH if math.isfinite(mps) else _NAN, -1)

    def _mode(self, kind: str, names: Names, topic: int, record: int, log_ns: int, message: Any) -> None:  # noqa: PLR0913 - of every message
        """Take a mode; a message after which nobody says one still has a row."""
        said = self.modes.hear(kind, message, names)
        mode = -1 if said is None else self.said.setdefault(said, len(self.said))
        self._sample(topic, record, log_ns, message.stamp, _NAN, mode)

    def _sample(self, topic: int, record: int, log_ns: int, stamp: Any, kph: float, mode: int) -> None:  # noqa: PLR0913 - a row
        """Take what is said at an instant without a position."""
        stamp_ns = 0 if stamp is None else stamp.sec * _SECOND_NS + stamp.nanosec
        self._packed += _PACK(record, log_ns, stamp_ns, topic, mode, _NAN, _NAN, kph, _NAN)

    def rejects(self) -> pl.DataFrame:
        """Return the table of rejects: topic, log time and place as far as they are known."""
        if not self.bad_record:
            return NO_REJECTS
        words = pl.Series([topic.name for topic in self.topics], dtype=pl.String)
        instant = (
            pl.Series(np.array(self.bad_log) // 1000).cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        )
        frame = pl.DataFrame(
            {
                "record": np.array(self.bad_record),
                "reason": pl.Series(REASONS).gather(pl.Series(np.array(self.bad_reason))),
                "topic": words.gather(pl.Series(np.array(self.bad_topic))),
                "instant": instant,
                "longitude": np.array(self.bad_longitude),
                "latitude": np.array(self.bad_latitude),
            }
        )
        place = pl.format("{} {} {} {}", "topic", "instant", "longitude", "latitude")
        text = pl.when(pl.col("reason") == REASONS[2]).then(pl.format("{} {}", "topic", "instant")).otherwise(place)
        return frame.select("record", "reason", text=text)


def _of_report(message: Any) -> float:
    """Return the speed over the ground of a VelocityReport, whichever way it drives, in m/s."""
    return math.hypot(message.longitudinal_velocity, message.lateral_velocity)


def _of_odometry(message: Any) -> float:
    """Return the speed over the ground of an Odometry."""
    return math.hypot(message.twist.twist.linear.x, message.twist.twist.linear.y)


def _of_twist(message: Any) -> float:
    """Return the speed over the ground of a TwistStamped."""
    return math.hypot(message.twist.linear.x, message.twist.linear.y)


_SAYS: dict[str, Callable[[Any], float]] = {
    "VelocityReport": _of_report,
    "Odometry": _of_odometry,
    "TwistStamped": _of_twist,
}
