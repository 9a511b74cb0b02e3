"""ROS 2 recording of several files: the folder's metadata.yaml stands for all of them.

A folder in which `ros2 bag record` has put a metadata.yaml is one recording, of one vehicle
called after the folder: its files (MCAP or db3, also `.zstd`) are read in the order that
metadata.yaml gives, records numbered through, and what was said once (a latched mode) holds
in the files that follow. A file that is missing is named and the rest is read; a path that
leaves the folder, also by a link, is refused. The SHA-256 in `run.json` is that of the lines
that `sha256sum metadata.yaml FILE...` prints.

## Example
```
ros2 bag record --max-bag-duration 600 --output morning /fix /vehicle/status/control_mode
zonelog analyze morning/ --zones gwangju --out result
```
"""

from analyzer.logs._format import Format
from analyzer.logs._recordings import planner, read_recording
from analyzer.logs._ros_files import KEY, METADATA


def _recognises(head: bytes) -> bool:
    return KEY.encode() in head


FORMAT = Format("ros2-recording", (METADATA,), _recognises, read_recording, planner("ros2-recording"))
