"""GPX 1.0 and 1.1: the points of tracks, with or without the namespace, read as a stream.

Read are `lat`, `lon` and `time` of every `trkpt`, and speed and course: the elements of
GPX 1.0, or in `extensions` those of TrackPointExtension (version 1 or 2), of OsmAnd, or
bare ones. Every `trk` is a trip, called as its `name` (numbered where several are called
alike, `track N` without a name). A new `trkseg` means, in the words of the standard, that
reception was lost or the receiver was off: it is a hole in the trip where it is longer than
`max_gap_s`, not a new trip; after 12 hours a trip ends anyway. One file is one vehicle, called
after the file unless a profile says `[fixed] vehicle_id`.

Assumed: speeds are m/s, as GPX 1.0 and TrackPointExtension define; an exporter that
writes km/h needs a profile with `[columns] speed_kph = "speed"`. Times without an offset
are UTC, as the standard says, whatever `--timezone` says for other logs; a remark counts
them, and `[fixed] timezone` in a profile says otherwise. Where a point says two different
speeds, the first stands and a remark counts it. `hdop` is no accuracy in metres and is not used.

Waypoints and points of routes are counted as other records. A point without a time or a sound
position is a reject. A file that breaks off is read up to there, which a notice says; the point
within which it does is a `bad-record`. Refused: a DOCTYPE, XML that is unsound, a file without
track points.

## Example
```
<gpx version="1.1" creator="recorder" xmlns="http://www.topografix.com/GPX/1/1">
  <trk><name>morning</name><trkseg>
    <trkpt lat="35.1916" lon="126.8203"><time>2026-03-02T01:00:00Z</time></trkpt>
    <trkpt lat="35.1916" lon="126.8204"><time>2026-03-02T01:00:01Z</time></trkpt>
  </trkseg></trk>
</gpx>
```
"""

from dataclasses import replace
from pathlib import Path

import polars as pl

from analyzer.errors import LogError
from analyzer.logs._files import is_url
from analyzer.logs._format import Format, Log, Part, Plan, ReadOptions
from analyzer.logs._profile import load_profile
from analyzer.logs._remarks import Remark
from analyzer.logs._shapes import ShapedReader
from analyzer.logs._tracks import Points, TripNames, log_of_points
from analyzer.logs._xml import XmlReader, begins_with

OURS = {"timestamp": "time", "trip_id": "track", "speed_mps": "speed", "heading_deg": "course"}
OFFSET = r"(?:[Zz]|[+-]\d\d(?::?\d\d)?)\s*$"
_DIRECT = 1
_PLACES = ("wpt", "rtept")


class _Tracks:
    """The state of reading: which track and point the parser is in."""

    def __init__(self) -> None:
        self.points = Points(("lat", "lon", "time", "speed", "course", "track"))
        self.two_speeds = 0
        self._trips = TripNames()
        self._tracks = 0
        self._track: str | None = None
        self._named = False
        self._point: dict[str, str] | None = None
        self._depth = 0
        self._speeds: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the start of an element into account."""
        if self._point is not None:
            self._depth += 1
        elif name == "trkpt":
            self._point, self._depth = attributes, 0
            self._speeds = []
        elif name == "trk":
            self._tracks += 1
            self._track, self._named = None, False
        elif name in _PLACES:
            self.points.add_other()

    def end(self, name: str, text: str) -> None:
        """Take the end of an element into account."""
        if self._point is None:
            if name == "name" and not self._named and self._tracks and self._track is None:
                self._track = self._trips.name(text.strip()) if text.strip() else None
            return
        if name == "trkpt" and self._depth == 0:
            self._add(self._point)
            self._point = None
            return
        if name == "time" and self._depth == _DIRECT:
            self._point.setdefault("time", text)
        elif name == "speed":
            self._speeds.append(text)
        elif name == "course":
            self._point.setdefault("course", text)
        self._depth -= 1

    def add_run(self, run: pl.DataFrame) -> None:
        """Take over points that follow the last one."""
        self.points.add_run(run.with_columns(pl.lit(self._track).alias("track")))

    def end_within_point(self) -> None:
        """Reject the point within which a document breaks off, if there is one."""
        if self._point is not None:
            self.points.add_bad("bad-record", " ".join(self._point.values()))

    def _add(self, point: dict[str, str]) -> None:
        """Take over a point."""
        if self._track is None:
            self._track = self._trips.name(f"track {self._tracks}")
        speeds = self._speeds
        if len(speeds) > 1 and len({s.strip() for s in speeds}) > 1:
            self.two_speeds += 1
        get = point.get
        speed = speeds[0] if speeds else None
        self.points.add(get("lat"), get("lon"), get("time"), speed, get("course"), self._track)


def _read(plan: Plan, _part: Part, options: ReadOptions) -> Log:
    if is_url(plan.path):
        raise LogError(f"{plan.path}: GPX is read from files only; download it first")
    tracks = _Tracks()
    reader = XmlReader(plan.path, tracks.start, tracks.end, may_be_cut=True)
    with Path(plan.path).open("rb") as file:
        for run in ShapedReader(reader).read(file):
            tracks.add_run(run)
    if reader.broken_off is not None and tracks.points.frame().is_empty():
        raise reader.broken_off
    tracks.end_within_point()
    naive = 0
    if load_profile(options.profile).fixed.get("timezone") is None:
        naive, options = _without_offset(tracks.points), replace(options, timezone="UTC")
    remarks = [
        Remark(code, plan.path, count)
        for code, count in (
            ("document-cut", tracks.points.record if reader.broken_off else 0),
            ("times-taken-as-utc", naive),
            ("two-speeds", tracks.two_speeds),
        )
        if count
    ]
    return log_of_points(plan.path, plan.format, tracks.points, options, OURS, tuple(remarks))


def _without_offset(points: Points) -> int:
    """Return how many times say no offset from UTC."""
    times = points.frame()["time"].drop_nulls()
    return int((~times.str.contains(OFFSET) & times.str.contains(r"\d:\d")).sum())


def _recognises(head: bytes) -> bool:
    return begins_with(head, "gpx")


FORMAT = Format("gpx", (".gpx",), _recognises, _read, decisive=True)
