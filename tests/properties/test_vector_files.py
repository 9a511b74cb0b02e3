"""Files of shapes, cut and flipped: they are read, or refused with a sentence; nothing else happens."""

import io
import json
import tempfile
import zipfile
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from analyzer.errors import AnalyzerError
from analyzer.vectors import read_layers
from analyzer.vectors._records import polygons_of
from analyzer.vectors.systems import exact, system_of
from analyzer.zone_making import Choices, make_zone_set

SHAPES = [
    shapely.box(126.7, 35.1, 126.71, 35.11).difference(shapely.box(126.702, 35.102, 126.704, 35.104)),
    shapely.box(126.8, 35.1, 126.81, 35.11),
]
FRAME = geopandas.GeoDataFrame({"id": ["a", "b"], "이름": ["하나", "둘"]}, geometry=SHAPES, crs=4326)
KML = (
    b'<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><name>a</name><Polygon><outerBoundaryIs><LinearRing>'
    b"<coordinates>126.7,35.1 126.71,35.1 126.71,35.11 126.7,35.1</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></kml>"
)


def samples():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for suffix in ("geojson", "gpkg", "fgb"):
            FRAME.to_file(folder / f"z.{suffix}")
        FRAME.to_file(folder / "z.shp", encoding="cp949")
        made = {
            suffix: (folder / f"z.{suffix}").read_bytes() for suffix in ("geojson", "gpkg", "fgb", "shp", "dbf", "prj")
        }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for suffix in ("shp", "dbf", "prj"):
            archive.writestr(f"z.{suffix}", made[suffix])
    geography = {"geography_id": "g", "name": "n", "geography_json": json.loads(made["geojson"])}
    mds = json.dumps({"geographies": [geography]}).encode()
    return made | {"zip": packed.getvalue(), "kml": KML, "mds": mds}


SAMPLES = samples()
SEEDS = ("geojson", "gpkg", "fgb", "shp", "zip", "kml", "mds", "dbf", "prj")
QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("kind", SEEDS)
@settings(QUIET, max_examples=60)
@given(cut=st.floats(0, 1), flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), max_size=6))
@example(cut=1.0, flips=[])
def test_damage_is_read_or_refused(kind, cut, flips):
    data = bytearray(SAMPLES[kind])
    for place, bit in flips:
        data[int(place * len(data))] ^= 1 << bit
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if kind in ("dbf", "prj"):
            for other in ("shp", "dbf", "prj"):
                (folder / f"z.{other}").write_bytes(SAMPLES[other])
        (folder / f"z.{kind}").write_bytes(data[: int(cut * len(data))])
        source = folder / ("z.shp" if kind in ("dbf", "prj") else f"z.{kind}")
        refused, zones = "", ()
        try:
            zones = make_zone_set(folder / "set", [source], Choices())[0].zones
        except AnalyzerError as error:
            refused = str(error)
        assert (source.name in refused) != bool(zones)
        assert (folder / "set").exists() == bool(zones)
        assert all(zone.geometry.is_valid for zone in zones)


@pytest.mark.parametrize("kind", ["geojson", "gpkg", "fgb", "shp", "zip", "kml"])
def test_the_undamaged_are_read(kind, tmp_path):
    (tmp_path / "z").write_bytes(SAMPLES[kind])
    assert sum(f.geometry.area for f in read_layers(tmp_path / "z")[0].features) > 0


@settings(QUIET, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(2, 9)), min_size=1, max_size=5),
    st.booleans(),
)
def test_rings_in_any_order_and_direction_are_one_area(squares, turned):
    """Oracle: the symmetric difference of nested squares, put together ring by ring."""
    apart = [shapely.box(100 * n, y, 100 * n + 4 * s, y + 4 * s) for n, (_, y, s) in enumerate(squares)]
    holed = [
        b.difference(shapely.box(b.bounds[0] + 1, b.bounds[1] + 1, b.bounds[2] - 1, b.bounds[3] - 1)) for b in apart
    ]
    island = [shapely.box(b.bounds[0] + 2, b.bounds[1] + 2, b.bounds[2] - 2, b.bounds[3] - 2) for b in apart]
    true = shapely.unary_union([*holed, *island])
    rings = [shapely.get_coordinates(r) for r in shapely.get_rings(shapely.get_parts(true))]
    rings = [r[::-1] for r in rings[::-1]] if turned else rings
    made = polygons_of(rings)
    assert made.is_valid
    assert made.equals(true)


@settings(QUIET, max_examples=60)
@given(
    x=st.floats(180_000, 220_000), y=st.floats(280_000, 300_000), size=st.floats(1, 40_000), turn=st.floats(0, 6.28),
    crs=st.sampled_from(["EPSG:5186", "EPSG:5179", "EPSG:5174", "EPSG:32652"]),
)  # fmt: skip
def test_edges_of_any_length_stay_within_a_centimetre(x, y, size, turn, crs):
    shift = (
        np.array([0, 0])
        if crs == "EPSG:5186"
        else np.array([750_000, 1_390_000])
        if crs == "EPSG:5179"
        else np.array([0, -100_000])
    )
    if crs == "EPSG:32652":
        shift = np.array([100_000, 3_590_000])
    corners = (
        np.array([(0, 0), (1, 0), (0.4, 1)])
        @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        * size
    )
    source = shapely.Polygon(corners + np.array([x, y]) + shift)
    made, added = exact(source, system_of(crs))
    assert added == shapely.get_num_coordinates(made) - 4
    from pyproj import Transformer

    back = Transformer.from_crs(4326, crs, always_xy=True)
    points = shapely.get_coordinates(made.exterior)
    for share in (0.25, 0.5, 0.8):
        own = points[:-1] + share * (points[1:] - points[:-1])
        metres = shapely.distance(
            shapely.points(np.column_stack(back.transform(own[:, 0], own[:, 1]))), source.exterior
        )
        assert metres.max() < 0.01


def test_thousands_of_nested_rings_are_refused_quickly():
    rings = [shapely.get_coordinates(shapely.box(-n, -n, n, n)) for n in range(1, 20_000)]
    with pytest.raises(ValueError, match="inside each other"):
        polygons_of(rings)
