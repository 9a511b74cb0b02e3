"""KML and KMZ: tracks (`gx:Track`, or `Track` of KML 2.3), and places with a time stamp.

Of a track, the n-th `when` and the n-th `coord` (longitude, latitude, height, apart by spaces)
are a record, and the n-th `angles` its heading. Where the counts of `when` and `coord`
differ, nobody knows which belong together: all positions of that track are rejects
(`times-do-not-match`). A `Placemark` with a `Point` and a `TimeStamp` is a record as well. A
`Placemark` is a trip, called as its `name`; several tracks of a `MultiTrack` are one trip with
holes. Placemarks with points are one nameless trip. One file is one vehicle, called after the
file unless a profile says `[fixed] vehicle_id`.

KML says no speed; extended data are not read. Times without an offset need `--timezone`;
the `Z` of KML is UTC. A time that is a day alone is a reject.

Lines, areas and points without a time are counted as other records. Links to other files are not
followed. Of a KMZ (a zip archive) the first `.kml` is read, one at its root before others, as a
stream; that there are others is said. One that is encrypted, compressed otherwise than usual,
grows more than 200-fold or beyond 4 GiB is refused before it is unpacked, and nothing is ever
written. Refused: a DOCTYPE, XML that is cut off.

## Example
```
<kml xmlns:gx="http://www.google.com/kml/ext/2.2"><Placemark><name>morning</name><gx:Track>
  <when>2026-03-02T01:00:00Z</when><when>2026-03-02T01:00:01Z</when>
  <gx:coord>126.8203 35.1916 31</gx:coord><gx:coord>126.8204 35.1916 31</gx:coord>
</gx:Track></Placemark></kml>
```
"""

import zipfile
import zlib
from itertools import zip_longest
from pathlib import Path
from typing import IO

from analyzer.errors import LogError
from analyzer.logs._files import is_url
from analyzer.logs._format import Format, Log, Part, Plan, ReadOptions
from analyzer.logs._plain import clean_text
from analyzer.logs._remarks import Remark, first_words
from analyzer.logs._tracks import Points, TripNames, log_of_points
from analyzer.logs._xml import XmlReader, begins_with

OURS = {"timestamp": "when", "trip_id": "placemark", "heading_deg": "angle"}
MOST_RATIO, MOST_BYTES, MOST_ENTRIES = 200, 1 << 32, 10_000
_FREE_BYTES = 1 << 20
_USUAL = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1
_DAMAGED = (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError, zlib.error)
_TRACK_PARTS = {"when", "coord", "angles"}
_OTHERS = {"LineString", "Polygon", "Model", "LinearRing"}
_ZIP = b"PK\x03\x04"


class _Places:
    """The state of reading: the placemark and the track the parser is in."""

    def __init__(self) -> None:
        self.points = Points(("lon", "lat", "when", "angle", "placemark"))
        self._trips = TripNames()
        self._placemarks = 0
        self._name: str | None = None
        self._trip: str | None = None
        self._track: dict[str, list[str]] | None = None
        self._open: list[str] = []
        self._stamp: str | None = None
        self._point: str | None = None

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        """Take the start of an element into account."""
        self._open.append(name)
        if name == "Placemark":
            self._placemarks += 1
            self._name = self._trip = self._stamp = self._point = None
        elif name == "Track":
            self._track = {part: [] for part in _TRACK_PARTS}
        elif name in _OTHERS and (name != "LinearRing" or "Polygon" not in self._open):
            self.points.add_other()

    def end(self, name: str, text: str) -> None:
        """Take the end of an element into account."""
        self._open.pop()
        parent = self._open[-1] if self._open else ""
        if name in _TRACK_PARTS and self._track is not None and parent == "Track":
            self._track[name].append(text.strip())
        elif name == "when" and parent == "TimeStamp":
            self._stamp = text.strip()
        elif name == "name" and parent == "Placemark":
            self._name = text.strip()
        elif name == "coordinates" and parent == "Point":
            self._point = text.strip()
        elif name == "Track" and self._track is not None:
            self._add_track(self._track)
            self._track = None
        elif name == "Placemark" and self._point is not None:
            self._add_point(self._point)

    def _add_point(self, coordinates: str) -> None:
        """Take over a place, a record where it has a time."""
        if self._stamp is None:
            self.points.add_other()
            return
        lon, lat = _pair(coordinates.replace(",", " "))
        self.points.add(lon, lat, self._stamp, None, None)

    def _add_track(self, track: dict[str, list[str]]) -> None:
        """Take over the positions of a track, in the trip of its placemark."""
        times, places, angles = track["when"], track["coord"], track["angles"]
        if len(times) != len(places):
            for place in places or times:
                self.points.add_bad("times-do-not-match", f"{len(times)} when, {len(places)} coord: {place}")
            return
        if self._trip is None:
            self._trip = self._trips.name(self._name or f"track {self._placemarks}")
        turned = angles if len(angles) == len(places) else []
        for time, place, angle in zip_longest(times, places, turned):
            lon, lat = _pair(place)
            self.points.add(lon, lat, time, angle.split()[0] if angle else None, self._trip)


def _pair(place: str) -> tuple[str | None, str | None]:
    """Return longitude and latitude of a place, null where it has none."""
    parts = place.split(maxsplit=2)
    return (parts[0], parts[1]) if len(parts) > 1 else (None, None)


def _read(plan: Plan, _part: Part, options: ReadOptions) -> Log:
    path = plan.path
    if is_url(path):
        raise LogError(f"{path}: KML is read from files only; download it first")
    places = _Places()
    reader = XmlReader(path, places.start, places.end)
    left: tuple[Remark, ...] = ()
    with Path(path).open("rb") as file:
        if file.read(len(_ZIP)) == _ZIP:
            left = _read_archive(path, file, reader)
        else:
            file.seek(0)
            reader.read(file)
    return log_of_points(path, plan.format, places.points, options, OURS, left)


def _read_archive(path: str, file: IO[bytes], reader: XmlReader) -> tuple[Remark, ...]:
    """Read the document of a KMZ, and say which were left; LogError where it is damaged or would grow too much."""
    try:
        with zipfile.ZipFile(file) as archive:
            found, *others = _documents(path, archive)
            with archive.open(_within_limits(path, found)) as document:
                reader.read(document)
    except _DAMAGED as error:
        raise LogError(f"{path}: the archive is damaged or was cut off ({error})") from error
    names = first_words(clean_text(other.filename) for other in others)
    return (Remark("left-out-documents", path, len(others), names),) if others else ()


def _documents(path: str, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the entries that are KML, those at the root of the archive first; LogError where there is none."""
    entries = [e for e in archive.infolist()[:MOST_ENTRIES] if e.filename.lower().endswith(".kml")]
    found = [e for e in entries if not _is_shadow(e.filename)]
    if not found:
        raise LogError(f"{path}: this archive holds no .kml; zonelog reads no other archives as logs")
    return sorted(found, key=lambda entry: "/" in entry.filename)


def _is_shadow(name: str) -> bool:
    """Return whether an entry is what macOS packs beside a file of that name."""
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1].startswith("._")


def _within_limits(path: str, found: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """Return an entry; LogError where it is packed in another way than usual, or would grow too much."""
    if found.flag_bits & _ENCRYPTED or found.compress_type not in _USUAL:
        raise LogError(f"{path}: its .kml is encrypted or compressed in an unusual way; pack it as a plain zip")
    if found.file_size > min(MOST_BYTES, max(_FREE_BYTES, MOST_RATIO * found.compress_size)):
        raise LogError(f"{path}: its .kml would grow to {found.file_size} bytes, which is no log; unpack it yourself")
    return found


def _recognises(head: bytes) -> bool:
    return begins_with(head, "kml") or (head.startswith(_ZIP) and b".kml" in head[:512].lower())


FORMAT = Format("kml", (".kml", ".kmz"), _recognises, _read, decisive=True)
