"""The findings as GeoJSON (RFC 7946): a line from start to end, or a point where they are one."""

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analyzer.outputs._features import stations
from analyzer.outputs._output import Output, Run
from analyzer.results import Analysis


def _write(analysis: Analysis, folder: Path, _run: Run) -> None:
    with (folder / "findings.geojson").open("w", encoding="utf-8", newline="\n") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        for number, row in enumerate(analysis.findings.iter_rows(named=True)):
            file.write("\n" if number == 0 else ",\n")
            file.write(json.dumps(_feature(row), ensure_ascii=False))
        file.write("\n]}\n")


def _feature(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return one finding as a feature; its columns are the properties."""
    properties = {name: _plain(value) for name, value in row.items()}
    return {
        "type": "Feature",
        "id": row["finding_id"],
        "geometry": _geometry(row),
        "properties": properties,
    }


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, dt.datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value


def _geometry(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the line through start, peak and end in order of time."""
    places = stations(row)
    if len(places) == 1:
        return {"type": "Point", "coordinates": places[0]}
    return {"type": "LineString", "coordinates": places}


OUTPUT = Output(files=("findings.geojson",), write=_write)
