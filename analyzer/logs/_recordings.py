"""Recordings of ROS, told by their first bytes; what decodes them is imported when there is one: most logs are none."""

from collections.abc import Callable

from analyzer.logs._format import Log, Part, PartSize, Plan, ReadOptions

BAG1_MAGIC = b"#ROSBAG V2.0\n"
DB3_MAGIC = b"SQLite format 3\x00"
MCAP_MAGIC = b"\x89MCAP0\r\n"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def planner(name: str) -> Callable[[str, ReadOptions, PartSize], Plan]:
    """Return what plans recordings of a format."""

    def plan(path: str, _options: ReadOptions, _size: PartSize) -> Plan:
        from analyzer.logs._ros import plan_ros  # noqa: PLC0415

        return plan_ros(path, name)

    return plan


def read_recording(plan: Plan, part: Part, options: ReadOptions) -> Log:
    """Return the log of a recording; LogError where it cannot be read or holds no position."""
    from analyzer.logs._ros import read_ros  # noqa: PLC0415

    return read_ros(plan, part, options)
