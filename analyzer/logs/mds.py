"""Mobility Data Specification (MDS) 2.0: telemetry, or trips, as JSON.

Of `telemetry` (in the document or in its `data`) every point is a record: `device_id` is
the vehicle, `timestamp` milliseconds since 1970 UTC, speed m/s, heading degrees true,
`horizontal_accuracy` metres, taken as 1 sigma per axis. `trip_ids` name the trip;
of several at once the `journey_id`, or all of them joined by `+`.

`driver_type` in the `trip_attributes` of `trips` in the same document is the control mode: `human`
is manual, `autonomous` autonomous, `semi_autonomous` unknown (it may be either); of
several trips at once only where all say the same. With telemetry, trips are counted as
other records; a document of trips alone gives two records for each, its start and its end.

## Example
```
{"version": "2.0.0", "telemetry": [{"device_id": "6e9e...", "timestamp": 1772413200000, "trip_ids": ["51a0..."],
  "location": {"lat": 35.1916, "lng": 126.8203, "speed": 1.4, "heading": 90, "horizontal_accuracy": 0.5}}],
 "trips": [{"device_id": "6e9e...", "trip_id": "51a0...", "trip_attributes": {"driver_type": "autonomous"}}]}
```
"""

from analyzer.logs._documents import read_document, says
from analyzer.logs._format import Format


def _recognises(head: bytes) -> bool:
    return says(head, "telemetry|trips") and says(head, "location|start_location|device_id")


FORMAT = Format("mds", (".json",), _recognises, read_document, unpacks=True)
