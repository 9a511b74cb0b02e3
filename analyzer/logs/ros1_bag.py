"""ROS 1 recording (bag, version 2.0): as the ROS 2 ones.

## Example
```
rosbag record /fix /odom
```
"""

from analyzer.logs._format import Format, Log, Part, Plan, ReadOptions
from analyzer.logs._ros import read_ros


def _read(plan: Plan, _part: Part, options: ReadOptions) -> Log:
    return read_ros(plan.path, options, "ros1-bag")


def _recognises(head: bytes) -> bool:
    return head.startswith(b"#ROSBAG V")


FORMAT = Format("ros1-bag", (".bag",), _recognises, _read)
