"""A vehicle must start a trip where its last one ended.

## Why it matters
A vehicle that begins elsewhere has moved while no log was kept.

## How it is judged
The start must lie within `unlogged_distance_m`, plus the position errors of both fixes
(`z * horizontal_accuracy_m` each), plus last speed x time between (at most `max_gap_s`).
Beyond that it is a finding of the later trip, `not_observed`, from the last fix to the
first; its peak is the straight line in metres.

## Example
| time     | place   | trip_id | verdict      |
|----------|---------|---------|--------------|
| 10:00:00 | park    | first   |              |
| 10:00:10 | park    | first   | not_observed |
| 10:30:00 | school  | second  |              |
| 10:30:10 | school  | second  |              |
"""

from analyzer.sentence import Check

check = Check(order=10, scopes=("trip",))
