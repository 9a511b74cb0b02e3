"""ROS 2 recording in SQLite (db3): as MCAP.

Recordings of Humble and before hold no message definitions: the standard types are
known, but an Autoware mode cannot be told from such a file and is then no mode at all.

## Example
```
ros2 bag record --storage sqlite3 /fix /odom
```
"""

from analyzer.logs._format import Format, Log, Part, Plan, ReadOptions
from analyzer.logs._ros import read_ros


def _read(plan: Plan, _part: Part, options: ReadOptions) -> Log:
    return read_ros(plan.path, options, "ros2-db3")


def _recognises(head: bytes) -> bool:
    return head.startswith(b"SQLite format 3\x00")


FORMAT = Format("ros2-db3", (".db3",), _recognises, _read)
