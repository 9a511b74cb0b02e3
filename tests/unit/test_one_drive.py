"""One drive in every format of tracks and documents: the same instants, places, speeds and modes."""

import datetime as dt
import json
import zipfile

import pytest

from analyzer.logs import ReadOptions, read_log

POINTS = [
    (dt.datetime(2026, 3, 17, 1, 0, second, 250_000, tzinfo=dt.UTC), 126.8 + second * 1e-4, 35.15, 5.4 + second * 0.36)
    for second in range(50)
]


def iso(time):
    return time.isoformat().replace("+00:00", "Z")


def milliseconds(time):
    return round(time.timestamp() * 1000)


def as_gpx(path):
    points = "".join(
        f'<trkpt lat="{lat!r}" lon="{lon!r}"><time>{iso(time)}</time><speed>{kph / 3.6!r}</speed></trkpt>'
        for time, lon, lat, kph in POINTS
    )
    path.write_text(f"<gpx version='1.0'><trk><trkseg>{points}</trkseg></trk></gpx>", encoding="utf-8")


def kml_text():
    when = "".join(f"<when>{iso(time)}</when>" for time, *_ in POINTS)
    coord = "".join(f"<coord>{lon!r} {lat!r} 0</coord>" for _, lon, lat, _ in POINTS)
    return f"<kml><Placemark><Track>{when}{coord}</Track></Placemark></kml>"


def as_kml(path):
    path.write_text(kml_text(), encoding="utf-8")


def as_kmz(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("doc.kml", kml_text())


def written(make):
    return lambda path: path.write_text(json.dumps(make()), encoding="utf-8")


def records():
    return [{"time": iso(t), "lat": lat, "lon": lon, "speed_kph": kph} for t, lon, lat, kph in POINTS]


def features():
    return [
        {
            "type": "Feature",
            "properties": {"timestamp": milliseconds(t), "speed_kph": kph},
            "geometry": {"type": "Point", "coordinates": [lon, lat]},
        }
        for t, lon, lat, kph in POINTS
    ]


def line():
    return {
        "type": "Feature",
        "properties": {"coordTimes": [iso(t) for t, *_ in POINTS], "speed_kph": [p[3] for p in POINTS]},
        "geometry": {"type": "LineString", "coordinates": [[lon, lat] for _, lon, lat, _ in POINTS]},
    }


def arcgis():
    rows = [({"timestamp": milliseconds(t), "speed_kph": kph}, {"x": lon, "y": lat}) for t, lon, lat, kph in POINTS]
    return {"features": [{"attributes": a, "geometry": g} for a, g in rows]}


def moving():
    times = [iso(t) for t, *_ in POINTS]
    geometry = {"type": "MovingPoint", "datetimes": times, "coordinates": [[lon, lat] for _, lon, lat, _ in POINTS]}
    said = {"datetimes": times, "speed": {"form": "KMH", "values": [p[3] for p in POINTS]}}
    return {"type": "Feature", "properties": {}, "temporalGeometry": geometry, "temporalProperties": [said]}


def mds():
    return {
        "telemetry": [
            {
                "device_id": "drive",
                "timestamp": milliseconds(t),
                "location": {"lat": lat, "lng": lon, "speed": kph / 3.6},
            }
            for t, lon, lat, kph in POINTS
        ]
    }


FORMATS = {
    "drive.gpx": ("gpx", as_gpx),
    "drive.kml": ("kml", as_kml),
    "drive.kmz": ("kml", as_kmz),
    "drive.json": ("json", written(records)),
    "drive.geojson": ("geojson", written(lambda: {"type": "FeatureCollection", "features": features()})),
    "drive.line.geojson": ("geojson", written(line)),
    "drive.arcgis.json": ("arcgis-json", written(arcgis)),
    "drive.mf.json": ("mf-json", written(moving)),
    "drive.mds.json": ("mds", written(mds)),
}


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_drive(tmp_path, name):
    kind, write = FORMATS[name]
    write(tmp_path / name)
    log = read_log(str(tmp_path / name), ReadOptions())
    assert log.format == kind
    assert log.records["vehicle_id"].unique().to_list() == ["drive"]
    assert log.records.select("time", "longitude", "latitude").rows() == [p[:3] for p in POINTS]
    if kind != "kml":
        assert log.records["speed_kph"].to_list() == [pytest.approx(p[3], abs=1e-9) for p in POINTS]
    assert (log.record_count, log.other_records) == (len(POINTS), 0)
