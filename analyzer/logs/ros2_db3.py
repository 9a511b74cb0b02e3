"""ROS 2 recording in SQLite (db3, also `.db3.zstd`): as MCAP.

Recordings of Humble and before hold no message definitions: the standard types are known.
Where such a file says its modes by Autoware's messages it is refused, with the names of the
types, because their numbers mean different things in different years; give a folder of the
.msg files that the vehicle used (`PACKAGE/msg/TYPE.msg`, the layout of any ROS workspace, or
sources with their package.xml). VehicleKinematics needs those of geographic_msgs as well.
The file is opened read only (`mode=ro&immutable=1`); a `-wal` or `-journal` file beside it is
not read, and a notice says so. One that was cut off is read up to where it breaks off.

## Example
```
ros2 bag record --storage sqlite3 /fix /odom
zonelog analyze drive.db3 --msgs autoware_msgs/ --zones gwangju --out result
```
"""

from analyzer.logs._format import Format
from analyzer.logs._recordings import DB3_MAGIC, ZSTD_MAGIC, planner, read_recording


def _recognises(head: bytes) -> bool:
    return head.startswith((DB3_MAGIC, ZSTD_MAGIC))


FORMAT = Format("ros2-db3", (".db3", ".db3.zstd"), _recognises, read_recording, planner("ros2-db3"), unpacks=True)
