"""The parts of the map that need no browser: words, packing, lines, bands, basemaps."""

import base64
import datetime as dt
import json
import math
import re
import sqlite3
import struct
import tomllib
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import shapely
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from analyzer.__main__ import cli
from analyzer.depth import Paths
from analyzer.errors import OutputError
from analyzer.geometry import ground_distance_m
from analyzer.outputs import read_basemap, tile_source
from analyzer.outputs._basemap import packed_layers
from analyzer.outputs._map_steps import packed_places
from analyzer.outputs._map_stories import _margin, _share
from analyzer.outputs._map_tracks import STEPS_DEG, VERDICTS, days_of
from analyzer.outputs._map_words import MAP_WORDS, headline
from analyzer.outputs._map_zones import band
from analyzer.outputs._packing import packed, packed_json, varints
from analyzer.outputs._page import asset, chunk_script, inert_block
from analyzer.outputs.map import SCRIPTS
from analyzer.tables import TRACKS, schema
from analyzer.tracks import kept
from analyzer.wording import CHECK_WORDS, WORDS
from analyzer.zones import Zone

ROOT = Path(__file__).resolve().parents[2]
HANGUL = re.compile("[\uac00-\ud7a3]")
WATER = "eNqVVT1s00AUvtBCQ6lQVHWoGJBlMQTJjWI7ieMByW5quZHcJLJbUWSiyEmuqaXEDolRRScG2BAFsTEhsUIBwcDMDDMzEkJIzMzlnX/SENrUPOl8fnefv/fevXvPO53mzE6nmdBmEbqGIrkC70m0gOZGKym0DM8l2PHlggYPyl9BaBvGDDqWBIzvsACU6MtnkFcNyZ8fyRJP5H0jmJ/JEsGfh7FneXiALgPfrG+ZWLwMzwfA8yOFUD/ka8KsKlW1pBsmfVM1qGKOZpSKoWysagqsuINum1Kx28ae3aKMe0MP9yhWLOYo7Axxr9nFNLMBYEWfCk5vDixnaHvX6XosuCrw2djYosDHxrJsPj4xWxBy8cFCgYsN5lhejA/mxAIBK5pWrhnV8tpxpgq8UGR5geHEYobLCxzH5ws8oykVdXN9q1LeNOke9gaQI7ZeH6VVLpW2dLl0y+QyWViu6WVww6TVAcbOnt3apZksI1dUTQkY2rgDO7CYybJCLs9zIpdnRTHH8/BxyTBxt2v3h67dtroMV2fk7TJcpU4UStfybO9uG1NpzYL0M4478HaZqr4GYbP12HYmWV2nE9G6DtBia+iFrFx81i1DVhXTKFVrcNfX3YG97zqe1aVabq/vOtjxKHeH4teooZ+PDORA1hU5TBdRV1er2+aKmGVW2GKWgRkm4CUpUmqGSjM5nivU61DgUGtB0oK6I7sIKjIF1Rl0hQW/PkEuJcO6JzjH6mEUo+4TY/0CvW1IB59+p28fyJL+8erDX+8a0p0b819fPgn6AxGi9l8frx+q3/aXDhsB/qksZUPCs+z+DHFMgnSYQEi/IV2HxJEO45gbdbIm9KSFcW9hL+n3PdIHCfYcjPvhd8+Pjo5IOyTv8zCieE6Lj0ShnqBP4iM9MLvoe5Qc82gxeBnZ9fnGzjXS/zrXE/RJfKR/QHHPq3XmeRHUcow4klPyfto9mMQvJVBoY5rP1n/5nAr/UJM+vwh5F6fcw9PuZYSf1CN8FKc/P5aDvLz5V4/yNYlH4T0l/9qLMP4ATMAGkQ=="
WAYS = "eNqdVM1rE0EUn9Z+qaW0KEX8YlirtDDG/cjH5uBhk6zbaJoNu2mJrBUmyeQD092w2Vh69D8Qzx701oviWUHEg4iIB0G8eBN69CwI4tvNpm001eKwO8zMe+/3ezPz5lerl4/U6uWR6XGEFlC/nYbxFJpGk7srs+gU9CfBErTRZehwsIJQ0V9Ae20E/u0xhOBDD3YufoufGFduHy/fu/RjVmk/+nj2Mz+hbF+df7W2Paf4Ppt0q4PQDGCNBaw+2wz0OTCmgGAhxJqHrmDo19OGaXE3tIzI8yK+gtPM9lzawinW8rDICzxHUoqpaqqu7ffkSEYprq7A3HEZtbHGnCrzmhWcoV53A/dc1FwuWzD1bMbiNMPEQlIGtLiUkAUpQcSkHBFjCVEUBV4gOTWvFZdX89mixW0wz2UcEdbX10nByK6oQKO5jNmbzUqDIzxR8lpO7flWWR0ssBjhhUQ0JolJMSYkk1FJgmCfWC2YGkeiCSkBC2k9v6YaZlbPh4kP2+6KWlzWIbLoUrtzl7kdhleYW6Ge43L7IGEzPmRBMRSIUA2Ly1Gv6XWrDDs1bMMx+LiO26w3bY5I8iGz3scgy7zwG4Nj1w+kEMTEf3GIgxxmhbYYrtEK7BdT708aYqaVPknXbnpb/lUNQsYGIa/RFhwiox2vadc5AsUBbfiVD+LEh+HYjus1AqD4oYESfi2lTStNXY91mtQm4jpRSlko6D4cXiwtcSSYEd3IAB+ADC/LMDLcEF68CYH+JIwTD4xbNRVNtcy0XlAtLk2rEOMygj2n7dRd2m7A+9mg7TaARjhgMVTF4gzW7pZbYIEr79Xsoul0vUZvsoQvY8fuNGCMy8zbhFeCBTH++pmKqV2FoQxDHyyV0kuWJEWEKBRKHOoxIkkwkgeeSUyQ4cgROgP68BdJCPTDj/B1ZhZUpqds04HOQJuc2qdddw6hWyOh/87Ciy9PHu/5PXwj3Y+D34Wn776/PTen9DWxj3d+G38qDcFrh36tICsU6KCvhlOhzvr5H+tJ767O9qxjYY/QxJB8Rr++/7D2cnw3n35+PyefHzWn55Rb/+QbOZBv7BD7+gVEgJrw"


def test_every_word_is_there_in_both_languages():
    for key, words in MAP_WORDS.items():
        assert set(words) == {"ko", "en"}, key
        assert all(words.values()), key
    used = "".join(asset(name) for name in SCRIPTS)
    known = {*WORDS, *MAP_WORDS, *CHECK_WORDS}
    for key in re.findall(r'(?:word|filled)\("(\w+)"', used):
        assert key in known, key
    for key in re.findall(r'says\(make\("\w+"(?:, \{[^}]*\})?\), "(\w+)"\)', used):
        assert key in known, key


def test_korean_words_are_korean():
    names = {"language"}  # says the other language
    for key, words in MAP_WORDS.items():
        assert not HANGUL.search(words["en"]) or key in names, key
        assert HANGUL.search(words["ko"]) or key in names, key


@pytest.mark.parametrize("count", [0, 1, 5])
def test_the_headline_counts_apart_what_is_not_sure(count):
    vehicles = {"a": {"findings": {"violation": count}}, "b": {"findings": {"violation": 0}}}
    found = {"violation": count, "indeterminate": 7, "not_observed": 3}
    said = headline({"findings": found, "vehicles": 2, "per_vehicle": vehicles})
    wanted = {
        0: "No certain violation · vehicles: 2",
        1: "1 violation · 1 of 2 vehicles",
        5: "5 violations · 1 of 2 vehicles",
    }
    assert said["sentence"]["en"] == wanted[count]
    assert said["apart"]["ko"] == "따로 셈: 판정 불가 7건, 관측되지 않음 3건"


def unpacked(data):
    """Return the numbers of zigzag varints; no code shared with the packing."""
    out, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            out.append(value // 2 if value % 2 == 0 else -(value + 1) // 2)
            value = shift = 0
    return out


@given(st.lists(st.integers(-(2**62), 2**62)))
def test_varints_come_back(values):
    assert unpacked(varints(np.array(values, dtype=np.int64))) == values


PRINTABLE = [chr(code) for code in range(33, 127) if chr(code) not in '"<\\\\']


def unwritten(text):
    """Return the bytes of packed text, bit by bit; no code shared with the packing."""
    bits = ""
    for k in range(0, len(text), 2):
        pair = [PRINTABLE.index(character) for character in text[k : k + 2]]
        bits += f"{pair[0] * 91 + pair[1]:013b}" if len(pair) == 2 else f"{pair[0]:06b}"
    return bytes(int(bits[k : k + 8], 2) for k in range(0, len(bits) - 7, 8))


@given(st.lists(st.binary(max_size=60), max_size=4))
def test_streams_come_back_from_printable_characters(streams):
    text = packed(*streams)
    assert set(text) <= set(PRINTABLE)
    assert zlib.decompress(unwritten(text)) == b"".join(streams)


def walked(streams, large, order, bits, count):
    """Return places along one axis of a broken line: fractions instead of sums; takes from the streams."""
    places, most = [0], 2**bits - 1
    while len(places) < count:
        last = places[: -order - 1 : -1]
        n = len(last)
        weights = [Fraction(4 * n + 2 - 6 * k, n * (n - 1)) for k in range(1, n + 1)] if n > 1 else [1]
        line = math.floor(16 * sum(w * u for w, u in zip(weights, last, strict=True)))
        whole = math.floor(Fraction(line, 16) + Fraction(1, 2))
        over = line - 16 * whole
        code = next(streams[min(abs(over), 7) // 2])
        rest = next(large) if code == most else (code // 2 if code % 2 == 0 else -(code + 1) // 2)
        places.append(whole - rest if over < 0 else whole + rest)
    return places


def small(data, bits):
    """Return the numbers of a stream of 2 or 4 bits each."""
    return iter([byte >> shift & 2**bits - 1 for byte in data for shift in range(0, 8, bits)])


def lines_of(day, fine=1):
    """Return the lines of a packed day: trip, verdict, and (longitude, latitude, ms) of each vertex."""
    data = zlib.decompress(unwritten(day.lines))
    numbers, at = [], 0
    for _ in range(18):
        end = at
        while data[end] > 127:
            end += 1
        numbers += unpacked(data[at : end + 1])
        at = end + 1
    streams = []
    for size in numbers[3:]:
        streams.append(data[at : at + size])
        at += size
    assert at == len(data)
    count, order, bits = numbers[:3]
    heads, *steps = (iter(unpacked(stream)) for stream in streams[:5])
    axes = [([small(s, bits) for s in streams[k : k + 4]], iter(unpacked(streams[k + 4]))) for k in (5, 10)]
    first, out = np.zeros(3, dtype=np.int64), []
    for _ in range(count):
        trip, verdict, vertices = (next(heads) for _ in range(3))
        first = first + [next(heads) for _ in range(3)]
        own = steps[3:] if verdict >= 3 else steps[:3]
        moves = [np.cumsum([0] + [next(s) for _ in range(vertices - 1)]) for s in own]
        if verdict >= 3:
            moves = [walked(*axis, order, bits, vertices) for axis in axes] + moves
        unit = np.array([fine, fine, 1] if verdict >= 3 else [20, 20, 1000])
        out.append((trip, VERDICTS[verdict], first + np.column_stack(moves) * unit))
    return out


@pytest.mark.parametrize(("noise", "bits"), [(0, 2), (0.3, 2), (30, 4), (1000, 4)])
def test_places_come_back_however_they_move(noise, bits):
    rng = np.random.default_rng(3)
    count = np.array([1, 2, 3, 40, 300])
    place = np.concatenate([np.arange(n) for n in count])
    began = np.repeat(np.cumsum(count) - count, count)
    moved = [np.rint(place * pace + rng.normal(0, noise, len(place))).astype(np.int64) for pace in (7.25, -3)]
    axes = [units - units[began] for units in moved]
    took, size, streams = packed_places(axes, place)
    assert size == bits
    for k, units in enumerate(axes):
        own = streams[5 * k : 5 * k + 5]
        readers, large = [small(s, size) for s in own[:4]], iter(unpacked(own[4]))
        assert [p for n in count for p in walked(readers, large, took, size, n)] == units.tolist()


def tracks(rows):
    start = dt.datetime(2026, 3, 17, tzinfo=dt.UTC)
    frame = [
        {"vehicle_id": "v", "trip_id": "t", "trip_start": start, "verdict": verdict, "longitude": lon, "latitude": lat, "time_us": us,
         "start": start.fromtimestamp(us[0] / 1e6, dt.UTC), "end": start.fromtimestamp(us[-1] / 1e6, dt.UTC)}
        for verdict, lon, lat, us in rows
    ]  # fmt: skip
    return pl.DataFrame(frame, schema=schema(TRACKS)), {("v", "t", start): 4}


MIDNIGHT = 1773759600_000_000  # in Seoul


@pytest.mark.parametrize("fine", STEPS_DEG)
def test_days_are_packed_and_no_vertex_is_lost(fine):
    rng = np.random.default_rng(1)
    rows = []
    for verdict in VERDICTS:
        lon, lat = 126.8 + np.cumsum(rng.normal(0, 1e-5, 50)), 35.1 + np.cumsum(rng.normal(0, 1e-5, 50))
        us = MIDNIGHT + 3_600_000_000 + np.cumsum(rng.integers(1, 10, 50)) * 100_000
        rows.append((verdict, lon.round(7).tolist(), lat.round(7).tolist(), us.tolist()))
    (day,) = days_of(*tracks(rows), "Asia/Seoul", fine)
    assert day.date == "2026-03-18"
    assert day.vertices == 250
    for (trip, verdict, got), (_, lon, lat, us) in zip(
        lines_of(day, fine), sorted(rows, key=lambda r: (r[3][0], r[0])), strict=True
    ):
        exact = verdict in {"violation", "indeterminate"}
        assert trip == 4
        assert len(got) == len(us)
        assert np.abs(got[:, 0] - np.array(lon) * 1e7).max() <= (fine / 2 + 0.01 if exact else 10.01)
        assert np.abs(got[:, 1] - np.array(lat) * 1e7).max() <= (fine / 2 + 0.01 if exact else 10.01)
        assert np.abs(got[:, 2] - np.array(us) / 1e3).max() <= (0 if exact else 500)


def test_a_line_over_midnight_is_of_two_days():
    us = [MIDNIGHT - 1_000_000, MIDNIGHT, MIDNIGHT + 1_000_000]
    hole = [MIDNIGHT - 2_000_000, MIDNIGHT + 5_000_000]
    rows = [("compliant", [1.0, 2.0, 3.0], [0.0] * 3, us), ("not_observed", [1.0, 2.0], [0.0] * 2, hole)]
    before, after = days_of(*tracks(rows), "Asia/Seoul")
    assert (before.date, after.date) == ("2026-03-17", "2026-03-18")
    assert [(v, len(p)) for _, v, p in lines_of(before)] == [("not_observed", 2), ("compliant", 2)]
    assert [(v, len(p)) for _, v, p in lines_of(after)] == [("compliant", 2)]


def way(points, seconds):
    points = np.array(points, dtype=float)
    metres = ground_distance_m(*points[:-1].T, *points[1:].T)
    none = np.zeros(len(points), dtype=np.int64)
    um = np.append(0, np.cumsum(metres * 1e6)).astype(np.int64)
    return Paths(none, none[None], none, (np.array(seconds) * 1e6).astype(np.int64), *points.T, none.astype(float), um)


def test_a_broken_stretch_keeps_every_vertex():
    straight = way([(126.8 + k * 1e-6, 35.1) for k in range(100)], range(100))
    assert kept(straight, np.array([True])).all()
    few = kept(straight, np.array([False]))
    assert few.sum() == 2
    assert few[0]
    assert few[-1]


@pytest.mark.parametrize("count", [101, 40_000])
def test_a_long_broken_stretch_keeps_every_vertex_too(count):
    rng = np.random.default_rng(3)
    points = np.array([126.8, 35.1]) + np.cumsum(rng.normal(0, 1e-9, (count, 2)), axis=0)
    assert kept(way(points, np.arange(count) / 10), np.array([True])).all()


def test_a_stop_is_kept_though_the_way_is_straight():
    at = [*range(100), *[100] * 300, *range(100, 200)]
    stopped = way([(126.8 + k * 1e-5, 35.1) for k in at], range(500))
    keep = np.flatnonzero(kept(stopped, np.array([False])))
    where = np.interp(np.arange(500), keep, np.array(at)[keep])
    assert len(keep) < 10
    assert np.abs(where - at).max() < 8  # of about 0.9 m each


def test_noise_is_drawn_coarser():
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 1e-5, (5_000, 2))
    noisy = way(np.column_stack([126.8 + np.arange(5_000) * 1e-6, np.full(5_000, 35.1)]) + noise, np.arange(5_000) / 10)
    assert kept(noisy, np.array([False])).sum() < 500


def test_the_band_is_as_wide_as_the_border_is_unsure():
    outline = shapely.box(126.8, 35.1, 126.82, 35.12)
    zone = Zone("z", {"ko": "가", "en": "z"}, outline, accuracy_m=50.0)
    around = shapely.geometry.shape(band(zone, 82.0))
    east = ground_distance_m(126.82, 35.11, around.bounds[2], 35.11)
    assert east == pytest.approx(82, abs=3)
    assert around.covers(outline.exterior)
    assert not around.covers(outline.centroid)


def test_a_share_is_never_rounded_up_to_all():
    assert _share(99.999, 100) == "99.9 %"
    assert _share(100, 100) == "100 %"
    assert _share(0, 0) is None
    assert _margin(1.0, None, "m") == "1.0 m"


def test_only_packed_data_gets_into_blocks_and_scripts():
    assert inert_block("day-1", packed_json({"a": "</script>"})).count("<") == 2
    for name, text in (("day-1", "</script>"), ('x"', "AAAA"), ("x", 'A"')):
        with pytest.raises(ValueError, match=re.escape(name)):
            chunk_script(name, text)


def content(packed):
    return json.loads(zlib.decompress(unwritten(packed)))


def written(folder, name, text):
    (folder / name).write_bytes(zlib.decompress(base64.b64decode(text)))
    return folder / name


def geopackage(path, geometry, code):
    base = sqlite3.connect(path)
    base.executescript(
        "CREATE TABLE gpkg_spatial_ref_sys (srs_id INTEGER, organization TEXT, organization_coordsys_id INTEGER);"
        "CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, srs_id INTEGER);"
        f"INSERT INTO gpkg_spatial_ref_sys VALUES ({code}, 'EPSG', {code});"
        f"""INSERT INTO gpkg_geometry_columns VALUES ('a "road"', 'geom', {code});"""
        'CREATE TABLE "a ""road""" (geom BLOB);'
    )
    head = b"GP\0\x03" + struct.pack("<i4d", code, 0, 0, 0, 0)
    base.execute('INSERT INTO "a ""road""" VALUES (?), (NULL)', [head + shapely.to_wkb(geometry)])
    base.commit()
    base.close()
    return path


def test_basemaps_are_read_whatever_they_are_kept_in(tmp_path):
    line = shapely.linestrings([(126.7, 35.1), (126.8, 35.2)])
    korean = shapely.transform(line, Transformer.from_crs(4326, 5186, always_xy=True).transform, interleaved=False)
    (tmp_path / "way.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": [
            {"type": "Feature", "properties": {}, "geometry": json.loads(shapely.to_geojson(line))},
            {"type": "Feature", "properties": {}, "geometry": None}]}), encoding="utf-8",
    )  # fmt: skip
    files = [tmp_path / "way.geojson", geopackage(tmp_path / "ways.gpkg", korean, 5186)]
    files += [written(tmp_path, "water.fgb", WATER), written(tmp_path, "ways.fgb", WAYS)]
    layers = read_basemap(files)
    assert [layer.name for layer in layers] == ["way", 'a "road"', "water", "ways"]
    assert [len(layer.geometries) for layer in layers] == [1, 1, 3, 2]
    assert shapely.hausdorff_distance(layers[1].geometries[0], line) < 1e-7
    assert min(shapely.hausdorff_distance(own, line) for own in layers[3].geometries) < 1e-7
    assert shapely.area(layers[2].geometries).sum() == pytest.approx(0.005 - 0.0001 + 0.0002 + 0.00005)
    assert all(shapely.get_num_interior_rings(shapely.get_parts(layers[2].geometries)).sum() == 1 for _ in layers)
    drawn = content(packed_layers(layers, [126.7, 35.1, 126.8, 35.2]))
    assert [len(own["areas"]) for own in drawn] == [0, 0, 4, 0]
    assert [len(own["lines"]) for own in drawn] == [1, 1, 0, 2]
    assert drawn[0]["lines"][0] == [126700000, 35100000, 100000, 100000]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.geojson", b"{"),
        ("a.gpkg", b"no"),
        ("a.fgb", b"fgb\x03fgb\0"),
        ("a.shp", b""),
        ("b.json", b'{"type": "Feature"}'),
    ],
)
def test_what_is_no_basemap_is_refused_with_its_name(tmp_path, name, text):
    (tmp_path / name).write_bytes(text)
    if name == "b.json":
        assert len(read_basemap([tmp_path / name])[0].geometries) == 0
        return
    with pytest.raises(OutputError, match=re.escape(name)):
        read_basemap([tmp_path / name])


def test_tiles_must_have_an_address_and_a_maker(tmp_path):
    assert tile_source("https://{s}.tile.example.org/{z}/{x}/{y}.png") == "https://*.tile.example.org"
    for url in (
        "https://a.b/{z}/{x}.png",
        "javascript:{z}{x}{y}",
        "https://a.b;script-src */{z}/{x}/{y}",
        "https://a.b/{z}/{x}/{y}'",
    ):
        with pytest.raises(OutputError):
            tile_source(url)
    log = tmp_path / "log.csv"
    log.write_text("x", encoding="utf-8")
    given_ = [
        "analyze",
        str(log),
        "--zones",
        "demo",
        "--out",
        str(tmp_path / "o"),
        "--tiles",
        "https://a.b/{z}/{x}/{y}",
    ]
    done = CliRunner().invoke(cli, given_)
    assert done.exit_code == 2
    assert "--attribution" in done.output


def test_folium_is_given_nothing_by_lint():
    banned = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"][
        "flake8-tidy-imports"
    ]["banned-api"]
    names = ("Popup", "Tooltip", "GeoJsonPopup", "GeoJsonTooltip", "IFrame", "Element")
    assert {f"folium.{name}" for name in names} | {"branca"} <= set(banned)


def test_scripts_never_make_markup_of_text():
    for name in SCRIPTS:
        text = asset(name)
        for sink in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "bindPopup",
            "bindTooltip",
            "localStorage",
        ):
            assert sink not in text, (name, sink)
