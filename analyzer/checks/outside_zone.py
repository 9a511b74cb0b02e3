"""While a permit is needed, a vehicle must be inside a zone of some permit, in force or not.

## Why it matters
A permit for automated driving holds in its zones only; outside them the vehicle drives
on a public road without one.

## How it is judged
The finding runs from the instant the straight way between two fixes leaves the zones to
the instant it enters one. Its peak is the largest distance to the nearest permit zone,
its margin that distance less `border_buffer_m`. It is a violation where the distance
exceeds the position error of every permit zone: `z * sqrt(horizontal_accuracy_m^2 +
accuracy_m^2)`. Every permit of the rules is in `rules_matched`. Rules that hold no permit
do not ask it.

## Example
| time     | place   | control_mode | verdict   |
|----------|---------|--------------|-----------|
| 10:00:00 | park    | autonomous   |           |
| 10:00:10 | nowhere | autonomous   | violation |
| 10:00:20 | park    | autonomous   |           |
| 10:00:30 | park    | manual       |           |
| 10:00:40 | nowhere | manual       |           |
"""

from analyzer.sentence import IN_PERMIT_ZONE, PERMIT_NEEDED, Check

check = Check(
    order=1,
    scopes=("place",),
    when=PERMIT_NEEDED,
    must=IN_PERMIT_ZONE,
    measure="depth",
    spans_holes=True,
)
