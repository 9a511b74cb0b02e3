"""Tasks done by several processes, or by this one alone: the same outcomes in the same order.

Workers are spawned, so they work alike on every system, and can be started before this
process has imported what tasks need: both get ready at once. A worker that dies takes the
pool with it: a new one is made and what was lost is done again. A task that was under way
in more than `ATTEMPTS` such deaths is done by a process of its own; if that dies as well,
it is given up.
"""

import os
import pickle
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.errors import WorkerError

if TYPE_CHECKING:  # a pool starts before these are imported
    from analyzer.tasks import Common, Job, Outcome

    Outcomes = dict[int, Outcome | WorkerError]

ATTEMPTS = 2
QUEUED = 2
"""Tasks handed to each worker: it never idles while this process is busy itself."""

_held: dict[Path, "Common"] = {}


def cores() -> int:
    """Return how many processors this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)  # only Linux has it
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def _quiet() -> None:
    """Leave an interruption to the process that made this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _warm() -> None:
    """Import what tasks need."""
    import analyzer.tasks  # noqa: F401, PLC0415


def _work(common: Path, job: "Job") -> "Outcome":
    """Do a task in a worker; what all tasks share is read once."""
    if common not in _held:
        _held.clear()
        _held[common] = pickle.loads(common.read_bytes())  # noqa: S301 - written by the process that made this one
    return job[0].run(_held[common], job[1])


class Pool:
    """Up to `workers` processes, this one among them; used through `pool_of`."""

    def __init__(self, workers: int, folder: Path) -> None:
        """Note how many processes there may be; `folder` is for what they share."""
        self.workers, self.folder = workers, folder
        self._shared = folder / "common.pickle"
        self._executor: ProcessPoolExecutor | None = None

    def start(self) -> None:
        """Start the other processes, if there are to be any and they do not run yet."""
        if self.workers > 1 and self._executor is None:
            self._executor = ProcessPoolExecutor(self.workers - 1, get_context("spawn"), initializer=_quiet)
            for _ in range(self.workers - 1):
                self._executor.submit(_warm)

    def stop(self) -> None:
        """End the other processes."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None

    def share(self, common: "Common") -> None:
        """Give all processes what their tasks share."""
        self._common = common
        if self._executor is not None:
            self._shared.write_bytes(pickle.dumps(common))

    def run(self, jobs: Sequence["Job"], done: Callable[[int], None] = lambda _: None) -> list["Outcome | WorkerError"]:
        """Return the outcome of every job, in their order; a WorkerError where it was given up.

        `done` is told how many are ready.
        """
        outcomes: dict[int, Outcome | WorkerError] = {}
        if self._executor is None or len(jobs) == 1:
            for number, job in enumerate(jobs):
                outcomes[number] = self._here(job)
                done(len(outcomes))
        else:
            self._share_out(jobs, outcomes, done)
        return [outcomes[number] for number in range(len(jobs))]

    def _here(self, job: "Job") -> "Outcome":
        """Do a job in this process."""
        return job[0].run(self._common, job[1])

    def _share_out(self, jobs: Sequence["Job"], outcomes: "Outcomes", done: Callable[[int], None]) -> None:
        """Do the jobs here and in the other processes, whoever is free."""
        waiting = list(range(len(jobs)))[::-1]
        deaths = dict.fromkeys(waiting, 0)
        running: dict[Future[Outcome], int] = {}
        while waiting or running:
            lost = self._hand_out(jobs, waiting, running)
            if waiting and not lost:
                number = waiting.pop()
                outcomes[number] = self._here(jobs[number])
            lost += self._collect(running, outcomes, block=not waiting and not lost)
            if lost:
                self._rebuild(jobs, [*lost, *running.values()], deaths, outcomes, waiting)
                running.clear()
            done(len(outcomes))

    def _hand_out(self, jobs: Sequence["Job"], waiting: list[int], running: dict[Future["Outcome"], int]) -> list[int]:
        """Keep the other processes busy; return a job that could not be handed out."""
        while waiting and len(running) < QUEUED * (self.workers - 1) and self._executor is not None:
            number = waiting.pop()
            try:
                running[self._executor.submit(_work, self._shared, jobs[number])] = number
            except BrokenProcessPool:
                return [number]
        return []

    def _collect(self, running: dict[Future["Outcome"], int], outcomes: "Outcomes", *, block: bool) -> list[int]:
        """Take what the other processes have done; return the jobs that died with one of them."""
        if not running:
            return []
        finished, _ = wait(running, timeout=None if block else 0, return_when=FIRST_COMPLETED)
        lost = []
        for future in finished:
            number = running.pop(future)
            try:
                outcomes[number] = future.result()
            except BrokenProcessPool:
                lost.append(number)
        return lost

    def _rebuild(
        self, jobs: Sequence["Job"], lost: list[int], deaths: dict[int, int], outcomes: "Outcomes", waiting: list[int]
    ) -> None:
        """Make new processes after one died, and see that lost jobs are done again."""
        self.stop()
        for number in sorted(lost, reverse=True):
            deaths[number] += 1
            if deaths[number] > ATTEMPTS:
                outcomes[number] = self._by_itself(jobs[number])
            else:
                waiting.append(number)
        self.start()

    def _by_itself(self, job: "Job") -> "Outcome | WorkerError":
        """Do a job in a process of its own."""
        with ProcessPoolExecutor(1, get_context("spawn"), initializer=_quiet) as executor:
            try:
                return executor.submit(_work, self._shared, job).result()
            except BrokenProcessPool:
                return WorkerError("the process that judged it was killed again and again; is memory short?")


@contextmanager
def pool_of(workers: int) -> Iterator[Pool]:
    """Give a pool of up to `workers` processes, this one among them, with a folder for what they share."""
    with tempfile.TemporaryDirectory(prefix="zonelog-") as folder:
        pool = Pool(workers, Path(folder))
        try:
            yield pool
        finally:
            pool.stop()
