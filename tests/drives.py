"""One drive in every format that zonelog reads: encoders that share no code with the readers.

`ENCODINGS` is name of the file -> how it is written and how exact that is. The vehicle is
the name of the file up to its first point, in the file itself where the format can say it.
"""

import csv
import datetime as dt
import gzip
import io
import json
import math
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from rosbags.rosbag2 import StoragePlugin
from rosbags.typesys import Stores, get_typestore

from analyzer.logs import _packed
from tests.recorders import record1, record2
from tests.unit.test_dtg import KST, header, record
from tests.unit.test_nmea import sentence

START = dt.datetime(2026, 3, 17, 1, 0, 0, 250_000, tzinfo=dt.UTC)
LATITUDE, LONGITUDE = 35.15, 126.80
DEGREES_A_METRE = math.degrees(1 / (6_378_137.0 / math.sqrt(1 - 0.00669438 * math.sin(math.radians(LATITUDE)) ** 2)))
DEGREES_A_METRE /= math.cos(math.radians(LATITUDE))
"""Degrees of longitude in a metre along the parallel, by the WGS 84 ellipsoid."""


class Point(NamedTuple):
    """A fix: aware time, degrees, km/h."""

    time: dt.datetime
    longitude: float
    latitude: float
    speed_kph: float


def drive(*phases):
    """Return a fix a second along a parallel; a phase is (seconds, km/h, eastwards where above 0; is it logged?)."""
    points, metres, second = [], 0.0, 0
    for seconds, kph, logged in phases:
        for _ in range(seconds):
            if logged:
                longitude = round(LONGITUDE + metres * DEGREES_A_METRE, 9)
                points.append(Point(START + dt.timedelta(seconds=second), longitude, LATITUDE, abs(kph)))
            metres, second = metres + kph / 3.6, second + 1
    return points


@dataclass(frozen=True)
class Encoding:
    """How a drive is written, and to what: `kind` is the name of the format; `profile` and `timezone` read it.

    Rounding in the file: seconds, metres (half the diagonal of a cell), km/h (null: it says no speed).
    """

    kind: str
    write: Callable
    seconds: float = 0.0
    metres: float = 1e-3
    kph: float | None = 1e-6
    profile: str = ""
    timezone: str | None = None


def name_of(path):
    return path.name.split(".")[0]


def iso(time):
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(time):
    return round(time.timestamp() * 1000)


def table(path, points):
    """Return the drive as rows of a plain log."""
    return [
        {
            "vehicle_id": name_of(path),
            "timestamp": iso(p.time),
            "latitude": p.latitude,
            "longitude": p.longitude,
            "speed_kph": p.speed_kph,
        }
        for p in points
    ]


def separated(rows, separator=","):
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def as_text(path, points, separator=",", encoding="utf-8", pack=bytes):
    path.write_bytes(pack(separated(table(path, points), separator).encode(encoding)))


def as_named_by_a_profile(path, points):
    rows = [
        {
            "차량": name_of(path),
            "일시": f"{p.time.astimezone(KST):%Y.%m.%d %H:%M:%S.%f}",
            "위도": str(p.latitude).replace(".", ","),
            "경도": str(p.longitude).replace(".", ","),
            "속력": str(p.speed_kph / 3.6).replace(".", ","),
        }
        for p in points
    ]
    path.write_bytes(separated(rows, "|").encode("cp949"))


PROFILE = """[columns]
vehicle_id = "차량"
timestamp = "일시"
latitude = "위도"
longitude = "경도"
speed_mps = "속력"
[time]
format = "%Y.%m.%d %H:%M:%S%.f"
[fixed]
timezone = "Asia/Seoul"
[read]
delimiter = "|"
decimal = ","
"""


def as_traccar(path, points):
    rows = [
        {
            "id": number,
            "deviceId": name_of(path),
            "protocol": "osmand",
            "serverTime": f"{p.time:%Y-%m-%d %H:%M:%S}",
            "deviceTime": f"{p.time:%Y-%m-%d %H:%M:%S}",
            "fixTime": f"{p.time:%Y-%m-%d %H:%M:%S}",
            "valid": "true",
            "latitude": p.latitude,
            "longitude": p.longitude,
            "altitude": 30.0,
            "speed": p.speed_kph / 1.852,
            "course": 90.0,
            "address": "",
            "accuracy": 0.0,
        }
        for number, p in enumerate(points, start=1)
    ]
    path.write_text(separated(rows), encoding="utf-8")


def as_ndjson(path, points):
    path.write_text("".join(json.dumps(row) + "\n" for row in table(path, points)), encoding="utf-8")


def as_frame(path, points, write):
    frame = pl.DataFrame(table(path, points))
    write(frame.with_columns(pl.col("timestamp").str.to_datetime(time_unit="us", time_zone="UTC")), path)


def as_workbook(path, points):
    pl.DataFrame(table(path, points)).write_excel(path, float_precision=9)


def as_gpx(path, points, version="1.0"):
    before, after = (
        ("", "")
        if version == "1.0"
        else ("<extensions><x:TrackPointExtension>", "</x:TrackPointExtension></extensions>")
    )
    speed = "speed" if version == "1.0" else "x:speed"
    inside = "".join(
        f'<trkpt lat="{p.latitude!r}" lon="{p.longitude!r}"><time>{iso(p.time)}</time>'
        f"{before}<{speed}>{p.speed_kph / 3.6!r}</{speed}>{after}</trkpt>"
        for p in points
    )
    spaces = (
        f'xmlns="http://www.topografix.com/GPX/{version.replace(".", "/")}" '
        'xmlns:x="http://www.garmin.com/xmlschemas/TrackPointExtension/v2"'
    )
    path.write_text(f'<gpx version="{version}" {spaces}><trk><trkseg>{inside}</trkseg></trk></gpx>', encoding="utf-8")


def kml_text(points):
    when = "".join(f"<when>{iso(p.time)}</when>" for p in points)
    coord = "".join(f"<gx:coord>{p.longitude!r} {p.latitude!r} 0</gx:coord>" for p in points)
    spaces = 'xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"'
    return f"<kml {spaces}><Placemark><gx:Track>{when}{coord}</gx:Track></Placemark></kml>"


def as_kml(path, points):
    path.write_text(kml_text(points), encoding="utf-8")


def as_kmz(path, points):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("doc.kml", kml_text(points))


def as_json(path, points, make):
    path.write_text(json.dumps(make(path, points)), encoding="utf-8")


def features(_path, points):
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"timestamp": milliseconds(p.time), "speed_kph": p.speed_kph},
                "geometry": {"type": "Point", "coordinates": [p.longitude, p.latitude]},
            }
            for p in points
        ],
    }


def line(_path, points):
    return {
        "type": "Feature",
        "properties": {"coordTimes": [iso(p.time) for p in points], "speed_kph": [p.speed_kph for p in points]},
        "geometry": {"type": "LineString", "coordinates": [[p.longitude, p.latitude] for p in points]},
    }


def arcgis(_path, points):
    rows = [({"timestamp": milliseconds(p.time), "speed_kph": p.speed_kph}, p) for p in points]
    return {
        "features": [{"attributes": said, "geometry": {"x": p.longitude, "y": p.latitude}} for said, p in rows],
    }


def moving(_path, points):
    times = [iso(p.time) for p in points]
    places = [[p.longitude, p.latitude] for p in points]
    said = {"datetimes": times, "speed": {"form": "KMH", "values": [p.speed_kph for p in points]}}
    return {
        "type": "Feature",
        "properties": {},
        "temporalGeometry": {"type": "MovingPoint", "datetimes": times, "coordinates": places},
        "temporalProperties": [said],
    }


def mds(path, points):
    def said(p):
        place = {"lat": p.latitude, "lng": p.longitude, "speed": p.speed_kph / 3.6}
        return {"device_id": name_of(path), "timestamp": milliseconds(p.time), "location": place}

    return {"version": "2.0.0", "telemetry": [said(p) for p in points]}


def _minutes(degrees, width, hemispheres):
    """Return degrees as NMEA writes them, with five decimals of minutes."""
    total = round(abs(degrees) * 60e5)
    return f"{total // 6_000_000:0{width}}{total % 6_000_000 / 1e5:08.5f},{hemispheres[degrees < 0]}"


def as_nmea(path, points):
    """Write RMC, and a GSV, which is no position, every tenth time."""
    lines = []
    for number, p in enumerate(points):
        place = f"{_minutes(p.latitude, 2, 'NS')},{_minutes(p.longitude, 3, 'EW')}"
        clock = f"{p.time:%H%M%S}.{p.time.microsecond // 10_000:02}"
        lines.append(sentence(f"GNRMC,{clock},A,{place},{p.speed_kph / 1.852:.2f},090.0,{p.time:%d%m%y},,,A"))
        if number % 10 == 0:
            lines.append(sentence("GPGSV,1,1,00"))
    path.write_text("".join(text + "\r\n" for text in lines), encoding="ascii", newline="")


def as_dtg(path, points, end=b"\r\n", key=0):
    rows = [
        record(
            when=p.time.astimezone(KST).strftime("%y%m%d%H%M%S") + f"{p.time.microsecond // 10_000:02}",
            speed=f"{round(p.speed_kph):03}",
            x=f"{round(p.longitude * 1e6):09}",
            y=f"{round(p.latitude * 1e6):09}",
            azimuth="090",
        )
        for p in points
    ]
    data = header(name_of(path)) + end + b"".join(row + end for row in rows)
    path.write_bytes(bytes(byte ^ key for byte in data))


def messages(store, points):
    """Yield a position and a speed at the same instant, as (topic, type, log time, message)."""
    t = store.types
    vector = t["geometry_msgs/msg/Vector3"]
    more = {"seq": 0} if "seq" in t["std_msgs/msg/Header"].__dataclass_fields__ else {}
    for p in points:
        ns = milliseconds(p.time) * 10**6
        stamp = t["builtin_interfaces/msg/Time"](sec=ns // 10**9, nanosec=ns % 10**9)
        head = t["std_msgs/msg/Header"](stamp=stamp, frame_id="gps", **more)
        fix = t["sensor_msgs/msg/NavSatFix"](
            header=head,
            status=t["sensor_msgs/msg/NavSatStatus"](status=0, service=1),
            latitude=p.latitude,
            longitude=p.longitude,
            altitude=0.0,
            position_covariance=np.zeros(9),
            position_covariance_type=0,
        )
        twist = t["geometry_msgs/msg/Twist"](
            linear=vector(x=p.speed_kph / 3.6, y=0.0, z=0.0), angular=vector(x=0.0, y=0.0, z=0.0)
        )
        yield "/fix", "sensor_msgs/msg/NavSatFix", ns, fix
        yield (
            "/vel",
            "geometry_msgs/msg/TwistStamped",
            ns,
            t["geometry_msgs/msg/TwistStamped"](header=head, twist=twist),
        )


def as_bag1(path, points, chunks=""):
    store = get_typestore(Stores.ROS1_NOETIC)
    record1(path, messages(store, points), store, chunks)


def as_bag2(path, points, plugin, chunks=""):
    store = get_typestore(Stores.ROS2_HUMBLE)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        Path(record2(Path(folder) / "drive", messages(store, points), store, plugin, chunks)).replace(path)


def _gzip(data):
    return gzip.compress(data, mtime=0)


def of_json(kind, make):
    return Encoding(kind, partial(as_json, make=make))


def of_mcap(chunks):
    return Encoding("ros2-mcap", partial(as_bag2, plugin=StoragePlugin.MCAP, chunks=chunks))


def of_bag(chunks):
    return Encoding("ros1-bag", partial(as_bag1, chunks=chunks))


ENCODINGS = {
    "comma.csv": Encoding("csv", as_text),
    "korean.csv": Encoding("csv", partial(as_text, encoding="cp949")),
    "wide.csv": Encoding("csv", partial(as_text, encoding="utf-16")),
    "semicolon.csv": Encoding("csv", partial(as_text, separator=";")),
    "tab.tsv": Encoding("tsv", partial(as_text, separator="\t")),
    "bar.psv": Encoding("csv", partial(as_text, separator="|")),
    "named.psv": Encoding("csv", as_named_by_a_profile, profile=PROFILE),
    "gz.csv.gz": Encoding("csv", partial(as_text, pack=_gzip)),
    "zst.csv.zst": Encoding("csv", partial(as_text, pack=_packed.zstd.compress)),
    "lines.ndjson": Encoding("ndjson", as_ndjson),
    "array.json": of_json("json", table),
    "parquet.parquet": Encoding("parquet", partial(as_frame, write=pl.DataFrame.write_parquet)),
    "arrow.arrow": Encoding("arrow", partial(as_frame, write=pl.DataFrame.write_ipc)),
    "book.xlsx": Encoding("xlsx", as_workbook),
    "bag.bag": of_bag(""),
    "baglz.bag": of_bag("lz4"),
    "bagbz.bag": of_bag("bz2"),
    "db.db3": Encoding("ros2-db3", partial(as_bag2, plugin=StoragePlugin.SQLITE3)),
    "mcap.mcap": of_mcap(""),
    "mcaplz.mcap": of_mcap("lz4"),
    "mcapzstd.mcap": of_mcap("zstd"),
    "nmea.nmea": Encoding("nmea", as_nmea, metres=0.02, kph=0.01),
    "dtg.dtg": Encoding("dtg", as_dtg, metres=0.08, kph=0.5),
    "dtgx.dtg": Encoding("dtg", partial(as_dtg, end=b"", key=0x5A), metres=0.08, kph=0.5),
    "gpxten.gpx": Encoding("gpx", as_gpx),
    "gpxelev.gpx": Encoding("gpx", partial(as_gpx, version="1.1")),
    "kml.kml": Encoding("kml", as_kml, kph=None),
    "kmz.kmz": Encoding("kml", as_kmz, kph=None),
    "points.geojson": of_json("geojson", features),
    "line.geojson": of_json("geojson", line),
    "arcgis.json": of_json("arcgis-json", arcgis),
    "mfjson.json": of_json("mf-json", moving),
    "mds.json": of_json("mds", mds),
    "traccar.csv": Encoding("csv", as_traccar, seconds=0.25, timezone="UTC"),
}
