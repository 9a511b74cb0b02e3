"""GeoPackage and GeoParquet hold what the tables hold, in the form that their standards ask for."""

import datetime as dt
import json
import sqlite3
import struct
from contextlib import closing

import polars as pl
import pytest
import shapely

from analyzer.analysis import Options, analyze
from analyzer.demo import run_demo
from analyzer.outputs import Run, _features, write_outputs
from analyzer.zone_loading import load_zone_set
from tests.hostile import hostile_log


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "out"
    analysis, _ = run_demo(out, "ko")
    return analysis, out


def opened(path):
    return closing(sqlite3.connect(path))


def shape_of(blob):
    magic, version, flags, srs, west, east, south, north = struct.unpack("<2sBBi4d", blob[:40])
    assert (magic, version, flags, srs) == (b"GP", 0, 3, 4326)
    shape = shapely.from_wkb(blob[40:])
    assert shape.bounds == (west, south, east, north)
    return shape


def test_the_geopackage_is_one(demo):
    analysis, out = demo
    with opened(out / "findings.gpkg") as base:
        assert base.execute("PRAGMA application_id").fetchone() == (0x47504B47,)
        assert base.execute("PRAGMA user_version").fetchone() == (10300,)
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert base.execute("PRAGMA foreign_key_check").fetchall() == []
        assert [r[0] for r in base.execute("SELECT table_name FROM gpkg_contents ORDER BY 1")] == [
            "findings",
            "tracks",
            "zones",
        ]
        assert {r[0] for r in base.execute("SELECT srs_id FROM gpkg_spatial_ref_sys")} == {4326, 0, -1}
        ids = [r[0] for r in base.execute("SELECT finding_id FROM findings ORDER BY fid")]
        assert ids == analysis.findings["finding_id"].to_list()
        start, text = base.execute("SELECT start, message_ko FROM findings ORDER BY fid").fetchone()
        assert dt.datetime.fromisoformat(start) == analysis.findings["start"][0]
        assert text == analysis.findings["message_ko"][0]
        tracks = [shape_of(r[0]) for r in base.execute("SELECT geom FROM tracks")]
        assert len(tracks) == analysis.tracks.height
        zones = [shape_of(r[0]) for r in base.execute("SELECT geom FROM zones ORDER BY fid")]
        assert all(a.equals(z.geometry) for a, z in zip(zones, analysis.zone_set.zones, strict=True))


def test_geoparquet_reads_back(demo):
    analysis, out = demo
    for name in ("findings", "tracks"):
        path = out / f"{name}.geo.parquet"
        geo = json.loads(pl.read_parquet_metadata(path)["geo"])
        assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
        frame = pl.read_parquet(path)
        shapes = shapely.from_wkb(frame["geometry"].to_list())
        assert geo["columns"]["geometry"]["bbox"] == pytest.approx(list(shapely.total_bounds(shapes)))
        assert set(geo["columns"]["geometry"]["geometry_types"]) == {s.geom_type for s in shapes}
    assert (
        pl.read_parquet(out / "findings.geo.parquet")["finding_id"].to_list()
        == analysis.findings["finding_id"].to_list()
    )


def test_geopandas_and_gdal_read_them(demo):
    geopandas = pytest.importorskip(
        "geopandas", reason="geopandas (make bench has it) is not here: NOT read back by it"
    )
    analysis, out = demo
    for name in ("findings", "tracks"):
        frame = geopandas.read_parquet(out / f"{name}.geo.parquet")
        assert frame.crs.to_string() == "OGC:CRS84"
        layer = geopandas.read_file(out / "findings.gpkg", layer=name)
        assert layer.crs.to_epsg() == 4326
        assert len(layer) == len(frame)
        assert layer["vehicle_id"].tolist() == frame["vehicle_id"].tolist()
        assert layer.geometry.to_wkb().tolist() == frame.geometry.to_wkb().tolist()
    assert len(geopandas.read_file(out / "findings.geojson")) == analysis.findings.height


def test_hostile_names_are_values(tmp_path):
    analysis = analyze([hostile_log(tmp_path / "log.csv")], load_zone_set("gwangju"), Options(base=tmp_path))
    write_outputs(analysis, tmp_path / "out", Run(("zonelog",), "0"))
    with opened(tmp_path / "out" / "findings.gpkg") as base:
        names = {r[0] for r in base.execute("SELECT vehicle_id FROM findings")}
    assert names == set(analysis.findings["vehicle_id"])


def test_the_same_input_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        run_demo(tmp_path / name, "ko")
    for name in ("findings.gpkg", "findings.geo.parquet", "tracks.geo.parquet", "report.html"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_lines_of_too_many_vertices_stay_within_five_centimetres(demo, monkeypatch):
    tracks = demo[0].tracks.filter(pl.col("longitude").list.len() > 1)
    whole = _features.track_shapes(tracks)
    monkeypatch.setattr(_features, "MOST_VERTICES", int(shapely.get_num_coordinates(whole).sum()) - 1)
    fewer = _features.track_shapes(tracks)
    assert shapely.get_num_coordinates(fewer).sum() < shapely.get_num_coordinates(whole).sum() / 2
    assert shapely.hausdorff_distance(whole, fewer).max() <= 5e-7
    monkeypatch.setattr(_features, "MOST_VERTICES", int(shapely.get_num_coordinates(whole).sum()))
    assert shapely.equals_exact(whole, _features.track_shapes(tracks)).all()
