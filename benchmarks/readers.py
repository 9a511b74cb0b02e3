"""`python -m benchmarks.readers [NAME ...]`: each reader against the usual way to read its format, as ratios.

Every reader has a function that writes its file and returns the ways to read it, ours
first, with the least ratio promised. The least of several rounds in turn, in one process:
other work of the machine can only add to a time.
"""

import gzip
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from operator import xor
from pathlib import Path
from typing import Any

import polars as pl

from analyzer.logs import ReadOptions, plan_log, read_part
from analyzer.logs._packed import forget

RECORDS, MESSAGES, POINTS, WORKBOOK_ROWS, ROUNDS = 500_000, 200_000, 100_000, 20_000, 5
START_NS = 1_773_709_200 * 10**9


@dataclass(frozen=True)
class Case:
    """Two ways to read one file; both return how many positions they found."""

    peer: str
    least_ratio: float
    ours: Callable[[], int]
    theirs: Callable[[], int]


def positions(path: Path) -> int:
    """Read a log as zonelog does, hashing apart."""
    plan = plan_log(str(path), ReadOptions())
    records = (read_part(plan, part, ReadOptions()).records for part in plan.parts)
    return sum(part["longitude"].is_not_nan().sum() for part in records)


def _sentence(body: str) -> str:
    return f"${body}*{reduce(xor, body.encode()):02X}\r\n"


def _clock(tenth: int) -> str:
    second = tenth // 10
    return f"{second // 3600 % 24:02}{second // 60 % 60:02}{second % 60:02}.{tenth % 10}0"


def nmea(folder: Path) -> Case:
    """RMC alone: what pynmea2 reads with its checksums verified."""
    import pynmea2

    path = folder / "drive.nmea"
    body = "GNRMC,{},A,3511.{:04},N,12649.{:04},E,002.70,085.0,170326,,,A"
    lines = (_sentence(body.format(_clock(i), i % 9999, i % 7919)) for i in range(RECORDS))
    path.write_text("".join(lines), encoding="ascii", newline="")

    def theirs() -> int:
        found = 0
        with path.open(encoding="ascii", newline="") as file:
            for line in file:
                said = pynmea2.parse(line, check=True)
                found += said.status == "A" and said.latitude > 0 and said.longitude > 0 and said.datetime is not None
        return found

    return Case("pynmea2", 5, lambda: positions(path), theirs)


def dtg(folder: Path) -> Case:
    """DTG without line ends: a plain loop over slices of bytes, each record a tuple with a `datetime`."""
    import datetime as dt

    path = folder / "drive.dtg"
    header = "DTG".ljust(20, "#") + "KMJHT18BP9C012345" + "11" + "광주12가3456".ljust(9, "#") + "3801100123"
    record = "001200012342603{:02}{:02}{:02}{:02}000050120012682{:04}03519{:04}085+000.1-000.200"
    rows = (
        record.format(1 + i // 86400 % 28, i // 3600 % 24, i // 60 % 60, i % 60, i % 9999, i % 7919)
        for i in range(RECORDS)
    )
    path.write_bytes(header.encode("cp949") + b"#" * 18 + "".join(rows).encode())
    zone = dt.timezone(dt.timedelta(hours=9))

    def theirs() -> int:
        data, found = path.read_bytes(), []
        for at in range(79, len(data), 68):
            row = data[at : at + 68].decode("ascii")
            year, month, day, hour, minute, second, part = (int(row[11 + 2 * k : 13 + 2 * k]) for k in range(7))
            moment = dt.datetime(2000 + year, month, day, hour, minute, second, part * 10_000, tzinfo=zone)
            x, y = int(row[33:42]) / 1e6, int(row[42:51]) / 1e6
            if row[66:68] != "11":
                found.append((moment, x, y, int(row[25:28]), int(row[51:54]), int(row[4:11])))
        return len(found)

    return Case("a Python loop", 5, lambda: positions(path), theirs)


def gpx(folder: Path) -> Case:
    """GPX 1.1 with speeds in TrackPointExtension, against gpxpy."""
    import gpxpy

    path = folder / "log.gpx"

    def theirs() -> int:
        with path.open(encoding="utf-8") as file:
            return gpxpy.parse(file).get_points_no()

    def point(n: int) -> str:
        lat, when = 35 + n * 1e-7, f"2026-03-17T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}Z"
        speed = (
            f"<extensions><x:TrackPointExtension><x:speed>{n % 70 / 10}</x:speed></x:TrackPointExtension></extensions>"
        )
        return f'<trkpt lat="{lat:.7f}" lon="126.8"><ele>31.5</ele><time>{when}</time>{speed}</trkpt>\n'

    spaces = (
        'xmlns="http://www.topografix.com/GPX/1/1" xmlns:x="http://www.garmin.com/xmlschemas/TrackPointExtension/v2"'
    )
    points = "".join(map(point, range(POINTS)))
    path.write_text(f'<gpx version="1.1" {spaces}><trk><trkseg>{points}</trkseg></trk></gpx>', encoding="utf-8")
    return Case("gpxpy", 5, lambda: positions(path), theirs)


def _messages(store: Any) -> Iterator[tuple[str, int, Any]]:
    """Yield (type, nanoseconds, message): positions and speeds in turn, at 20 Hz together."""
    import numpy as np

    t = store.types
    vector = t["geometry_msgs/msg/Vector3"]
    more = {"seq": 0} if "seq" in t["std_msgs/msg/Header"].__dataclass_fields__ else {}
    for number in range(MESSAGES):
        ns = START_NS + number * 5 * 10**7
        stamp = t["builtin_interfaces/msg/Time"](sec=ns // 10**9, nanosec=ns % 10**9)
        header = t["std_msgs/msg/Header"](stamp=stamp, frame_id="gps", **more)
        if number % 2:
            still = vector(x=0.0, y=0.0, z=0.0)
            twist = t["geometry_msgs/msg/Twist"](linear=vector(x=3.0, y=4.0, z=0.0), angular=still)
            kind = "geometry_msgs/msg/TwistStamped"
            message = t[kind](header=header, twist=twist)
        else:
            kind = "sensor_msgs/msg/NavSatFix"
            message = t[kind](
                header=header,
                status=t["sensor_msgs/msg/NavSatStatus"](status=0, service=1),
                latitude=35.15 + number * 1e-8,
                longitude=126.8 + number * 1e-8,
                altitude=0.0,
                position_covariance=np.array([4.0, 0, 0, 0, 4.0, 0, 0, 0, 9.0]),
                position_covariance_type=2,
            )
        yield kind, ns, message


def _recorded(recording: Any, store: Any, serialize: Callable[[Any, str], Any]) -> None:
    """Write the messages by a writer of rosbags."""
    topics: dict[str, Any] = {}
    with recording as writer:
        for kind, ns, message in _messages(store):
            if kind not in topics:
                topics[kind] = writer.add_connection(f"/{kind[-4:]}", kind, typestore=store)
            writer.write(topics[kind], ns, serialize(message, kind))


def _rosbags(path: Path) -> Case:
    """Positions and speeds: rosbags decodes every message and keeps none."""
    from rosbags.highlevel import AnyReader

    def theirs() -> int:
        found = 0
        with AnyReader([path if path.suffix == ".bag" else path.parent]) as reader:
            for connection, _, raw in reader.messages():
                found += hasattr(reader.deserialize(raw, connection.msgtype), "latitude")
        return found

    return Case("rosbags", 1 / 1.2, lambda: positions(path), theirs)


def mcap(folder: Path) -> Case:
    """MCAP of ROS 2, zstd in chunks."""
    from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_HUMBLE)
    recording = Writer(folder / "bench", version=9, storage_plugin=StoragePlugin.MCAP)
    recording.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    _recorded(recording, store, store.serialize_cdr)
    return _rosbags(folder / "bench" / "bench.mcap")


def db3(folder: Path) -> Case:
    """SQLite of ROS 2."""
    from rosbags.rosbag2 import StoragePlugin, Writer
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_HUMBLE)
    _recorded(Writer(folder / "b", version=9, storage_plugin=StoragePlugin.SQLITE3), store, store.serialize_cdr)
    return _rosbags(next((folder / "b").glob("*.db3")))


def bag(folder: Path) -> Case:
    """ROS 1, chunks packed by lz4."""
    from rosbags.rosbag1 import Writer
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS1_NOETIC)
    recording = Writer(folder / "bench.bag")
    recording.set_compression(Writer.CompressionFormat.LZ4)
    _recorded(recording, store, store.serialize_ros1)
    return _rosbags(folder / "bench.bag")


def fixes(rows: int) -> pl.DataFrame:
    """Return fixes of four vehicles at 10 Hz, times as text with an offset."""
    number = pl.int_range(rows, eager=True)
    start = pl.datetime(2026, 3, 17, 1, time_zone="UTC", time_unit="us")
    return pl.select(
        vehicle_id=pl.lit(number * 4 // rows).cast(pl.String),
        timestamp=(start + pl.duration(milliseconds=100 * pl.lit(number))).dt.strftime("%Y-%m-%dT%H:%M:%S%.3f+00:00"),
        latitude=35.15 + pl.lit(number) * 1e-7,
        longitude=126.8 + pl.lit(number) * 1e-7,
        speed_kph=(pl.lit(number) % 70) / 10,
        control_mode=pl.lit("autonomous"),
    )


def _pandas(path: Path, how: str, least_ratio: float = 1.0, **options: Any) -> Case:
    """Return a table read by pandas with every column, times as instants."""

    def theirs() -> int:
        import pandas as pd

        frame = getattr(pd, how)(path, **options)
        return int(pd.to_datetime(frame["timestamp"], format="ISO8601").notna().sum())

    return Case(f"pandas.{how}", least_ratio, lambda: positions(path), theirs)


def csv(folder: Path) -> Case:
    """UTF-8 with commas."""
    fixes(RECORDS).write_csv(folder / "log.csv")
    return _pandas(folder / "log.csv", "read_csv")


def psv_cp949(folder: Path) -> Case:
    """Korean Windows, separated by bars."""
    text = fixes(RECORDS).with_columns(vehicle_id="청소" + pl.col("vehicle_id")).write_csv(separator="|")
    (folder / "log.psv").write_bytes(text.encode("cp949"))
    return _pandas(folder / "log.psv", "read_csv", sep="|", encoding="cp949")


def csv_gz(folder: Path) -> Case:
    """Packed by gzip; each round unpacks it anew."""
    data = fixes(RECORDS).write_csv().encode()
    path = folder / "log.csv.gz"
    path.write_bytes(gzip.compress(data, 6, mtime=0))

    def ours() -> int:
        forget()
        return positions(path)

    return replace(_pandas(path, "read_csv"), ours=ours)


def ndjson(folder: Path) -> Case:
    """An object a line."""
    fixes(POINTS).write_ndjson(folder / "log.ndjson")
    return _pandas(folder / "log.ndjson", "read_json", lines=True, dtype=False)


def json(folder: Path) -> Case:
    """One array of objects that are written alike."""
    fixes(POINTS).write_json(folder / "log.json")
    return _pandas(folder / "log.json", "read_json", dtype=False)


def parquet(folder: Path) -> Case:
    """Zstandard inside; pandas reads it with pyarrow."""
    fixes(RECORDS).write_parquet(folder / "log.parquet")
    return _pandas(folder / "log.parquet", "read_parquet")


def arrow(folder: Path) -> Case:
    """Arrow IPC, not packed; pandas reads it with pyarrow."""
    fixes(RECORDS).write_ipc(folder / "log.arrow", compat_level=pl.CompatLevel.oldest())
    return _pandas(folder / "log.arrow", "read_feather")


def xlsx(folder: Path) -> Case:
    """A workbook, which pandas reads with openpyxl."""
    fixes(WORKBOOK_ROWS).write_excel(folder / "log.xlsx")
    return _pandas(folder / "log.xlsx", "read_excel")


_ALL = (arrow, bag, csv, csv_gz, db3, dtg, gpx, json, mcap, ndjson, nmea, parquet, psv_cp949, xlsx)
READERS: dict[str, Callable[[Path], Case]] = {case.__name__: case for case in _ALL}


def _timed(function: Callable[[], int]) -> tuple[float, int]:
    """Return the seconds that a read takes, and how many positions it finds."""
    start = time.perf_counter()
    found = function()
    return time.perf_counter() - start, found


def measure(name: str) -> tuple[str, bool]:
    """Measure one reader; return a row of the table, and whether the promise is kept."""
    with tempfile.TemporaryDirectory() as folder:
        case = READERS[name](Path(folder))
        rounds = [(_timed(case.ours), _timed(case.theirs)) for _ in range(ROUNDS)]
    if len({found for pair in rounds for _, found in pair}) != 1:
        raise SystemExit(f"{name}: the two do not find the same positions")
    ours, theirs = (min(seconds for seconds, _ in side) for side in zip(*rounds, strict=True))
    kept = theirs / ours >= case.least_ratio
    numbers = f"{rounds[0][0][1]:,} | {ours:.3f} s | {case.peer} {theirs:.3f} s"
    ratio = f"{theirs / ours:.1f} x | {case.least_ratio:.1f} x | {'kept' if kept else '**missed**'}"
    return f"| {name} | {numbers} | {ratio} |", kept


def main(names: list[str]) -> bool:
    """Print the table of these readers, or of all; return whether all promises are kept."""
    print(
        "| format | positions | zonelog | against | so many times faster | at least | |\n|---|---|---|---|---|---|---|"
    )
    outcomes = []
    for name in names or READERS:
        row, kept = measure(name)
        print(row, flush=True)
        outcomes.append(kept)
    return all(outcomes)


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
