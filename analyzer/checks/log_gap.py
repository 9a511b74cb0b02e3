"""While on a trip, a vehicle must be observed.

## Why it matters
What nobody saw cannot be shown to have been lawful, nor to have been a breach.

## How it is judged
Every hole (two fixes of a trip more than `max_gap_s` apart, or a jump faster than
`max_plausible_kph`) is a finding of its own, `not_observed`; its peak is the straight
line across it in metres. Findings are never merged or suppressed. The line of a trip is
`not_observed` where the share of the trip that was observed is below
`min_observed_share`.

## Example
| time     | place | verdict      |
|----------|-------|--------------|
| 10:00:00 | park  |              |
| 10:00:10 | park  | not_observed |
| 10:00:30 | park  |              |
"""

from analyzer.sentence import Check

check = Check(order=9, scopes=("trip",))
