"""Damaged GPX gives a log or a LogError, nothing else."""

from hypothesis import given, settings

from tests.properties.damage import damaged, read_whatever

POINT = '<trkpt lat="35.{0}" lon="126.{0}"><time>2026-03-17T01:00:{0}Z</time><extensions><x:speed>1.{0}</x:speed></extensions></trkpt>'
GPX = (
    '<?xml version="1.0" encoding="UTF-8"?><gpx xmlns="http://www.topografix.com/GPX/1/1" xmlns:x="y"><!-- c -->'
    '<wpt lat="1" lon="2"/><trk><name>아침 &amp; <![CDATA[x]]></name><trkseg>'
    + "".join(POINT.format(n) for n in range(10, 16))
    + "</trkseg></trk></gpx>"
)


@settings(max_examples=150)
@given(
    damaged(
        GPX.encode(), GPX.replace("UTF-8", "UTF-16").encode("utf-16"), GPX.replace("UTF-8", "euc-kr").encode("euc-kr")
    )
)
def test_damaged_gpx(tmp_path, data):
    read_whatever(tmp_path / "log.gpx", data)
