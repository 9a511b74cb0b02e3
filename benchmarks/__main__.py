"""`python -m benchmarks`: zonelog against its peers, in one run on one machine.

Fresh processes in turn, several rounds, medians; memory in runs of its own; the answers
must agree. `make bench` builds the environment and calls this.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks import agree, measure, peers, report, targets
from benchmarks.prepare import SMALL, ZONE_SETS, Data

ANALYZED = (0, 1, 3)
PEERS = ("sjoin", "contains", "clip")
PEER_MOST, CLIP_LINES, CLIP_POINTS = 10_000_000, 10_000, 1_000_000
READ_BYTES_A_FIX = 100
ABOUT = """Synthetic logs at 10 Hz of 24 vehicles in zstd Parquet (a folder of one file per vehicle and day from
5·10^7 fixes on), 7 zones with holes and up to 5,000 vertices; all checks, all tables written and
hashed, `--no-map --no-report`. docs/performance.md says how it is measured and how to read this."""


class Bench:
    """One run of the benchmark: its data, its options, and what it has found."""

    def __init__(self, work: Path, sizes: list[int], rounds: int, wanted: list[str]) -> None:
        """Prepare the data that every run needs."""
        self.sizes, self.rounds, self.wanted = sizes, rounds, wanted
        self.scale = min(max(sizes), PEER_MOST)
        self.work, self.data = work, Data(work, sys.executable)
        self.results = report.Results()
        self.answers: dict[int, dict[str, dict[str, int]]] = {}
        self.added: dict[str, int] = {}
        self.complaints: list[str] = []

    def measure(self) -> None:
        """Measure everything, the rounds of one size in turn."""
        for fixes in self.sizes:
            log = self.data.log(fixes)
            for number in range(self.rounds):
                self._say(f"{report.size_name(fixes)} fixes, round {number + 1}")
                self._round(fixes, log)
        for number in range(self.rounds):
            self._say(f"zone sets and the small log, round {number + 1}")
            self._zone_sets()
        if "clip" in self.wanted:
            self._say("MovingPandas, once")
            self._peer("clip-lines", min(CLIP_LINES, max(self.sizes)))
            self._peer("clip-points", min(CLIP_POINTS, max(self.sizes)))
        for fixes in self.sizes:
            self._say(f"memory and answers at {report.size_name(fixes)}")
            self._memory(fixes)

    def _round(self, fixes: int, log: Path) -> None:
        """Measure each tool once at one size."""
        if self._fits(fixes):
            self._timed(targets.READ, fixes, peers.read_command(log))
        self._timed(targets.ZONELOG, fixes, self._zonelog(log), ANALYZED)
        if fixes > PEER_MOST:
            return
        csv = self.data.csv(fixes)
        self._timed(targets.READ_CSV, fixes, peers.read_command(csv))
        self._timed(targets.ZONELOG_CSV, fixes, self._zonelog(csv), ANALYZED)
        self._peer("index", fixes)
        for name in ("contains", "sjoin"):
            if name in self.wanted:
                self._peer(name, fixes)

    def _zone_sets(self) -> None:
        """Measure the zone sets in turn, and the start with each."""
        small = self.data.small()
        for zones in ZONE_SETS:
            log = self.data.wide(self.scale) if zones == "63 zones" else self.data.log(self.scale)
            name = targets.with_zones(zones)
            self._timed(name, SMALL, self._zonelog(small, zones), ANALYZED)
            self._timed(name, self.scale, self._zonelog(log, zones), ANALYZED)

    def _memory(self, fixes: int) -> None:
        """Sample the memory of the read and of zonelog, and compare what that run of it wrote."""
        log = self.data.log(fixes)
        if self._fits(fixes):
            self.results.peaks[targets.READ, fixes] = measure.peak(peers.read_command(log))
        self.results.peaks[targets.ZONELOG, fixes] = measure.peak(self._zonelog(log), ANALYZED)
        times = agree.times_of(log, peers.zones_of(self.data.zones["7 zones"]))
        self.complaints += agree.whole_analysis(self.work / "out", times)

    def _zonelog(self, log: Path, zones: str = "7 zones") -> list[str | Path]:
        """Return the command of a whole analysis."""
        options = ["--zones", self.data.zones[zones], "--out", self.work / "out", "--no-map", "--no-report", "--quiet"]
        return [sys.executable, measure.ROOT / "cli.py", "analyze", log, *options]

    def _timed(self, name: str, fixes: int, command: list, statuses: tuple[int, ...] = (0,)) -> None:
        """Keep the wall and processor time of one run."""
        run = measure.run(command, statuses)
        self.results.add(name, fixes, run.seconds, run.cpu)

    def _peer(self, name: str, fixes: int) -> None:
        """Keep what one of PEERS says of itself, and its answer."""
        run = measure.run(peers.command(name, self.data.log(fixes), self.data.zones["7 zones"]))
        answer = json.loads(run.output)
        self.answers.setdefault(fixes, {})[name] = answer["inside"]
        seconds = answer["seconds"]
        if name == "sjoin":
            self.results.add(targets.JOIN, fixes, seconds)
            self.results.add(targets.JOIN_STEPS, fixes, seconds + answer["before"])
            self.results.add(targets.JOIN_PROCESS, fixes, run.seconds, run.cpu)
        elif name == "index":
            self.results.add(targets.INDEX, fixes, seconds)
            self.results.add(targets.LOOKUP, fixes, seconds - answer["building"])
        else:
            self.results.add(targets.CONTAINS if name == "contains" else targets.CLIP[name], fixes, seconds)
            self.added[name] = answer.get("added", 0)

    def compare_peers(self) -> None:
        """Complain where the numbers of fixes in the zones differ."""
        zones = peers.zones_of(self.data.zones["7 zones"])
        for fixes, answers in self.answers.items():
            clipped = {name: answers.pop(name) for name in targets.CLIP if name in answers}
            if answers:
                self.complaints += agree.same_counts(answers)
            for name, inside in clipped.items():
                longer = peers.longer_visits(self.data.log(fixes), zones)
                self.complaints += agree.same_counts({"contains": longer, name: inside}, self.added[name])

    @staticmethod
    def _fits(fixes: int) -> bool:
        """Return whether polars can hold the log in the memory of this machine."""
        import psutil

        return fixes * READ_BYTES_A_FIX < 0.7 * psutil.virtual_memory().total

    @staticmethod
    def _say(what: str) -> None:
        """Tell how far the benchmark is."""
        print(what, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; 1 where an answer differs."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=["1e6"], metavar="N", help="numbers of fixes (1e6 1e7 1e8)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of every measurement (3)")
    parser.add_argument("--peers", nargs="*", default=PEERS, choices=PEERS, help="peers beside polars (all)")
    parser.add_argument("--work", type=Path, metavar="DIR", help="keep the data here (a temporary folder)")
    parser.add_argument("--results", type=Path, default=measure.ROOT / "benchmarks" / "RESULTS.md", metavar="FILE")
    options = parser.parse_args(arguments)
    sizes = sorted({int(float(size)) for size in options.sizes})
    with tempfile.TemporaryDirectory(prefix="zonelog-bench-") as temporary:
        bench = Bench((options.work or Path(temporary)).resolve(), sizes, options.rounds, options.peers)
        about = f"{ABOUT}\n\n{report.load()}"
        print(report.machine(), report.load(), sep="\n")
        bench.measure()
        bench.compare_peers()
    lines = targets.lines_of(bench.results, sizes, bench.scale)
    options.results.write_text(report.page(lines, bench.results, bench.complaints, about), encoding="utf-8")
    print(report.promises(lines), *(f"ANSWERS DIFFER: {c}" for c in bench.complaints), sep="\n")
    return 1 if bench.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
