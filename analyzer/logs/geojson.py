"""GeoJSON: points with properties, or lines with a time for every vertex.

A `Point` is a record; its properties are the columns of a plain log, by the same names
and with the same profile (members of objects as `outer.inner`), its coordinates longitude and
latitude. Of a `LineString`, `MultiLineString` or `MultiPoint` every vertex is a record: its
time is in a property `coordTimes`, `times`, `datetimes`, `timestamps` or `time` (also below
`coordinateProperties`); other properties with as many values as vertices say one for each.
A line is a trip, called as its `trip_id`, `id` or `name`; the parts of a MultiLineString
are one trip with holes.

Assumed: times that are numbers are seconds, milli-, micro- or nanoseconds since 1970 UTC,
told by their size (between 1980 and 2200 no two of them overlap); a remark says which.

Areas and lines without times are counted as other records. Where a line has not as many
times as vertices, nobody knows which belong together: all its vertices are rejects
(`times-do-not-match`). Refused: a document of areas (zones) or of lines without
times alone, positions that a `crs` says are not WGS 84.

## Example
```
{"type": "FeatureCollection", "features": [{"type": "Feature",
  "properties": {"vehicle_id": "S-1", "timestamp": "2026-03-02T10:00:00+09:00", "speed_kph": 5.2},
  "geometry": {"type": "Point", "coordinates": [126.8203, 35.1916]}}]}
```
"""

from analyzer.logs._documents import read_document, says
from analyzer.logs._format import Format


def _recognises(head: bytes) -> bool:
    return says(head, "FeatureCollection|Feature") and not says(head, "temporalGeometry")


FORMAT = Format("geojson", (".geojson", ".json"), _recognises, read_document, unpacks=True)
