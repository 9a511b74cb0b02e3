"""The engine against the brute-force oracle; and the oracle against an engine with a piece cut out."""

from functools import cache

import numpy as np
import polars as pl
import pytest

import analyzer.analysis
import analyzer.crossings
import analyzer.episodes
import analyzer.epochs
import analyzer.findings
import analyzer.fixes
import analyzer.track
from analyzer.analysis import Options, analyze
from analyzer.checks import checks
from analyzer.zone_loading import load_zone_set
from tests.oracle.compare import differences
from tests.oracle.oracle import run
from tests.oracle.scenarios import write_random_scenario

SEEDS = 300
MUTATION_SEEDS = 150


@pytest.fixture(scope="session")
def scenario(tmp_path_factory):
    """Return seed -> (folder, the oracle's verdicts), each made once."""
    root = tmp_path_factory.mktemp("scenarios")

    @cache
    def make(seed):
        folder = write_random_scenario(root / str(seed), seed)
        return folder, run(folder)

    return make


def disagreement(folder, verdicts):
    """Return where the engine differs from the oracle."""
    logs = sorted(str(path) for path in folder.glob("log*.csv"))
    return differences(verdicts, analyze(logs, load_zone_set(folder), Options(draw=False)))


@pytest.mark.parametrize("block", range(0, SEEDS, 25))
def test_engine_agrees_with_oracle(scenario, block):
    wrong = {}
    for seed in range(block, block + 25):
        found = disagreement(*scenario(seed))
        if found:
            wrong[seed] = found[:3]
    assert not wrong


def test_scenarios_meet_every_clause(scenario):
    """Agreement proves something only where every check and rule of cutting is met."""
    seen, counts = {}, {}
    for seed in range(SEEDS):
        verdicts = scenario(seed)[1]
        for finding in verdicts.findings:
            key = (finding.check, finding.verdict)
            seen[key] = seen.get(key, 0) + 1
        for what, number in verdicts.counts.items():
            counts[what] = counts.get(what, 0) + number
    judged = [code for code, check in checks().items() if "trip" not in check.scopes]
    assert min(seen.get((code, "violation"), 0) for code in judged) >= 10
    assert min(seen.get((code, "indeterminate"), 0) for code in judged) >= 5
    assert min(seen[code, "not_observed"] for code in ("log-gap", "unlogged-movement")) >= 10
    for what in ("border-cuts", "edge-cuts", "merged", "suppressed", "holes-spanned", "permits-compared", "shallow"):
        assert counts[what] >= 20, what


def without(code):
    """Return a mutation: the engine without one check."""

    def mutate(patch):
        kept = {name: check for name, check in checks().items() if name != code}
        patch.setattr(analyzer.analysis, "checks", lambda: kept)

    return mutate


def no_crossings(patch):
    empty = np.empty(0, dtype=np.int64), np.empty(0)
    patch.setattr(analyzer.crossings, "_meetings", lambda *_: empty)


def no_windows(patch):
    always = np.array([[0, 2**62]], dtype=np.int64)
    patch.setattr(analyzer.epochs, "window_edges", lambda *_: always)


def no_epoch_cuts(patch):
    patch.setattr(analyzer.track, "cut_pieces", lambda pieces, *_: pieces)


def no_validity(patch):
    honest = analyzer.epochs._matrix
    patch.setattr(analyzer.epochs, "_matrix", lambda at, spans: np.ones_like(honest(at, spans)))


def no_change(name):
    """Return a mutation: nothing is cut where this state changes."""

    def mutate(patch):
        honest = analyzer.track._changes

        def blind(fixes, found, states):
            return honest(fixes, found, {key: values for key, values in states.items() if key != name})

        patch.setattr(analyzer.track, "_changes", blind)

    return mutate


def no_zones(patch):
    honest = analyzer.track.memberships

    def blind(index, *way):
        found = honest(index, *way)
        hole_after = way[-1]
        starts = np.flatnonzero(np.concatenate([[True], hole_after[:-1]]))
        run = np.searchsorted(starts, np.arange(len(hole_after)), side="right") - 1
        held = found.combination[starts[run]]
        none = np.empty(0, dtype=np.int64)
        return analyzer.crossings.Memberships(held, none, none, none.astype(np.int32))

    patch.setattr(analyzer.track, "memberships", blind)


def no_holes(patch):
    honest = analyzer.fixes.holes_after

    def bridged(steps, evaluation):
        _, metres = honest(steps, evaluation)
        return steps.duration_us < 0, metres

    patch.setattr(analyzer.fixes, "holes_after", bridged)


def no_joining(patch):
    patch.setattr(analyzer.findings, "joined_over_holes", lambda stretches, _: stretches)


def no_merging(patch):
    patch.setattr(analyzer.findings, "merged", lambda stretches, *_: stretches)


def no_suppressing(patch):
    patch.setattr(analyzer.findings, "too_short", lambda found, *_: pl.Series([False] * found.height, dtype=pl.Boolean))


def no_buffer(patch):
    patch.setattr(analyzer.findings, "beyond", lambda stretches, *_: stretches)


def no_jumps(patch):
    patch.setattr(
        analyzer.fixes,
        "without_jumps",
        lambda ordered, steps, _: (ordered, steps, np.ones(len(ordered.time_us), dtype=bool)),
    )


MUTATIONS = {
    **{f"without {code}": without(code) for code in checks()},
    "no border crossings": no_crossings,
    "no windows": no_windows,
    "no cuts at edges of time": no_epoch_cuts,
    "no validity": no_validity,
    "no cuts where the mode changes": no_change("control_mode"),
    "no cuts where the operator changes": no_change("operator"),
    "no cuts where the speed band changes": no_change("band"),
    "no cuts where moving changes": no_change("moving"),
    "no cuts where the zones change": no_zones,
    "no holes": no_holes,
    "no joining over holes": no_joining,
    "no merging": no_merging,
    "no suppressing": no_suppressing,
    "no least depth": no_buffer,
    "no position jumps": no_jumps,
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_oracle_notices_what_is_cut_out(scenario, name, monkeypatch):
    MUTATIONS[name](monkeypatch)
    for seed in range(MUTATION_SEEDS):
        try:
            if disagreement(*scenario(seed)):
                return
        except Exception:  # noqa: BLE001 - an engine that breaks is noticed as well
            return
    pytest.fail(f"{name}: {MUTATION_SEEDS} scenarios agree all the same")
