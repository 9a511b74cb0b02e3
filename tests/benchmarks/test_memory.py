"""Memory does not grow with the log: the whole process tree, at 3 and at 9 million fixes."""

import sys

import pytest

from benchmarks import data, measure, zone_sets

MOST_MB, SAME = 600, 1.15
VEHICLES = 12
FIXES = VEHICLES * data.DRIVE
"""One day of each vehicle, a file each; three times as long are three days."""


def peak_mb(folder, fixes):
    log = data.write_folder(data.Fleet(zone_sets.SIX, fixes, VEHICLES), folder / f"log-{fixes}")
    zones = zone_sets.write_zone_set(folder / "zones")
    options = ["--zones", zones, "--out", folder / "out", "--no-map", "--no-report", "--quiet"]
    return measure.peak([sys.executable, measure.ROOT / "cli.py", "analyze", log, *options], (0, 1, 3)).rss


@pytest.mark.slow
def test_is_small_and_does_not_grow_with_the_log(tmp_path):
    peaks = [peak_mb(tmp_path, fixes) for fixes in (FIXES, 3 * FIXES)]
    assert max(peaks) <= MOST_MB, peaks
    assert max(peaks) <= SAME * min(peaks), peaks
