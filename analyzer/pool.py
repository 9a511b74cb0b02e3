"""Tasks done by several processes, or by this one alone: the same outcomes in the same order.

Workers are spawned, so they work alike on every system, and can be started before this
process has imported what tasks need: both get ready at once. A worker that dies takes the
pool with it: a new one is made and what was lost is done again. A task that was under way
in more than `ATTEMPTS` such deaths is done by a process of its own; if that dies as well,
it is given up.
"""

import gc
import os
import pickle
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from analyzer.errors import WorkerError

if TYPE_CHECKING:  # a pool starts before these are imported
    from analyzer.tasks import Common, Job, Outcome

    Outcomes = dict[int, Outcome | WorkerError]

Answer = TypeVar("Answer")

ATTEMPTS = 2
QUEUED = 2
"""Tasks handed to each worker where many wait: it never idles while this process is busy itself."""
MANY = 8
"""Waiting tasks for each worker that are many: of fewer, one in hand is one that nobody else can take."""

_held: dict[Path, "Common"] = {}


def cores() -> int:
    """Return how many processors this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)  # only Linux has it
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def _quiet() -> None:
    """Leave an interruption to the process that made this one, and end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the one that made it is gone: it would wait for tasks forever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _warm() -> None:
    """Import what tasks need, the readers of all formats too."""
    gc.disable()
    import analyzer.tasks  # noqa: PLC0415, F401
    from analyzer.logs import formats  # noqa: PLC0415

    formats()
    gc.freeze()
    gc.enable()


def _work(common: Path, job: "Job") -> "Outcome":
    """Do a task in a worker; what all tasks share is read once."""
    if common not in _held:
        _held.clear()
        with common.open("rb") as file:
            _held[common] = pickle.load(file)  # noqa: S301 - written by the process that made this one
    return job[0].run(_held[common], job[1])


class Pool:
    """Up to `workers` processes, this one among them; used through `pool_of`."""

    keeps = False

    def __init__(self, workers: int, folder: Path) -> None:
        """Note how many processes there may be; `folder` is for what they share."""
        self.workers, self.folder = workers, folder
        self._shared = folder / "common.pickle"
        self._executor: ProcessPoolExecutor | None = None
        self._ending: threading.Thread | None = None

    def start(self) -> None:
        """Start the other processes, if there are to be any and they do not run yet."""
        if self.workers > 1 and self._executor is None:
            self._executor = ProcessPoolExecutor(self.workers - 1, get_context("spawn"), initializer=_quiet)
            for _ in range(self.workers - 1):
                self._executor.submit(_warm)

    @property
    def helpers(self) -> int:
        """Return how many other processes there are."""
        return 0 if self._executor is None else self.workers - 1

    def ask(self, question: Callable[..., Answer], *arguments: Any) -> Callable[[], Answer]:
        """Put a question to another process; return what waits for the answer (found here if that process died)."""

        def here() -> Answer:
            return question(*arguments)

        if self._executor is None:
            return here
        asked = self._executor.submit(question, *arguments)

        def wait() -> Answer:
            try:
                return asked.result()
            except BrokenProcessPool:
                return here()

        return wait

    def stop(self) -> None:
        """Tell the other processes to end; `end` waits until they have."""
        executor, self._executor = self._executor, None
        if executor is not None:
            self._ending = threading.Thread(target=executor.shutdown, kwargs={"cancel_futures": True})
            self._ending.start()

    def end(self) -> None:
        """End the other processes: nothing of them is left."""
        self.stop()
        if self._ending is not None:
            self._ending.join()

    def share(self, common: "Common") -> None:
        """Give all processes what their tasks share."""
        self._common = common
        if self._executor is not None:
            with self._shared.open("wb") as file:
                pickle.dump(common, file)

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
        desk = _Desk(len(jobs))
        deaths = dict.fromkeys(range(len(jobs)), 0)
        while desk.open():
            desk.hand_out(self, jobs)
            number = desk.take()
            if number is not None:
                outcomes[number] = self._here(jobs[number])
            lost = desk.collect(outcomes, block=number is None)
            if lost:
                self._rebuild(jobs, [*lost, *desk.recall()], deaths, outcomes, desk)
            done(len(outcomes))

    def submit(self, job: "Job") -> Future["Outcome"]:
        """Hand a job to another process; BrokenProcessPool where there is none any more."""
        if self._executor is None:
            raise BrokenProcessPool
        return self._executor.submit(_work, self._shared, job)

    def _rebuild(
        self, jobs: Sequence["Job"], lost: list[int], deaths: dict[int, int], outcomes: "Outcomes", desk: "_Desk"
    ) -> None:
        """Make new processes after one died, and see that lost jobs are done again."""
        self.stop()
        for number in sorted(lost, reverse=True):
            deaths[number] += 1
            if deaths[number] > ATTEMPTS:
                outcomes[number] = self._by_itself(jobs[number])
            else:
                desk.give_back(number)
        self.start()

    def _by_itself(self, job: "Job") -> "Outcome | WorkerError":
        """Do a job in a process of its own."""
        with ProcessPoolExecutor(1, get_context("spawn"), initializer=_quiet) as executor:
            try:
                return executor.submit(_work, self._shared, job).result()
            except BrokenProcessPool:
                return WorkerError("the process that judged it was killed again and again; is memory short?")


class _Desk:
    """The jobs that wait and those handed out; a process that is ready is given the next at once.

    Jobs are taken from two threads: that which does some itself, and that of the executor.
    """

    def __init__(self, count: int) -> None:
        """Lay out all jobs."""
        self._waiting = deque(range(count))
        self._running: dict[Future[Outcome], int] = {}
        self._lock = threading.RLock()

    def open(self) -> bool:
        """Return whether anything is still to be done."""
        with self._lock:
            return bool(self._waiting or self._running)

    def take(self) -> int | None:
        """Take the next job, null if none waits."""
        with self._lock:
            return self._waiting.popleft() if self._waiting else None

    def give_back(self, number: int) -> None:
        """Put a job back: it is the next."""
        with self._lock:
            self._waiting.appendleft(number)

    def hand_out(self, pool: Pool, jobs: Sequence["Job"]) -> None:
        """Keep the other processes busy, with a job in hand as long as many wait."""
        others = pool.workers - 1
        with self._lock:
            while self._waiting and self._busy() < others * (QUEUED if len(self._waiting) > MANY * others else 1):
                number = self._waiting.popleft()
                try:
                    future = pool.submit(jobs[number])
                except BrokenProcessPool:
                    self._waiting.appendleft(number)
                    return
                self._running[future] = number
                future.add_done_callback(lambda _: self.hand_out(pool, jobs))

    def _busy(self) -> int:
        """Return how many jobs other processes have."""
        return sum(not future.done() for future in self._running)

    def collect(self, outcomes: "Outcomes", *, block: bool) -> list[int]:
        """Take what the other processes have done; return the jobs that died with one of them."""
        with self._lock:
            running = list(self._running)
        if running:
            wait(running, timeout=None if block else 0, return_when=FIRST_COMPLETED)
        lost = []
        with self._lock:
            for future in [f for f in self._running if f.done()]:
                number = self._running.pop(future)
                try:
                    outcomes[number] = future.result()
                except BrokenProcessPool:
                    lost.append(number)
        return lost

    def recall(self) -> list[int]:
        """Return the jobs that are still handed out, of a pool that is no more."""
        with self._lock:
            numbers = list(self._running.values())
            self._running.clear()
            return numbers


@contextmanager
def pool_of(workers: int) -> Iterator[Pool]:
    """Give a pool of up to `workers` processes, this one among them, with a folder for what they share."""
    with tempfile.TemporaryDirectory(prefix="zonelog-") as folder:
        pool = Pool(workers, Path(folder))
        try:
            yield pool
        finally:
            pool.end()
