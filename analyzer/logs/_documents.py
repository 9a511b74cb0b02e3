"""Which kind of JSON document a file holds: told by its content, whatever its suffix."""

import re
from typing import Any

from analyzer.errors import LogError
from analyzer.logs._arcgis import arcgis_rows
from analyzer.logs._arrays import UnlikeError, array_in
from analyzer.logs._files import is_url
from analyzer.logs._format import Log, Part, Plan, ReadOptions
from analyzer.logs._geojson import GEOMETRIES, geojson_rows
from analyzer.logs._json import Rows, flat, load_document, printable
from analyzer.logs._mds import mds_body, mds_rows
from analyzer.logs._mf_json import is_moving, mf_rows
from analyzer.logs._rows import log_of_array, log_of_rows

_WORDS = 160


def read_document(plan: Plan, _part: Part, options: ReadOptions) -> Log:
    """Return the log of a JSON document of any of the kinds that are known."""
    if (log := _log_of_array(plan.path, options)) is not None:
        return log
    document = load_document(plan.path)
    try:
        name, rows = _rows_of(plan.path, document.value)
        return log_of_rows(document, name, rows, options)
    except RecursionError as error:  # loading goes a little deeper than writing the same out
        raise LogError(f"{plan.path}: its JSON is nested too deep; that is no log") from error


def _log_of_array(path: str, options: ReadOptions) -> Log | None:
    """Return the log of an array of records that are written alike, null where the document must be loaded."""
    if is_url(path):
        return None
    try:
        array = array_in(path)
        name, rows = _rows_of(path, array.document)
        return log_of_array(array, name, options) if name == "json" and len(rows.rows) == 1 else None
    except (UnlikeError, LogError, OSError):  # the document says what is wrong
        return None


def _rows_of(path: str, value: Any) -> tuple[str, Rows]:
    """Return the format of a document, and its records."""
    if is_moving(value):
        return "mf-json", mf_rows(path, value)
    if isinstance(value, dict) and value.get("type") in GEOMETRIES:
        return "geojson", geojson_rows(path, value)
    features = value.get("features") if isinstance(value, dict) else value
    first = features[0] if isinstance(features, list) and features else None
    if isinstance(first, dict) and first.get("type") == "Feature":
        return "geojson", geojson_rows(path, {"type": "FeatureCollection", "features": features})
    if isinstance(value, dict) and isinstance(first, dict) and "attributes" in first:
        return "arcgis-json", arcgis_rows(path, value)
    body = mds_body(value)
    if body is not None:
        return "mds", mds_rows(body)
    return "json", _plain_rows(path, value)


def _plain_rows(path: str, value: Any) -> Rows:
    """Return the records of an array, or of the only array of objects in an object."""
    rows = Rows()
    for record in _array(path, value):
        if isinstance(record, dict):
            rows.add(flat(record))
        else:
            rows.add_bad("bad-json", str(record)[:_WORDS])
    return rows


def _array(path: str, value: Any) -> list[Any]:
    """Return the array that holds the records; LogError where there is none, or several."""
    if isinstance(value, list):
        return value
    members = value if isinstance(value, dict) else {}
    arrays = {n: v for n, v in members.items() if isinstance(v, list) and v and isinstance(v[0], dict)}
    if len(arrays) == 1:
        return next(iter(arrays.values()))
    shown = ", ".join(printable(n)[:30] for n in list(arrays or members)[:8])
    if arrays:
        raise LogError(f"{path}: holds several arrays of objects ({shown}); write the log as one array of records")
    message = (
        f"{path}: this JSON holds no array of records{f' (its members are: {shown})' if shown else ''}; "
        "a log is an array of objects with time and position"
    )
    raise LogError(message)


def says(head: bytes, words: str) -> bool:
    """Return whether the first bytes of a file are JSON in which one of some words is a member or value."""
    text = head.decode("utf-16" if head[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig", "ignore").lstrip()
    return text.startswith(("{", "[")) and bool(re.search(f'"(?:{words})"', text))
