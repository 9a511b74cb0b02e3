"""How fast logs are read, against the library that could read them: `python -m benchmarks.readers [NAME...]`."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MESSAGES = 200_000
START_NS = 1_773_709_200 * 10**9


@dataclass(frozen=True)
class Reader:
    """One comparison: `ours` and `theirs` read what `write` makes; `most` is the largest ratio allowed."""

    write: Callable[[Path], Path]
    ours: Callable[[Path], object]
    theirs: Callable[[Path], object]
    most: float


def write_mcap(folder: Path) -> Path:
    """Write positions and speeds with the writer of rosbags, zstd in chunks."""
    import numpy as np
    from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_HUMBLE)
    t = store.types
    vector = t["geometry_msgs/msg/Vector3"]
    recording = Writer(folder / "bench", version=9, storage_plugin=StoragePlugin.MCAP)
    recording.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    with recording as writer:
        kinds = ("sensor_msgs/msg/NavSatFix", "geometry_msgs/msg/TwistStamped")
        topics = [writer.add_connection(f"/{kind[-4:]}", kind, typestore=store) for kind in kinds]
        for number in range(MESSAGES):
            ns = START_NS + number * 5 * 10**7
            stamp = t["builtin_interfaces/msg/Time"](sec=ns // 10**9, nanosec=ns % 10**9)
            header = t["std_msgs/msg/Header"](stamp=stamp, frame_id="gps")
            if number % 2:
                still = vector(x=0.0, y=0.0, z=0.0)
                twist = t["geometry_msgs/msg/Twist"](linear=vector(x=3.0, y=4.0, z=0.0), angular=still)
                message = t["geometry_msgs/msg/TwistStamped"](header=header, twist=twist)
            else:
                message = t["sensor_msgs/msg/NavSatFix"](
                    header=header,
                    status=t["sensor_msgs/msg/NavSatStatus"](status=0, service=1),
                    latitude=35.15 + number * 1e-8,
                    longitude=126.8 + number * 1e-8,
                    altitude=0.0,
                    position_covariance=np.array([4.0, 0, 0, 0, 4.0, 0, 0, 0, 9.0]),
                    position_covariance_type=2,
                )
            kind = kinds[number % 2]
            writer.write(topics[number % 2], ns, store.serialize_cdr(message, kind))
    return folder / "bench" / "bench.mcap"


def zonelog(path: Path) -> object:
    """Read a log with zonelog."""
    from analyzer.logs import ReadOptions, plan_log, read_part

    plan = plan_log(str(path), ReadOptions())
    return [read_part(plan, part, ReadOptions()) for part in plan.parts]


def rosbags(path: Path) -> object:
    """Decode every message with rosbags, and keep none."""
    from rosbags.highlevel import AnyReader

    with AnyReader([path]) as reader:
        for connection, _, raw in reader.messages():
            reader.deserialize(raw, connection.msgtype)


READERS = {"mcap": Reader(write_mcap, zonelog, rosbags, 1.2)}


def seconds(read: Callable[[Path], object], path: Path) -> float:
    """Return how long one read takes."""
    start = time.perf_counter()
    read(path)
    return time.perf_counter() - start


def measure(name: str, rounds: int = 3) -> tuple[float, float]:
    """Return the medians of ours and of theirs, in seconds, rounds of both taking turns."""
    reader = READERS[name]
    with tempfile.TemporaryDirectory() as folder:
        path = reader.write(Path(folder))
        both = [(seconds(reader.ours, path), seconds(reader.theirs, path)) for _ in range(rounds)]
    return statistics.median(ours for ours, _ in both), statistics.median(theirs for _, theirs in both)


def main() -> None:
    """Print a line for each reader, and fail where one is too slow."""
    slow = []
    for name in sys.argv[1:] or READERS:
        ours, theirs = measure(name)
        print(f"{name}: zonelog {ours:.2f} s, library {theirs:.2f} s, ratio {ours / theirs:.2f}")
        slow += [name] if ours > theirs * READERS[name].most else []
    if slow:
        sys.exit(f"too slow: {', '.join(slow)}")


if __name__ == "__main__":
    main()
