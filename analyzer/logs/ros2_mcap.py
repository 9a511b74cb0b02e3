"""ROS 2 recording in MCAP (chunks plain, lz4 or zstd; also `.mcap.zstd`): positions, speeds, modes.

Read are NavSatFix (positions), TwistStamped, Odometry and VelocityReport (speeds over the
ground; driving backwards counts as fast as forwards), and of Autoware ControlModeReport,
VehicleStateReport (its mode), OperationModeState and MrmState (modes). Everything else is
counted as other records; record numbers count all messages from 1 in the order of the file.
Samples between two positions become fixes with an interpolated position. The accuracy is the
square root of the mean horizontal variance of NavSatFix. One recording is one vehicle, called after the
file unless a profile says `[fixed] vehicle_id`.

Where no NavSatFix says a position, those of Autoware's own estimate are read
(`/api/vehicle/kinematics`, autoware_adapi_v1_msgs/VehicleKinematics: its geographic_pose at
the time in it, and its twist as the speed). Their accuracy is unknown, since the covariance
beside them is one on the map, so `default_accuracy_m` of the rules holds, and a notice says
it; a geographic_pose of NaN or 0/0 is a reject (`no-fix`). Beside positions of NavSatFix, only its speed
is read, which a notice says too. A map without a place on Earth gives no positions at all.

The gear (GearReport, and that in VehicleStatus) is counted and not used: no check asks for
it, a speed limit binds backwards as well, and whether a vehicle moves is told by its speed,
not by a lever that may stand in PARK while the vehicle is towed or rolls.

Modes go by the names in the definitions inside the file, since their numbers have changed:
AUTONOMOUS (also steer-only and velocity-only) and STOP are `autonomous`, MANUAL, LOCAL and
disabled control `manual`, REMOTE `remote`, NO_COMMAND `unknown`, a manoeuvre of MrmState
`minimal_risk` unless a driver drives; the words of the file stay beside it. A mode is
carried forward no longer than `max_mode_age_s`, also from before the first position.

A message's own time (header.stamp) counts before the log time. Times before the year 2000
(seconds of the day, or since a start) take their date from the log time, which a notice says;
where that has none either, the recording is refused. Own times whole days off the log time are
moved to its date, each by itself; half hours are said, the positions' own times followed and
other topics moved to agree with them, which is said as well; own times off by anything else
(more than a minute) and a log clock at another rate (more than 2 %) are said. Where the
positions' time goes back by more than a second, a new trip begins: `NAME#1`, `NAME#2`; having
names, these are divided only by gaps of more than 12 hours, not by those of `trip_gap_s`.

Damaged and cut off files are read up to where they break off, without damaged chunks; the
count and the last time are said. A recording without any message is an empty one, no error.
Refused are chunks that would grow beyond 64 MiB or 200 times their size.

## Example
```
ros2 bag record --storage mcap /fix /vehicle/status/velocity_status /vehicle/status/control_mode
```
"""

from analyzer.logs._format import Format
from analyzer.logs._recordings import MCAP_MAGIC, ZSTD_MAGIC, planner, read_recording


def _recognises(head: bytes) -> bool:
    return head.startswith((MCAP_MAGIC, ZSTD_MAGIC))


FORMAT = Format("ros2-mcap", (".mcap", ".mcap.zstd"), _recognises, read_recording, planner("ros2-mcap"), unpacks=True)
