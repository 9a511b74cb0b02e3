"""Damaged KML and KMZ give a log or a LogError, nothing else."""

from hypothesis import given, settings

from tests.properties.damage import damaged, read_whatever
from tests.unit.test_kml import kml, packed, placemark, track

PLACE = (
    "<TimeStamp><when>2026-03-17T01:00:00Z</when></TimeStamp><Point><coordinates>126.8,35.15,0</coordinates></Point>"
)
KML = kml(placemark(track(angles=("90 0 0", "1"))), placemark(track()), placemark(PLACE))


@settings(max_examples=100)
@given(damaged(KML.encode()))
def test_damaged_kml(tmp_path, data):
    read_whatever(tmp_path / "log.kml", data)


@settings(max_examples=150)
@given(damaged(packed(KML), packed(KML, compression=0)))
def test_damaged_kmz(tmp_path, data):
    read_whatever(tmp_path / "log.kmz", data)
