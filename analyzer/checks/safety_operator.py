"""Under a permit that asks for an operator, a vehicle must move only with that operator.

## Why it matters
Somebody must be able to stop the vehicle, from its seat or from the control room.

## How it is judged
`any` is met by `on_board` or `remote`. An unknown operator is indeterminate; a log that
never says an operator is not checkable.

## Example
| time     | place | rule_operator | operator | verdict       |
|----------|-------|---------------|----------|---------------|
| 10:00:00 | park  | remote        | remote   |               |
| 10:00:10 | park  | remote        | none     | violation     |
| 10:00:20 | park  | remote        | remote   |               |
| 10:00:30 | park  | remote        | unknown  | indeterminate |
"""

from analyzer.sentence import MOVING, OPERATOR_ASKED, OPERATOR_PRESENT, Check

check = Check(
    order=7,
    scopes=("permit",),
    when=OPERATOR_ASKED & MOVING,
    must=OPERATOR_PRESENT,
    needs=("operator_said", "speed_known"),
)
