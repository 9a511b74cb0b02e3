"""Where a permit is in force, a vehicle must be one that such a permit names or types.

## Why it matters
A permit is granted to vehicles that were examined, not to whatever drives there.

## How it is judged
It is asked while a permit is needed and some permit is in force at the place. A vehicle
whose type neither the log nor the fleet file states may be permitted: indeterminate. The
permits in force there are in `rules_matched`.

## Example
| time     | place | vehicle_types | vehicle_type | verdict       |
|----------|-------|---------------|--------------|---------------|
| 10:00:00 | park  | sweeper       | sweeper      |               |
| 10:00:10 | park  | sweeper       | bus          | violation     |
"""

from analyzer.sentence import PERMIT_IN_FORCE_HERE, PERMIT_NEEDED, VEHICLE_PERMITTED, Check

check = Check(
    order=3,
    scopes=("place",),
    when=PERMIT_NEEDED & PERMIT_IN_FORCE_HERE,
    must=VEHICLE_PERMITTED,
    spans_holes=True,
)
