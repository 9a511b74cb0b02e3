"""The synthetic day: its truth is found, whatever is built into it."""

import datetime as dt

from analyzer.demo import compare, run_demo, write_day
from analyzer.demo_day import build_day


def test_truth_is_found(tmp_path):
    analysis, outcome = run_demo(tmp_path / "out", "ko")
    assert [fact["what_en"] for fact, found in outcome.rows if not found] == []
    assert outcome.extra == 0
    assert analysis.coverage["vehicle_id"].n_unique() == 4
    assert {p.name for p in (tmp_path / "out").iterdir()} >= {"logs", "truth.csv", "SYNTHETIC.txt", "report.html"}


def test_a_wrong_truth_is_noticed(tmp_path):
    analysis, _ = run_demo(tmp_path / "out", "ko")
    day = build_day()
    day.truth[0]["start"] += dt.timedelta(seconds=1)
    outcome = compare(day, analysis.findings)
    assert [found for _, found in outcome.rows].count(False) == 1


def test_the_day_is_labelled_and_always_the_same(tmp_path):
    for name in ("a", "b"):
        write_day(tmp_path / name)
    first = {p.name: p.read_bytes() for p in (tmp_path / "a").rglob("*") if p.is_file()}
    assert first == {p.name: p.read_bytes() for p in (tmp_path / "b").rglob("*") if p.is_file()}
    assert all(name.startswith("SYNTHETIC") or name == "truth.csv" for name in first)


def test_every_fact_asked_for_is_built_in():
    checks = [(fact["check"], fact["verdict"]) for fact in build_day().truth]
    for wanted in (
        ("outside-zone", "violation"),
        ("outside-zone", "indeterminate"),
        ("speed-limit", "violation"),
        ("operating-hours", "violation"),
        ("driving-mode", "violation"),
        ("log-gap", "not_observed"),
        ("unlogged-movement", "not_observed"),
        ("", "compliant"),
    ):
        assert wanted in checks
    assert checks.count(("outside-zone", "violation")) == 2  # the deep departure and the clipped corner
