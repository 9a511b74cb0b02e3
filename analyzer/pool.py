"""Tasks done by several processes, or by this one alone: the same outcomes in the same order.

Workers are spawned, so they work alike on every system, and can be started before this
process has imported what tasks need: both get ready at once. A worker that dies takes the
pool with it: a new one is made and what was lost is done again. A task that was under way
in more than `ATTEMPTS` such deaths is done by a process of its own; if that dies as well,
it is given up. Who must outlive whatever a task does to its process keeps `apart`: it leads
and does no task itself.
"""

import gc
import itertools
import os
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from analyzer.errors import WorkerError
from analyzer.huge_pages import ask_for_huge_pages
from analyzer.mapped import read_mapped, write_mapped

if TYPE_CHECKING:  # a pool starts before these are imported
    from concurrent.futures import ProcessPoolExecutor

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
    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # the processes share the cores
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the one that made it is gone: it would wait for tasks forever."""
    from multiprocessing import parent_process  # noqa: PLC0415 - of new processes alone

    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _read_ahead() -> None:
    """Import what reads logs: with it a log can be planned, which others wait for."""
    from analyzer.logs import formats  # noqa: PLC0415

    formats()


def _warm() -> None:
    """Import all that tasks need."""
    import analyzer.tasks  # noqa: PLC0415, F401


def _get_ready() -> None:
    """Make a new process one that does tasks; those of a pool are warm soon after (`Pool.ask`)."""
    _quiet()
    ask_for_huge_pages()
    gc.disable()  # nothing that is imported is garbage
    _read_ahead()


def _work(common: Path, job: "Job") -> "Outcome":
    """Do a task in a worker; what all tasks share is read once."""
    if common not in _held:
        _held.clear()
        _held[common] = read_mapped(common)
        gc.freeze()
        gc.enable()
    return job[0].run(_held[common], job[1])


def _executor(workers: int) -> "ProcessPoolExecutor":
    """Return an executor of so many new processes; what it imports takes 0.01 s, which small logs do not need."""
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415
    from multiprocessing import get_context  # noqa: PLC0415

    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=_get_ready)


class Pool:
    """Up to `workers` processes, this one among them unless it keeps `apart`; used through `pool_of`."""

    keeps = False

    def __init__(self, workers: int, folder: Path, *, apart: bool = False) -> None:
        """Note how many processes there may be; `folder` is for what they share."""
        self.others, self.folder = workers if apart else workers - 1, folder
        self._apart = apart
        self.spare = threading.Event()
        self._common: Common | None = None
        self._names = (folder / f"common-{number}" for number in itertools.count())
        self._shared = folder
        self._executor: ProcessPoolExecutor | None = None
        self._ending: threading.Thread | None = None

    def start(self) -> None:
        """Start the other processes, if they do not run yet; where this one keeps apart, each when there is a task."""
        if self.others and self._executor is None:
            self._executor = _executor(self.others)
            for _ in range(0 if self._apart else self.others):
                self._executor.submit(os.getpid)
            self._write_shared()

    @property
    def shares(self) -> bool:
        """Return whether other processes do tasks, too."""
        return self._executor is not None or self._apart

    @property
    def helpers(self) -> int:
        """Return how many other processes there are."""
        return 0 if self._executor is None else self.others

    def ask(self, question: Callable[..., Answer], *arguments: Any) -> Callable[[], Answer]:
        """Put a question to another process; return what waits for the answer (found here if that process died)."""

        def here() -> Answer:
            return question(*arguments)

        if self._executor is None:
            return here
        try:
            asked = self._executor.submit(question, *arguments)
            self._executor.submit(_warm)  # afterwards, while nobody waits for it
        except BrokenExecutor:
            return here

        def wait() -> Answer:
            try:
                return asked.result()
            except BrokenExecutor:
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
        self._write_shared()

    def _write_shared(self) -> None:
        """Write what tasks share, where somebody else reads it: to a new file, for the last one may still be mapped."""
        if self._executor is None:
            return
        self._shared = next(self._names)
        try:
            write_mapped(self._common, self._shared)
        except OSError as error:
            message = f"{self.folder}: cannot be written ({error.strerror or error}); make room or set TMPDIR"
            raise WorkerError(f"{message}; no result was changed") from error

    def run(self, jobs: Sequence["Job"], done: Callable[[int], None] = lambda _: None) -> list["Outcome | WorkerError"]:
        """Return the outcome of every job, in their order; a WorkerError where it was given up.

        `done` is told how many are ready.
        """
        outcomes: dict[int, Outcome | WorkerError] = {}
        if self._apart:
            if jobs:
                self.start()
            self._share_out(jobs, outcomes, done)
        elif self._executor is None or len(jobs) == 1:
            for number, job in enumerate(jobs):
                outcomes[number] = self._here(job)
                done(len(outcomes))
        else:
            self._share_out(jobs, outcomes, done)
        return [outcomes[number] for number in range(len(jobs))]

    def _here(self, job: "Job") -> "Outcome":
        """Do a job in this process."""
        return job[0].run(self._common, job[1])  # type: ignore[arg-type]

    def _share_out(self, jobs: Sequence["Job"], outcomes: "Outcomes", done: Callable[[int], None]) -> None:
        """Do the jobs in the other processes, and here unless this one keeps apart, whoever is free."""
        desk = _Desk(len(jobs), self.spare)
        deaths = dict.fromkeys(range(len(jobs)), 0)
        while desk.open():
            desk.hand_out(self, jobs)
            number = desk.take() if desk.idle() or not self._apart else None
            if number is None:
                self.spare.set()
                lost = desk.collect(outcomes, block=True)
            elif self._apart:
                lost = [number]  # nobody took it: the others died while they had nothing to do
            else:
                outcomes[number] = self._here(jobs[number])
                lost = desk.collect(outcomes, block=False)
            if lost:
                self._rebuild(jobs, [*lost, *desk.recall()], deaths, outcomes, desk)
            done(len(outcomes))

    def submit(self, job: "Job") -> Future["Outcome"]:
        """Hand a job to another process; BrokenExecutor where there is none any more."""
        executor = self._executor
        if executor is None:
            raise BrokenExecutor
        return executor.submit(_work, self._shared, job)

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
        with _executor(1) as executor:
            try:
                return executor.submit(_work, self._shared, job).result()
            except BrokenExecutor:
                return WorkerError("the process that judged it was killed again and again; is memory short?")


class _Desk:
    """The jobs that wait and those handed out; a process that is ready is given the next at once.

    Jobs are taken from two threads: that which does some itself, and that of the executor.
    """

    def __init__(self, count: int, spare: threading.Event) -> None:
        """Lay out all jobs; `spare` is set when a process gets no other."""
        self._spare = spare
        self._waiting = deque(range(count))
        self._running: dict[Future[Outcome], int] = {}
        self._lock = threading.RLock()

    def open(self) -> bool:
        """Return whether anything is still to be done."""
        with self._lock:
            return bool(self._waiting or self._running)

    def idle(self) -> bool:
        """Return whether no job is handed out."""
        with self._lock:
            return not self._running

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
        others = pool.others
        with self._lock:
            while self._waiting and self._busy() < others * (QUEUED if len(self._waiting) > MANY * others else 1):
                number = self._waiting.popleft()
                try:
                    future = pool.submit(jobs[number])
                except RuntimeError:  # broken, or told to end
                    self._waiting.appendleft(number)
                    return
                self._running[future] = number
                future.add_done_callback(lambda _: self.hand_out(pool, jobs))
            if not self._waiting and self._busy() < others:
                self._spare.set()

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
                except BrokenExecutor:
                    lost.append(number)
        return lost

    def recall(self) -> list[int]:
        """Return the jobs that are still handed out, of a pool that is no more."""
        with self._lock:
            numbers = list(self._running.values())
            self._running.clear()
            return numbers


@contextmanager
def pool_of(workers: int, *, apart: bool = False) -> Iterator[Pool]:
    """Give a pool of up to `workers` processes, this one among them or `apart`, with a folder for what they share."""
    with tempfile.TemporaryDirectory(prefix="zonelog-") as folder:
        pool = Pool(workers, Path(folder), apart=apart)
        try:
            yield pool
        finally:
            pool.end()
