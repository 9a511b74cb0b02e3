"""ArcGIS JSON: a feature set with a point and attributes for every record.

Attributes are taken as columns of a plain log, `x` and `y` as longitude and latitude.
Dates are numbers since 1970 in milliseconds, as ArcGIS writes them; a remark says so.
Refused: positions that are not WGS 84 (`wkid` 4326), lines and areas.

## Example
```
{"spatialReference": {"wkid": 4326}, "features": [
  {"attributes": {"vehicle_id": "S-1", "timestamp": 1772413200000}, "geometry": {"x": 126.82, "y": 35.19}}]}
```
"""

from analyzer.logs._documents import read_document, says
from analyzer.logs._format import Format


def _recognises(head: bytes) -> bool:
    return says(head, "spatialReference|attributes|geometryType|objectIdFieldName")


FORMAT = Format("arcgis-json", (".json",), _recognises, read_document, unpacks=True)
