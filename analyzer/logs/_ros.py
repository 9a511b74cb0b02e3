"""ROS recordings, read by the library rosbags: positions, speeds and modes of one vehicle.

Positions come from NavSatFix, speeds from TwistStamped, Odometry or VelocityReport, modes
from Autoware's ControlModeReport and OperationModeState. The numbers of modes are read
from the message definitions inside the file, because their meaning has changed over
time. Records count the messages of these types in order of log time, from 1.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from analyzer.errors import LogError
from analyzer.logs._format import NO_REJECTS, Log, ReadOptions
from analyzer.logs._plain import clean_text, vehicle_from_file
from analyzer.logs._profile import load_profile

NO_FIX = -1
MPS_TO_KPH = 3.6
_SECOND_NS = 1_000_000_000
MODE_OF_REPORT = {
    "AUTONOMOUS": "autonomous",
    "AUTONOMOUS_STEER_ONLY": "autonomous",
    "AUTONOMOUS_VELOCITY_ONLY": "autonomous",
    "MANUAL": "manual",
    "DISENGAGED": "disengaged",
    "NOT_READY": "not_ready",
}
MODE_OF_OPERATION = {
    "STOP": "autonomous",
    "AUTONOMOUS": "autonomous",
    "LOCAL": "manual",
    "REMOTE": "remote",
}
SPEED_TYPES = ("TwistStamped", "Odometry", "VelocityReport")
TYPES = ("NavSatFix", *SPEED_TYPES, "ControlModeReport", "OperationModeState")


@dataclass
class _Recording:
    """What has been read so far."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[tuple[int, str, str]] = field(default_factory=list)
    operation: tuple[str, str] | None = None
    count: int = 0


def read_ros(path: str, options: ReadOptions, name: str) -> Log:
    """Return the log of a recording; LogError where it cannot be read or holds no position."""
    from rosbags.highlevel import AnyReader  # noqa: PLC0415 - only recordings need it
    from rosbags.highlevel.anyreader import AnyReaderError  # noqa: PLC0415
    from rosbags.interfaces import Connection  # noqa: PLC0415, F401
    from rosbags.typesys import Stores, get_typestore  # noqa: PLC0415

    store = get_typestore(Stores.ROS2_HUMBLE) if name == "ros2-db3" else None
    try:
        with AnyReader([Path(path)], default_typestore=store) as reader:
            total = reader.message_count
            recording = _read_messages(reader)
            topics = sorted({c.topic for c in reader.connections})
    except AnyReaderError as error:
        raise LogError(_damaged(path, name, error)) from error
    except (OSError, ValueError, KeyError, IndexError, AssertionError, RuntimeError) as error:
        raise LogError(_damaged(path, name, error)) from error
    if not any(not row["is_sample"] for row in recording.rows):
        shown = ", ".join(clean_text(t) for t in topics[:12])
        message = f"{path}: holds no position (sensor_msgs/NavSatFix); its topics are: {shown or 'none'}"
        raise LogError(message)
    return _log(path, options, name, recording, total)


def _damaged(path: str, name: str, error: Exception) -> str:
    """Return what to say of a recording that cannot be opened."""
    tool = "rosbag reindex" if name == "ros1-bag" else "`mcap recover` or `ros2 bag reindex`"
    return f"{path}: the recording is damaged or was cut off ({error}); repair a copy with {tool}"


def _read_messages(reader: Any) -> _Recording:
    """Return all messages that say a position, a speed or a mode, in order of log time."""
    wanted = [c for c in reader.connections if c.msgtype.rsplit("/", 1)[-1] in TYPES]
    reports = any(c.msgtype.endswith("/ControlModeReport") for c in wanted)
    recording = _Recording()
    for kind, log_ns, message in _messages(reader, wanted):
        recording.count += 1
        time_us = _stamp_us(message, log_ns)
        if kind == "NavSatFix":
            _position(recording, time_us, message)
        elif kind in SPEED_TYPES:
            _sample(recording, time_us, speed_kph=_speed_kph(kind, message))
        elif kind == "ControlModeReport":
            mode, raw = _reported_mode(message, recording.operation)
            _sample(recording, time_us, control_mode=mode, control_mode_raw=raw)
        else:
            recording.operation = _operation_mode(message)
            if not reports:
                mode, raw = recording.operation
                _sample(recording, time_us, control_mode=mode, control_mode_raw=raw)
    return recording


def _messages(reader: Any, connections: list[Any]) -> Iterator[tuple[str, int, Any]]:
    """Yield kind, log time in nanoseconds and message."""
    if not connections:
        return
    for connection, log_ns, raw in reader.messages(connections):
        message = reader.deserialize(raw, connection.msgtype)
        yield connection.msgtype.rsplit("/", 1)[-1], log_ns, message


def _stamp_us(message: Any, log_ns: int) -> int:
    """Return the message's own time, the log's where it has none (0)."""
    stamp = message.header.stamp if hasattr(message, "header") else getattr(message, "stamp", None)
    stamp_ns = stamp.sec * _SECOND_NS + stamp.nanosec if stamp is not None else 0
    return (stamp_ns or log_ns) // 1000


def _position(recording: _Recording, time_us: int, message: Any) -> None:
    """Take over a position, or a reject."""
    lon, lat = float(message.longitude), float(message.latitude)
    good = math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90  # noqa: PLR2004
    if message.status.status == NO_FIX or not good or (lon == 0 and lat == 0):
        reason = "no-fix" if message.status.status == NO_FIX else "bad-position"
        recording.rejects.append((recording.count, reason, f"{time_us} {lon} {lat}"))
        return
    _row(recording, time_us, is_sample=False, longitude=lon, latitude=lat, horizontal_accuracy_m=_sigma_m(message))


def _sigma_m(message: Any) -> float | None:
    """Return one standard deviation per axis from the covariance, null where it is unknown."""
    if message.position_covariance_type == 0:
        return None
    variance = (float(message.position_covariance[0]) + float(message.position_covariance[4])) / 2
    return math.sqrt(variance) if math.isfinite(variance) and variance > 0 else None


def _speed_kph(kind: str, message: Any) -> float:
    """Return the speed over the ground."""
    if kind == "VelocityReport":
        mps = math.hypot(message.longitudinal_velocity, message.lateral_velocity)
    else:
        twist = message.twist.twist if kind == "Odometry" else message.twist
        mps = math.hypot(twist.linear.x, twist.linear.y)
    return mps * MPS_TO_KPH


def _constant(message: Any) -> str:
    """Return the name that the file's own definition gives to the value of `mode`."""
    names = [n for n in dir(message) if n.isupper() and getattr(message, n) == message.mode]
    return min(names, default=str(message.mode))


def _reported_mode(message: Any, operation: tuple[str, str] | None) -> tuple[str, str]:
    """Return the mode that the vehicle reports; remote where Autoware is driven remotely."""
    name = _constant(message)
    mode = MODE_OF_REPORT.get(name, "unknown")
    if mode == "autonomous" and operation and operation[0] == "remote":
        return "remote", f"{name}/{operation[1]}"
    return mode, name


def _operation_mode(message: Any) -> tuple[str, str]:
    """Return the selected mode of Autoware; manual where it does not control the vehicle."""
    name = _constant(message)
    if not message.is_autoware_control_enabled:
        return "manual", f"{name} (control disabled)"
    return MODE_OF_OPERATION.get(name, "unknown"), name


def _sample(recording: _Recording, time_us: int, **values: Any) -> None:
    """Take over a speed or mode sample."""
    _row(recording, time_us, is_sample=True, **values)


def _row(recording: _Recording, time_us: int, **values: Any) -> None:
    """Take over one record."""
    recording.rows.append({"record": recording.count, "time": time_us, **values})


_SCHEMA = {
    "record": pl.Int64,
    "time": pl.Int64,
    "is_sample": pl.Boolean,
    "longitude": pl.Float64,
    "latitude": pl.Float64,
    "speed_kph": pl.Float64,
    "horizontal_accuracy_m": pl.Float64,
    "control_mode": pl.String,
    "control_mode_raw": pl.String,
}


def _log(path: str, options: ReadOptions, name: str, recording: _Recording, total: int) -> Log:
    """Return the log; the vehicle is the profile's or called after the file."""
    profile = load_profile(options.profile)
    vehicle = profile.fixed.get("vehicle_id")
    named = vehicle is not None
    vehicle = vehicle or Path(path).name.split(".")[0]
    remarks = () if named else (vehicle_from_file(path, vehicle),)
    records = pl.DataFrame(recording.rows, schema=_SCHEMA).with_columns(
        pl.col("time").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        vehicle_id=pl.lit(vehicle),
        **{n: pl.lit(profile.fixed[n]) for n in ("vehicle_type", "operator") if n in profile.fixed},
    )
    rejects = pl.DataFrame(recording.rejects, schema=NO_REJECTS.schema, orient="row")
    others = total - recording.count
    return Log(path, name, None, records, rejects, total, others, remarks)
