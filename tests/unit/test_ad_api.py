"""Positions and speeds of Autoware's AD API (/api/vehicle/kinematics), alone and beside a receiver."""

import math
import sqlite3

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin
from rosbags.typesys import get_types_from_msg

from analyzer.analysis import Options, analyze
from analyzer.errors import LogError
from analyzer.logs import ReadOptions, read_log
from analyzer.zone_loading import load_zone_set
from tests.recorders import record2
from tests.unit.test_recording_dirt import SECOND, codes, fix_of, stamp_of, store_of
from tests.unit.test_recordings import START_NS

KINEMATICS = "autoware_adapi_v1_msgs/msg/VehicleKinematics"
DEFINITIONS = {
    "geographic_msgs/msg/GeoPoint": "float64 latitude\nfloat64 longitude\nfloat64 altitude\n",
    "geographic_msgs/msg/GeoPointStamped": "std_msgs/Header header\ngeographic_msgs/GeoPoint position\n",
    KINEMATICS: (
        "geographic_msgs/GeoPointStamped geographic_pose\ngeometry_msgs/PoseWithCovarianceStamped pose\n"
        "geometry_msgs/TwistWithCovarianceStamped twist\ngeometry_msgs/AccelWithCovarianceStamped accel\n"
    ),
}
FIX = "sensor_msgs/msg/NavSatFix"


def ad_api_store():
    store = store_of()
    for name, text in DEFINITIONS.items():
        store.register(get_types_from_msg(text, name))
    return store


def kinematics(store, ns, latitude, longitude, mps=(3.0, 4.0)):
    """Return a message as Autoware publishes it; its local pose is metres on the map."""
    t = store.types
    vector, covariance = t["geometry_msgs/msg/Vector3"], np.full(36, 0.01)
    header = t["std_msgs/msg/Header"](stamp=stamp_of(store, ns), frame_id="map")
    zero = vector(x=0.0, y=0.0, z=0.0)
    pose = t["geometry_msgs/msg/Pose"](
        position=t["geometry_msgs/msg/Point"](x=89_000.0, y=43_000.0, z=0.0),
        orientation=t["geometry_msgs/msg/Quaternion"](x=0.0, y=0.0, z=0.0, w=1.0),
    )
    twist = t["geometry_msgs/msg/Twist"](linear=vector(x=mps[0], y=mps[1], z=9.0), angular=zero)
    accel = t["geometry_msgs/msg/Accel"](linear=zero, angular=zero)
    stamped = {
        name: t[f"geometry_msgs/msg/{kind}WithCovarianceStamped"](
            header=header,
            **{name: t[f"geometry_msgs/msg/{kind}WithCovariance"](**{name: value}, covariance=covariance)},
        )
        for name, kind, value in (("pose", "Pose", pose), ("twist", "Twist", twist), ("accel", "Accel", accel))
    }
    place = t["geographic_msgs/msg/GeoPoint"](latitude=latitude, longitude=longitude, altitude=math.nan)
    return t[KINEMATICS](
        geographic_pose=t["geographic_msgs/msg/GeoPointStamped"](header=header, position=place), **stamped
    )


def told(store, places, late=10**8):
    """Return messages of one a second, received `late` nanoseconds after what they are about."""
    return [
        ("/api/vehicle/kinematics", KINEMATICS, ns + late, kinematics(store, ns, *place))
        for ns, place in zip(range(START_NS, START_NS + 99 * SECOND, SECOND), places, strict=False)
    ]


def drive(count):
    return [(35.15, 126.8 + n * 5e-5) for n in range(count)]


def test_positions_and_speeds_without_a_receiver(tmp_path):
    """The time is that of the estimate, not of the message; the covariance on the map is no accuracy on Earth."""
    store = ad_api_store()
    path = record2(tmp_path / "a", told(store, drive(3)), store)
    log = read_log(path, ReadOptions())
    assert log.records["time"].dt.epoch("ns").to_list() == [START_NS + n * SECOND for n in range(3)]
    assert list(zip(log.records["latitude"], log.records["longitude"], strict=True)) == drive(3)
    assert log.records["speed_kph"].to_list() == [18.0] * 3
    assert log.records["horizontal_accuracy_m"].null_count() == 3
    assert codes(log) == {"estimated-positions"}
    assert "/api/vehicle/kinematics" in next(n for n in log.notices if n.code == "estimated-positions").en


def test_an_estimate_nowhere_on_earth_is_no_fix(tmp_path):
    """NaN is what Autoware says of a map without projection; before 2023 it left 0/0."""
    store = ad_api_store()
    places = [*drive(2), (math.nan, math.nan), (0.0, 0.0), (35.15, 200.0), (math.nan, 126.8)]
    log = read_log(record2(tmp_path / "a", told(store, places), store), ReadOptions())
    assert log.records["record"].to_list() == [1, 2]
    reasons = dict(log.rejects.select("record", "reason").rows())
    assert reasons == {3: "no-fix", 4: "no-fix", 5: "bad-position", 6: "no-fix"}
    assert log.record_count == log.records.height + log.rejects.height + log.other_records
    with pytest.raises(LogError, match=r"holds no position.*rejected: 2.*projector LOCAL"):
        read_log(record2(tmp_path / "b", told(store, [(math.nan, math.nan), (0.0, 0.0)]), store), ReadOptions())


def test_a_receiver_goes_first_and_the_estimate_says_the_speed(tmp_path):
    """Also where the estimate comes first in the file, and where it has no place on Earth."""
    store = ad_api_store()
    half = SECOND // 2
    fixes = [("/fix", FIX, ns, fix_of(store, ns, n)) for n, ns in enumerate((START_NS + half, START_NS + 3 * half))]
    estimates = told(store, [(36.0, 127.0), (math.nan, math.nan), (36.0, 127.0)], late=0)
    path = record2(tmp_path / "a", sorted(estimates + fixes, key=lambda m: m[2]), store)
    log = read_log(path, ReadOptions())
    assert log.records["latitude"].drop_nulls().unique().to_list() == [35.15]
    assert log.records.filter(log.records["is_sample"])["speed_kph"].to_list() == [18.0] * 3
    assert log.rejects.height == 0
    assert codes(log) == {"estimates-left"}
    account = analyze([path], load_zone_set("demo"), Options()).logs[0]
    assert (account.records, account.fixes, account.other_records) == (5, 3, 2)


def test_a_receiver_that_never_has_a_fix_leaves_the_estimate(tmp_path):
    store = ad_api_store()
    blind = fix_of(store, START_NS, 0)
    blind.status.status = -1
    path = record2(tmp_path / "a", [("/fix", FIX, START_NS, blind), *told(store, drive(2))], store)
    log = read_log(path, ReadOptions())
    assert log.records["record"].to_list() == [2, 3]
    assert log.rejects["reason"].to_list() == ["no-fix"]
    assert codes(log) == {"estimated-positions"}


def test_the_same_name_in_another_package_is_something_else(tmp_path):
    store = ad_api_store()
    other = "our_msgs/msg/VehicleKinematics"
    store.register(get_types_from_msg("builtin_interfaces/Time stamp\n", other))
    said = [("/own", other, START_NS, store.types[other](stamp=stamp_of(store, START_NS))), *told(store, drive(2))]
    log = read_log(record2(tmp_path / "a", said, store), ReadOptions())
    assert (log.record_count, log.records.height, log.rejects.height, log.other_records) == (3, 2, 0, 1)


def without_definitions(path):
    """Take the definitions out of a db3, as Humble writes none."""
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM message_definitions")
    database.close()
    return path


def test_definitions_come_from_the_sources_of_packages(tmp_path):
    """The sources of autoware_adapi_v1_msgs sort their messages into folders; package.xml says whose they are."""
    store = ad_api_store()
    path = without_definitions(record2(tmp_path / "a", told(store, drive(2)), store, StoragePlugin.SQLITE3))
    with pytest.raises(LogError, match=r"by --msgs DIR: autoware_adapi_v1_msgs/msg/VehicleKinematics"):
        read_log(path, ReadOptions())
    sources = tmp_path / "src"
    for name, text in DEFINITIONS.items():
        package, _, kind = name.split("/")
        home = sources / package / ("vehicle/msg" if package.startswith("autoware") else "msg")
        home.mkdir(parents=True, exist_ok=True)
        (home / f"{kind}.msg").write_text(text, encoding="utf-8")
        manifest = f"<package format='3'>\n  <name>{package}</name>\n</package>\n"
        (sources / package / "package.xml").write_text(manifest, encoding="utf-8")
    assert read_log(path, ReadOptions(msgs=sources)).records["speed_kph"].to_list() == [18.0] * 2
