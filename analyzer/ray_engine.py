"""Tasks done by the workers of a Ray cluster: that of RAY_ADDRESS, or one started here for this run.

Ray moves tasks and outcomes; what becomes of a task is decided here. Few are handed out at a
time, the largest first, each with the memory that it is likely to need. One whose worker was
killed, whose node was lost or that did not end in time is handed out again, up to `ATTEMPTS`
times, then it is given up and the others go on. Ray itself retries nothing: left alone it tries
a task that was killed for its memory forever.
"""

import logging
import os
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from analyzer.errors import WorkerError
from analyzer.pool import cores
from analyzer.tool import tool

if TYPE_CHECKING:  # they are imported while Ray starts
    from analyzer.tasks import Common, Job, Outcome

ATTEMPTS = 3
WINDOW = 2
"""Tasks handed out for each core of the cluster: the next is there when one is done."""
DEADLINE_S = 3600.0
"""A task that is handed out this long is handed out again; ZONELOG_TASK_DEADLINE_S says otherwise."""
ANSWER_S = 10.0
"""How long a cluster may take to answer at all."""
LOOK_S = 1.0
"""How often deadlines are looked at."""

BASE_BYTES = 400_000_000
RECORD_BYTES = 200
"""What a task needs: a worker with its libraries, and so much for each record (measured: docs/scale.md)."""

ENVIRONMENT = {"POLARS_MAX_THREADS": "1"}
"""Of workers: each has one core."""

_held: dict[str, "Common"] = {}


def _ray() -> Any:
    """Return the library; a sentence where it is not installed."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody is told of a run
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")  # else it prints of dead workers, into what --json prints
    try:
        import ray  # noqa: PLC0415 - it is an extra
    except ImportError as error:
        raise WorkerError('--engine ray needs Ray; install it: pip install "zonelog[ray]"') from error
    return ray


def _refuse_spaces() -> None:
    """Refuse a Python below a folder with spaces in its name: Ray would start its workers in vain for ever."""
    if " " in sys.executable:
        message = f"--engine ray: Ray cannot start {sys.executable}, whose path has spaces"
        raise WorkerError(f"{message}; install zonelog into a folder without, or use --engine local")


def _refuse_unreachable(address: str) -> None:
    """Refuse an address at which nobody answers: Ray itself would wait for minutes, without a word."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not port.isdigit():
        return  # "local", "auto"
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_S).close()
    except OSError as error:
        raise WorkerError(f"--engine ray: no cluster at {address} ({error}); is RAY_ADDRESS right?") from error


@dataclass(frozen=True)
class _Here:
    """Where the run was started, and with what: paths may be relative, and other versions may judge otherwise."""

    folder: str
    tool: Mapping[str, str]

    def enter(self) -> None:
        """Go there; refuse a worker that cannot, or that would judge otherwise."""
        own = tool()
        other = ", ".join(f"{n} {own.get(n)} (not {v})" for n, v in self.tool.items() if own.get(n) != v)
        if other:
            raise WorkerError(f"a worker of the cluster has another zonelog or other libraries: {other}; use the same")
        try:
            os.chdir(self.folder)
        except OSError as error:
            raise WorkerError(
                f"a worker of the cluster has no folder {self.folder} ({error.strerror}); start from a shared one"
            ) from error


def _work(name: str, common: list[Any], job: "Job", here: "_Here") -> "Outcome":
    """Do a task in a worker; what all tasks share is fetched once."""
    if name not in _held:
        here.enter()
        _held.clear()
        _held[name] = _ray().get(common[0])
    return job[0].run(_held[name], job[1])


@dataclass(frozen=True)
class _Sent:
    """A task that is handed out, and until when it must be done."""

    number: int
    until_s: float


class RayEngine:
    """The workers of a cluster; this process only hands out and collects."""

    keeps = False
    shares = True
    helpers = 0
    """Logs are planned by the driver: the cluster is there for tasks."""

    def __init__(self, folder: Path) -> None:
        """Refuse at once where Ray is not installed; `folder` must be seen by all nodes."""
        self.folder = folder
        self._library = _ray()
        self.spare = Event()
        self._own = False
        self._common: Common | None = None
        self._shared: list[Any] = []

    def start(self) -> None:
        """Connect to a cluster, or start one."""
        if self._library.is_initialized():
            return
        address = os.environ.get("RAY_ADDRESS") or "local"
        options: dict[str, Any] = {"runtime_env": {"env_vars": ENVIRONMENT}}
        _refuse_unreachable(address)
        if address == "local":
            _refuse_spaces()
            options |= {"num_cpus": cores(), "include_dashboard": False}
        try:
            self._library.init(
                address, log_to_driver=False, configure_logging=False, logging_level=logging.ERROR, **options
            )
        except (ConnectionError, RuntimeError, OSError, ValueError) as error:
            raise WorkerError(
                f"--engine ray: no cluster at {address} ({error}); is RAY_ADDRESS right, and the token?"
            ) from error
        self._own = True

    def ask(self, question: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
        """Return what finds the answer here."""
        return lambda: question(*arguments)

    def share(self, common: "Common") -> None:
        """Note what tasks share; it is sent when the first is handed out."""
        self._common, self._shared = common, []

    def stop(self) -> None:
        """Leave the cluster, or end the one that was started here."""
        if self._own and self._library.is_initialized():
            self._library.shutdown()
        self._own, self._shared = False, []

    def run(self, jobs: Sequence["Job"], done: Callable[[int], None] = lambda _: None) -> list["Outcome | WorkerError"]:
        """Return the outcome of every job, in their order; a WorkerError where it was given up."""
        if not jobs:
            return []
        self.start()
        if not self._shared:
            self._shared = [self._library.put(self._common)]
        outcomes = _Desk(self._library, self._shared, jobs).outcomes(done)
        return [outcomes[number] for number in range(len(jobs))]


class _Desk:
    """The jobs that wait, and those handed out."""

    def __init__(self, library: Any, shared: list[Any], jobs: Sequence["Job"]) -> None:
        """Lay out all jobs, the largest first."""
        self._ray, self._shared, self._jobs = library, shared, jobs
        sizes = [job[0].records for job in jobs]
        self._waiting = deque(sorted(range(len(jobs)), key=lambda number: -sizes[number]))
        self._running: dict[Any, _Sent] = {}
        self._outcomes: dict[int, Outcome | WorkerError] = {}
        self._failed = dict.fromkeys(range(len(jobs)), 0)
        self._memory = {number: BASE_BYTES + RECORD_BYTES * size for number, size in enumerate(sizes)}
        self._deadline_s = float(os.environ.get("ZONELOG_TASK_DEADLINE_S") or DEADLINE_S)
        self._here = _Here(str(Path.cwd()), dict(tool()))
        self._function = library.remote(max_retries=0, num_cpus=1)(_work)

    def outcomes(self, done: Callable[[int], None]) -> "dict[int, Outcome | WorkerError]":
        """Return all outcomes by the number of the job; `done` is told how many there are."""
        while self._waiting or self._running:
            self._hand_out()
            ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=LOOK_S)
            for task in ready:
                self._collect(task)
            self._recall_late()
            done(len(self._outcomes))
        return self._outcomes

    def _hand_out(self) -> None:
        """Hand out the next jobs, as many as the cluster, as it is now, can soon begin."""
        window = WINDOW * max(1, int(self._ray.cluster_resources().get("CPU", 1))) if self._waiting else 0
        while self._waiting and len(self._running) < window:
            number = self._waiting.popleft()
            function = self._function.options(memory=min(self._memory[number], self._largest_node()))
            task = function.remote(str(self._shared[0]), self._shared, self._jobs[number], self._here)
            self._running[task] = _Sent(number, time.monotonic() + self._deadline_s)

    def _largest_node(self) -> int:
        """Return the memory of the largest node: what needs more would wait forever."""
        sizes = [node["Resources"].get("memory", 0) for node in self._ray.nodes() if node["Alive"]]
        return int(max(sizes, default=0))

    def _collect(self, task: Any) -> None:
        """Take what a task gave; hand it out again where its worker or node was lost."""
        number = self._running.pop(task).number
        with self._named_losses(number):
            self._outcomes[number] = self._ray.get(task)

    @contextmanager
    def _named_losses(self, number: int) -> Iterator[None]:
        """Do a job again that was lost; what a task itself raises is raised here."""
        errors = self._ray.exceptions
        try:
            yield
        except errors.RayTaskError as error:
            raise (error.cause or error) from None
        except (errors.RuntimeEnvSetupError, errors.LocalRayletDiedError) as error:
            raise WorkerError(f"--engine ray: the cluster does not work: {error}") from error
        except errors.OutOfMemoryError:
            self._memory[number] *= 2
            self._lost(number, "its worker was killed again and again for the memory it took; give nodes more")
        except errors.RayError:
            self._lost(number, "the process that judged it was killed again and again; is memory short?")

    def _recall_late(self) -> None:
        """Take back what did not end in time: its node may be gone without a word."""
        now_s = time.monotonic()
        for task, sent in [(t, s) for t, s in self._running.items() if s.until_s < now_s]:
            del self._running[task]
            self._ray.cancel(task, force=True)
            reason = f"it did not end within {self._deadline_s:g} s, again and again (ZONELOG_TASK_DEADLINE_S)"
            self._lost(sent.number, reason)

    def _lost(self, number: int, reason: str) -> None:
        """Let a lost job be the next to be handed out, or give it up."""
        self._failed[number] += 1
        if self._failed[number] < ATTEMPTS:
            self._waiting.appendleft(number)
        else:
            self._outcomes[number] = WorkerError(reason)
