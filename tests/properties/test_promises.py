"""The promises at the end of the contract, as properties of random scenarios."""

import csv
import datetime as dt
import json
import random
import re
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.analysis import Options, analyze
from analyzer.outputs import Run, write_outputs
from analyzer.zone_loading import load_zone_set
from tests.oracle.scenarios import write_random_scenario

SEEDS = st.integers(10_000, 99_999)
TABLES = ("findings", "coverage", "exposure", "events", "rejects")
RANK = {"compliant": 0, "not_observed": 0, "not_checkable": 0, "indeterminate": 1, "violation": 2}
EXAMPLES = settings(max_examples=15)


def scene(seed):
    return write_random_scenario(Path(tempfile.mkdtemp(prefix="zonelog-test-")), seed)


def logs_of(folder):
    return sorted(str(path) for path in folder.glob("log*.csv"))


def judged(folder, logs=None):
    return analyze(logs or logs_of(folder), load_zone_set(folder), Options(base=folder))


def rows_of(path):
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path, rows):
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def verdicts(analysis, shift=dt.timedelta(0)):
    """Everything that was judged, without names of files and records."""
    plain = ("finding_id", "first_file", "first_record", "last_file", "last_record", "message_ko", "message_en")
    moments = [pl.col(pl.Datetime).dt.offset_by(f"{-int(shift.total_seconds())}s")] if shift else []
    frame = analysis.findings.drop(plain).with_columns(*moments).with_columns(pl.col(pl.Float64).round(6))
    frame = frame.with_columns(trip_id=pl.when(pl.col("trip_id").str.starts_with("20")).then(None).otherwise("trip_id"))
    lines = analysis.coverage.with_columns(*moments).drop("trip_id")
    return frame.sort(frame.columns).to_dicts(), lines.sort(lines.columns).to_dicts()


@EXAMPLES
@given(seed=SEEDS)
def test_same_bytes_on_every_run_in_any_order_of_files(seed):
    folder = scene(seed)
    zone_set, logs = load_zone_set(folder), logs_of(folder)
    outputs = []
    for number, order in enumerate((logs, logs[::-1])):
        out = folder / f"out{number}"
        write_outputs(analyze(order, zone_set, Options(base=folder)), out, Run(("zonelog",), "0"))
        outputs.append({p.name: p.read_bytes() for p in sorted(out.iterdir())})
    assert outputs[0] == outputs[1]


@EXAMPLES
@given(seed=SEEDS)
def test_splitting_a_log_changes_no_verdict(seed):
    folder = scene(seed)
    before = judged(folder)
    rows = [row for path in logs_of(folder) for row in rows_of(path)]
    # One instant of one vehicle stays in one file: which of two records stands depends on the file's name.
    by_instant = {}
    for row in rows:
        by_instant.setdefault((row["vehicle_id"], row["timestamp"]), []).append(row)
    choose = random.Random(seed)
    parts = [[], [], []]
    for group in by_instant.values():
        parts[choose.randrange(3)] += group
    split = folder / "split"
    split.mkdir()
    for number, part in enumerate(part for part in parts if part):
        write_rows(split / f"part{number}.csv", part)
    after = analyze(sorted(str(p) for p in split.glob("*.csv")), load_zone_set(folder), Options(base=folder))
    assert verdicts(before) == verdicts(after)


@EXAMPLES
@given(seed=SEEDS, hours=st.integers(-11, 11))
def test_another_offset_changes_no_verdict(seed, hours):
    folder = scene(seed)
    before = judged(folder)
    zone = dt.timezone(dt.timedelta(hours=hours))
    for path in logs_of(folder):
        rows = rows_of(path)
        for row in rows:
            row["timestamp"] = dt.datetime.fromisoformat(row["timestamp"]).astimezone(zone).isoformat()
        write_rows(path, rows)
    assert verdicts(before) == verdicts(judged(folder))


@EXAMPLES
@given(seed=SEEDS)
def test_a_week_later_changes_no_verdict(seed):
    folder = scene(seed)
    before, week = judged(folder), dt.timedelta(days=7)

    def later(match):
        return (dt.datetime.fromisoformat(match[0]) + week).isoformat()

    for path in (folder / "rules.toml", folder / "zones.geojson", *map(Path, logs_of(folder))):
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"20\d\d-\d\d-\d\dT[\d:.]+\+09:00", later, text)
        path.write_text(text.replace("[2026-03-17]", "[2026-03-24]"), encoding="utf-8")
    assert verdicts(before) == verdicts(judged(folder), week)


def instants_of(analysis, verdict_rank, among):
    """Return (vehicle, trip, check) -> spans of at least that rank."""
    spans = {}
    for row in analysis.findings.iter_rows(named=True):
        if row["check"] in among and RANK.get(row["verdict"], 0) >= verdict_rank:
            key = (row["vehicle_id"], row["trip_start"], row["check"], row["rule_id"])
            spans.setdefault(key, []).append((row["start"], row["end"]))
    return spans


def with_settings(folder, **changed):
    """Return the folder with other settings; nothing merged, nothing suppressed."""
    path = folder / "rules.toml"
    lines = path.read_text(encoding="utf-8").splitlines()
    named = {"min_duration_s": 0.0, "merge_gap_s": 0.0, **changed}
    kept = [line for line in lines if line.split(" = ")[0] not in named]
    at = kept.index("[evaluation]") + 1
    kept[at:at] = [f"{name} = {json.dumps(value)}" for name, value in named.items()]
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return folder


def assert_no_worse(before, after, checks):
    """Every instant broken after was broken before."""
    old = instants_of(before, 1, checks)
    for key, spans in instants_of(after, 1, checks).items():
        for start, end in spans:
            assert any(a <= start and end <= b for a, b in old.get(key, [])), (key, start, end)


def certain(analysis, checks):
    rows = analysis.findings.filter(pl.col("check").is_in(checks) & (pl.col("verdict") == "violation"))
    return set(rows.select("vehicle_id", "trip_start", "check", "rule_id", "start").iter_rows())


@EXAMPLES
@given(seed=SEEDS, buffer=st.sampled_from([(0.0, 1.0), (0.5, 4.0), (2.0, 30.0)]))
def test_a_larger_buffer_makes_no_instant_worse(seed, buffer):
    folder = scene(seed)
    before = judged(with_settings(folder, border_buffer_m=buffer[0]))
    after = judged(with_settings(folder, border_buffer_m=buffer[1]))
    assert_no_worse(before, after, ("outside-zone", "no-entry"))
    assert certain(after, ["outside-zone", "no-entry"]) <= certain(before, ["outside-zone", "no-entry"])


@EXAMPLES
@given(seed=SEEDS, tolerance=st.sampled_from([(0.0, 0.5), (0.5, 3.0)]))
def test_a_larger_speed_tolerance_breaks_nothing_new(seed, tolerance):
    folder = scene(seed)
    permit = ("outside-zone", "permit-not-in-force", "vehicle-not-permitted")
    before = judged(with_settings(folder, speed_tolerance_kph=tolerance[0]))
    after = judged(with_settings(folder, speed_tolerance_kph=tolerance[1]))
    assert_no_worse(before, after, permit[:1])
    old = broken_spans(before)
    for key, spans in broken_spans(after).items():
        for start, end in spans:
            assert covered(start, end, old.get(key, [])), (key, start, end)


def broken_spans(analysis):
    """Spans broken in any check of permits, or of one restriction."""
    spans = {}
    rules = {r.id: r.kind for r in analysis.zone_set.rules.rules}
    for row in analysis.findings.iter_rows(named=True):
        if row["check"] in ("log-gap", "unlogged-movement"):
            continue
        who = row["rule_id"] if rules.get(row["rule_id"]) == "restriction" else "permits"
        what = row["check"] if who != "permits" else ""
        spans.setdefault((row["vehicle_id"], row["trip_start"], who, what), []).append((row["start"], row["end"]))
    return spans


def covered(start, end, spans):
    """Return whether the spans together hold the whole of one."""
    at = start
    for a, b in sorted(spans):
        if a <= at <= b:
            at = max(at, b)
    return at >= end


@EXAMPLES
@given(seed=SEEDS)
def test_a_larger_position_error_makes_nothing_certain(seed):
    folder = scene(seed)
    before = judged(with_settings(folder))
    for path in logs_of(folder):
        rows = rows_of(path)
        for row in rows:
            row["horizontal_accuracy_m"] = str(2 * float(row.get("horizontal_accuracy_m") or 3.0) + 1)
        write_rows(path, rows)
    after = judged(with_settings(folder))
    place = ["outside-zone", "no-entry", "permit-not-in-force", "vehicle-not-permitted"]
    assert certain(after, place) <= certain(before, place)


@EXAMPLES
@given(seed=SEEDS)
def test_removing_records_makes_no_unobserved_time_observed(seed):
    folder = scene(seed)
    before = judged(folder)
    choose = random.Random(seed)
    for path in logs_of(folder):
        rows = rows_of(path)
        kept = [row for row in rows if choose.random() > 0.2] or rows
        write_rows(path, kept)
    after = judged(folder)
    if before.rejects.is_empty():  # a record that went may have been the one that made another a jump
        assert after.exposure["observed_s"].sum() <= before.exposure["observed_s"].sum() + 1e-6


@EXAMPLES
@given(seed=SEEDS)
def test_records_and_time_add_up(seed):
    analysis = judged(scene(seed))
    for account in analysis.logs:
        assert account.records == account.fixes + account.rejects + account.other_records
    lines = analysis.coverage.unique(["vehicle_id", "trip_id", "trip_start"])
    span_s = (lines["trip_end"] - lines["trip_start"]).dt.total_microseconds().sum() / 1e6
    assert analysis.exposure["duration_s"].sum() == pytest.approx(span_s, abs=1e-6)


@EXAMPLES
@given(seed=SEEDS)
def test_every_finding_names_its_records(seed):
    folder = scene(seed)
    analysis = judged(folder)
    records = {path.name: rows_of(path) for path in folder.glob("log*.csv")}
    for row in analysis.findings.iter_rows(named=True):
        first = records[row["first_file"]][row["first_record"] - 1]
        last = records[row["last_file"]][row["last_record"] - 1]
        assert dt.datetime.fromisoformat(first["timestamp"]) <= row["start"]
        assert dt.datetime.fromisoformat(last["timestamp"]) >= row["end"]
        assert row["message_ko"]
        assert row["message_en"]
