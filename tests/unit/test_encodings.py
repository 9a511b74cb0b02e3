"""Texts in cp949 and damaged UTF-8: the codec of Python is the oracle, places are named."""

import io
import random

import pytest

from analyzer.errors import LogError
from analyzer.logs import PartSize, ReadOptions, _cp949, guess_log, plan_log, read_log

HEADER = "vehicle_id,timestamp,latitude,longitude"
ROW = "{},2026-03-17T10:00:{:02}Z,35.15,126.80\n"
SEED = 20_260_317


def test_every_pair_of_cp949_is_what_the_codec_says():
    for lead in range(0x81, 0xFF):
        for trail in range(256):
            pair = bytes((lead, trail))
            try:
                said = pair.decode("cp949").encode()
            except UnicodeDecodeError:
                said = None
            if said is not None and len(pair.decode("cp949")) == 2:
                continue  # two characters of one byte each
            if said is None:
                with pytest.raises(_cp949.BrokenTextError) as caught:
                    _cp949.to_utf8(pair)
                assert caught.value.at == 0
            else:
                assert _cp949.to_utf8(pair) == said


def random_texts(number):
    rng = random.Random(SEED)
    syllables = [chr(c) for c in range(0xAC00, 0xD7A4)] + list("±×°ㄱㅏ、Ω½")
    for _ in range(number):
        words = (
            "".join(rng.choices(syllables if rng.random() < 0.5 else "ab,\n1", k=rng.randrange(9))) for _ in "1234"
        )
        yield "".join(words)


def test_random_texts_become_the_same_utf8():
    for text in random_texts(500):
        assert _cp949.to_utf8(text.encode("cp949")) == text.encode()


def test_damaged_texts_are_broken_where_the_codec_breaks_and_across_blocks(monkeypatch):
    rng = random.Random(SEED)
    monkeypatch.setattr(_cp949, "BLOCK_BYTES", 7)
    broken = 0
    for text in random_texts(500):
        data = bytearray(text.encode("cp949") + b"..")
        for _ in range(rng.randrange(3)):
            data[rng.randrange(len(data))] = rng.choice((0x80, 0xFF, 0xC9, 0x20, 0xA1))
        if rng.random() < 0.3:
            data += b"\xb0"
        try:
            data.decode("cp949")
            expected = None
        except UnicodeDecodeError as error:
            expected = error.start
            broken += 1
        assert _cp949.broken_at(io.BytesIO(data)) == expected, bytes(data)
    assert broken > 100


def lines(*vehicles):
    return "".join(ROW.format(vehicle, number % 60) for number, vehicle in enumerate(vehicles))


def test_beyond_the_first_megabytes_the_place_is_named_before_anything_is_read(tmp_path):
    """110,000 lines of 45 bytes are 5 MB; the byte 0xFF is in the line after them and the header."""
    path = tmp_path / "log.csv"
    good = f"{HEADER}\n{lines(*['청소1'] * 110_000)}".encode("cp949")
    assert len(good) > 4 << 20
    path.write_bytes(good + lines("청소").encode("cp949").replace(b",35", b"\xff,35"))
    place = len(good) + len("청소,2026-03-17T10:00:00Z".encode("cp949"))
    with pytest.raises(LogError, match=rf"neither UTF-8 nor cp949 text \(byte {place} \(line 110002\) is neither\)"):
        plan_log(str(path), ReadOptions())
    path.write_bytes(good)
    log = read_log(str(path), ReadOptions(), PartSize(text_bytes=1_000_000))
    assert set(log.records["vehicle_id"]) == {"청소1"}
    assert "encoding" in {notice.code for notice in log.notices}


def test_utf8_with_one_broken_line_is_not_taken_for_cp949(tmp_path):
    """As cp949 the same bytes could be read from end to end, in words that nobody wrote."""
    path = tmp_path / "log.csv"
    good = f"{HEADER}\n{lines(*['갇맏'] * 20)}".encode()
    path.write_bytes(good + b"\xb0\xa1" + lines("a").encode())
    path.read_bytes().decode("cp949")
    with pytest.raises(LogError, match=rf"UTF-8 text that is damaged at byte {len(good)} \(line 22\)"):
        read_log(str(path), ReadOptions())


def test_a_header_alone_in_cp949(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(f"차량번호,일시,위도,경도\n{lines('S1', 'S1')}".encode("cp949"))
    assert read_log(str(path), ReadOptions()).records.height == 2


OBJECT = '{{"차량번호":"청소{}","일시":"2026-03-17T10:00:{:02}Z","위도":35.1,"경도":126.8,"주행모드":"자율"}}\n'


@pytest.mark.parametrize("name", ["log.ndjson", "log.json"])
@pytest.mark.parametrize("encoding", ["cp949", "utf-16", "utf-8-sig"])
def test_lines_of_json_in_the_encodings_of_tables(tmp_path, name, encoding):
    text = "".join(OBJECT.format(n % 2, n) for n in range(40))
    (tmp_path / "usual.ndjson").write_text(text, encoding="utf-8")
    usual = read_log(str(tmp_path / "usual.ndjson"), ReadOptions())
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    plan = plan_log(str(path), ReadOptions(), PartSize(text_bytes=500))
    found = read_log(str(path), ReadOptions(), PartSize(text_bytes=500))
    assert (found.format, found.records.rows()) == ("ndjson", usual.records.rows())
    assert (len(plan.parts) == 1) == (encoding == "utf-16")
    said = {remark.words[0] for remark in found.remarks if remark.code == "encoding"}
    assert said == ({encoding} - {"utf-8-sig"})
    assert '"청소0"' in guess_log(str(path), None, "en") or name == "log.json"


def test_a_table_in_utf32(tmp_path):
    (tmp_path / "log.csv").write_bytes(f"{HEADER}\n{ROW.format('차1', 1)}".encode("utf-32"))
    assert read_log(str(tmp_path / "log.csv"), ReadOptions()).records["vehicle_id"].to_list() == ["차1"]


def test_lines_of_json_in_utf16_without_a_mark_need_a_profile(tmp_path):
    path, profile = tmp_path / "log.ndjson", tmp_path / "profile.toml"
    path.write_bytes(OBJECT.format(1, 1).encode("utf-16-le"))
    profile.write_text('[read]\nencoding = "utf-16-le"\n', encoding="utf-8")
    assert read_log(str(path), ReadOptions(profile=profile)).records["vehicle_id"].to_list() == ["청소1"]
    with pytest.raises(LogError):
        plan_log(str(path), ReadOptions())


def test_lines_of_json_name_the_place(tmp_path):
    row = b'{"vehicle_id":"V1","timestamp":"2026-03-17T10:00:00Z","latitude":35.1,"longitude":126.8}\n'
    path = tmp_path / "log.ndjson"
    path.write_bytes(row * 3 + row.replace(b"V1", b"\xff\xff"))
    with pytest.raises(LogError, match=rf"byte {3 * len(row) + 15} \(line 4\) is neither"):
        plan_log(str(path), ReadOptions())
