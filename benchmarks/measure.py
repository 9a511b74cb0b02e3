"""Fresh processes, measured: wall and processor seconds, and the memory of the whole process tree.

Time and memory are measured in different runs: looking at a process tree every 20 ms
would slow down what is timed on a machine with two cores.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EVERY_S, PSS_EVERY_S = 0.02, 0.5
MB = 1e6


@dataclass(frozen=True)
class Run:
    """Seconds on the wall and of all processors, and what the process printed."""

    seconds: float
    cpu: float
    output: str


@dataclass(frozen=True)
class Peak:
    """The largest sum over the process tree, in MB of a million bytes.

    `rss` counts a page that two processes share twice; `pss` (Linux only, seldom
    sampled) counts it once.
    """

    rss: float
    pss: float | None
    processes: int


class FailedError(Exception):
    """A measured command ended with a status that it must not have."""


def run(command: Sequence[str | Path], statuses: Collection[int] = (0,)) -> Run:
    """Run a command to its end and time it."""
    before, started = os.times(), time.perf_counter()
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    seconds, after = time.perf_counter() - started, os.times()
    _must_be(command, done.returncode, statuses, done.stderr)
    user, system = (after[n] - before[n] for n in (2, 3))
    return Run(seconds, user + system, done.stdout)


def peak(command: Sequence[str | Path], statuses: Collection[int] = (0,)) -> Peak:
    """Run a command to its end and sample the memory of it and of all its children."""
    import psutil

    most_rss, most_pss, most = 0, 0, 1
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=errors)
        parent, next_pss = psutil.Process(process.pid), 0.0
        while process.poll() is None:
            tree = [parent]
            with suppress(psutil.Error):
                tree += parent.children(recursive=True)
            most, most_rss = max(most, len(tree)), max(most_rss, sum(map(_rss, tree)))
            if time.perf_counter() >= next_pss:
                next_pss = time.perf_counter() + PSS_EVERY_S
                most_pss = max(most_pss, sum(_pss(p.pid) for p in tree))
            time.sleep(EVERY_S)
        errors.seek(0)
        _must_be(command, process.returncode, statuses, errors.read())
    return Peak(most_rss / MB, most_pss / MB if most_pss else None, most)


def _rss(process) -> int:
    """Return the resident bytes of a process, 0 where it has just ended."""
    import psutil

    with suppress(psutil.Error):
        return process.memory_info().rss
    return 0


def _pss(pid: int) -> int:
    """Return the proportional bytes of a process, 0 where the system does not tell."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _must_be(command: Sequence[str | Path], status: int, statuses: Collection[int], errors: str) -> None:
    """Refuse a run that failed: its time means nothing."""
    if status not in statuses:
        shown = " ".join(map(str, command))
        raise FailedError(f"{shown}\nended with status {status}\n{errors[-2000:]}")
