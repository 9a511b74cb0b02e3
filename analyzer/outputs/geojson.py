"""The findings as GeoJSON (RFC 7946): a line from start to end, or a point where they are one."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import polars as pl

from analyzer.outputs._features import STATIONS, stations
from analyzer.outputs._output import Output, Run
from analyzer.results import Analysis
from analyzer.tables import INSTANT


def _write(analysis: Analysis, folder: Path, _run: Run) -> None:
    with (folder / "findings.geojson").open("wb") as file:
        file.write(b'{"type": "FeatureCollection", "features": [')
        file.writelines(_features(analysis.findings))
        file.write(b"\n]}\n")


def _features(findings: pl.DataFrame) -> Iterator[bytes]:
    """Yield every finding as a feature; its columns are the properties, which polars writes."""
    properties = BytesIO()  # as text each would be decoded, and encoded again
    _plain(findings).write_ndjson(properties)
    properties.seek(0)
    rows = findings.select(*STATIONS, "finding_id").iter_rows()
    before = "\n"
    for own, (*places, finding_id) in zip(properties, rows, strict=True):
        geometry = _geometry(stations(places))
        head = f'{before}{{"type": "Feature", "id": "{finding_id}", "geometry": {geometry}, "properties": '
        yield head.encode() + own.rstrip() + b"}"
        before = ",\n"


def _plain(findings: pl.DataFrame) -> pl.DataFrame:
    """Return the findings with instants as texts in ISO 8601."""
    return findings.with_columns(_text(pl.col(name)) for name, dtype in findings.schema.items() if dtype == INSTANT)


def _text(instant: pl.Expr) -> pl.Expr:
    """Return an instant as ISO 8601, with a fraction where it has one."""
    whole, fine = (instant.dt.strftime(form) for form in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S%.6fZ"))
    return pl.when(instant.dt.microsecond() == 0).then(whole).otherwise(fine)


def _geometry(places: list[list[float]]) -> str:
    """Return the line through start, peak and end in order of time; Python writes lists of numbers as JSON does."""
    if len(places) == 1:
        return f'{{"type": "Point", "coordinates": {places[0]}}}'
    return f'{{"type": "LineString", "coordinates": {places}}}'


OUTPUT = Output(files=("findings.geojson",), write=_write)
