"""Under a rule with a speed limit, a vehicle must not drive faster than that limit.

## Why it matters
Low speed is what the safety case of these vehicles rests on.

## How it is judged
Speed is the reported one, else derived from the path over at least 2 s. Equal to
`max_speed_kph + speed_tolerance_kph` is allowed (compared after rounding to 1e-6 km/h).
A permit's limit is asked while a permit is needed, a restriction's whenever it applies.
It is a violation where, at a fix, the speed is above the limit by more than its error
(0 for a reported speed, `3.6 * z * sqrt(2) * sigma / w` for one derived over `w`
seconds) and no permit under which it would be lawful lies within the position error (for
a restriction: the vehicle is deeper inside its zones than that). A log that says no
speed and has too few fixes to derive one is not checkable.

## Example
| time     | place | max_speed_kph | speed_kph | verdict   |
|----------|-------|---------------|-----------|-----------|
| 10:00:00 | park  | 7             | 7         |           |
| 10:00:10 | park  | 7             | 8         | violation |
| 10:00:20 | park  | 7             | 6.9       |           |
"""

from analyzer.sentence import SPEED_KPH, SPEED_LIMIT_KPH, Check

check = Check(
    order=4,
    scopes=("permit", "restriction"),
    when=SPEED_LIMIT_KPH.is_not_null(),
    must=SPEED_KPH <= SPEED_LIMIT_KPH,
    measure="speed",
    needs=("speed_known",),
)
