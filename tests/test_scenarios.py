"""Golden scenarios: every folder below tests/scenarios, with a sentence, a world, a log, and what is expected."""

import csv
import datetime as dt
from pathlib import Path

import pytest

from analyzer.analysis import analyze
from analyzer.zone_loading import load_zone_set

SCENARIOS = sorted(path.parent for path in (Path(__file__).parent / "scenarios").glob("*/expected.csv"))
TOLERANCE = dt.timedelta(microseconds=2)


def rows_of(path):
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_there_are_scenarios():
    assert len(SCENARIOS) >= 20


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda path: path.name)
def test_scenario(folder):
    assert len((folder / "README.md").read_text(encoding="utf-8").split()) > 5
    analysis = analyze([folder / "log.csv"], load_zone_set(folder))
    found = analysis.findings.sort("check", "start").to_dicts()
    expected = sorted(rows_of(folder / "expected.csv"), key=lambda row: (row["check"], row["start"]))
    assert [(r["check"], r["verdict"], r["rule_id"] or "") for r in found] == [
        (r["check"], r["verdict"], r["rule_id"]) for r in expected
    ]
    for mine, theirs in zip(found, expected, strict=True):
        for end in ("start", "end"):
            assert abs(mine[end] - dt.datetime.fromisoformat(theirs[end])) <= TOLERANCE, (end, mine[end])
        assert (mine["peak"] is None) == (not theirs["peak"])
        assert not theirs["peak"] or mine["peak"] == pytest.approx(float(theirs["peak"]), abs=0.06)
    rejects = [(str(r["record"]), r["reason"]) for r in analysis.rejects.to_dicts()]
    assert rejects == [(r["record"], r["reason"]) for r in rows_of(folder / "rejects.csv")]
