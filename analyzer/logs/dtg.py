"""DTG: the text of Korean digital tachographs (운행기록장치) as they are handed in to eTAS.

A header of 79 or 80 bytes in cp949 (model 20, chassis number 17, type 2, registration
number 12, company 10, driver 18), then records of 68 bytes, with line ends or without.
Record numbers count records from 1. Read of each: time (Korean time, UTC+9, whatever
`--timezone` says; years 2000 to 2099; hundredths), X as longitude and Y as latitude in
millionths of a degree, speed, azimuth, total distance and status. The vendor tails of 18
bytes (fuel and temperatures) and of 35 bytes are stepped over. The suffix may be anything
(`.txt`, `.dat`): the content tells.

*Speed* is in whole km/h; whether a device rounds or cuts is not said. At a limit of
20 km/h one step is 5 %, and the analysis takes a reported speed as it is. There is no
position error in the file: the rule file's `default_accuracy_m` holds. The vehicle is the
registration number (자동차등록번호), else the file's name. Mode and operator are in no DTG
file: say them in a profile (`[fixed]`). A clock that steps back starts a new trip (`NAME#2`);
having a name, it is divided only by gaps of more than 12 hours, not by those of `trip_gap_s`.

*Put together:* where another header follows (files put one after another), the records
after it are those of its vehicle, which a notice says. Where bytes are lost or added in a
file without line ends, reading goes on at the next record that is seen by its points, signs
and digits; what lies between is one `bad-record`.

*Obfuscated files* (`-X-` in the name) have every byte combined (XOR) with one and the same.
It is read off the decimal points of the accelerations, which are always at the same
places, and digits and signs at theirs must confirm it; a notice says so. (Public code
computes it from the file's name; names change, the content does not.) A file that gives
no such byte is refused.

*Rejects:* `no-fix` (status 11), `bad-time`, `bad-position` (also 0/0), `bad-record` (a line
of another length, a record cut off). With status 12 or 21 (speed sensor, sensor input) the
speed counts as not said.

## Example
```
001200012342603171000000000501200126820300035191600085+000.1-000.200
```
"""

from pathlib import Path

import polars as pl

from analyzer.errors import LogError
from analyzer.logs._dtg import RECORD_BYTES, Rows, decoded, layout_of, rows_of
from analyzer.logs._files import HEAD_BYTES, is_url
from analyzer.logs._format import Format, Log, Part, Plan, ReadOptions
from analyzer.logs._plain import clean_text
from analyzer.logs._profile import Profile, load_profile
from analyzer.logs._remarks import Remark, first_words
from analyzer.logs._sessions import fixed_columns, vehicle_and_remarks, with_sessions
from analyzer.logs._spans import rejects_of, words_of_spans


def _read(plan: Plan, _part: Part, options: ReadOptions) -> Log:
    path = plan.path
    if is_url(path):
        raise LogError(f"{path}: DTG is read from files only; download it first")
    data = Path(path).read_bytes()
    layout = layout_of(data[:HEAD_BYTES], whole=len(data) <= HEAD_BYTES)
    if layout is None:
        message = (
            f"{path}: no DTG records of 68 bytes after a header of 79 or 80, plain or with one obfuscating byte; "
            "export it from the device or eTAS again"
        )
        raise LogError(message)
    rows = rows_of(data, layout)
    profile = load_profile(options.profile)
    vehicles, named = _vehicles(path, rows, profile)
    vehicle = pl.Series(vehicles, dtype=pl.String).gather(pl.Series(rows.header_of))
    found = decoded(rows.rows).with_columns(record=pl.Series(rows.record), vehicle_id=vehicle)
    good = found.filter(pl.col("reason").is_null()).drop("reason").with_columns(**fixed_columns(profile))
    records, stepped = with_sessions(path, good, profile)
    obfuscated = (Remark("obfuscated", path, 1),) if layout.key else ()
    count = found.height + len(rows.broken)
    return Log(path, "dtg", None, records, _rejects(rows, found), count, 0, (*named, *stepped, *obfuscated))


def _vehicles(path: str, rows: Rows, profile: Profile) -> tuple[list[str], tuple[Remark, ...]]:
    """Return the vehicle of each header, and what to say of them."""
    said = [vehicle_and_remarks(path, profile, name and clean_text(name)) for name in rows.vehicles]
    vehicles = [vehicle for vehicle, _ in said]
    remarks = dict.fromkeys(remark for _, remarks in said for remark in remarks)
    if len(vehicles) > 1:
        remarks[Remark("several-headers", path, len(vehicles), first_words(vehicles))] = None
    return vehicles, tuple(remarks)


def _rejects(rows: Rows, found: pl.DataFrame) -> pl.DataFrame:
    """Return the rejects with their own words."""
    bad = found["reason"].is_not_null()
    start = rows.start[bad.to_numpy()]
    broken, first, last = rows.broken.T
    text = [
        words_of_spans(rows.data, start, start + RECORD_BYTES, "cp949"),
        words_of_spans(rows.data, first, last, "cp949"),
    ]
    record = [found["record"].filter(bad), pl.Series("record", broken, dtype=pl.Int64)]
    reason = [found["reason"].filter(bad), pl.Series(["bad-record"]).new_from_index(0, len(broken))]
    return rejects_of(pl.concat(record), pl.concat(reason), pl.concat(text))


def _recognises(head: bytes) -> bool:
    return layout_of(head, whole=len(head) < HEAD_BYTES) is not None


FORMAT = Format("dtg", (".dtg",), _recognises, _read, decisive=True)
