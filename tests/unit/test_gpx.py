"""GPX: what is read, assumed, counted, refused."""

import datetime as dt
import io

import gpxpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import LogError
from analyzer.logs import ReadOptions, _shapes, gpx, read_log
from analyzer.logs._xml import XmlReader

PLAIN = ReadOptions()


def point(lat=35.15, lon=126.8, time="2026-03-17T01:00:00Z", more=""):
    return f'<trkpt lat="{lat}" lon="{lon}"><time>{time}</time>{more}</trkpt>'


def document(*points, track="<name>morning</name>", root='gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"'):
    return f"<?xml version='1.0'?><{root}><trk>{track}<trkseg>{''.join(points)}</trkseg></trk></gpx>"


def read(tmp_path, text, options=PLAIN, name="sweeper7.gpx", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return read_log(str(path), options)


def test_a_point(tmp_path):
    log = read(tmp_path, document(point()))
    row = log.records.row(0, named=True)
    assert row["time"] == dt.datetime(2026, 3, 17, 1, tzinfo=dt.UTC)
    assert (row["vehicle_id"], row["trip_id"], row["latitude"]) == ("sweeper7", "morning", 35.15)
    assert "speed_kph" not in row
    assert (log.format, log.record_count, log.other_records) == ("gpx", 1, 0)


@pytest.mark.parametrize(
    "more",
    [
        "<speed>2</speed><course>90</course>",
        "<extensions><speed>2</speed><course>90</course></extensions>",
        "<extensions><g:TrackPointExtension><g:speed>2</g:speed><g:course>90</g:course></g:TrackPointExtension></extensions>",
        "<extensions><osmand:speed>2</osmand:speed><course>90</course></extensions>",
    ],
)
@pytest.mark.parametrize("root", ['gpx version="1.0"', 'gpx xmlns="http://www.topografix.com/GPX/1/1" xmlns:g="x"'])
def test_speed_and_course_are_metres_a_second_and_degrees(tmp_path, more, root):
    row = read(tmp_path, document(point(more=more), root=root)).records.row(0, named=True)
    assert (row["speed_kph"], row["heading_deg"]) == (7.2, 90)


def test_a_profile_says_another_unit_of_speed(tmp_path):
    profile = tmp_path / "profile.toml"
    profile.write_text('[columns]\nspeed_kph = "speed"\n', encoding="utf-8")
    log = read(tmp_path, document(point(more="<speed>2</speed>")), ReadOptions(profile=profile))
    assert log.records["speed_kph"].to_list() == [2]


def test_two_speeds_are_counted(tmp_path):
    log = read(tmp_path, document(point(more="<speed>2</speed><extensions><speed>3</speed></extensions>")))
    assert log.records["speed_kph"].to_list() == [7.2]
    assert "two-speeds" in {n.code for n in log.notices}


def test_times_without_offset_are_utc_and_said(tmp_path):
    text = document(point(time="2026-03-17T01:00:00"), point(time="2026-03-17T10:00:01+09:00"))
    log = read(tmp_path, text, ReadOptions(timezone="Asia/Seoul"))
    assert [t.hour for t in log.records["time"]] == [1, 1]
    notice = next(n for n in log.notices if n.code == "times-taken-as-utc")
    assert "1 time without" in notice.en
    profile = tmp_path / "profile.toml"
    profile.write_text('[fixed]\ntimezone = "Asia/Seoul"\n', encoding="utf-8")
    log = read(tmp_path, text, ReadOptions(profile=profile))
    assert [t.hour for t in log.records["time"]] == [16, 1]


def test_tracks_are_trips_and_segments_are_not(tmp_path):
    track = f"<trkseg>{point()}</trkseg><trkseg>{point()}</trkseg>"
    text = f"<gpx><trk><name>A</name>{track}</trk><trk>{track}</trk><trk><name>A</name>{track}</trk></gpx>"
    assert read(tmp_path, text).records["trip_id"].to_list() == ["A", "A", "track 2", "track 2", "A (2)", "A (2)"]


def test_names_of_points_and_links_are_no_trips(tmp_path):
    inside = point(more="<name>here</name><link href='x'><text>t</text><name>no</name></link>")
    text = (
        document(inside, track="")
        .replace("<gpx", "<gpx", 1)
        .replace("<trk>", "<metadata><name>m</name></metadata><trk>")
    )
    assert read(tmp_path, text).records["trip_id"].to_list() == ["track 1"]


def test_everything_is_counted(tmp_path):
    points = [
        point(),
        point(lat=95),
        point(lat=0, lon=0),
        '<trkpt lat="35" lon="126"></trkpt>',
        '<trkpt lon="126"><time>2026-03-17T01:00:00Z</time></trkpt>',
        point(time="gestern"),
        point(lat="NaN"),
    ]
    extra = '<wpt lat="35" lon="126"><time>2026-03-17T01:00:00Z</time></wpt><rte><rtept lat="1" lon="2"/><rtept lat="1" lon="2"/></rte>'
    log = read(tmp_path, document(*points).replace("<trk>", extra + "<trk>"))
    assert (log.record_count, log.records.height, log.other_records) == (10, 1, 3)
    assert log.rejects["reason"].to_list() == ["bad-position"] * 2 + [
        "bad-time",
        "bad-position",
        "bad-time",
        "bad-position",
    ]
    assert log.rejects["record"].to_list() == [5, 6, 7, 8, 9, 10]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "euc-kr"])
def test_encodings(tmp_path, encoding):
    text = document(point(), track="<name>청소</name>").replace(
        "'1.0'", f"'1.0' encoding='{encoding.removesuffix('-sig')}'"
    )
    assert read(tmp_path, text, encoding=encoding).records["trip_id"].to_list() == ["청소"]


def test_content_comes_before_the_suffix(tmp_path):
    for name in ("log.csv", "log.txt", "log.xml", "log"):
        assert read(tmp_path, document(point()), name=name).format == "gpx"


def test_a_long_comment_before_the_root(tmp_path):
    text = document(point()).replace("?>", "?><!--" + " <kml> " * 2000 + "-->", 1)
    assert read(tmp_path, text).format == "gpx"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (document(point())[:150], "was it cut off"),
        (document(point()) + "<gpx>", "not sound XML"),
        ("<!DOCTYPE gpx [<!ENTITY a 'b'>]>" + document(point())[21:], "DOCTYPE"),
        ("<gpx>" + "<a>" * 200, "nested more than"),
        ("<gpx>" + "".join(f"<a{n}/>" for n in range(200_000)), "names of elements"),
        ("<gpx><!--" + "x" * 12_000_000, "longer than"),
        ("<gpx></gpx>", "no record"),
        ('<gpx><wpt lat="1" lon="2"/></gpx>', "not one of 1 records"),
        ("<kml></kml>", "not|kml"),
    ],
)
def test_refusals(tmp_path, text, says):
    with pytest.raises(LogError, match=says) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("count", [3, 100])
def test_a_file_that_breaks_off_is_read_up_to_there(tmp_path, count):
    """As a phone leaves it whose battery ended; whatever byte is the last."""
    text = document(*[point(time=f"2026-03-17T01:{n // 60:02}:{n % 60:02}Z") for n in range(count)])
    last = text.rindex("<trkpt")
    for end in (last + 10, last + 40, text.rindex("</trkpt>") + 3):
        log = read(tmp_path, text[:end])
        begun = end > text.index(">", last)
        assert (log.records.height, log.rejects["reason"].to_list()) == (count - 1, ["bad-record"] * begun)
        assert {n.code for n in log.notices} == {"document-cut", "vehicle-from-file"}
    log = read(tmp_path, text[: text.rindex("</trkseg>") + 4])
    assert (log.records.height, log.rejects.height) == (count, 0)


POINTS = st.lists(
    st.tuples(
        st.integers(1, 89 * 10**7).map(lambda n: n / 1e7),
        st.integers(1, 179 * 10**7).map(lambda n: -n / 1e7),
        st.integers(631_152_000, 4_102_444_800).map(lambda s: dt.datetime.fromtimestamp(s, dt.UTC)),
        st.one_of(st.none(), st.integers(0, 5000).map(lambda n: n / 100)),
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=50)
@given(POINTS)
def test_as_the_library_writes_it_and_reads_it(tmp_path, points):
    gpx, track, segment = gpxpy.gpx.GPX(), gpxpy.gpx.GPXTrack("t"), gpxpy.gpx.GPXTrackSegment()
    gpx.tracks.append(track)
    track.segments.append(segment)
    for lat, lon, time, speed in points:
        segment.points.append(gpxpy.gpx.GPXTrackPoint(lat, lon, time=time, speed=speed))
    text = gpx.to_xml(version="1.0", prettyprint=False)
    theirs = gpxpy.parse(text).tracks[0].segments[0].points
    ours = read(tmp_path, text).records
    assert ours["latitude"].to_list() == [p.latitude for p in theirs]
    assert ours["longitude"].to_list() == [p.longitude for p in theirs]
    assert ours["time"].to_list() == [p.time for p in theirs]
    speeds = ours["speed_kph"].to_list() if "speed_kph" in ours.columns else [None] * len(theirs)
    assert speeds == [None if p.speed is None else pytest.approx(p.speed * 3.6) for p in theirs]


PIECES = st.sampled_from(
    [
        '<trkpt lat="35.{0}" lon="126.{0}"><time>2026-03-17T01:00:{0}Z</time></trkpt>',
        '<trkpt lat="35.{0}" lon="126.{0}"><time>2026-03-17T01:00:{0}Z</time></trkpt>',
        '\n <trkpt lon="126.{0}" lat="35.{0}">\n<ele>1</ele><time> 2026-03-17T01:00:{0}Z </time><speed>{0}</speed>\n</trkpt>',
        '<trkpt lat="35.1" lon="126.1" a="{0}"><time>2026-03-17T01:00:00Z</time><extensions><x:a b="c"><x:speed>{0}</x:speed><x:course>9</x:course></x:a></extensions></trkpt>',
        '<trkpt lat="35.1" lon="126.1"><speed>1</speed><speed>{0}</speed></trkpt>',
        '<trkpt lat="35.1" lon="126.1"><link href="x"><time>{0}</time></link><time>2026-03-17T01:00:00Z</time></trkpt>',
        '<trkpt lat="35.1" lon="126.1"><time>2026-03-17T01:00:{0}Z<!-- x --></time></trkpt>',
        '<!-- <trkpt lat="1.{0}" lon="2"><time>2026-03-17T01:00:{0}Z</time></trkpt> -->',
        '<!-- </trkpt><trkpt lat="35.{0}" lon="126.{0}"><time>2026-03-17T01:00:{0}Z</time></trkpt> -->',
        '<a><![CDATA[ <trkpt lat="1" lon="2"></trkpt> ]]></a>',
        '<trkpt lat="35.1" lon="126.1"><time>2026-03-17T01:00:&#4{0};Z</time></trkpt>',
        '<trkpt lat="35.1" lon="126.1"><time/><speed></speed></trkpt>',
        "<trkpt lat='35.1' lon='126.1'><cmt>{0} &lt;청소&gt;</cmt><time>2026-03-17T01:00:00Z</time></trkpt>",
        '<trkpt lat="35.1" lon="126.1"><time>2026-03-17T01:00:00Z</time><speed>1</speed>x<speed>{0}</speed></trkpt>',
        '<trkpt lat="35.1" lon="126.1"><trkpt lat="1" lon="{0}"></trkpt><time>2026-03-17T01:00:00Z</time></trkpt>',
        "</trkseg><trkseg>",
        "</trkseg></trk><trk><name>{0}</name><trkseg>",
        '<wpt lat="1" lon="2"></wpt>',
        "</broken>",
        "\x0b",
    ]
)


def everything(read):
    try:
        tracks = gpx._Tracks()
        read(tracks)
    except LogError as error:
        return str(error).partition(":")[2]
    return tracks.points.record, tracks.points.others, tracks.two_speeds, tracks.points.frame().rows()


@pytest.mark.parametrize("name", ["bare", "speed", "pretty", "extension"])
def test_points_written_alike_need_no_parser(tmp_path, name):
    point = {
        "bare": '<trkpt lat="35.{0}" lon="126.{0}"><time>2026-03-17T01:00:{0}Z</time></trkpt>',
        "speed": '<trkpt lat="35.1" lon="126.{0}"><ele>1</ele><time>2026-03-17T01:00:{0}Z</time><speed>1</speed><course>2</course></trkpt>',
        "pretty": '\n  <trkpt lat="35.1" lon="126.{0}">\n    <time>2026-03-17T01:00:{0}Z</time>\n    <sat/>\n  </trkpt>',
        "extension": '<trkpt lon="126.{0}" lat="35.1"><time>2026-03-17T01:00:{0}Z</time><extensions><g:a><g:speed>{0}</g:speed></g:a></extensions></trkpt>',
    }[name]
    stream = io.BytesIO(
        f"<gpx><trk><trkseg>{''.join(point.format(n) for n in range(10, 60))}</trkseg></trk></gpx>".encode()
    )
    tracks = gpx._Tracks()
    runs = list(_shapes.ShapedReader(XmlReader("x", tracks.start, tracks.end)).read(stream))
    assert sum(run.height for run in runs) >= 48


@settings(max_examples=300)
@given(st.lists(st.tuples(PIECES, st.integers(1, 40)), min_size=1, max_size=8), st.sampled_from([60, 500, 10_000]))
def test_points_written_alike_are_read_as_the_parser_reads_them(tmp_path, pieces, block):
    inside = "".join(piece.format(10 + n % 50) for piece, times in pieces for n in range(times))
    path = tmp_path / "log.gpx"
    path.write_text(f'<gpx xmlns="a"><trk><trkseg>{inside}</trkseg></trk></gpx>', encoding="utf-8")

    def slow(tracks):
        with path.open("rb") as file:
            XmlReader("x", tracks.start, tracks.end).read(file)

    def fast(tracks):
        with path.open("rb") as file:
            for run in _shapes.ShapedReader(XmlReader("x", tracks.start, tracks.end)).read(file):
                tracks.add_run(run)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_shapes, "BLOCK_BYTES", block)
        patch.setattr(_shapes, "SHORTEST_RUN", 2)
        assert everything(fast) == everything(slow)
