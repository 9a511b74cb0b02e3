"""Jobs that misbehave, done by the engine of Ray: `python -m tests.sharding.hand_out FOLDER CASE`; prints what came of each."""

import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import analyzer.ray_engine
from analyzer.engines import engine_of
from analyzer.errors import LedgerError
from analyzer.tasks import Outcome, Reading


@dataclass(frozen=True)
class Note:
    """A task that notes its tries and dies, sleeps, fills the memory or raises in the first of them."""

    number: int
    folder: Path
    records: int = 0
    bad_tries: int = 0
    how: str = "dies"

    def run(self, common, hints=None):
        tries = len(list(self.folder.glob(f"{self.number}-*")))
        (self.folder / f"{self.number}-{tries}-{time.time_ns()}").touch()
        if tries < self.bad_tries:
            self._misbehave()
        return Outcome(readings=(Reading(self.number, tries),))

    def _misbehave(self):
        if self.how == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.how == "sleeps":
            time.sleep(600)
        elif self.how == "raises":
            raise LedgerError("as it should be")


def jobs_of(case, folder):
    bad = {"once": 1, "always": 99, "late": 1, "always-late": 99, "raises": 99}[case]
    how = {"late": "sleeps", "always-late": "sleeps", "raises": "raises"}.get(case, "dies")
    return [Note(n, folder, n * 100, bad if n == 3 else 0, how) for n in range(8)]


def shown(outcome):
    return [outcome.readings[0].file, outcome.readings[0].part] if isinstance(outcome, Outcome) else str(outcome)


if __name__ == "__main__":
    found = {}
    with engine_of("ray") as engine:
        engine.share(None)
        for case in sys.argv[2:]:
            folder = Path(sys.argv[1]) / case
            folder.mkdir()
            analyzer.ray_engine.DEADLINE_S = 4.0 if "late" in case else 600.0
            try:
                found[case] = [shown(o) for o in engine.run([(job, None) for job in jobs_of(case, folder)])]
            except LedgerError as error:
                found[case] = f"LedgerError: {error}"
    print(json.dumps(found))
