r"""NMEA 0183: what GNSS receivers say, alone or among the bytes of UBX or another text.

Read are RMC, GGA, GST, ZDA and VTG of any talker. A sentence starts with `$` at the start
of a line or before four letters or digits, wherever that is: raw NMEA among binary UBX, in
a column of a CSV, or as `b'$GPRMC,…*77\r\n'`. Record numbers count sentences of any kind
from 1. Sentences of other kinds, proprietary ones too, and those that only complete a
position are counted as other records; bytes outside sentences are counted and named.

*Positions* are those of RMC; of GGA, where there are more than one and a half times as many
sound GGA. The other one and GST complete positions of the same time of day within 200
sentences; VTG has no time and is taken to belong to the last one before it. GST gives one
sigma per axis: the root mean square of the deviations of latitude and longitude; without
it no accuracy is said. Speeds in knots become km/h.

*Time* is UTC. RMC has a date of two digits (80 to 99: 1980 to 1999); GGA takes the date
of the last RMC or ZDA before it, else of the next, and passes midnight by itself. Without
any date the log is refused. A leap second (23:59:60) is the first second of the next day.
Whole-second RMC times of a receiver with more fixes a second take the fractions of its GGA,
where a second has as many RMC as GGA, at the same places in the same order (said); else they
stay as they are, and all but the last of a second become `duplicate-time`. A date before 2010 is named as a possible
1024-week roll-over of the receiver, and not changed; so is a step of the date by 1024 weeks.
A clock that steps back starts a new trip (`NAME#2`); having a name, it is divided only by
gaps of more than 12 hours, not by those of `trip_gap_s`, which then count as holes.

*Rejects:* `bad-checksum` (also where none is there: a sentence cut off), `no-fix` (status V,
mode N, GGA quality 0, no position), `not-measured` (simulator or typed in by hand),
`bad-time`, `bad-position` (also 0/0). Where more than half of the sentences have no
checksum, those without are believed and a notice says so. NMEA knows no vehicle, mode or
operator; say them in a profile (`[fixed]`).

## Example
```
$GNRMC,010203.00,A,3511.4960,N,12649.2180,E,002.70,085.0,170326,,,A*77
```
"""

from pathlib import Path

import polars as pl

from analyzer.errors import LogError
from analyzer.logs._files import is_url
from analyzer.logs._format import NO_REJECTS, PART_BYTES, Format, Log, Part, Plan, ReadOptions
from analyzer.logs._nmea import sentences
from analyzer.logs._nmea_epochs import completed, dated, primary_of, with_fractions
from analyzer.logs._numerals import DAY_US
from analyzer.logs._profile import load_profile
from analyzer.logs._remarks import Remark
from analyzer.logs._sessions import fixed_columns, vehicle_and_remarks, with_sessions
from analyzer.logs._spans import rejects_of, words_of_spans

_ROLL_OVER_DAYS = 7168
_EARLIEST_DAY = 14_610  # 2010-01-01
_NAMES_OF_PLACES = (b"lat", b"LAT", b"Lat", "위도".encode(), "위도".encode("cp949"))


def _read(plan: Plan, _part: Part, options: ReadOptions) -> Log:
    path = plan.path
    if is_url(path):
        raise LogError(f"{path}: NMEA is read from files only; download it first")
    data = Path(path).read_bytes()
    said, count, outside = _all_sentences(data)
    said, remarks = _believed(path, said)
    said, finer = with_fractions(said)
    remarks += [Remark("finer-times", path, finer)] if finer else []
    kind = primary_of(said)
    records = completed(dated(path, said, kind), said, kind)
    good = records.filter(pl.col("reason").is_null())
    damaged = said.filter(pl.col("kind") != kind, pl.col("reason") == "bad-checksum")
    rejected = pl.concat([records, damaged], how="diagonal")
    rejects = _rejects(data, rejected.filter(pl.col("reason").is_not_null()))
    log = _log(plan, options, good)
    others = count - log.records.height - rejects.height
    more = [*remarks, *_remarks(path, good, said, outside)]
    return Log(path, "nmea", None, log.records, rejects, count, others, (*log.remarks, *more))


def _all_sentences(data: bytes) -> tuple[pl.DataFrame, int, int]:
    """Return the decoded sentences of a file, how many there are of any kind, and the bytes outside them."""
    frames, count, at, inside = [], 0, 0, 0
    while at < len(data):
        stop = data.find(b"\n", at + PART_BYTES) + 1 or len(data)
        frame, more, covered = sentences(data[at:stop], count, at)
        frames.append(frame)
        count, inside, at = count + more, inside + covered, stop
    return pl.concat(frames), count, len(data) - inside - sum(map(data.count, (b"\r", b"\n")))


def _believed(path: str, said: pl.DataFrame) -> tuple[pl.DataFrame, list[Remark]]:
    """Return the sentences with those without checksum rejected, or believed where most have none."""
    bare = int(said["unsummed"].sum())
    if bare * 2 > said.height:
        return said, [Remark("no-checksum", path, bare)]
    cut = pl.when("unsummed").then(pl.lit("bad-checksum"))
    return said.with_columns(reason=pl.coalesce(cut, "reason")), []


def _rejects(data: bytes, bad: pl.DataFrame) -> pl.DataFrame:
    """Return the rejects with their own words."""
    text = words_of_spans(data, bad["at"].to_numpy(), bad["end"].to_numpy(), "ascii")
    return rejects_of(bad["record"], bad["reason"], text)


def _log(plan: Plan, options: ReadOptions, good: pl.DataFrame) -> Log:
    """Return the positions as records of a log."""
    profile = load_profile(options.profile)
    vehicle, remarks = vehicle_and_remarks(plan.path, profile)
    columns = ("record", "time", "longitude", "latitude", "speed_kph", "heading_deg", "horizontal_accuracy_m")
    records = good.select(columns).with_columns(vehicle_id=pl.lit(vehicle), **fixed_columns(profile))
    named, said = with_sessions(plan.path, records, profile)
    return Log(plan.path, "nmea", None, named, NO_REJECTS, good.height, 0, (*remarks, *said))


def _remarks(path: str, good: pl.DataFrame, said: pl.DataFrame, outside: int) -> list[Remark]:
    """Return what to say of dates, leap seconds and bytes outside sentences."""
    day = good["time"].dt.date()
    early = day.filter(day.to_physical() < _EARLIEST_DAY)
    leap = int((said["clock_us"] >= DAY_US).fill_null(value=False).sum())
    found = [
        Remark("week-roll-over", path, len(early), tuple(map(str, early.unique().sort().head(2)))),
        Remark("week-jump", path, _week_jumps(day)),
        Remark("leap-second", path, leap),
        Remark("outside-sentences", path, outside),
    ]
    return [remark for remark in found if remark.count]


def _week_jumps(day: pl.Series) -> int:
    """Return how often the date steps by 1024 weeks, a day more or less."""
    return int((day.to_physical().diff().abs() - _ROLL_OVER_DAYS).abs().le(1).sum())


def _recognises(head: bytes) -> bool:
    first = head.split(b"\n", 1)[0]
    if b"$" not in first and any(name in first for name in _NAMES_OF_PLACES):
        return False  # a table with positions of its own
    said, _, _ = sentences(head)
    plain = head.lstrip().startswith((b"$G", b"$B", b"$PUBX", b"$Q"))
    summed = said.filter(~pl.col("unsummed"), pl.col("reason").ne_missing("bad-checksum"))
    return summed.height > 0 or (plain and said.height > 0)


FORMAT = Format("nmea", (".nmea", ".nma", ".ubx"), _recognises, _read, decisive=True)
