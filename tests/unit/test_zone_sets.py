"""Zone sets and rules: what is loaded, and what is refused with place and remedy."""

import json

import pytest

from analyzer.errors import RuleError, ZoneSetError
from analyzer.zone_loading import bundled, load_zone_set

SQUARE = [[126.8, 35.15], [126.802, 35.15], [126.802, 35.152], [126.8, 35.152], [126.8, 35.15]]
RULE = """[[rule]]
id = "p"
kind = "permit"
text = { ko = "허가", en = "permit" }
zones = ["a"]
effective = 2026-01-01T00:00:00+09:00
"""
HEAD = 'schema = 1\ntimezone = "Asia/Seoul"\n'


def write(folder, ring=None, rules=HEAD + RULE, properties=None, zone_set=None):
    feature = {
        "type": "Feature",
        "properties": {"zone_id": "a", **(properties or {})},
        "geometry": {"type": "Polygon", "coordinates": [ring or SQUARE]},
    }
    document = {"type": "FeatureCollection", "zone_set": zone_set or {}, "features": [feature]}
    (folder / "zones.geojson").write_text(json.dumps(document), encoding="utf-8")
    (folder / "rules.toml").write_text(rules, encoding="utf-8")
    return folder


def test_bundled_sets_load():
    assert set(bundled()) == {"gwangju", "demo"}
    for name in bundled():
        assert load_zone_set(name).zones


def test_gwangju_is_a_sketch_and_says_so():
    gwangju = load_zone_set("gwangju")
    total = sum(zone.measured_area_km2 for zone in gwangju.zones)
    assert (len(gwangju.zones), gwangju.declared_zones, gwangju.declared_area_km2) == (7, 7, 16.79)
    assert total == pytest.approx(20.87, abs=0.05)
    assert all(z.geometry_confidence == "sketch" and z.accuracy_m >= 100 and z.vertices <= 24 for z in gwangju.zones)
    assert {n.code for n in gwangju.notices} == {"area-mismatch", "sketch-outline", "press-rule"}
    assert all(r.confidence == "press" and r.source.startswith("https://") for r in gwangju.rules.rules)
    assert len({t for r in gwangju.rules.rules for t in r.vehicle_types}) == 4
    assert "20 km/h" in gwangju.rules.rules[0].note


def test_ring_order_is_repaired_and_said(tmp_path):
    loaded = load_zone_set(write(tmp_path, ring=SQUARE[::-1]))
    assert "ring-repaired" in {n.code for n in loaded.notices}
    assert loaded.zones[0].geometry.exterior.is_ccw
    assert "ring-repaired" not in {n.code for n in load_zone_set(write(tmp_path)).notices}


@pytest.mark.parametrize(
    ("ring", "says"),
    [
        ([[126.8, 35.15], [126.802, 35.152], [126.802, 35.15], [126.8, 35.152], [126.8, 35.15]], "Self-intersection"),
        ([[y, x] for x, y in SQUARE], "swapped"),
        ([[939_500 + 1e5 * x, 1_684_500 + 1e5 * y] for x, y in [(0, 0), (1, 0), (1, 1), (0, 0)]], "EPSG:5179"),
    ],
)
def test_outlines_refused(tmp_path, ring, says):
    with pytest.raises(ZoneSetError, match=says) as caught:
        load_zone_set(write(tmp_path, ring=ring))
    assert "feature 1 (a)" in str(caught.value)


def test_place_of_the_fault_is_named(tmp_path):
    ring = [[126.8, 35.15], [126.802, 35.152], [126.802, 35.15], [126.8, 35.152], [126.8, 35.15]]
    with pytest.raises(ZoneSetError, match=r"126\.801 35\.151"):
        load_zone_set(write(tmp_path, ring=ring))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('zones = ["a"]', 'zones = ["aa"]', "line 7: zone 'aa' is not in zones.geojson; did you mean 'a'"),
        ("kind", "kin", "line 5: unknown key `kin`; did you mean `kind`"),
        (
            "2026-01-01T00:00:00+09:00",
            "2026-01-01T00:00:00",
            "line 8: effective must be a date and time with an offset",
        ),
        ("Asia/Seoul", "Asia/Soul", "is no IANA time zone"),
        ('"permit"\nt', '"permitt"\nt', "did you mean 'permit'"),
        ("[[rule]]", "[evaluation]\nmin_duration = 1\n[[rule]]", "did you mean `min_duration_s`"),
        ("[[rule]]", "[evaluation]\nconfidence = 95\n[[rule]]", "out of range"),
        ("zones =", 'hours = [{ days = ["mon"], from = "10:00", to = "10:00" }]\nzones =', "that differ"),
        ("zones =", 'hours = [{ days = ["mo"], from = "10:00", to = "12:00" }]\nzones =', "did you mean 'mon'"),
        ("zones =", "expires = 2025-01-01T00:00:00+09:00\nzones =", "expires before it takes effect"),
        ("schema = 1", "schema = 2", "reads `schema = 1`"),
        ("zones =", "max_speed_kph = 0\nzones =", "must be above 0"),
        ("zones =", "no_entry = true\nzones =", "a permit cannot forbid entry"),
    ],
)
def test_rules_refused_with_line_and_remedy(tmp_path, old, new, says):
    with pytest.raises(RuleError) as caught:
        load_zone_set(write(tmp_path, rules=(HEAD + RULE).replace(old, new, 1)))
    assert says in str(caught.value)


def test_two_revisions_at_once_are_refused(tmp_path):
    with pytest.raises(RuleError, match="take effect at once"):
        load_zone_set(write(tmp_path, rules=HEAD + RULE + RULE.replace("kind =", "revision = 2\nkind =")))


def test_a_revision_ends_where_the_next_begins(tmp_path):
    later = RULE.replace("kind =", "revision = 2\nkind =").replace("2026-01-01", "2026-02-01")
    first, second = load_zone_set(write(tmp_path, rules=HEAD + RULE + later)).rules.rules
    assert first.until_us == second.effective_us
    assert second.until_us is None


def test_declared_numbers_are_compared(tmp_path):
    declared = {"id": "x", "name": "x", "declared_area_km2": 1.0, "declared_zones": 2}
    codes = {n.code for n in load_zone_set(write(tmp_path, zone_set=declared)).notices}
    assert {"area-mismatch", "zone-count-mismatch"} <= codes


def test_unknown_set_is_suggested():
    with pytest.raises(ZoneSetError, match="did you mean 'gwangju'"):
        load_zone_set("gwanju")
