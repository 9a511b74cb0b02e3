"""The example table in a check's docstring is its test: it is run through the whole engine."""

import csv
import datetime as dt
import json
import re
import sys

import polars as pl
import pytest

from analyzer.analysis import analyze
from analyzer.checks import checks
from analyzer.zone_loading import load_zone_set

DAY = "2026-03-17"
PLACES = {"park": (126.800, 35.150), "school": (126.810, 35.150), "nowhere": (126.830, 35.150)}
SPEED_KPH = 3.0


def example_of(code):
    doc = sys.modules[f"analyzer.checks.{code.replace('-', '_')}"].__doc__
    table = [line for line in doc.split("## Example", 1)[1].splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:] if not set(row[0]) <= {"-"}]


def square(zone_id, x, y):
    ring = [[x - 0.002, y - 0.002], [x + 0.002, y - 0.002], [x + 0.002, y + 0.002], [x - 0.002, y + 0.002]]
    geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    return {"type": "Feature", "properties": {"zone_id": zone_id, "accuracy_m": 0}, "geometry": geometry}


def write_world(folder, row):
    """One permit for park and school, a restriction on school where the table asks for one."""
    features = [square(name, *PLACES[name]) for name in ("park", "school")]
    document = {"type": "FeatureCollection", "features": features}
    (folder / "zones.geojson").write_text(json.dumps(document), encoding="utf-8")
    lines = [
        'schema = 1\ntimezone = "Asia/Seoul"\n[evaluation]\nmax_plausible_kph = 100000.0\nmin_duration_s = 0.0\n'
        "merge_gap_s = 0.0\n[[rule]]",
        'id = "permit"\nkind = "permit"\ntext = { ko = "허가", en = "permit" }\nzones = ["park", "school"]',
        f"effective = {DAY}T{row.get('effective', '00:00:00')}+09:00",
    ]
    if "expires" in row:
        lines.append(f"expires = {DAY}T{row['expires']}+09:00")
    if "vehicle_types" in row:
        lines.append(f'vehicle_types = ["{row["vehicle_types"]}"]')
    if "max_speed_kph" in row:
        lines.append(f"max_speed_kph = {row['max_speed_kph']}")
    if "hours" in row:
        start, end = row["hours"].split("-")
        lines.append(f'hours = [{{ days = ["tue"], from = "{start}", to = "{end}" }}]')
    if "control_modes" in row:
        lines.append(f'control_modes = ["{row["control_modes"]}"]')
    if "rule_operator" in row:
        lines.append(f'operator = "{row["rule_operator"]}"')
    if "no_entry" in row:
        lines.append(
            '[[rule]]\nid = "no"\nkind = "restriction"\ntext = { ko = "금지", en = "no" }\nzones = ["school"]\n'
            f"no_entry = true\neffective = {DAY}T00:00:00+09:00"
        )
    (folder / "rules.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_log(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        columns = [*rows[0], "vehicle_id", "timestamp", "longitude", "latitude", "speed_kph"]
        writer = csv.DictWriter(file, list(dict.fromkeys(columns)))
        writer.writeheader()
        for row in rows:
            lon, lat = PLACES[row["place"]]
            own = {"vehicle_id": "V1", "timestamp": f"{DAY}T{row['time']}+09:00", "longitude": lon, "latitude": lat}
            writer.writerow({"speed_kph": SPEED_KPH, "control_mode": "autonomous"} | row | own)


@pytest.mark.parametrize("code", checks())
def test_example(code, tmp_path):
    rows = example_of(code)
    write_world(tmp_path, rows[0])
    for row in rows:
        if "control_mode" not in row:
            row["control_mode"] = "autonomous"
    write_log(tmp_path / "log.csv", rows)
    found = analyze([tmp_path / "log.csv"], load_zone_set(tmp_path)).findings.filter(pl.col("check") == code)
    for row in rows:
        at = dt.datetime.fromisoformat(f"{DAY}T{row['time']}+09:00")
        here = found.filter(
            (pl.col("start") <= at) & ((pl.col("end") > at) | ((pl.col("end") == at) & (pl.col("start") == at)))
        )
        verdict = here["verdict"].to_list()
        expected = [row["verdict"]] if row["verdict"] else []
        assert verdict == expected, row


def test_every_check_has_a_page():
    for code in checks():
        doc = sys.modules[f"analyzer.checks.{code.replace('-', '_')}"].__doc__
        assert re.search(r"^## Why it matters$", doc, re.MULTILINE), code
        assert re.search(r"^## How it is judged$", doc, re.MULTILINE), code
        assert example_of(code), code
