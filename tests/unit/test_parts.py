"""Logs in parts: the parts together say what the whole says, whatever their size."""

import json
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import LogError
from analyzer.logs import PartSize, ReadOptions, Remark, notices_of, plan_log, read_log, read_part, refuse_unreadable
from analyzer.logs._format import bounds

PLAIN = ReadOptions()
NAMES = ("vehicle_id", "timestamp", "latitude", "longitude", "speed_kph", "control_mode", "note")
HEADER = ",".join(NAMES)
ROW = "V1,2026-03-17T10:00:{:02}+09:00,35.15,126.80,5,autonomous,"

TIMES = st.one_of(
    st.integers(0, 59).map(lambda s: f"2026-03-17T10:00:{s:02}.{s:03}+09:00"),
    st.sampled_from(["2026-03-17 10:01:02Z", "2026/03/17 10:02+09", "2026-03-17T10:00:60.000+09:00", "gestern", ""]),
)
RECORDS = st.lists(
    st.tuples(
        st.sampled_from(["V1", "V2", " V3", "버스", ""]),
        TIMES,
        st.sampled_from(["35.15", "35.150", "95", "abc", ""]),
        st.sampled_from(["126.80", "1.268e2", " 126.8 "]),
        st.sampled_from(["5", "-1", "nan", "x", ""]),
        st.sampled_from(["autonomous", "자율", "Zauber", "Hexe", ""]),
        st.sampled_from(["", "plain", "two\nlines", 'say "x"', "a,b", "blank\n\n\nlines"]),
    ),
    min_size=1,
    max_size=30,
)


def said(log):
    return log.records.to_dicts(), log.rejects.to_dicts(), log.record_count, log.notices


def same(path, size, options=PLAIN):
    """Assert that a log read in parts is the log read at once; or is refused as that is."""
    assert outcome(path, options, size) == outcome(path, options, PartSize(10**9, 10**9))


def outcome(path, options, size):
    """Return what a log says, as text (NaN is not itself), or why it is refused."""
    try:
        return str(said(read_log(path, options, size)))
    except LogError as error:
        return str(error)


def quoted(field):
    return f'"{field.replace(chr(34), chr(34) * 2)}"' if set(field) & set(',"\n') else field


@settings(max_examples=40)
@given(RECORDS, st.integers(1, 2000), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans(), st.data())
def test_parts_of_a_csv_of_any_size(tmp_path, records, size, newline, mark, ended, data):
    lines = [HEADER, *(",".join(map(quoted, record)) for record in records)]
    for _ in range(data.draw(st.integers(0, 2))):
        extra = data.draw(st.sampled_from(["", lines[-1] + ",more,fields", "V1"]))
        lines.insert(data.draw(st.integers(1, len(lines))), extra)
    text = newline.join(lines) + newline * ended
    path = tmp_path / "log.csv"
    path.write_bytes(text.encode("utf-8-sig" if mark else "utf-8"))
    same(str(path), PartSize(text_bytes=size))


@settings(max_examples=40)
@given(RECORDS, st.integers(1, 3000), st.booleans())
def test_parts_of_an_ndjson_of_any_size(tmp_path, records, size, broken):
    def line(record):
        return json.dumps({name: value for name, value in zip(NAMES, record, strict=True) if value})

    lines = [line(("V1", "2026-03-17T10:00:00Z", "35.1", "126.8", "5", "manual", "x")), *map(line, records)]
    lines[1:1] = ["{broken", "", "[1]"] if broken else []
    path = tmp_path / "log.ndjson"
    path.write_text("\n".join(lines), encoding="utf-8")
    same(str(path), PartSize(text_bytes=size))


@settings(max_examples=40)
@given(RECORDS, st.integers(1, 40))
def test_parts_of_typed_tables_of_any_size(tmp_path, records, size):
    frame = pl.DataFrame(records, schema=NAMES, orient="row").with_columns(pl.col("latitude").cast(float, strict=False))
    frame.write_parquet(tmp_path / "log.parquet", row_group_size=7)
    frame.write_ipc(tmp_path / "log.arrow")
    for name in ("log.parquet", "log.arrow"):
        same(str(tmp_path / name), PartSize(records=size))
        plan = plan_log(str(tmp_path / name), PLAIN, PartSize(records=size))
        assert sum(part.records for part in plan.parts) == len(records)
        assert max(part.records for part in plan.parts) <= size


def write(path, *lines, encoding="utf-8", newline="\n"):
    path.write_bytes((newline.join(lines) + newline).encode(encoding))
    return str(path)


def small(path, options=PLAIN):
    return plan_log(path, options, PartSize(text_bytes=150))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_parts_end_at_line_ends_outside_quotes(tmp_path, encoding, newline):
    rows = [ROW.format(s) + f'"first, 줄{newline}""second"""' for s in range(20)]
    path = write(tmp_path / "log.csv", HEADER, *rows, encoding=encoding, newline=newline)
    plan = small(path)
    content = (tmp_path / "log.csv").read_bytes()
    assert len(plan.parts) > 5
    assert all(a.stop == b.start for a, b in pairwise(plan.parts))
    pieces = [content[part.start : part.stop] for part in plan.parts]
    assert content.endswith(b"".join(pieces))
    assert all(piece.startswith(b"V1,") and piece.count(b'"') % 2 == 0 for piece in pieces)
    log = read_log(path, PLAIN, PartSize(text_bytes=150))
    assert log.records["record"].to_list() == list(range(1, 21))
    assert [n.code for n in log.notices] == ([] if encoding.startswith("utf") else ["encoding"])


def test_records_count_from_one_within_a_part(tmp_path):
    rows = [ROW.format(s) for s in range(20)]
    rows[13] += ",too,many"
    rows[3:3] = ["", ""]
    plan = small(write(tmp_path / "log.csv", HEADER, *rows))
    logs = [read_part(plan, part, PLAIN) for part in plan.parts]
    assert sum(log.record_count for log in logs) == 20
    assert all(log.sha256 is None for log in logs)
    for log in logs:
        numbers = sorted([*log.records["record"], *log.rejects["record"]])
        assert numbers == list(range(1, log.record_count + 1))
    assert [log.rejects.height for log in logs].count(1) == 1


def test_a_bad_cell_in_a_later_part_is_one_reject_in_its_own_words(tmp_path):
    rows = [ROW.format(s) for s in range(20)]
    rows[17] = rows[17].replace("35.15", "35.150x")
    rows[18] = rows[18].replace("35.15", "95.00")
    log = read_log(write(tmp_path / "log.csv", HEADER, *rows), PLAIN, PartSize(text_bytes=150))
    assert log.rejects.select("record", "reason").rows() == [(18, "bad-position"), (19, "bad-position")]
    assert "35.150x" in log.rejects["text"][0]
    assert "95.00" in log.rejects["text"][1]


def test_a_later_part_can_refuse_the_file(tmp_path):
    rows = [ROW.format(s) for s in range(20)]
    naive = [row if number < 15 else row.replace("+09:00", "") for number, row in enumerate(rows)]
    plan = small(write(tmp_path / "naive.csv", HEADER, *naive))
    assert read_part(plan, plan.parts[0], PLAIN).record_count
    with pytest.raises(LogError, match="--timezone Asia/Seoul"):
        read_part(plan, plan.parts[-1], PLAIN)
    swapped = [r.replace("35.15,126.80", "126.80,35.15") if s > 15 else r for s, r in enumerate(rows)]
    plan = small(write(tmp_path / "swapped.csv", HEADER, *swapped))
    with pytest.raises(LogError, match="swapped"):
        read_part(plan, plan.parts[-1], PLAIN)


def test_a_part_without_a_readable_record_is_no_error(tmp_path):
    rows = [ROW.format(s).replace("2026-03-17T", "x") for s in range(20)]
    path = write(tmp_path / "log.csv", HEADER, *rows)
    plan = small(path)
    log = read_part(plan, plan.parts[0], PLAIN)
    assert (log.records.height, log.rejects.height) == (0, log.record_count)
    with pytest.raises(LogError, match=r"not one of 20 records is readable; the first \(record 1\)"):
        read_log(path, PLAIN)
    with pytest.raises(LogError, match="header but no record"):
        refuse_unreadable(path, 0, None)


def test_only_blank_lines_are_no_record(tmp_path):
    with pytest.raises(LogError, match="header but no record"):
        read_log(write(tmp_path / "log.csv", HEADER, "", "", ""), PLAIN)


def test_utf16_is_one_part(tmp_path):
    path = write(tmp_path / "log.csv", HEADER, *(ROW.format(s) for s in range(20)), encoding="utf-16")
    assert len(small(path).parts) == 1
    assert read_log(path, PLAIN).record_count == 20


def test_invalid_bytes_are_one_clear_sentence(tmp_path):
    (tmp_path / "log.csv").write_bytes(HEADER.encode() + b"\n" + ROW.format(1).encode() + b"\xff\xfe\xff\n")
    with pytest.raises(LogError, match="neither UTF-8 nor cp949"):
        plan_log(str(tmp_path / "log.csv"), PLAIN)


def test_a_table_without_a_header_line(tmp_path):
    profile = tmp_path / "profile.toml"
    profile.write_text(
        '[read]\ncolumns = ["vehicle_id", "timestamp", "latitude", "longitude"]\nencoding = "utf8"\n', encoding="utf-8"
    )
    path = write(tmp_path / "log.csv", *(ROW.format(s) for s in range(20)))
    options = ReadOptions(profile=profile)
    for size in (150, 10**6):
        log = read_log(path, options, PartSize(text_bytes=size))
        assert log.records["record"].to_list() == list(range(1, 21))


def test_ids_that_are_floats_agree_between_parts(tmp_path):
    frame = pl.DataFrame(
        {
            "vehicle_id": [971650.0, 971650.0, 7.5, 2.0**70, None],
            "timestamp": ["2026-03-17T10:00:00Z"] * 5,
            "latitude": [35.1] * 5,
            "longitude": [126.8] * 5,
        }
    )
    frame.write_parquet(tmp_path / "log.parquet")
    for size in (1, 2, 5):
        log = read_log(str(tmp_path / "log.parquet"), PLAIN, PartSize(records=size))
        assert log.records["vehicle_id"].to_list() == ["971650", "971650", "7.5", "1.1805916207174113e+21"]


def test_members_that_come_late_in_an_ndjson(tmp_path, monkeypatch):
    monkeypatch.setattr("analyzer.logs.ndjson.HEAD_BYTES", 150)
    first = {"vehicle_id": "V1", "timestamp": "2026-03-17T10:00:00Z", "latitude": 35.1, "longitude": 126.8}
    lines = [json.dumps(first | {"note": n}) for n in range(9)] + [json.dumps(first | {"trip_id": 7.0, "speed_kph": 3})]
    path = write(tmp_path / "log.ndjson", *lines)
    for size in (150, 10**6):
        log = read_log(path, PLAIN, PartSize(text_bytes=size))
        assert log.records.select("trip_id", "speed_kph").row(9) == ("7", 3.0)
        assert log.records["speed_kph"].null_count() == 9


def test_plans_depend_on_the_file_alone_and_parts_are_even():
    assert bounds(0, 10, 4) == [0, 3, 6, 10]
    assert bounds(5, 5, 4) == [5, 5]
    assert bounds(0, (1 << 19) + 1, 1 << 19) == [0, 1 << 18, (1 << 19) + 1]


def test_remarks_add_up_in_any_order():
    remarks = [
        Remark("unmapped-operator", "b.csv", 2, ("z", "a")),
        Remark("negative-speed", "a.csv", 1),
        Remark("unmapped-operator", "b.csv", 3, ("c", "b", "d", "e")),
        Remark("negative-speed", "a.csv", 4),
    ]
    first, second = notices_of(remarks)
    assert (first.code, second.code) == ("negative-speed", "unmapped-operator")
    assert first.en == "a.csv: 5 speeds below 0 are taken as not said."
    assert second.en == "b.csv: 5 values of operator are not known and count as 'unknown': 'a', 'b', 'c', 'd', 'e'."
    assert notices_of(reversed(remarks)) == (first, second)


STAMPS = ["", ".5", ".25", ".125", ".1234", ".12345", ".123456", ".1234567", ".12345678", ".123456789", ".000001"]


@pytest.mark.parametrize("fraction", STAMPS)
@pytest.mark.parametrize("offset", ["Z", "z", "+09:00", " +0900", "-05", ""])
def test_times_of_one_layout_are_those_of_single_texts(fraction, offset):
    from analyzer.logs._times import _parsed, instants

    texts = [f"2026-03-17T10:{m:02}:{s:02}{fraction}{offset}" for m in (0, 1, 59) for s in range(60)]
    odd = [
        None,
        "",
        "gestern",
        *(texts[7].replace(old, new) for old, new in ((":07", ":60"), (":07", ":0x"), ("1", " "))),
    ]
    odd += [f" {texts[8]} ", texts[9] + "x", texts[10].replace("T", "t"), texts[11].replace(".", ":"), texts[12][:-1]]
    column = pl.Series("timestamp", [*texts, *odd, *texts])
    assert instants("x", column, "timestamp", "Asia/Seoul").equals(_parsed("x", "Asia/Seoul", column))


@pytest.mark.parametrize("end", ['"', '5,"', '35.15,"'])
def test_a_table_that_ends_in_an_open_quote_is_no_crash(tmp_path, end):
    """A lone quote where a number is due makes polars 2.1 panic."""
    path = tmp_path / "log.csv"
    path.write_text(f"{HEADER}\n{ROW.format(1)}\nV1,2026-03-17T10:00:02+09:00,{end}", encoding="utf-8")
    log = read_log(str(path), PLAIN)
    assert (log.record_count, log.records.height) == (2, 1)
