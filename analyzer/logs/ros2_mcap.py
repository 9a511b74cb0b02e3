"""ROS 2 recording in MCAP: NavSatFix positions with speeds and Autoware modes beside them.

Speed and mode samples between two positions become fixes with an interpolated position.
The accuracy is the square root of the mean horizontal variance of NavSatFix. One file is
one vehicle, called after the file unless a profile says `[fixed] vehicle_id`.

## Example
```
ros2 bag record --storage mcap /fix /vehicle/status/velocity_status /vehicle/status/control_mode
```
"""

from analyzer.logs._format import Format, Log, Part, Plan, ReadOptions
from analyzer.logs._ros import read_ros


def _read(plan: Plan, _part: Part, options: ReadOptions) -> Log:
    return read_ros(plan.path, options, "ros2-mcap")


def _recognises(head: bytes) -> bool:
    return head.startswith(b"\x89MCAP0\r\n")


FORMAT = Format("ros2-mcap", (".mcap",), _recognises, _read)
