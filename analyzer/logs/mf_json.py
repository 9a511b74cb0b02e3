"""OGC Moving Features JSON (19-045r3): moving points with properties in time.

Every instant of a `temporalGeometry` of type `MovingPoint` (or of the prisms of a
collection) is a record; a feature is a trip, called as its `trip_id`, `id` or `name`. Values of
`temporalProperties` join the position at the same instant; those at other instants are
counted as other records, and a remark says how many. Properties are columns of a plain log.

Speeds are in the unit that `form` says, a UN/CEFACT code: `KMH`, `KNT`, `MTS` (m/s), `HM`
(mph); with another form, or none, the log is refused unless a profile names the unit. Times
that are numbers are milliseconds by the standard, told by their size. Between two
fixes the way is taken as straight, whatever `interpolation` says.

Other moving geometries are counted as other records; where a geometry has not as many times
as positions, all of them are rejects (`times-do-not-match`). Refused: a `crs` that is not WGS 84.

## Example
```
{"type": "Feature", "properties": {"vehicle_id": "S-1"},
 "temporalGeometry": {"type": "MovingPoint", "coordinates": [[126.82, 35.19], [126.83, 35.19]],
   "datetimes": ["2026-03-02T01:00:00Z", "2026-03-02T01:00:01Z"]},
 "temporalProperties": [{"datetimes": ["2026-03-02T01:00:00Z", "2026-03-02T01:00:01Z"],
   "speed": {"form": "KMH", "values": [5.2, 5.3]}}]}
```
"""

from analyzer.logs._documents import read_document, says
from analyzer.logs._format import Format


def _recognises(head: bytes) -> bool:
    return says(head, "temporalGeometry|MovingPoint|temporalProperties")


FORMAT = Format("mf-json", (".mfjson", ".json"), _recognises, read_document, unpacks=True)
