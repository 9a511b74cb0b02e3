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
from analyzer.logs._ros_walk import ESTIMATE_KIND, MODE_KINDS, Topic

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


class Bad:
    """Messages that say no position or nothing at all, a row each, and why."""

    def __init__(self) -> None:
        self.record, self.log, self.reason = array("q"), array("q"), array("B")
        self.longitude, self.latitude, self.topic = array("d"), array("d"), array("H")

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.record)

    def add(self, topic: int, record: int, log_ns: int, reason: int, lon: float, lat: float) -> None:  # noqa: PLR0913 - a row
        """Take one."""
        self.record.append(record)
        self.log.append(log_ns)
        self.reason.append(reason)
        self.longitude.append(lon)
        self.latitude.append(lat)
        self.topic.append(topic)

    def extend(self, other: "Bad") -> None:
        """Take those of another."""
        for name, values in vars(other).items():
            getattr(self, name).extend(values)


class Rows:
    """One row a message that says something; times in nanoseconds, a stamp of 0 is none.

    `bad` has the rejects; `said` are the modes that `mode` counts from 0 (-1: none). Positions
    are those of receivers (NavSatFix) or, as `choose` decides, of Autoware's own estimate, of
    which `lost` says no position.
    """

    def __init__(self) -> None:
        self._packed = bytearray()
        self.bad, self.lost = Bad(), Bad()
        self.modes = Modes()
        self.said: dict[Said, int] = {}
        self.topics: list[Topic] = []
        self.received = self.estimated = 0

    @property
    def positions(self) -> int:
        """Return how many positions there are to choose from."""
        return self.received or self.estimated

    def taker(self, topic: Topic, decode: Decode) -> Take:
        """Return what takes the messages of a topic."""
        number = len(self.topics)
        self.topics.append(topic)
        if topic.kind in MODE_KINDS:
            names = Names()
            return partial(self._take, number, decode, partial(self._mode, topic.kind, names))
        if topic.kind in ("NavSatFix", ESTIMATE_KIND):
            return partial(self._take, number, decode, self._position if topic.kind == "NavSatFix" else self._estimate)
        return partial(self._take, number, decode, partial(self._speed, _SAYS[topic.kind]))

    def _take(self, topic: int, decode: Decode, say: Any, record: int, log_ns: int, raw: bytes) -> None:  # noqa: PLR0913 - of every message
        """Take one message; what cannot be decoded is a reject."""
        try:
            say(topic, record, log_ns, decode(raw))
        except Exception:  # noqa: BLE001 - bytes that make no sense may raise anything
            self.bad.add(topic, record, log_ns, 2, _NAN, _NAN)

    def table(self) -> np.ndarray[Any, Any]:
        """Return the rows, a field of the array a column; no row can be added while anybody holds them."""
        return np.frombuffer(self._packed, dtype=_DTYPE)

    def _position(self, topic: int, record: int, log_ns: int, message: Any) -> None:
        """Take a position, or a reject."""
        lon, lat, status = message.longitude, message.latitude, message.status.status
        # A comparison with what is no number is false.
        if status == NO_FIX or not (-180 <= lon <= 180 and -90 <= lat <= 90) or (lon == 0 and lat == 0):  # noqa: PLR2004
            self.bad.add(topic, record, log_ns, 0 if status == NO_FIX else 1, lon, lat)
            return
        sigma = _NAN
        if message.position_covariance_type:
            covariance = message.position_covariance
            variance = (covariance.item(0) + covariance.item(4)) / 2
            sigma = math.sqrt(variance) if 0 < variance < math.inf else _NAN
        stamp = message.header.stamp
        stamp_ns = stamp.sec * _SECOND_NS + stamp.nanosec
        self._packed += _PACK(record, log_ns, stamp_ns, topic, -1, lon, lat, _NAN, sigma)
        self.received += 1

    def _estimate(self, topic: int, record: int, log_ns: int, message: Any) -> None:
        """Take Autoware's estimate of position and speed; its map may lie nowhere on Earth (NaN, formerly 0/0)."""
        place, twist = message.geographic_pose.position, message.twist
        lon, lat, header = place.longitude, place.latitude, message.geographic_pose.header
        kph = _kph(math.hypot(twist.twist.twist.linear.x, twist.twist.twist.linear.y))
        nowhere = math.isnan(lon) or math.isnan(lat) or (lon == 0 and lat == 0)
        if nowhere or not (-180 <= lon <= 180 and -90 <= lat <= 90):  # noqa: PLR2004
            self.lost.add(topic, record, log_ns, 0 if nowhere else 1, lon, lat)
            lon, lat, header = _NAN, _NAN, twist.header
        else:
            self.estimated += 1
        stamp_ns = header.stamp.sec * _SECOND_NS + header.stamp.nanosec
        self._packed += _PACK(record, log_ns, stamp_ns, topic, -1, lon, lat, kph, _NAN)

    def choose(self) -> None:
        """Let the estimates say only their speeds where receivers say positions, else reject those without one."""
        estimates = [number for number, topic in enumerate(self.topics) if topic.kind == ESTIMATE_KIND]
        if not estimates:
            return
        table = self.table()
        own = np.isin(table["topic"], estimates)
        if self.received:
            table["longitude"][own] = table["latitude"][own] = _NAN
        elif self.lost:
            self.bad.extend(self.lost)
            self._packed = bytearray(table[~(own & np.isnan(table["longitude"]))].tobytes())

    def _speed(self, says: Any, topic: int, record: int, log_ns: int, message: Any) -> None:
        """Take a speed."""
        self._sample(topic, record, log_ns, message.header.stamp, _kph(says(message)), -1)

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
        bad = self.bad
        if not bad:
            return NO_REJECTS
        words = pl.Series([topic.name for topic in self.topics], dtype=pl.String)
        instant = pl.Series(np.array(bad.log) // 1000).cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        frame = pl.DataFrame(
            {
                "record": np.array(bad.record),
                "reason": pl.Series(REASONS).gather(pl.Series(np.array(bad.reason))),
                "topic": words.gather(pl.Series(np.array(bad.topic))),
                "instant": instant,
                "longitude": np.array(bad.longitude),
                "latitude": np.array(bad.latitude),
            }
        ).sort("record")
        place = pl.format("{} {} {} {}", "topic", "instant", "longitude", "latitude")
        text = pl.when(pl.col("reason") == REASONS[2]).then(pl.format("{} {}", "topic", "instant")).otherwise(place)
        return frame.select("record", "reason", text=text)


def _kph(mps: float) -> float:
    """Return a speed in km/h, NaN where it is no number."""
    return mps * MPS_TO_KPH if math.isfinite(mps) else _NAN


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
