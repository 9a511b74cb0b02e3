"""Under a permit with hours, a vehicle must move only inside those hours.

## Why it matters
Hours are chosen for light traffic; a vehicle still on its way at noon meets people.

## How it is judged
Hours are local times, half-open, by weekday; days in `except_dates` have none. A vehicle
moves at `moving_kph` or faster; it is a violation where, at a fix, it certainly moves
(`speed - error >= moving_kph`) outside the hours.

## Example
| time     | place | hours       | speed_kph | verdict   |
|----------|-------|-------------|-----------|-----------|
| 11:59:50 | park  | 10:00-12:00 | 5         |           |
| 12:00:00 | park  | 10:00-12:00 | 5         | violation |
| 12:00:10 | park  | 10:00-12:00 | 0         |           |
"""

from analyzer.sentence import HOURS_OPEN, MOVING, Check

check = Check(
    order=5,
    scopes=("permit",),
    when=~HOURS_OPEN,
    must=~MOVING,
    needs=("speed_known",),
)
