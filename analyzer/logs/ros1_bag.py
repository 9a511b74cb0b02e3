"""ROS 1 recording (bag, version 2.0; chunks plain, lz4 or bz2): as the ROS 2 ones.

A bag that was never closed or not indexed (`.bag.active`, a crash) is read up to where it
breaks off, with the count and the last time said. Encrypted bags are refused.

## Example
```
rosbag record /fix /odom
```
"""

from analyzer.logs._bag1 import MAGIC
from analyzer.logs._format import Format
from analyzer.logs._ros import planner, read_ros


def _recognises(head: bytes) -> bool:
    return head.startswith(MAGIC[:8])


FORMAT = Format("ros1-bag", (".bag", ".bag.active"), _recognises, read_ros, planner("ros1-bag"))
