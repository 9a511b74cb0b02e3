"""When moving in autonomous, remote or unknown mode, the mode must be one the permit names.

## Why it matters
A permit for remote driving is none for a vehicle that drives by itself.

## How it is judged
`disengaged`, `not_ready` and `minimal_risk` are the safety response: events, not
offences. A mode that the log calls unknown is indeterminate; a log that never says a
mode is not checkable.

## Example
| time     | place | control_modes | control_mode | verdict       |
|----------|-------|---------------|--------------|---------------|
| 10:00:00 | park  | remote        | remote       |               |
| 10:00:10 | park  | remote        | autonomous   | violation     |
| 10:00:20 | park  | remote        | disengaged   |               |
| 10:00:30 | park  | remote        | unknown      | indeterminate |
"""

from analyzer.sentence import MODE_JUDGED, MODE_NAMED, MODES_NAMED, MOVING, Check

check = Check(
    order=6,
    scopes=("permit",),
    when=MODES_NAMED & MODE_JUDGED & MOVING,
    must=MODE_NAMED,
    needs=("mode_said", "speed_known"),
)
