"""KML and KMZ: what is read, paired, counted, refused."""

import datetime as dt
import io
import zipfile

import pytest

from analyzer.errors import LogError
from analyzer.logs import ReadOptions, read_log

PLAIN = ReadOptions()
GX = 'kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"'
WHEN = ("2026-03-17T01:00:00Z", "2026-03-17T10:00:01+09:00")
COORD = ("126.8 35.15 30", "126.9 35.15")


def track(when=WHEN, coord=COORD, angles=(), tag="gx:Track", prefix="gx:"):
    parts = [f"<when>{w}</when>" for w in when] + [f"<{prefix}coord>{c}</{prefix}coord>" for c in coord]
    return f"<{tag}>{''.join(parts)}{''.join(f'<{prefix}angles>{a}</{prefix}angles>' for a in angles)}</{tag}>"


def placemark(inside, name="<name>morning</name>"):
    return f"<Placemark>{name}{inside}</Placemark>"


def kml(*placemarks, root=GX):
    return f"<?xml version='1.0'?><{root}><Document><name>all</name>{''.join(placemarks)}</Document></kml>"


def packed(text, name="doc.kml", compression=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("files/image.txt", "x")
        archive.writestr(name, text)
    return file.getvalue()


def read(tmp_path, content, options=PLAIN, name="bus.kml"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    log = read_log(str(path), options)
    assert log.record_count == log.records.height + log.rejects.height + log.other_records
    return log


@pytest.mark.parametrize("root", [GX, "kml"])
@pytest.mark.parametrize(("tag", "prefix"), [("gx:Track", "gx:"), ("Track", "")])
def test_a_track(tmp_path, root, tag, prefix):
    inside = track(angles=("90 0 0", "180"), tag=tag, prefix=prefix).replace("gx:", "gx:" if root == GX else "")
    log = read(tmp_path, kml(placemark(inside), root=root))
    t0 = dt.datetime(2026, 3, 17, 1, tzinfo=dt.UTC)
    assert log.records["time"].to_list() == [t0, t0 + dt.timedelta(seconds=1)]
    assert log.records["longitude"].to_list() == [126.8, 126.9]
    assert log.records["latitude"].to_list() == [35.15, 35.15]
    assert log.records["heading_deg"].to_list() == [90, 180]
    assert log.records["trip_id"].to_list() == ["morning"] * 2
    assert log.records["vehicle_id"].to_list() == ["bus"] * 2


def test_placemarks_are_trips_and_tracks_of_a_multitrack_are_not(tmp_path):
    many = f"<gx:MultiTrack>{track()}{track()}</gx:MultiTrack>"
    log = read(tmp_path, kml(placemark(many), placemark(track()), placemark(track(), name="")))
    assert log.records["trip_id"].to_list() == ["morning"] * 4 + ["morning (2)"] * 2 + ["track 3"] * 2


def test_unequal_counts_are_rejects_of_that_track(tmp_path):
    log = read(tmp_path, kml(placemark(track(when=WHEN[:1])), placemark(track())))
    assert log.rejects["reason"].to_list() == ["times-do-not-match"] * 2
    assert log.rejects["text"][0] == "1 when, 2 coord: 126.8 35.15 30"
    assert log.records["record"].to_list() == [3, 4]


def test_places_with_and_without_time(tmp_path):
    stamped = "<TimeStamp><when>2026-03-17T01:00:00Z</when></TimeStamp><Point><coordinates>126.8,35.15,0</coordinates></Point>"
    bare = "<Point><coordinates>126.8,35.15</coordinates></Point>"
    line = "<LineString><coordinates>1,2 3,4</coordinates></LineString>"
    area = (
        "<Polygon><outerBoundaryIs><LinearRing><coordinates>1,2</coordinates></LinearRing></outerBoundaryIs></Polygon>"
    )
    log = read(tmp_path, kml(*map(placemark, (stamped, bare, line, area))))
    assert (log.records.height, log.other_records) == (1, 3)
    assert log.records["latitude"].to_list() == [35.15]


def test_bad_positions_and_times_are_rejects(tmp_path):
    when = (*WHEN, *(f"2026-03-17T01:00:0{n}Z" for n in range(2, 5)), "2026-03-17")
    coord = ("126.8 35.15", "", "126.8", "0 0 0", "126.8 95", "126.8 35.15")
    log = read(tmp_path, kml(placemark(track(when, coord))))
    assert log.rejects["reason"].to_list() == ["bad-position"] * 4 + ["bad-time"]


def test_times_without_offset_need_a_time_zone(tmp_path):
    text = kml(placemark(track(when=("2026-03-17T10:00:00", "2026-03-17T10:00:01"))))
    with pytest.raises(LogError, match="--timezone Asia/Seoul"):
        read(tmp_path, text)
    assert read(tmp_path, text, ReadOptions(timezone="Asia/Seoul")).records["time"][0].hour == 1


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("name", ["bus.kmz", "bus.zip", "bus"])
@pytest.mark.parametrize("entry", ["doc.kml", "../../etc/x.KML"])
def test_kmz(tmp_path, compression, name, entry):
    log = read(tmp_path, packed(kml(placemark(track())), entry, compression), name=name)
    assert (log.format, log.records.height) == ("kml", 2)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_kmz_is_known_by_its_first_entry(tmp_path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("doc.kml", kml(placemark(track())))
    assert read(tmp_path, file.getvalue(), name="log.bin").format == "kml"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (kml(placemark(track()))[:-20], "was it cut off"),
        ("<!DOCTYPE kml []>" + kml(placemark(track()))[21:], "DOCTYPE"),
        (kml(), "no record"),
        (kml(placemark("<Polygon/>")), "not one of 1 records is readable"),
        (kml(placemark(track(when=()))), "times-do-not-match"),
        (packed("<kml>" + " " * 50_000_000), "would grow to 50000005 bytes"),
        (packed("x", compression=zipfile.ZIP_BZIP2), "unusual way"),
        (packed("x", compression=zipfile.ZIP_LZMA), "unusual way"),
        (packed("x", name="doc.txt"), "holds no .kml"),
        (packed(kml(placemark(track())))[:-30], "damaged or was cut off"),
    ],
)
def test_refusals(tmp_path, content, says):
    with pytest.raises(LogError, match=says) as caught:
        read(tmp_path, content, name="bus.kmz" if isinstance(content, bytes) else "bus.kml")
    assert "\n" not in str(caught.value)


def test_a_size_that_lies_is_not_believed(tmp_path):
    content = bytearray(packed("<kml>" + " " * 50_000_000))
    real = (50_000_005).to_bytes(4, "little")
    content = content.replace(real, (100_000).to_bytes(4, "little"))
    with pytest.raises(LogError):
        read(tmp_path, bytes(content), name="bus.kmz")


def test_the_document_at_the_root_of_a_kmz_is_read_and_others_are_said(tmp_path):
    """What macOS packs beside a document is none."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("__MACOSX/._doc.kml", b"\0\5\x16\7")
        archive.writestr("files/._other.kml", b"\0\5\x16\7")
        archive.writestr("files/other.kml", kml(placemark(track())))
        archive.writestr("doc.kml", kml(placemark(track(), "<name>the day</name>")))
    log = read(tmp_path, file.getvalue(), name="bus.kmz")
    assert log.records["trip_id"].unique().to_list() == ["the day"]
    assert [n.en for n in log.notices if n.code == "left-out-documents"] == [
        f"{tmp_path / 'bus.kmz'}: 1 other .kml in the archive was not read: files/other.kml; "
        "unpack it if it is a log as well."
    ]
