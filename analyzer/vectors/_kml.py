"""KML: placemarks with polygons, read by expat as they come; nothing is followed or expanded."""

import re
from dataclasses import replace
from typing import Any
from xml.parsers import expat

import numpy as np
import shapely

from analyzer.language import several
from analyzer.vectors._records import Feature, VectorLayer, flat_layer, polygon_of

WGS84 = "OGC:CRS84"
TEXTS = {"name", "description", "coordinates", "value", "SimpleData"}
OTHERS = {"Point": "Point", "LineString": "LineString", "Track": "LineString", "LinearRing": "LineString"}


class _Reader:
    """The placemarks so far; the stack is the way from the root by local names."""

    def __init__(self) -> None:
        self.features: list[Feature] = []
        self.links = 0
        self._stack: list[str] = []
        self._text: list[str] = []
        self._field = ""
        self._properties: dict[str, Any] | None = None
        self._shapes: list[Any] = []
        self._rings: list[np.ndarray] = []
        self._heights = False

    def read(self, data: bytes) -> None:
        """Read a whole document; ValueError where it is not well formed or brings a DOCTYPE."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            raise ValueError(f"not well-formed XML: {error}") from error

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        name = tag.rsplit(" ", 1)[-1]
        if not self._stack and name != "kml":
            raise ValueError(f"this XML is no KML: its root is {name!r}")
        self._stack.append(name)
        self.links += name == "NetworkLink"
        if name == "Placemark":
            self._properties, self._shapes = {}, []
        elif name == "Polygon":
            self._rings = []
        if name in ("Data", "SimpleData"):
            self._field = attributes.get("name", "")
        if name in TEXTS:
            self._text = []

    def _characters(self, text: str) -> None:
        """Collect the text of an element that is read."""
        if self._stack and self._stack[-1] in TEXTS:
            self._text.append(text)

    def _end(self, _tag: str) -> None:
        """End an element."""
        name = self._stack.pop()
        parent = self._stack[-1] if self._stack else ""
        if self._properties is None:
            return
        text = "".join(self._text) if name in TEXTS else ""
        if name in ("name", "description") and parent == "Placemark":
            self._properties[name] = text.strip()
        elif (name == "SimpleData" or (name == "value" and parent == "Data")) and self._field:
            self._properties[self._field] = text.strip()
        elif name == "coordinates" and parent == "LinearRing" and "Polygon" in self._stack:
            self._rings.append(self._points(text))
        elif name == "Polygon":
            self._polygon()
        elif name in OTHERS and "Polygon" not in self._stack:
            self._shapes.append(shapely.Point() if name == "Point" else shapely.LineString())
        elif name == "Placemark":
            self._placemark()

    def _points(self, text: str) -> np.ndarray:
        """Return the positions of `coordinates`: longitude, latitude, perhaps a height."""
        where = f"placemark {len(self.features) + 1}"
        tuples = [part.split(",") for part in re.sub(r"\s*,\s*", ",", text).split()]
        if len({len(t) for t in tuples}) != 1 or len(tuples[0]) not in (2, 3):
            raise ValueError(f"{where}: coordinates must be longitude,latitude or longitude,latitude,height")
        try:
            points = np.array(tuples, dtype=np.float64)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
        self._heights |= points.shape[1] > 2 and bool(points[:, 2].any())  # noqa: PLR2004
        return points[:, :2]

    def _polygon(self) -> None:
        """End a polygon: the first ring is its outer one."""
        try:
            own = polygon_of(self._rings)
        except (ValueError, TypeError, shapely.GEOSException) as error:
            raise ValueError(f"placemark {len(self.features) + 1}: {error}") from error
        self._shapes.append(shapely.force_3d(own) if self._heights else own)

    def _placemark(self) -> None:
        """End a placemark."""
        if len(self._shapes) > 1:
            shape = shapely.geometrycollections(self._shapes)
        else:
            shape = self._shapes[0] if self._shapes else None
        self.features.append(Feature(len(self.features) + 1, shape, self._properties or {}))
        self._properties, self._heights = None, False


def _refuse(*_: Any) -> None:
    """Refuse a DOCTYPE: no KML needs one, and entities hide in it."""
    raise ValueError("it has a DOCTYPE, which KML does not need; take it out")


def layer_of(data: bytes, name: str) -> VectorLayer:
    """Return the one layer of a KML document, WGS 84 by its specification."""
    reader = _Reader()
    reader.read(data)
    links = several(reader.links, "{n} network link is not followed.", "{n} network links are not followed.")
    layer = flat_layer(name, WGS84, reader.features, [links] if reader.links else [])
    return replace(layer, drawn=True)
