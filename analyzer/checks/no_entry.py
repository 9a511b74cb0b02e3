"""A vehicle must stay out of the zones of a restriction with `no_entry`.

## Why it matters
Some places are closed to these vehicles, always or at some hours: a school's gate in
the morning.

## How it is judged
The restriction applies where its zone covers the vehicle, it is in force, and the
vehicle, the mode and the local time are among those it names. The peak is the largest
depth, in metres to the border of the union of its zones; the margin is that less
`border_buffer_m`. It is a violation where the vehicle is deeper inside than the position
error; a clipped corner counts, also between two fixes outside.

## Example
| time     | place  | no_entry | verdict   |
|----------|--------|----------|-----------|
| 10:00:00 | park   | yes      |           |
| 10:00:10 | school | yes      | violation |
| 10:00:20 | park   | yes      |           |
"""

import polars as pl

from analyzer.sentence import NO_ENTRY, Check

check = Check(
    order=8,
    scopes=("restriction",),
    when=NO_ENTRY,
    must=pl.lit(value=False),
    measure="depth",
    spans_holes=True,
)
