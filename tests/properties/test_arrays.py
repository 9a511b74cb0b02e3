"""Arrays of JSON records read as lines give the log that the whole document gives."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.errors import LogError
from analyzer.logs import ReadOptions, _arrays, _documents, read_log

PLAIN = ReadOptions(timezone="Asia/Seoul")
ISO = "2026-03-17T01:00:{:02}Z"
WORDS = st.one_of(
    st.sampled_from(
        [
            "",
            "자율",
            'said "no"',
            "a},{b",
            "},\n{",
            '"x":',
            "[1]",
            "{}",
            "C:\\n",
            ":",
            "null",
            "1.50",
            "\ud83d\ude00",
            "é",
        ]
    ),
    st.text(max_size=5),
)
NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70),
    st.integers(-9, 9),
    st.floats(),
    st.floats(-180, 180),
    st.sampled_from([0, -0.0, 1.0, 2**53 + 1, 2**63, 2**63 - 1, 1e308]),
)
VALUES = st.one_of(st.none(), WORDS, NUMBERS, st.booleans())
NESTED = st.one_of(VALUES, st.lists(VALUES, max_size=2), st.dictionaries(WORDS, VALUES, max_size=2))
NAMES = st.sampled_from(["speed_kph", "trip_id", "control_mode", "note", "차종", "at", "time", 'x"', "location.lat"])


def record(number):
    place = {"latitude": 35.15 + number * 1e-5, "longitude": 126.8}
    return {"vehicle_id": "V1", "timestamp": ISO.format(number % 60), **place}


@st.composite
def alike(draw):
    """Records of the same members, of which a few are changed, left out, or said twice."""
    more = draw(st.dictionaries(NAMES, st.sampled_from([WORDS, NUMBERS, st.integers(), st.booleans(), VALUES, NESTED])))
    count = draw(st.integers(1, 12))
    rows = [record(n) | {name: draw(values) for name, values in more.items()} for n in range(count)]
    if draw(st.booleans()):
        rows = [{**row, "at": {"e": row.pop("latitude"), "n": {"deep": row.get("speed_kph", 1)}}} for row in rows]
    for place in draw(st.lists(st.integers(0, count - 1), max_size=2)):
        name = draw(st.sampled_from([*rows[place], "new"]))
        if draw(st.booleans()):
            rows[place].pop(name, None)
        else:
            rows[place][name] = draw(NESTED)
    return rows


@st.composite
def texts(draw):
    """Arrays, written in many ways, some of them not quite JSON."""
    rows = draw(alike())
    style = draw(st.sampled_from([{}, {"separators": (",", ":")}, {"indent": 1}, {"ensure_ascii": False}]))
    text = json.dumps(rows, **style)
    if draw(st.booleans()):
        text = f'{{"count": 3, "records": {text}, "next": {json.dumps(draw(VALUES))}}}'
    for old, new in draw(st.lists(st.sampled_from(EDITS), max_size=2)):
        places = [n for n in range(len(text)) if text.startswith(old, n)]
        if places:
            at = draw(st.sampled_from(places))
            text = text[:at] + new + text[at + len(old) :]
    return text[: len(text) - draw(st.integers(0, 40))] if draw(st.integers(0, 9)) == 0 else text


EDITS = [
    ('"vehicle_id"', '"trip_id": null, "vehicle_id"'),
    ('"vehicle_id"', '"vehicle_id": "V2", "vehicle_id"'),
    ('"V1"', '"V1", "vehicle_id": null'),
    ('"V1"', "1"),
    ('"V1"', '["V1"]'),
    ('"V1"', '{"x": "V1"}'),
    ("V1", "V\n1"),
    ("V1", "V},{1"),
    ("},", "} ,\t"),
    ("},", "},,"),
    ("},", "}"),
    ("},", "}, 7,"),
    ("},", "}, {},"),
    ("}]", "},]"),
    ("126.8", "126.80000"),
    ("126.8", "+126.8"),
    ("126.8", '"126.8"'),
    ("126.8", "NaN"),
    ("126.8", "127"),
    ("[{", "[ {"),
    (": ", " : "),
    ('"latitude"', '"lat"'),
    ('"latitude"', '"\\u006catitude"'),
]


def outcome(path):
    try:
        log = read_log(str(path), PLAIN)
    except LogError as error:
        return str(error)
    return log.format, log.record_count, log.remarks, log.records.schema, log.records.rows(), log.rejects.rows()


def unlike(_path):
    raise _arrays.UnlikeError


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(_arrays, "LEAST_BYTES", 0)
    monkeypatch.setattr(_arrays, "BLOCK_BYTES", 700)


@settings(max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=texts())
def test_lines_give_what_the_document_gives(tmp_path, small, text):
    path = tmp_path / "log.json"
    path.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
    found = outcome(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_documents, "array_in", unlike)
        assert repr(outcome(path)) == repr(found)


RECORDS = [record(n) for n in range(40)]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(RECORDS),
        json.dumps(RECORDS, indent=2),
        json.dumps({"count": 40, "records": RECORDS}, separators=(",", ":")),
        json.dumps([{**r, "trip_id": 'a "quoted" one'} for r in RECORDS]),
        json.dumps([{**r, "control_mode": "자율", "operator": None} for r in RECORDS]),
        json.dumps([{**r, "speed_kph": n if n % 2 else n + 0.5} for n, r in enumerate(RECORDS)]),
        json.dumps([r | ({"trip_id": "a"} if n % 3 == 0 else {}) for n, r in enumerate(RECORDS)]),
        json.dumps([{"id": n, "a": {"time": r["timestamp"]}, **r} for n, r in enumerate(RECORDS)]),
    ],
)
def test_usual_arrays_are_read_as_lines(tmp_path, small, monkeypatch, text):
    path = tmp_path / "log.json"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(_documents, "load_document", None)
    assert read_log(str(path), PLAIN).records.height == len(RECORDS)
