"""Small files that would take much memory or time of a reader that believes them; name -> bytes."""

import gzip
import io
import struct
import zipfile

import polars as pl

from analyzer.logs import _packed
from tests.drives import ENCODINGS, drive
from tests.unit.test_recording_dirt import bomb

HUGE = 96 << 20
HEADER = b"vehicle_id,timestamp,latitude,longitude\n"
ROW = b"V1,2026-03-17T10:00:00Z,35.1,126.8\n"
PAIR = b'{"vehicle_id":"V1","timestamp":"2026-03-17T10:00:00Z","latitude":35.1,"longitude":126.8'


def zipped(name, data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


def lying(data):
    """Return a zip whose directory says that its members hold little."""
    at = data.rindex(b"PK\x01\x02") + 24
    return data[:at] + struct.pack("<I", 100) + data[at + 4 :]


def _workbook(folder):
    ENCODINGS["book.xlsx"].write(folder / "book.xlsx", drive((5, 5.0, True)))
    out = io.BytesIO()
    with zipfile.ZipFile(folder / "book.xlsx") as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(info.filename, old.read(info) + b" " * (HUGE if "sheet1" in info.filename else 0))
    return out.getvalue()


def _constant(write, rows=20_000_000, **options):
    """Return a table of one row many times over, packed to next to nothing."""
    row = {"vehicle_id": "V1", "timestamp_s": 1_773_709_200, "latitude": 35.1, "longitude": 126.8}
    frame = pl.select(**{name: pl.lit(value).repeat_by(1).explode() for name, value in row.items()})
    frame = pl.concat([frame] * 1000).rechunk()
    frame = pl.concat([frame] * (rows // 1000))
    out = io.BytesIO()
    write(frame, out, **options)
    return out.getvalue()


def bag(size, packed):
    """Return a ROS 1 bag with one chunk that says it grows to `size`."""

    def fields(**said):
        pairs = [name.encode() + b"=" + value for name, value in said.items()]
        joined = b"".join(struct.pack("<I", len(pair)) + pair for pair in pairs)
        return struct.pack("<I", len(joined)) + joined

    eight, four = bytes(8), bytes(4)
    head = (
        fields(op=b"\x03", index_pos=eight, conn_count=four, chunk_count=four) + struct.pack("<I", 4000) + b" " * 4000
    )
    chunk = fields(op=b"\x05", compression=b"bz2", size=struct.pack("<I", size)) + struct.pack("<I", len(packed))
    return b"#ROSBAG V2.0\n" + head + chunk + packed


def bombs(folder):
    """Return name -> bytes; `folder` is for writers that need a file."""
    lines = HEADER + ROW + b"\n" * HUGE
    return {
        "lines.csv.gz": gzip.compress(lines, mtime=0),
        "lines.csv.zst": _packed.zstd.compress(lines),
        "spaces.kmz": zipped("doc.kml", b"<kml>" + b" " * HUGE),
        "liar.kmz": lying(zipped("doc.kml", b"<kml>" + b" " * HUGE)),
        "spaces.xlsx": _workbook(folder),
        "one.mcap": bomb(1 << 30, _packed.zstd.compress(bytes(1 << 20))),
        "records.mcap": bomb(48 << 20, _packed.zstd.compress(bytes(48 << 20))),
        "liar.mcap": bomb(1000, _packed.zstd.compress(bytes(HUGE))),
        "one.bag": bag(1 << 30, b"BZh9" + bytes(100)),
        "constant.parquet": _constant(pl.DataFrame.write_parquet, compression="zstd", row_group_size=20_000_000),
        "constant.arrow": _constant(pl.DataFrame.write_ipc, rows=5_000_000, compression="zstd"),
        "nested.json": b"[" * 2_000_000,
        "nested.ndjson": PAIR + b',"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}\n",
        "objects.json": b'[{"a":' * 300_000,
        "brackets.json": b"[" + b"[],{}," * 500_000 + b"[]]",
        "members.ndjson": b"{" + b",".join(b'"m%d":1' % n for n in range(100_000)) + b"}\n",
        "line.csv": HEADER + b"x" * (8 << 20),
        "quote.csv": HEADER + ROW + b'"' + ROW * 200_000,
        "columns.csv": b"a," * 1_000_000 + HEADER + ROW,
        "fields.csv": HEADER + b"," * 4_000_000,
        "line.ndjson": PAIR + b',"x":"' + b"y" * (8 << 20) + b'"}\n',
        "line.nmea": b"$GPRMC," + b"," * (8 << 20) + b"\r\n",
        "dollars.nmea": b"$GPRMC" * 1_000_000,
        "blanks.dtg": b" " * (8 << 20),
        "deep.gpx": b"<gpx>" + b"<a>" * 1_000_000,
        "names.kml": b"<kml>" + b"".join(b"<n%d/>" % n for n in range(200_000)) + b"</kml>",
        "attributes.gpx": b"<gpx " + b"".join(b'a%d="" ' % n for n in range(200_000)) + b"/>",
        "comment.gpx": b"<gpx><!--" + b"-x" * (4 << 20),
        "laughs.gpx": b'<!DOCTYPE g [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><gpx>&b;</gpx>',
        "outside.gpx": b'<!DOCTYPE g [<!ENTITY a SYSTEM "file:///etc/passwd">]><gpx>&a;</gpx>',
    }
