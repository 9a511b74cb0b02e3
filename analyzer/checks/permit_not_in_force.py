"""Inside a zone of some permit, a vehicle must be there while a permit and the zone are in force.

## Why it matters
Permits begin and end; a zone too. Driving where a permit was, or will be, is driving
without one.

## How it is judged
It is asked while a permit is needed and the vehicle is inside a zone of some permit. A
permit is in force from `effective` until it expires or its next revision takes effect.
The permits that name the place are in `rules_matched`. It is a violation unless a zone
of a permit that is in force, and under which the stretch would be lawful, lies within
the position error.

## Example
| time     | place  | effective | expires  | verdict   |
|----------|--------|-----------|----------|-----------|
| 10:00:00 | park   | 10:00:10  | 10:00:20 | violation |
| 10:00:10 | park   | 10:00:10  | 10:00:20 |           |
| 10:00:20 | park   | 10:00:10  | 10:00:20 | violation |
"""

from analyzer.sentence import IN_PERMIT_ZONE, PERMIT_IN_FORCE_HERE, PERMIT_NEEDED, Check

check = Check(
    order=2,
    scopes=("place",),
    when=PERMIT_NEEDED & IN_PERMIT_ZONE,
    must=PERMIT_IN_FORCE_HERE,
    spans_holes=True,
)
