"""The dirt of real recordings, one test a kind: clocks, files, definitions, limits."""

import hashlib
import os
import shutil
import sqlite3
import struct
from pathlib import Path

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from analyzer.analysis import Options, analyze
from analyzer.errors import LogError
from analyzer.logs import ReadOptions, find_logs, read_log
from analyzer.logs._ros_types import decoder_of
from analyzer.logs._ros_walk import Topic
from analyzer.logs._unpack import zstd
from analyzer.zone_loading import load_zone_set
from tests.recorders import record2
from tests.unit.test_recordings import NEW, REPORT, START_NS, write2

SECOND = 10**9
DAY = 86_400 * SECOND
MRM = (
    "uint16 UNKNOWN=0\nuint16 NORMAL=1\nuint16 MRM_OPERATING=2\nuint16 MRM_SUCCEEDED=3\n"
    "uint16 NONE=1\nuint16 EMERGENCY_STOP=2\nbuiltin_interfaces/Time stamp\nuint16 state\nuint16 behavior\n"
)
MRM_STATE = "autoware_adapi_v1_msgs/msg/MrmState"
VELOCITY = "std_msgs/Header header\nfloat32 longitudinal_velocity\nfloat32 lateral_velocity\nfloat32 heading_rate\n"
VELOCITY_REPORT = "autoware_vehicle_msgs/msg/VelocityReport"
FULL = (
    "uint8 NO_COMMAND=0\nuint8 AUTONOMOUS=1\nuint8 AUTONOMOUS_STEER_ONLY=2\nuint8 AUTONOMOUS_VELOCITY_ONLY=3\n"
    "uint8 MANUAL=4\nuint8 DISENGAGED=5\nuint8 NOT_READY=6\nbuiltin_interfaces/Time stamp\nuint8 mode\n"
)


def store_of(report=NEW):
    store = get_typestore(Stores.ROS2_HUMBLE)
    for text, name in ((report, REPORT), (MRM, MRM_STATE), (VELOCITY, VELOCITY_REPORT)):
        store.register(get_types_from_msg(text, name))
    return store


def stamp_of(store, ns):
    return store.types["builtin_interfaces/msg/Time"](sec=ns // SECOND, nanosec=ns % SECOND)


def fix_of(store, ns, number):
    t = store.types
    return t["sensor_msgs/msg/NavSatFix"](
        header=t["std_msgs/msg/Header"](stamp=stamp_of(store, ns), frame_id="gps"),
        status=t["sensor_msgs/msg/NavSatStatus"](status=0, service=1),
        latitude=35.15,
        longitude=126.8 + number * 1e-5,
        altitude=0.0,
        position_covariance=np.zeros(9),
        position_covariance_type=0,
    )


def write(folder, messages, store=None, plugin=StoragePlugin.MCAP):
    """Write (topic, type, log time, message); return the file."""
    return record2(folder, messages, store or store_of(), plugin)


def write_fixes(folder, clocks):
    """Write a position for each (own time, log time)."""
    store = store_of()
    kind = "sensor_msgs/msg/NavSatFix"
    return write(folder, [("/fix", kind, log, fix_of(store, own, n)) for n, (own, log) in enumerate(clocks)], store)


def times_ns(log):
    return log.records["time"].dt.epoch("ns").to_list()


def codes(log):
    return {notice.code for notice in log.notices} - {"vehicle-from-file"}


def test_own_times_count_and_nothing_is_said_of_good_clocks(tmp_path):
    own = [START_NS + n * SECOND for n in range(20)]
    log = read_log(write_fixes(tmp_path / "a", [(t, t + 87 * 10**7) for t in own]), ReadOptions())
    assert times_ns(log) == own
    assert codes(log) == set()
    assert "trip_id" not in log.records.columns


def test_seconds_of_the_day_take_their_date_from_the_log_over_midnight(tmp_path):
    midnight = START_NS - START_NS % DAY + DAY
    true = [midnight + (n - 2) * SECOND for n in range(5)]
    clocks = [(t % DAY or 1000, t + 87 * 10**7) for t in true]  # a stamp of 0 is none
    log = read_log(write_fixes(tmp_path / "a", clocks), ReadOptions())
    assert times_ns(log) == [t + (1000 if t == midnight else 0) for t in true]
    assert codes(log) == {"date-recovered"}


def test_times_since_a_start_take_their_date_from_the_log(tmp_path):
    clocks = [(47 * SECOND + n * SECOND, START_NS + n * SECOND + (n % 3) * 10**6) for n in range(9)]
    log = read_log(write_fixes(tmp_path / "a", clocks), ReadOptions())
    assert times_ns(log) == [START_NS + n * SECOND + 10**6 for n in range(9)]  # the median of the delays
    assert codes(log) == {"date-recovered"}


def test_no_clock_with_a_date_is_refused(tmp_path):
    with pytest.raises(LogError, match=r"before the year 2000.*recorder's clock"):
        read_log(write_fixes(tmp_path / "a", [(n * SECOND, n * SECOND) for n in range(47, 50)]), ReadOptions())


def test_no_own_time_takes_the_log_time_and_says_so(tmp_path):
    log = read_log(write_fixes(tmp_path / "a", [(0, START_NS), (0, START_NS + SECOND)]), ReadOptions())
    assert times_ns(log) == [START_NS, START_NS + SECOND]
    assert codes(log) == {"log-time-used"}


def test_whole_days_off_are_moved_to_the_date_of_the_log(tmp_path):
    clocks = [(START_NS + n * SECOND - DAY, START_NS + n * SECOND + 10**8) for n in range(5)]
    log = read_log(write_fixes(tmp_path / "a", clocks), ReadOptions())
    assert times_ns(log) == [START_NS + n * SECOND for n in range(5)]
    assert codes(log) == {"clock-days-off"}


def test_a_date_that_turns_at_another_midnight_is_moved_where_it_is_wrong(tmp_path):
    """Of ten positions the first six have the date of the day before; the third was logged late."""
    true = [START_NS + n * SECOND for n in range(10)]
    clocks = [(t - DAY * (n < 6), t + 10**8 + 9 * SECOND * (n == 2)) for n, t in enumerate(true)]
    log = read_log(write_fixes(tmp_path / "a", clocks), ReadOptions())
    assert times_ns(log) == true
    assert "trip_id" not in log.records.columns
    (notice,) = (n.en for n in log.notices if n.code == "clock-days-off")
    assert "6 messages are off the log time by whole days (-1)" in notice


@pytest.mark.parametrize(
    ("seconds", "said"), [(59, set()), (-1000, {"clock-away"}), (400 * 86_400 + 99, {"clock-away"})]
)
def test_own_times_that_are_off_by_anything_else_are_followed_and_said(tmp_path, seconds, said):
    own = [START_NS + n * SECOND for n in range(5)]
    log = read_log(write_fixes(tmp_path / "a", [(t, t - seconds * SECOND) for t in own]), ReadOptions())
    assert times_ns(log) == own
    assert codes(log) == said


def test_a_log_time_that_stands_still_is_no_clock(tmp_path):
    """As of a recording converted from another: every message has one log time."""
    log = read_log(write_fixes(tmp_path / "a", [(START_NS + n * SECOND, 0) for n in range(20)]), ReadOptions())
    assert codes(log) == set()


def test_hours_off_are_said_and_other_topics_moved_to_the_clock_of_positions(tmp_path):
    store, nine = store_of(), 9 * 3600 * SECOND
    messages = []
    for n in range(4):
        ns = START_NS + n * SECOND
        report = store.types[REPORT](stamp=stamp_of(store, ns + nine), mode=1)
        messages.append(("/fix", "sensor_msgs/msg/NavSatFix", ns + nine, fix_of(store, ns, n)))
        messages.append(("/mode", REPORT, ns + nine + 1, report))
    log = read_log(write(tmp_path / "a", messages, store), ReadOptions())
    assert codes(log) == {"clock-hours-off", "clock-hours-moved"}
    assert next(n.en for n in log.notices if n.code == "clock-hours-off").count("-9 h") == 1
    assert "4 messages is +9 h off" in next(n.en for n in log.notices if n.code == "clock-hours-moved")
    for is_sample in (False, True):
        rows = log.records.filter(log.records["is_sample"] == is_sample)
        assert rows["time"].dt.epoch("ns").to_list() == [START_NS + n * SECOND for n in range(4)]


def test_a_log_clock_at_another_rate_is_said(tmp_path):
    clocks = [(START_NS + n * SECOND, START_NS + n * SECOND * 119 // 165) for n in range(165)]
    log = read_log(write_fixes(tmp_path / "a", clocks), ReadOptions())
    assert times_ns(log) == [own for own, _ in clocks]
    assert "log-clock-rate" in codes(log)
    assert "0.72 times" in next(n.en for n in log.notices if n.code == "log-clock-rate")


def test_a_clock_set_back_begins_a_trip(tmp_path):
    own = [0, 1, 2, 3, -74, -73, -72]
    clocks = [(START_NS + s * SECOND, START_NS + n * SECOND) for n, s in enumerate(own)]
    log = read_log(write_fixes(tmp_path / "drive", clocks), ReadOptions())
    assert log.records["trip_id"].to_list() == ["drive#1"] * 4 + ["drive#2"] * 3
    assert "clock-set-back" in codes(log)


def test_modes_steer_only_no_command_and_manoeuvres(tmp_path):
    store = store_of(FULL)
    t = store.types
    said = [
        (REPORT, 0, "unknown", "NO_COMMAND"),
        (REPORT, 2, "autonomous", "AUTONOMOUS_STEER_ONLY"),
        (REPORT, 3, "autonomous", "AUTONOMOUS_VELOCITY_ONLY"),
        (MRM_STATE, 1, "autonomous", "AUTONOMOUS_VELOCITY_ONLY"),
        (MRM_STATE, 2, "minimal_risk", "AUTONOMOUS_VELOCITY_ONLY/MRM_OPERATING"),
        (REPORT, 1, "minimal_risk", "AUTONOMOUS/MRM_OPERATING"),
        (MRM_STATE, 3, "minimal_risk", "AUTONOMOUS/MRM_SUCCEEDED"),
        (REPORT, 4, "manual", "MANUAL"),
        (MRM_STATE, 1, "manual", "MANUAL"),
        (REPORT, 6, "not_ready", "NOT_READY"),
    ]
    messages = [("/fix", "sensor_msgs/msg/NavSatFix", START_NS, fix_of(store, START_NS, 0))]
    for number, (kind, value, _, _) in enumerate(said, start=1):
        ns = START_NS + number * SECOND
        more = {"mode": value} if kind == REPORT else {"state": value, "behavior": 2}
        messages.append((kind[-6:], kind, ns, t[kind](stamp=stamp_of(store, ns), **more)))
    log = read_log(write(tmp_path / "a", messages, store), ReadOptions())
    rows = log.records.filter(log.records["is_sample"]).select("control_mode", "control_mode_raw").rows()
    assert rows == [(mode, raw) for _, _, mode, raw in said]
    assert codes(log) == set()


def test_driving_backwards_is_as_fast_as_forwards(tmp_path):
    store = store_of()
    t = store.types
    header = t["std_msgs/msg/Header"](stamp=stamp_of(store, START_NS), frame_id="base_link")
    report = t[VELOCITY_REPORT](header=header, longitudinal_velocity=-2.5, lateral_velocity=0.0, heading_rate=0.0)
    fix = ("/fix", "sensor_msgs/msg/NavSatFix", START_NS, fix_of(store, START_NS, 0))
    log = read_log(write(tmp_path / "a", [fix, ("/v", VELOCITY_REPORT, START_NS, report)], store), ReadOptions())
    assert log.records["speed_kph"].to_list() == [None, 9.0]


def test_an_empty_recording_is_no_error_and_said(tmp_path):
    log = read_log(write_nothing(tmp_path / "a"), ReadOptions())
    assert (log.record_count, log.records.height, log.other_records) == (0, 0, 0)
    assert codes(log) == {"empty-recording"}
    with pytest.raises(LogError, match="empty recording: the file is whole"):
        analyze([log.path], load_zone_set("demo"), Options())


def write_nothing(folder):
    with Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        writer.add_connection("/fix", "sensor_msgs/msg/NavSatFix", typestore=store_of())
    return str(folder / f"{folder.name}.mcap")


def humble(path, report_modes=()):
    """Write a recording as Humble did: without definitions."""
    store = store_of()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE schema(schema_version INTEGER PRIMARY KEY, ros_distro TEXT NOT NULL)")
        database.execute("INSERT INTO schema VALUES (3, 'humble')")
        database.execute(
            "CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, "
            "serialization_format TEXT NOT NULL, offered_qos_profiles TEXT NOT NULL)"
        )
        database.execute(
            "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL, timestamp INTEGER NOT NULL, "
            "data BLOB NOT NULL)"
        )
        kind = "sensor_msgs/msg/NavSatFix"
        database.execute("INSERT INTO topics VALUES (1, '/fix', ?, 'cdr', '')", (kind,))
        database.execute("INSERT INTO topics VALUES (2, '/mode', ?, 'cdr', '')", (REPORT,))
        for n in range(3):
            data = bytes(store.serialize_cdr(fix_of(store, START_NS + n * SECOND, n), kind))
            database.execute("INSERT INTO messages VALUES (NULL, 1, ?, ?)", (START_NS + n * SECOND, data))
        for mode in report_modes:
            report = store.types[REPORT](stamp=stamp_of(store, START_NS), mode=mode)
            data = bytes(store.serialize_cdr(report, REPORT))
            database.execute("INSERT INTO messages VALUES (NULL, 2, ?, ?)", (START_NS, data))
    database.close()
    return str(path)


def test_humble_without_definitions(tmp_path):
    plain = read_log(humble(tmp_path / "plain.db3"), ReadOptions())
    assert plain.records.height == 3
    path = humble(tmp_path / "modes.db3", (4,))
    with pytest.raises(LogError, match=r"autoware_vehicle_msgs/msg/ControlModeReport.*--msgs DIR"):
        read_log(path, ReadOptions())
    for text, mode in (
        (NEW, "manual"),
        ("uint8 NOT_READY=4\nbuiltin_interfaces/Time stamp\nuint8 mode\n", "not_ready"),
    ):
        folder = tmp_path / mode
        (folder / "autoware_vehicle_msgs" / "msg").mkdir(parents=True)
        (folder / "autoware_vehicle_msgs" / "msg" / "ControlModeReport.msg").write_text(text, encoding="utf-8")
        log = read_log(path, ReadOptions(msgs=folder))
        assert log.records["control_mode"].drop_nulls().to_list() == [mode]


def test_a_journal_beside_a_database_is_ignored_and_said(tmp_path):
    path = humble(tmp_path / "drive.db3")
    Path(f"{path}-wal").write_bytes(b"\x37\x7f\x06\x82" + b"\0" * 100)
    before = Path(path).read_bytes()
    log = read_log(path, ReadOptions())
    assert codes(log) == {"wal-ignored"}
    assert log.records.height == 3
    assert Path(path).read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["drive.db3", "drive.db3-wal"]


@pytest.mark.parametrize(
    "messages",
    [
        "CREATE VIEW messages AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) "
        "SELECT 1 AS id, 1 AS topic_id, 1 AS timestamp, x AS data FROM n",
        "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, "
        "data BLOB GENERATED ALWAYS AS (zeroblob(1000000000)))",
    ],
)
def test_a_database_that_computes_its_messages_is_refused(tmp_path, messages):
    path = tmp_path / "bomb.db3"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE topics(id INTEGER, name TEXT, type TEXT, serialization_format TEXT)")
        database.execute(messages)
    database.close()
    with pytest.raises(LogError, match="no plain table `messages`"):
        read_log(str(path), ReadOptions())


def bomb(size, packed):
    """Return an MCAP with one chunk that says it grows to `size`."""
    kind = b"zstd"
    body = (
        struct.pack("<QQQI", 0, 0, size, 0)
        + struct.pack("<I", len(kind))
        + kind
        + struct.pack("<Q", len(packed))
        + packed
    )
    return b"\x89MCAP0\r\n" + b"\x06" + struct.pack("<Q", len(body)) + body


@pytest.mark.parametrize("size", [1 << 30, 8 << 20])
def test_bombs_are_refused_before_they_grow(tmp_path, size):
    path = tmp_path / "bomb.mcap"
    path.write_bytes(bomb(size, b"\x28\xb5\x2f\xfd not even zstd"))
    with pytest.raises(LogError, match="would grow to"):
        read_log(str(path), ReadOptions())


def test_many_chunks_that_grow_too_far_together_are_refused(tmp_path):
    path = tmp_path / "bombs.mcap"
    one = bomb(1 << 20, zstd.compress(bytes(1 << 20)))
    path.write_bytes(one[:8] + one[8:] * 100)
    with pytest.raises(LogError, match="bytes of files would grow to"):
        read_log(str(path), ReadOptions())


def test_a_chunk_that_grows_beyond_what_it_says_is_left_out(tmp_path):
    path = tmp_path / "liar.mcap"
    path.write_bytes(bomb(1000, zstd.compress(bytes(50 << 20))))
    with pytest.raises(LogError, match="damaged"):
        read_log(str(path), ReadOptions())


def test_a_compressed_file_that_grows_too_far_is_refused(tmp_path):
    path = tmp_path / "bomb.db3.zstd"
    path.write_bytes(zstd.compress(bytes(30 << 20)))
    with pytest.raises(LogError, match="grows more than 200 times"):
        read_log(str(path), ReadOptions())


def split(folder, names):
    """Make a recording of several files; what is said in the first holds in the others."""
    folder.mkdir()
    store = store_of()
    for number, name in enumerate(names):
        ns = START_NS + number * 10 * SECOND
        messages = [
            ("/fix", "sensor_msgs/msg/NavSatFix", ns + n * SECOND, fix_of(store, ns + n * SECOND, n)) for n in range(3)
        ]
        shutil.move(write(folder / f"tmp{number}", messages, store), folder / name)
        shutil.rmtree(folder / f"tmp{number}")
    listed = "".join(f"    - {name}\n" for name in names)
    text = f"rosbag2_bagfile_information:\n  version: 5\n  relative_file_paths:\n{listed}"
    (folder / "metadata.yaml").write_text(text, encoding="utf-8")
    return folder


def test_a_folder_with_metadata_is_one_recording(tmp_path):
    folder = split(tmp_path / "morning", ["m_0.mcap", "m_1.mcap"])
    shutil.copy(write2(tmp_path / "other", StoragePlugin.MCAP), tmp_path / "single.mcap")
    shutil.rmtree(tmp_path / "other")
    assert find_logs([str(tmp_path)]) == [str(folder / "metadata.yaml"), str(tmp_path / "single.mcap")]
    log = read_log(str(folder / "metadata.yaml"), ReadOptions())
    assert log.records["record"].to_list() == [1, 2, 3, 4, 5, 6]
    assert log.records["vehicle_id"].unique().to_list() == ["morning"]
    assert codes(log) == {"split-recording"}
    lines = "".join(
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in ("metadata.yaml", "m_0.mcap", "m_1.mcap")
    )
    assert log.sha256 == hashlib.sha256(lines.encode()).hexdigest()
    packed = folder / "m_1.mcap.zstd"
    packed.write_bytes(zstd.compress((folder / "m_1.mcap").read_bytes()))
    (folder / "m_1.mcap").unlink()
    missing = read_log(str(folder / "metadata.yaml"), ReadOptions())
    assert codes(missing) == {"missing-files"}
    text = (folder / "metadata.yaml").read_text(encoding="utf-8")
    (folder / "metadata.yaml").write_text(text.replace("m_1.mcap", "m_1.mcap.zstd"), encoding="utf-8")
    assert read_log(str(folder / "metadata.yaml"), ReadOptions()).records.equals(log.records)


@pytest.mark.parametrize("name", ["../secret.mcap", "/etc/passwd", "C:\\secret.mcap", "link.mcap"])
def test_metadata_that_leaves_its_folder_is_refused(tmp_path, name):
    folder = split(tmp_path / "bad", ["m_0.mcap"])
    (tmp_path / "secret.mcap").write_bytes((folder / "m_0.mcap").read_bytes())
    (folder / "link.mcap").symlink_to(tmp_path / "secret.mcap")
    text = (folder / "metadata.yaml").read_text(encoding="utf-8").replace("m_0.mcap", name)
    (folder / "metadata.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(LogError, match="outside its folder"):
        read_log(str(folder / "metadata.yaml"), ReadOptions())


def test_a_definition_with_lists_of_messages_is_not_used(tmp_path):
    store = get_typestore(Stores.ROS2_HUMBLE)
    text = "uint8 AUTONOMOUS=1\nbuiltin_interfaces/Time stamp\nuint8 mode\nstd_msgs/Empty[] bomb\n"
    store.register(get_types_from_msg(text, REPORT))
    report = store.types[REPORT](stamp=stamp_of(store, START_NS), mode=1, bomb=[])
    fix = ("/fix", "sensor_msgs/msg/NavSatFix", START_NS, fix_of(store, START_NS, 0))
    with pytest.raises(LogError, match="not what the numbers in it mean"):
        read_log(write(tmp_path / "a", [fix, ("/mode", REPORT, START_NS, report)], store), ReadOptions())


def driven_by_hand(tmp_path, said_s_before):
    """Return the analysis of twelve positions a second apart, whose mode was said once, so long before the first."""
    store = store_of()
    said_ns = START_NS - said_s_before * SECOND
    messages = [("/mode", REPORT, said_ns, store.types[REPORT](stamp=stamp_of(store, said_ns), mode=4))]
    instants = [START_NS + n * SECOND for n in range(12)]
    messages += [("/fix", "sensor_msgs/msg/NavSatFix", ns, fix_of(store, ns, n)) for n, ns in enumerate(instants)]
    return analyze([write(tmp_path / "a", messages, store)], load_zone_set("demo"), Options())


def test_a_mode_said_before_the_first_position_holds_while_it_is_fresh(tmp_path):
    analysis = driven_by_hand(tmp_path, said_s_before=4)
    spent = dict(analysis.exposure.select("control_mode", "duration_s").rows())
    # Manual until ten seconds after it was said, unknown from there on; never the assumed mode.
    assert set(spent) == {"manual", "unknown"}
    assert spent["manual"] == pytest.approx(7.0)
    account = analysis.logs[0]
    assert (account.records, account.fixes, account.other_records) == (13, 12, 1)


def test_a_mode_that_is_too_old_for_a_whole_trip_is_unknown(tmp_path):
    """A receiver that starts cold has its first fix long after the operator's choice was recorded."""
    analysis = driven_by_hand(tmp_path, said_s_before=40)
    assert analysis.exposure["control_mode"].to_list() == ["unknown"]
    assert "assumed-mode" not in {n["code"] for n in analysis.summary["notices"]}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipes_beside_a_database_are_not_opened(tmp_path):
    """Whoever opened one would wait for ever."""
    path = humble(tmp_path / "drive.db3")
    for suffix in ("-wal", "-journal"):
        os.mkfifo(f"{path}{suffix}")
    assert codes(read_log(path, ReadOptions())) == set()


def test_what_is_said_once_holds_in_the_files_that_follow(tmp_path):
    """The operator chose remote driving in the first file; the second only has the vehicle's reports."""
    from tests.unit.test_recordings import OPERATION, STATE

    store = store_of()
    store.register(get_types_from_msg(OPERATION, STATE))
    state = store.types[STATE](stamp=stamp_of(store, START_NS), mode=4, is_autoware_control_enabled=True)
    report = store.types[REPORT](stamp=stamp_of(store, START_NS + SECOND), mode=1)
    fix = "sensor_msgs/msg/NavSatFix"
    first = [("/fix", fix, START_NS, fix_of(store, START_NS, 0)), ("/state", STATE, START_NS, state)]
    then = START_NS + SECOND
    second = [("/fix", fix, then, fix_of(store, then, 1)), ("/mode", REPORT, then, report)]
    folder = split(tmp_path / "two", ["m_0.mcap", "m_1.mcap"])
    shutil.copy(write(tmp_path / "a", first, store), folder / "m_0.mcap")
    shutil.copy(write(tmp_path / "b", second, store), folder / "m_1.mcap")
    log = read_log(str(folder / "metadata.yaml"), ReadOptions())
    assert log.records["control_mode"].drop_nulls().to_list() == ["remote", "remote"]


def test_a_definition_with_line_ends_of_windows(tmp_path):
    definition = VELOCITY.replace("\n", "\r\n") + (
        "=" * 80 + "\r\nMSG: std_msgs/Header\r\nbuiltin_interfaces/Time stamp\r\nstring frame_id\r\n"
        + "=" * 80 + "\r\nMSG: builtin_interfaces/Time\r\nint32 sec\r\nuint32 nanosec\r\n"
    )  # fmt: skip
    store, ns = store_of(), START_NS
    header = store.types["std_msgs/msg/Header"](stamp=stamp_of(store, ns), frame_id="")
    speed = store.types[VELOCITY_REPORT](
        header=header, longitudinal_velocity=1.5, lateral_velocity=0.0, heading_rate=0.0
    )
    decode = decoder_of(Topic("/speed", VELOCITY_REPORT, definition), None)
    assert decode(bytes(store.serialize_cdr(speed, VELOCITY_REPORT))).longitudinal_velocity == 1.5


def test_two_receivers_are_said(tmp_path):
    store, kind = store_of(), "sensor_msgs/msg/NavSatFix"
    messages = [(topic, kind, START_NS, fix_of(store, START_NS, 0)) for topic in ("/gnss/left", "/gnss/right")]
    log = read_log(write(tmp_path / "a", messages, store), ReadOptions())
    assert codes(log) == {"several-positions"}


def test_a_bag_cut_between_records_is_cut_off(tmp_path):
    from tests.unit.test_recordings import write1

    whole = Path(write1(tmp_path / "whole.bag")).read_bytes()
    at = whole.index(b"index_pos=") + len(b"index_pos=")
    (tmp_path / "cut.bag").write_bytes(whole[: int.from_bytes(whole[at : at + 8], "little")])
    log = read_log(str(tmp_path / "cut.bag"), ReadOptions())
    assert log.records.height == 7
    assert "recording-cut" in codes(log)


def test_messages_compressed_one_by_one(tmp_path):
    path = humble(tmp_path / "drive.db3")
    plain = read_log(path, ReadOptions())
    with sqlite3.connect(path) as database:
        for number, data in database.execute("SELECT id, data FROM messages").fetchall():
            database.execute("UPDATE messages SET data = ? WHERE id = ?", (zstd.compress(data), number))
    database.close()
    packed = read_log(path, ReadOptions())
    assert packed.records.equals(plain.records)
    assert (packed.record_count, packed.rejects.height) == (3, 0)


def long_database(path, count):
    """Write a recording of many messages as Humble did, and return its path."""
    store, kind = store_of(), "sensor_msgs/msg/NavSatFix"
    humble(path)
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM messages")
        instants = [START_NS + n * SECOND for n in range(count)]
        rows = [(ns, bytes(store.serialize_cdr(fix_of(store, ns, n), kind))) for n, ns in enumerate(instants)]
        database.executemany("INSERT INTO messages VALUES (NULL, 1, ?, ?)", rows)
    database.close()
    return path


def test_a_cut_off_database_is_read_up_to_where_it_breaks_off(tmp_path):
    """A copy that was broken off: sqlite itself refuses a database that is shorter than it says."""
    path = long_database(tmp_path / "drive.db3", 2000)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    log = read_log(str(path), ReadOptions())
    assert codes(log) == {"recording-cut"}
    assert 0.5 < log.record_count / 2000 < 0.6
    assert times_ns(log) == [START_NS + n * SECOND for n in range(log.record_count)]
    path.write_bytes(data[:4096])  # its tables are not in it any more
    with pytest.raises(LogError, match=r"damaged .*\.recover"):
        read_log(str(path), ReadOptions())


@pytest.mark.parametrize(
    ("head", "said"), [(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", {"journal-ignored"}), (bytes(8), set())]
)
def test_a_change_that_was_not_completed_is_said(tmp_path, head, said):
    """A journal with a blank head is what a completed change may leave behind."""
    path = humble(tmp_path / "drive.db3")
    Path(f"{path}-journal").write_bytes(head + bytes(504))
    assert codes(read_log(path, ReadOptions())) == said
    assert Path(f"{path}-journal").stat().st_size == 512


def test_a_file_that_was_only_begun_does_not_lose_the_others(tmp_path):
    folder = split(tmp_path / "morning", ["m_0.mcap", "m_1.mcap"])
    (folder / "m_1.mcap").write_bytes(b"")
    log = read_log(str(folder / "metadata.yaml"), ReadOptions())
    assert log.records.height == 3
    assert codes(log) == {"split-recording", "recording-cut"}


def test_messages_of_an_uncompressed_chunk_that_is_cut_off(tmp_path):
    """A chunk has minutes of a recording of few topics; compressed ones are left out as a whole."""
    store, kind = store_of(), "sensor_msgs/msg/NavSatFix"
    instants = [START_NS + n * SECOND for n in range(100)]
    messages = [("/fix", kind, ns, fix_of(store, ns, n)) for n, ns in enumerate(instants)]
    path = Path(record2(tmp_path / "plain", messages, store))
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(instants[99].to_bytes(8, "little")) // 2])
    log = read_log(str(path), ReadOptions())
    assert 40 < log.records.height < 60
    assert times_ns(log) == instants[: log.records.height]
    assert codes(log) == {"recording-cut"}
    path = Path(record2(tmp_path / "packed", messages, store, chunks="lz4"))
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"lz4") + 500])
    with pytest.raises(LogError, match=r"messages: 0.*damaged or was cut off"):
        read_log(str(path), ReadOptions())


def test_a_recording_of_rejects_is_refused_with_the_first(tmp_path):
    """Latitude and longitude that were swapped show in its words."""
    store, fix = store_of(), fix_of(store_of(), START_NS, 0)
    fix.latitude, fix.longitude = fix.longitude, fix.latitude
    with pytest.raises(LogError, match=r"rejected: 1 \(the first is bad-position: /fix \S+ 35.15 126.8\)"):
        read_log(write(tmp_path / "a", [("/fix", "sensor_msgs/msg/NavSatFix", START_NS, fix)], store), ReadOptions())
