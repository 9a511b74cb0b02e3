"""Recordings written here: ROS 2 MCAP and db3, ROS 1 bag, with Autoware modes by two definitions."""

import numpy as np
import polars as pl
import pytest
from rosbags.rosbag2 import StoragePlugin
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from analyzer.errors import LogError
from analyzer.logs import ReadOptions, read_log
from tests.recorders import record1, record2

START_NS = 1_773_709_200 * 10**9
NEW = "uint8 AUTONOMOUS=1\nuint8 MANUAL=4\nbuiltin_interfaces/Time stamp\nuint8 mode\n"
OLD = "uint8 AUTONOMOUS=1\nuint8 MANUAL=2\nuint8 NOT_READY=4\nbuiltin_interfaces/Time stamp\nuint8 mode\n"
OPERATION = (
    "uint8 UNKNOWN=0\nuint8 AUTONOMOUS=2\nuint8 REMOTE=4\nbuiltin_interfaces/Time stamp\nuint8 mode\n"
    "bool is_autoware_control_enabled\n"
)
REPORT = "autoware_vehicle_msgs/msg/ControlModeReport"
STATE = "autoware_adapi_v1_msgs/msg/OperationModeState"


def typestore(report, kind=Stores.ROS2_HUMBLE):
    store = get_typestore(kind)
    store.register(get_types_from_msg(report, REPORT))
    store.register(get_types_from_msg(OPERATION, STATE))
    return store


def messages(store, modes, operation=()):
    """Yield (topic, type, nanoseconds, message): a fix a second, speeds between, modes."""
    t = store.types
    ros1 = "seq" in t["std_msgs/msg/Header"].__dataclass_fields__

    def stamp(ns):
        return t["builtin_interfaces/msg/Time"](sec=ns // 10**9, nanosec=ns % 10**9)

    def header(ns):
        more = {"seq": 0} if ros1 else {}
        return t["std_msgs/msg/Header"](stamp=stamp(ns), frame_id="gps", **more)

    for second in range(4):
        ns = START_NS + second * 10**9
        status = t["sensor_msgs/msg/NavSatStatus"](status=-1 if second == 3 else 0, service=1)
        covariance = np.array([4.0, 0, 0, 0, 4.0, 0, 0, 0, 9.0])
        fix = t["sensor_msgs/msg/NavSatFix"](
            header=header(ns),
            status=status,
            latitude=35.15,
            longitude=126.8 + second * 1e-5,
            altitude=0.0,
            position_covariance=covariance,
            position_covariance_type=2,
        )
        yield "/fix", "sensor_msgs/msg/NavSatFix", ns, fix
        vector = t["geometry_msgs/msg/Vector3"]
        twist = t["geometry_msgs/msg/Twist"](linear=vector(x=3.0, y=4.0, z=0.0), angular=vector(x=0.0, y=0.0, z=0.0))
        yield (
            "/twist",
            "geometry_msgs/msg/TwistStamped",
            ns + 5 * 10**8,
            t["geometry_msgs/msg/TwistStamped"](header=header(ns + 5 * 10**8), twist=twist),
        )
    for number, mode in enumerate(operation):
        ns = START_NS + number * 10**9 + 1
        yield "/operation", STATE, ns, t[STATE](stamp=stamp(ns), mode=mode, is_autoware_control_enabled=True)
    for number, mode in enumerate(modes):
        ns = START_NS + number * 10**9 + 2
        yield "/mode", REPORT, ns, t[REPORT](stamp=stamp(ns), mode=mode)


def write2(folder, plugin, report=NEW, modes=(), operation=(), compressed=False):
    store = typestore(report)
    said = sorted(messages(store, modes, operation), key=lambda m: m[2])
    return record2(folder, said, store, plugin, "zstd" if compressed else "")


def write1(path):
    store = get_typestore(Stores.ROS1_NOETIC)
    return record1(path, sorted(messages_without_modes(store), key=lambda m: m[2]), store)


def messages_without_modes(store):
    return messages(store, ())


def test_three_containers_say_the_same(tmp_path):
    logs = [
        read_log(path, ReadOptions())
        for path in (
            write2(tmp_path / "a", StoragePlugin.MCAP),
            write2(tmp_path / "b", StoragePlugin.SQLITE3),
            write1(tmp_path / "c.bag"),
        )
    ]
    values = ["record", "time", "longitude", "latitude", "speed_kph", "horizontal_accuracy_m", "is_sample"]
    for log in logs:
        assert log.records.select(values).equals(logs[0].records.select(values))
        assert (log.record_count, log.records.height, log.rejects.height) == (8, 7, 1)
        assert log.rejects["reason"].to_list() == ["no-fix"]
    assert logs[0].records["speed_kph"].drop_nulls().unique().to_list() == [18.0]
    assert logs[0].records["horizontal_accuracy_m"].drop_nulls().unique().to_list() == [2.0]


def test_the_mode_of_autoware_auto_lies_among_other_states_of_the_vehicle(tmp_path):
    """Gears and lamps of the same message have the same numbers, and names that are no modes."""
    definition = (
        "uint8 BLINKER_OFF=1\nuint8 GEAR_DRIVE=1\nuint8 GEAR_REVERSE=2\nuint8 MODE_AUTONOMOUS=1\nuint8 MODE_MANUAL=2\n"
        "uint8 MODE_DISENGAGED=3\nuint8 MODE_NOT_READY=4\nbuiltin_interfaces/Time stamp\nuint8 gear\nuint8 mode\n"
    )
    name = "autoware_auto_vehicle_msgs/msg/VehicleStateReport"
    store = typestore(NEW)
    store.register(get_types_from_msg(definition, name))
    said = list(messages(store, ()))
    for number, mode in enumerate((1, 2, 3, 4, 0)):
        ns = START_NS + number * 5 * 10**8 + 1
        stamp = store.types["builtin_interfaces/msg/Time"](sec=ns // 10**9, nanosec=ns % 10**9)
        said.append(("/state", name, ns, store.types[name](stamp=stamp, gear=2, mode=mode)))
    log = read_log(
        record2(tmp_path / "a", sorted(said, key=lambda m: m[2]), store, StoragePlugin.MCAP, ""), ReadOptions()
    )
    modes = log.records.filter(pl.col("control_mode").is_not_null()).select("control_mode", "control_mode_raw").rows()
    assert modes == [
        ("autonomous", "AUTONOMOUS"),
        ("manual", "MANUAL"),
        ("disengaged", "DISENGAGED"),
        ("not_ready", "NOT_READY"),
        ("unknown", "0"),
    ]


@pytest.mark.parametrize(("report", "manual"), [(NEW, 4), (OLD, 2)])
def test_numbers_of_modes_are_those_of_the_file(tmp_path, report, manual):
    log = read_log(write2(tmp_path / "a", StoragePlugin.MCAP, report, modes=(1, manual, 9)), ReadOptions())
    said = log.records.filter(pl.col("control_mode").is_not_null())["control_mode"].to_list()
    assert said == ["autonomous", "manual", "unknown"]


def test_remote_is_said_by_the_operation_mode(tmp_path):
    log = read_log(write2(tmp_path / "a", StoragePlugin.MCAP, modes=(1, 1, 4), operation=(2, 4, 4)), ReadOptions())
    said = log.records.filter(pl.col("control_mode").is_not_null())
    # The operator's choice holds from its own message on, a nanosecond before each report.
    assert said["control_mode"].to_list() == ["autonomous", "autonomous", "remote", "remote", "remote", "manual"]
    assert said["control_mode_raw"].to_list()[2:] == [
        "AUTONOMOUS/REMOTE",
        "AUTONOMOUS/REMOTE",
        "AUTONOMOUS/REMOTE",
        "MANUAL",
    ]


def test_cut_off_recording(tmp_path):
    path = write2(tmp_path / "a", StoragePlugin.MCAP)
    whole = (tmp_path / "a").joinpath("a.mcap").read_bytes()
    (tmp_path / "cut.mcap").write_bytes(whole[:-30])
    log = read_log(str(tmp_path / "cut.mcap"), ReadOptions())
    assert log.records.height == read_log(path, ReadOptions()).records.height
    assert "recording-cut" in [notice.code for notice in log.notices]
    (tmp_path / "cut.mcap").write_bytes(whole[:200])  # nothing but the beginning of the definitions
    with pytest.raises(LogError, match="damaged or was cut off"):
        read_log(str(tmp_path / "cut.mcap"), ReadOptions())
