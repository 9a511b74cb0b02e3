"""Zone sets from what people have: each format, the traps, and a scaffold that permits nothing."""

import json
import math
import struct
import tomllib
import zipfile

import geopandas
import numpy as np
import pytest
import shapely
from click.testing import CliRunner
from pyproj import Geod, Transformer

from analyzer.__main__ import cli
from analyzer.errors import AnalyzerError, VectorError, ZoneSetError
from analyzer.vectors import read_layers
from analyzer.vectors._archives import Archive
from analyzer.vectors.systems import exact, system_of
from analyzer.zone_loading import load_zone_set
from analyzer.zone_making import Choices, make_zone_set
from tests.hostile import NAMES

HOLED = shapely.Polygon(
    [(126.80, 35.15), (126.82, 35.15), (126.82, 35.17), (126.80, 35.17)],
    [[(126.805, 35.155), (126.805, 35.16), (126.81, 35.16), (126.81, 35.155)]],
)
TWO = shapely.MultiPolygon([shapely.box(126.70, 35.10, 126.71, 35.11), shapely.box(126.72, 35.10, 126.73, 35.11)])
KOREAN = geopandas.GeoDataFrame(
    {"code": ["A1", "B2"], "구역명": ["평동산단", "수완지구"]}, geometry=[HOLED, TWO], crs=4326
)


def made(folder, *sources, **choices):
    return make_zone_set(folder / "set", [folder / s if isinstance(s, str) else s for s in sources], Choices(**choices))


def english(made_set):
    return "\n".join(remark["en"] for remark in made_set.remarks)


def write_geojson(path, shapes, properties=None, **members):
    features = [
        {
            "type": "Feature",
            "properties": (properties or [{}] * len(shapes))[n],
            "geometry": json.loads(shapely.to_geojson(s)),
        }
        for n, s in enumerate(shapes)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features, **members}), encoding="utf-8")
    return path


def kml(shape, name="구역 하나", head=""):
    def ring(tag, own):
        text = " ".join(f"{x!r},{y!r},0" for x, y in shapely.get_coordinates(own).tolist())
        return f"<{tag}><LinearRing><coordinates>\n{text}\n</coordinates></LinearRing></{tag}>"

    rings = ring("outerBoundaryIs", shape.exterior) + "".join(ring("innerBoundaryIs", r) for r in shape.interiors)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
        f"<Placemark><name>{name}</name><Polygon>{rings}</Polygon></Placemark>"
        "<Placemark><name>way</name><LineString><coordinates>126,35 127,36</coordinates></LineString></Placemark>"
        "</Document></kml>"
    ).encode()


def same(one, other, metres=0.0):
    assert one.equals(other) if not metres else shapely.hausdorff_distance(one, other) * 111_000 < metres
    assert (
        shapely.get_num_interior_rings(shapely.get_parts(one)).sum()
        == shapely.get_num_interior_rings(shapely.get_parts(other)).sum()
    )


@pytest.mark.parametrize("name", ["z.geojson", "z.gpkg", "z.shp", "z.fgb", "z.zip"])
def test_every_format_gives_the_same_zones(tmp_path, name):
    if name == "z.zip":
        KOREAN.to_file(tmp_path / "z.shp", encoding="cp949")
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for part in sorted(tmp_path.glob("z.*")):
                if part.suffix != ".zip":
                    archive.write(part, f"folder/{part.name}")
    elif name == "z.shp":
        KOREAN.to_file(tmp_path / name, encoding="cp949")
    else:
        KOREAN.to_file(tmp_path / name)
    zone_set, said = made(tmp_path, name)
    zones = sorted(zone_set.zones, key=lambda zone: zone.zone_id)  # the index of a FlatGeobuf orders them anew
    assert [z.zone_id for z in zones] == ["A1", "B2"]
    assert [z.name["ko"] for z in zones] == ["평동산단", "수완지구"]
    same(zones[0].geometry, HOLED)
    same(zones[1].geometry, TWO)
    assert {z.geometry_confidence for z in zone_set.zones} == {"derived"}
    assert {z.source for z in zone_set.zones} == {name}
    assert "attribute code (guessed)" in english(said)


def test_attributes_of_a_flatgeobuf_are_those_that_gdal_wrote(tmp_path):
    columns = {
        "bool": [True, False],
        "short": np.array([-7, 300], dtype=np.int16),
        "int": np.array([-70_000, 5], dtype=np.int32),
        "long": np.array([-(2**40), 1], dtype=np.int64),
        "float": np.array([0.5, -2.25], dtype=np.float32),
        "double": [35.123456789, None],
        "text": ["둘", None],
        "after": ["x", "y"],
    }
    geopandas.GeoDataFrame(columns, geometry=[HOLED, TWO], crs=4326).to_file(tmp_path / "z.fgb")
    found = {f.properties["after"]: f.properties for f in read_layers(tmp_path / "z.fgb")[0].features}
    for place, after in enumerate("xy"):
        expected = {name: values[place] for name, values in columns.items()}
        assert found[after] == {name: value for name, value in expected.items() if value is not None}


@pytest.mark.parametrize("packed", [False, True])
def test_kml_and_kmz(tmp_path, packed):
    path = tmp_path / ("z.kmz" if packed else "z.kml")
    if packed:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("doc.kml", kml(HOLED))
    else:
        path.write_bytes(kml(HOLED))
    zone_set, said = made(tmp_path, path.name)
    same(zone_set.zones[0].geometry, HOLED)
    assert (zone_set.zones[0].zone_id, zone_set.zones[0].geometry_confidence) == ("구역 하나", "sketch")
    assert "1 line or point was skipped" in english(said)


def test_a_doctype_is_refused(tmp_path):
    (tmp_path / "z.kml").write_bytes(kml(HOLED, "&a;", '<!DOCTYPE kml [<!ENTITY a "aaaa">]>'))
    with pytest.raises(VectorError, match="DOCTYPE"):
        made(tmp_path, "z.kml")


@pytest.mark.parametrize("crs", [5186, 5179, 32652, 3857])
def test_projected_outlines_keep_their_edges(tmp_path, crs):
    away = Transformer.from_crs(4326, crs, always_xy=True)
    corner = np.array(away.transform(126.8, 35.15))
    square = shapely.Polygon(corner + 5000 * np.array([(0, 0), (1, 0), (1, 1), (0, 1)]))
    geopandas.GeoDataFrame({"id": ["a"]}, geometry=[square], crs=crs).to_file(tmp_path / "z.shp")
    zone_set, said = made(tmp_path, "z.shp")
    back = shapely.transform(zone_set.zones[0].geometry.exterior, away.transform, interleaved=False)
    scale = 1 / math.cos(math.radians(35.2)) if crs == 3857 else 1.0
    dense = shapely.segmentize(zone_set.zones[0].geometry.exterior, 1e-5)
    dense = shapely.transform(dense, away.transform, interleaved=False)
    worst = shapely.distance(shapely.points(shapely.get_coordinates(dense)), square.exterior).max() / scale
    assert worst < 0.01
    assert shapely.hausdorff_distance(square.exterior, back) < 0.02 * scale
    assert f"EPSG:{crs}" in english(said)
    if crs in (5186, 5179, 32652):
        assert zone_set.zones[0].vertices > 4
        assert "were added" in english(said)


def test_without_vertices_in_between_an_edge_would_be_off():
    """The check above can fail: 5 km in EPSG:5179 bend by more than 1 cm."""
    away = Transformer.from_crs(4326, 5179, always_xy=True)
    x, y = away.transform(126.8, 35.15)
    ends = [away.transform(x, y, direction="INVERSE"), away.transform(x + 5000, y, direction="INVERSE")]
    middle = away.transform(x + 2500, y, direction="INVERSE")
    _, _, off = Geod(ellps="WGS84").inv((ends[0][0] + ends[1][0]) / 2, (ends[0][1] + ends[1][1]) / 2, *middle)
    assert off > 0.01


def test_wgs84_is_taken_bit_by_bit(tmp_path):
    shape = shapely.Polygon([(126.8 + 1e-15, 35.1), (126.9, 35.1 + 1 / 3e9), (126.85, 35.2)])
    zone_set, _ = made(tmp_path, write_geojson(tmp_path / "z.json", [shape], [{"id": "a"}]))
    assert np.array_equal(
        shapely.get_coordinates(zone_set.zones[0].geometry), shapely.get_coordinates(shapely.orient_polygons(shape))
    )
    assert exact(shape, system_of("EPSG:4326")) == (shape, 0)


def test_a_shapefile_without_a_system_asks_for_it(tmp_path):
    KOREAN.to_crs(5186).to_file(tmp_path / "z.shp", encoding="cp949")
    (tmp_path / "z.prj").unlink()
    with pytest.raises(ZoneSetError, match=r"nothing says in which coordinate system.*EPSG:5186.*--crs"):
        made(tmp_path, "z.shp")
    zone_set, _ = made(tmp_path, "z.shp", crs="5186")
    same(zone_set.zones[0].geometry, HOLED, metres=0.3)  # 2 km straight in EPSG:5186 bend by some 0.2 m in degrees


def test_another_datum_is_shifted_and_its_accuracy_said(tmp_path):
    KOREAN.to_crs(4162).to_file(tmp_path / "z.shp", encoding="cp949")
    zone_set, said = made(tmp_path, "z.shp")
    same(zone_set.zones[0].geometry, HOLED, metres=0.02)
    assert "exact to 1 m" in english(said)
    assert zone_set.zones[0].accuracy_m == pytest.approx(math.hypot(3, 1), abs=0.01)


def test_the_shift_of_a_datum_is_the_one_made_for_the_place(tmp_path):
    """Tokyo datum: the shift for Korea is good to 4 m, the one that PROJ lists first is for Japan."""
    KOREAN.set_crs(4301, allow_override=True).to_file(tmp_path / "z.shp", encoding="cp949")
    zone_set, said = made(tmp_path, "z.shp")
    assert "exact to 4 m" in english(said)
    korean = Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=push +v_3 +step +proj=cart +ellps=bessel +step +proj=helmert +x=-147 +y=506 +z=687 +step +inv +proj=cart +ellps=WGS84 +step +proj=pop +v_3 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )
    true = shapely.transform(HOLED, korean.transform, interleaved=False)
    same(zone_set.zones[0].geometry, true, metres=0.02)


def test_a_shift_made_for_elsewhere_is_not_used(tmp_path):
    KOREAN.set_crs(4269, allow_override=True).to_file(tmp_path / "z.shp", encoding="cp949")
    with pytest.raises(ZoneSetError, match=r"NAD83.*relates to WGS 84 there"):
        made(tmp_path, "z.shp")


def test_a_datum_nobody_relates_to_wgs84_is_refused(tmp_path):
    KOREAN.to_file(tmp_path / "z.shp", encoding="cp949")
    lost = "+proj=tmerc +lat_0=38 +lon_0=128 +k=0.9999 +x_0=400000 +y_0=600000 +ellps=bessel +units=m"
    with pytest.raises(ZoneSetError, match="relates to WGS 84"):
        made(tmp_path, "z.shp", crs=lost)
    with pytest.raises(ZoneSetError, match="unknown coordinate system"):
        made(tmp_path, "z.shp", crs="/etc/passwd")
    with pytest.raises(ZoneSetError, match="neither degrees nor a map projection"):
        made(tmp_path, "z.shp", crs="EPSG:4978")
    with pytest.raises(ZoneSetError, match="unknown coordinate system"):
        made(tmp_path, "z.shp", crs="+proj=tmerc +lat_0=38 +units=nix")


@pytest.mark.parametrize("coordinate", [1e300, -2e9])
def test_coordinates_beyond_everything_are_refused(tmp_path, coordinate):
    shape = {"type": "Polygon", "coordinates": [[[126.8, 35.1], [coordinate, 35.1], [126.8, 35.2], [126.8, 35.1]]]}
    (tmp_path / "z.json").write_text(json.dumps(shape))
    with pytest.raises(VectorError, match=r"feature 1.*within a billion"):
        made(tmp_path, "z.json")


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        (shapely.transform(HOLED, lambda p: p[:, ::-1]), "--swap-axes"),
        (shapely.transform(HOLED, Transformer.from_crs(4326, 5179, always_xy=True).transform, interleaved=False), "EPSG:5179"),
        (shapely.box(-179.9, 35, 179.9, 36), "antimeridian"),
        (shapely.Polygon([(126.8, 35.1), (126.9, 35.2), (126.9, 35.1), (126.8, 35.2)]), r"feature 1.*126\.85 35\.15.*--repair"),
        (shapely.Point(126, 35), "holds no polygon"),
    ],
)  # fmt: skip
def test_outlines_refused_with_what_to_say(tmp_path, shape, says):
    with pytest.raises(ZoneSetError, match=says):
        made(tmp_path, write_geojson(tmp_path / "z.geojson", [shape], [{"id": "a"}]))
    assert not (tmp_path / "set").exists()
    assert not list(tmp_path.glob(".zonelog*"))


def test_swapped_axes_and_repair_only_when_asked(tmp_path):
    bow = shapely.Polygon([(35.1, 126.8), (35.2, 126.9), (35.1, 126.9), (35.2, 126.8)])
    source = write_geojson(tmp_path / "z.geojson", [bow], [{"id": "a"}])
    zone_set, said = made(tmp_path, source, swap_axes=True, repair=True)
    assert zone_set.zones[0].geometry.is_valid
    assert "was repaired" in english(said)


def test_heights_lines_slivers_and_overlaps_are_said(tmp_path):
    high = shapely.force_3d(shapely.box(126.80, 35.15, 126.81, 35.16), 12.0)
    other = shapely.MultiPolygon(
        [shapely.box(126.809, 35.15, 126.82, 35.16), shapely.box(126.9, 35.1, 126.900001, 35.100001)]
    )
    shapes = [high, other, shapely.LineString([(126, 35), (127, 35)])]
    _, said = made(tmp_path, write_geojson(tmp_path / "z.geojson", shapes, [{"id": n} for n in "abc"]))
    text = english(said)
    area = abs(Geod(ellps="WGS84").geometry_area_perimeter(shapely.box(126.809, 35.15, 126.81, 35.16))[0])
    for part in (
        "1 feature has heights",
        "1 line or point was skipped",
        "is a sliver",
        f"overlap by {area / 1e3:,.1f}"[:13],
    ):
        assert part in text


def test_ids_are_chosen_or_listed(tmp_path):
    rows = [{"dong": "a", "gu": "x"}, {"dong": "b", "gu": "x"}]
    shapes = [HOLED, TWO]
    source = write_geojson(tmp_path / "z.geojson", shapes, rows)
    with pytest.raises(ZoneSetError, match=r"--id-field.*\n  dong: 2 of 2 differ"):
        made(tmp_path, source)
    with pytest.raises(ZoneSetError, match="two zones are called 'x'"):
        made(tmp_path, source, id_field="gu")
    with pytest.raises(ZoneSetError, match="no attribute 'nix'"):
        made(tmp_path, source, id_field="nix")
    zone_set, _ = made(tmp_path, source, id_field="dong", name_field="gu")
    assert [(z.zone_id, z.name["en"]) for z in zone_set.zones] == [("a", "x"), ("b", "x")]
    with pytest.raises(ZoneSetError, match="overwrites nothing"):
        made(tmp_path, source, id_field="dong")


def test_layers_are_chosen_or_listed(tmp_path):
    for layer in ("zones", "roads"):
        KOREAN.to_file(tmp_path / "z.gpkg", layer=layer)
    with pytest.raises(ZoneSetError, match="--layer; there are: roads, zones"):
        made(tmp_path, "z.gpkg")
    assert made(tmp_path, "z.gpkg", layer="zones")[0].zones


def test_declared_areas_are_compared(tmp_path):
    source = write_geojson(tmp_path / "z.geojson", [HOLED], [{"id": "a", "면적": "1,000,000"}])
    zone_set, _ = made(tmp_path, source, area_field="면적", area_unit="m2")
    assert zone_set.zones[0].declared_area_km2 == 1.0
    assert "area-mismatch" in {n.code for n in zone_set.notices}


@pytest.mark.parametrize(("cpg", "encoding"), [("949", "cp949"), ("UTF-8", "utf-8"), (None, "cp949"), (None, "utf-8")])
def test_korean_attributes_by_cpg_or_by_what_fits(tmp_path, cpg, encoding):
    KOREAN.to_file(tmp_path / "z.shp", encoding=encoding)
    (tmp_path / "z.cpg").unlink()
    data = bytearray((tmp_path / "z.dbf").read_bytes())
    data[29] = 0
    (tmp_path / "z.dbf").write_bytes(data)
    if cpg:
        (tmp_path / "z.cpg").write_text(cpg)
    zone_set, said = made(tmp_path, "z.shp")
    assert zone_set.zones[0].name["ko"] == "평동산단"
    assert ("Nothing states the encoding" in english(said)) == (cpg is None)


def test_a_wrong_encoding_is_refused(tmp_path):
    KOREAN.to_file(tmp_path / "z.shp", encoding="cp949")
    with pytest.raises(VectorError, match="not utf-8; name their encoding"):
        made(tmp_path, "z.shp", encoding="utf-8")


def test_the_scaffold_permits_nothing_and_says_so(tmp_path):
    made(tmp_path, write_geojson(tmp_path / "z.geojson", [HOLED], [{"id": "a"}]))
    folder = tmp_path / "set"
    assert sorted(p.name for p in folder.iterdir()) == ["fleet.example.csv", "rules.toml", "zones.geojson"]
    assert "unfilled-rule" in {n.code for n in load_zone_set(folder).notices}
    check = CliRunner().invoke(cli, ["zones", "check", str(folder), "--lang", "ko"])
    assert check.exit_code == 0, check.output
    log = tmp_path / "log.csv"
    rows = [f"v1,2026-03-17T10:00:{s:02d}+09:00,35.152,{126.801 + s * 1e-5:.6f},3,autonomous,t" for s in range(30)]
    head = "vehicle_id,timestamp,latitude,longitude,speed_kph,control_mode,trip_id"
    log.write_text("\n".join([head, *rows, ""]))
    out = tmp_path / "out"
    ran = CliRunner().invoke(cli, ["analyze", str(log), "--zones", str(folder), "--out", str(out), "--lang", "en"])
    assert ran.exit_code == 1, ran.output
    assert "Nobody has filled in these rules yet" in ran.output
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["checks"]["permit-not-in-force"]["lines"]["compliant"] == 0
    assert "Nobody has filled in these rules yet" in (out / "report.html").read_text(encoding="utf-8")


def test_a_permit_that_is_filled_in_counts(tmp_path):
    made(tmp_path, write_geojson(tmp_path / "z.geojson", [HOLED], [{"id": "a"}]))
    rules = tmp_path / "set" / "rules.toml"
    text = rules.read_text(encoding="utf-8")
    for commented in ("vehicle_types", "control_modes", "max_speed_kph", "operator", "hours", "except_dates"):
        text = text.replace(f"\n# {commented} =", f"\n{commented} =", 1)
    rules.write_text(text.replace("9999-01-01T00:00:00Z", "2026-01-01T00:00:00+09:00"), encoding="utf-8")
    loaded = load_zone_set(tmp_path / "set")
    rule = loaded.rules.rules[0]
    assert "unfilled-rule" not in {n.code for n in loaded.notices}
    assert (rule.max_speed_kph, rule.operator, len(rule.hours), rule.vehicle_types) == (7.0, "any", 1, ("sweeper",))


def test_every_field_is_explained_and_has_its_default(tmp_path):
    made(tmp_path, write_geojson(tmp_path / "z.geojson", [HOLED], [{"id": "a"}]))
    from dataclasses import asdict

    from analyzer.rule_loading import RULE_KEYS
    from analyzer.rules import Evaluation

    text = (tmp_path / "set" / "rules.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["evaluation"] == {
        k: list(v) if isinstance(v, tuple) else v for k, v in asdict(Evaluation()).items()
    }
    lines = [line.lstrip("# ") for line in text.splitlines()]
    for key in set(RULE_KEYS) - {"note"}:
        assert any(line.startswith(f"{key} =") for line in lines), key


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_stay_text(tmp_path, name):
    """A name must neither leave its comment or string in TOML, nor run in the map."""
    source = write_geojson(tmp_path / "z.geojson", [HOLED], [{"id": name, "name": name + "\n[[rule]]\nx = 1"}])
    zone_set, _ = made(tmp_path, source, set_id=name)
    assert zone_set.zones[0].zone_id == name.replace("+", "_").replace(";", "_").strip()
    assert len(zone_set.rules.rules) == 1
    shown = CliRunner().invoke(cli, ["zones", "check", str(tmp_path / "set"), "--lang", "en"])
    assert shown.exit_code == 0, shown.output
    assert "\x1b" not in shown.output
    assert "\u202e" not in shown.output


def test_hostile_names_are_inert_in_report_and_map(tmp_path):
    shapes = [shapely.box(126.7 + n * 0.01, 35.1, 126.705 + n * 0.01, 35.105) for n in range(len(NAMES))]
    rows = [{"id": f"{n}{name}", "name": name} for n, name in enumerate(NAMES)]
    made(tmp_path, write_geojson(tmp_path / "z.geojson", shapes, rows))
    log = tmp_path / "log.csv"
    log.write_text(
        "vehicle_id,timestamp,latitude,longitude\nv,2026-03-17T10:00:00+09:00,35.1,126.7\nv,2026-03-17T10:00:05+09:00,35.1,126.7001\n"
    )
    out = tmp_path / "out"
    ran = CliRunner().invoke(cli, ["analyze", str(log), "--zones", str(tmp_path / "set"), "--out", str(out)])
    assert ran.exit_code in (1, 3), ran.output
    for page in ("report.html", "map.html"):
        text = (out / page).read_text(encoding="utf-8")
        assert "<script>window.pwned" not in text
        assert "<img src=x" not in text
        assert "<svg/onload" not in text


GEOGRAPHIES = {"version": "2.0.0", "data": {"geographies": [
    {"geography_id": "g1", "name": "Downtown", "geography_type": "policy_zone", "effective_date": 1767193200000,
     "published_date": 1767000000000, "geography_json": {"type": "FeatureCollection", "features": [
         {"type": "Feature", "properties": {}, "geometry": json.loads(shapely.to_geojson(HOLED))}]}}]}}  # fmt: skip
SPEED = {"rule_id": "r1", "name": "slow", "rule_type": "speed", "rule_units": "mph", "maximum": 10, "geographies": ["g1"],
         "states": {"on_trip": []}, "days": ["sat", "sun"], "start_time": "08:00:00", "end_time": "20:00:00"}  # fmt: skip


def mds(folder, *rules, **policy):
    (folder / "geographies.json").write_text(json.dumps(GEOGRAPHIES))
    given = {"policy_id": "p1", "name": "P", "description": "D", "start_date": 1767193200000, "published_date": 1,
             "mode_id": "delivery-robots", "rules": list(rules), **policy}  # fmt: skip
    (folder / "policies.json").write_text(json.dumps({"version": "2.0.0", "data": {"policies": [given]}}))
    return made(folder, "geographies.json", "policies.json")


def test_mds_speed_rules_become_restrictions(tmp_path):
    count = {
        "rule_id": "r2",
        "name": "cap",
        "rule_type": "count",
        "rule_units": "devices",
        "maximum": 5,
        "geographies": ["g1"],
        "states": {},
    }
    zone_set, said = mds(tmp_path, SPEED, count, end_date=1798729200000)
    assert zone_set.zones[0].valid_from_us == 1767193200000 * 1000
    rule = zone_set.rules.rules[1]
    assert (rule.id, rule.kind, rule.zones, rule.max_speed_kph) == ("r1", "restriction", ("g1",), 16.0934)
    assert (rule.effective_us, rule.expires_us) == (1767193200000 * 1000, 1798729200000 * 1000)
    assert [(w.days, w.from_s, w.to_s) for w in rule.hours] == [((5, 6), 28800, 72000)]
    lost = "\n".join(said.without_counterpart)
    for part in ("geography_type = policy_zone", "mode_id = delivery-robots", "rule r2: type count, cap, maximum = 5"):
        assert part in lost
        assert part in (tmp_path / "set" / "rules.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("rule", "policy", "says"),
    [
        ({"states": {"available": []}}, {}, "states"),
        ({}, {"provider_ids": ["x"]}, "provider_ids"),
        ({}, {"mode_id": "micromobility"}, "mode_id"),
        ({"inclusive_maximum": False}, {}, "inclusive_maximum"),
        ({"start_time": "08:00:00", "end_time": "08:00:00"}, {}, "that differ"),
        ({}, {"end_date": 1}, "expires before"),
        ({"geographies": ["g1", "g9"]}, {}, "zone g9 is not here"),
    ],
)
def test_mds_rules_in_doubt_are_comments(tmp_path, rule, policy, says):
    zone_set, _ = mds(tmp_path, {**SPEED, **rule}, **policy)
    assert len(zone_set.rules.rules) == 1
    text = (tmp_path / "set" / "rules.toml").read_text(encoding="utf-8")
    assert "# max_speed_kph = 16.0934" in text
    assert says in text


def test_an_earlier_faster_mds_rule_goes_first(tmp_path):
    fast = {**SPEED, "rule_id": "r0", "maximum": 25}
    zone_set, _ = mds(tmp_path, fast, SPEED)
    assert [r.id for r in zone_set.rules.rules[1:]] == ["r0"]


def ed318(**changes):
    layer = {"lower": 0, "lowerReference": "AGL", "upper": 120, "upperReference": "AGL", "uom": "m"}
    circle = {
        "type": "Point",
        "coordinates": [126.8, 35.15],
        "extent": {"subType": "Circle", "radius": 1000.0},
        "layer": layer,
    }
    properties = {"identifier": "KOR001", "country": "KOR", "type": "PROHIBITED", "variant": "COMMON", "reason": ["SENSITIVE"],
                  "name": [{"lang": "ko-KR", "text": "금지"}, {"lang": "en-GB", "text": "No-go"}],
                  "zoneAuthority": [{"name": [{"text": "시청"}], "purpose": "INFORMATION"}],
                  "limitedApplicability": [{"startDateTime": "2026-01-01T00:00:00Z", "endDateTime": "2027-01-01T00:00:00Z"}]}  # fmt: skip
    properties.update(changes)
    return {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "properties": properties, "geometry": circle}],
    }


def test_mds_across_the_antimeridian_is_refused(tmp_path):
    wide = json.loads(json.dumps(GEOGRAPHIES))
    wide["data"]["geographies"][0]["geography_json"] = json.loads(shapely.to_geojson(shapely.box(-179, 35, 179, 36)))
    (tmp_path / "z.json").write_text(json.dumps(wide))
    with pytest.raises(ZoneSetError, match="geography 1: it crosses the antimeridian"):
        made(tmp_path, "z.json")


def test_ed318_circle_names_times_and_prohibition(tmp_path):
    (tmp_path / "z.json").write_text(json.dumps(ed318()))
    zone_set, said = made(tmp_path, "z.json")
    zone = zone_set.zones[0]
    assert (zone.zone_id, zone.name["ko"], zone.name["en"], zone.authority) == ("KOR001", "금지", "No-go", "시청")
    assert (zone.valid_from_us, zone.valid_to_us) == (1767225600000000, 1798761600000000)
    points = shapely.get_coordinates(zone.geometry)
    geod = Geod(ellps="WGS84")
    for own in (points, (points[1:] + points[:-1]) / 2):
        metres = geod.inv(np.full(len(own), 126.8), np.full(len(own), 35.15), own[:, 0], own[:, 1])[2]
        assert abs(metres - 1000).max() < 0.01
    rule = zone_set.rules.rules[1]
    assert (rule.id, rule.no_entry, rule.zones) == ("ed318-KOR001", True, ("KOR001",))
    assert any("layer" in line for line in said.without_counterpart)
    assert any("reason" in line for line in said.without_counterpart)
    assert "made for unmanned aircraft" in english(said)


def test_the_permit_does_not_name_zones_that_restrict(tmp_path):
    (tmp_path / "z.json").write_text(json.dumps(ed318(type="CONDITIONAL")))
    write_geojson(tmp_path / "own.geojson", [HOLED], [{"id": "own"}])
    zone_set, _ = made(tmp_path, "z.json", "own.geojson")
    assert [z.zone_id for z in zone_set.zones] == ["KOR001", "own"]
    assert [r.zones for r in zone_set.rules.rules] == [("own",)]


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "CONDITIONAL"},
        {"variant": "CUSTOMIZED"},
        {"restrictionConditions": "x"},
        {"limitedApplicability": [{"schedule": [{"day": ["MON"], "startTime": "08:00", "endTime": "09:00"}]}]},
    ],
)
def test_ed318_in_doubt_binds_nobody(tmp_path, changes):
    (tmp_path / "z.json").write_text(json.dumps(ed318(**changes)))
    zone_set, said = made(tmp_path, "z.json")
    assert len(zone_set.rules.rules) == 1
    assert any(next(iter(changes)) in line for line in said.without_counterpart)


def test_a_zip_bomb_is_refused_before_it_unpacks(tmp_path):
    with zipfile.ZipFile(tmp_path / "z.kmz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("doc.kml", b" " * 50_000_000)
    with pytest.raises(VectorError, match="would unpack to 50,000,000 bytes"):
        made(tmp_path, "z.kmz")


def test_a_zip_that_lies_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "z.kmz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("doc.kml", b" " * 900_000)
    data = bytearray((tmp_path / "z.kmz").read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 1000)
    with pytest.raises(ValueError, match="CRC"):  # of the first 1000 bytes, the only ones that were unpacked
        Archive(bytes(data)).read("doc.kml")


def test_a_geopackage_cannot_run(tmp_path):
    import sqlite3

    KOREAN.to_file(tmp_path / "z.gpkg", layer="zones")
    base = sqlite3.connect(tmp_path / "z.gpkg")
    base.execute(
        "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i AS geom FROM n"
    )
    base.execute(
        "CREATE TABLE big (fid INTEGER PRIMARY KEY, geom BLOB GENERATED ALWAYS AS (zeroblob(900000000)) VIRTUAL, a TEXT)"
    )
    base.execute("INSERT INTO big (a) VALUES ('x')")
    for name in ("endless", "big"):
        base.execute("INSERT INTO gpkg_contents (table_name, data_type, srs_id) VALUES (?, 'features', 4326)", [name])
        base.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'POLYGON', 4326, 0, 0)", [name])
    base.commit()
    base.close()
    with pytest.raises(VectorError, match=r"prohibited|not authorized|too big"):
        read_layers(tmp_path / "z.gpkg")


def test_what_is_nothing_is_refused_with_its_name(tmp_path):
    for data in (b"", b"no", b"{", b'{"type": "Topology"}', b"<html></html>", b"PK\x03\x04", b"\0\0\x27\x0a"):
        (tmp_path / "thing").write_bytes(data)
        with pytest.raises(AnalyzerError, match="thing"):
            made(tmp_path, "thing")


def test_many_zones_in_one_place_end(tmp_path):
    shapes = [shapely.box(126.7, 35.1, 126.8 + n * 1e-6, 35.2) for n in range(300)]
    _, said = made(tmp_path, write_geojson(tmp_path / "z.geojson", shapes, [{"id": str(n)} for n in range(300)]))
    assert "first 10,000 pairs" in english(said)
    assert "9,981 more" in english(said)  # 10,000 overlaps and the sentence on the limit, less 20 shown
