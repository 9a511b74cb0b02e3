"""ROS 1 recording (bag, version 2.0; chunks plain, lz4 or bz2): as the ROS 2 ones.

A bag that was never closed or not indexed (`.bag.active`, a crash) is read up to where it
breaks off, with the count and the last time said. Encrypted bags are refused.

## Example
```
rosbag record /fix /odom
```
"""

from analyzer.logs._format import Format
from analyzer.logs._recordings import BAG1_MAGIC, planner, read_recording


def _recognises(head: bytes) -> bool:
    return head.startswith(BAG1_MAGIC[:8])


FORMAT = Format("ros1-bag", (".bag", ".bag.active"), _recognises, read_recording, planner("ros1-bag"))
