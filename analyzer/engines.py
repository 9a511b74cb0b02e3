"""Who does the tasks of an analysis: an engine. Whichever it is, the tables are the same.

- `local`: as many processes of this machine as it has cores, this one among them; with a ledger
  this one keeps apart, so that what kills a process that judges leaves who keeps the books.
- `serial`: this process alone.
- `ray`: the workers of a Ray cluster, or of one started here (extra `zonelog[ray]`).
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from analyzer.pool import cores, pool_of

if TYPE_CHECKING:  # an engine starts before these are imported
    from analyzer.errors import WorkerError
    from analyzer.tasks import Common, Job, Outcome


Answer = TypeVar("Answer")


class Runner(Protocol):
    """Who does the jobs; one that `keeps` their outcomes needs jobs that do not depend on each other's neighbours."""

    @property
    def keeps(self) -> bool:
        """Return whether outcomes are kept from run to run."""
        ...

    def run(self, jobs: Sequence["Job"], done: Callable[[int], None] = ...) -> list["Outcome | WorkerError"]:
        """Return the outcome of every job, in their order; a WorkerError where it was given up."""
        ...


class Engine(Runner, Protocol):
    """A runner that can have helpers: `start` says that there is enough to do for them, `stop` that there is not."""

    @property
    def folder(self) -> Path:
        """Return the folder for what tasks put aside, which all helpers must see."""
        ...

    def start(self) -> None:
        """Get help, if there is any to be had and it is not there yet."""
        ...

    @property
    def shares(self) -> bool:
        """Return whether others do tasks, too."""
        ...

    @property
    def spare(self) -> Event:
        """Return what is set as soon as a processor has no task any more, where that is known before all are done."""
        ...

    @property
    def helpers(self) -> int:
        """Return how many helpers there are for questions."""
        ...

    def ask(self, question: Callable[..., Answer], *arguments: Any) -> Callable[[], Answer]:
        """Put a question to a helper; return what waits for the answer. It is found here where no helper is left."""
        ...

    def share(self, common: "Common") -> None:
        """Give all helpers what their tasks share."""
        ...

    def stop(self) -> None:
        """Let the helpers go."""
        ...


@contextmanager
def engine_of(name: str, *, apart: bool = False) -> Iterator[Engine]:
    """Give the engine of a name; nothing of it is left afterwards.

    `apart` keeps this process from doing tasks itself where there are others: locally (Ray's driver never does any).
    """
    if name == "ray":
        from analyzer.ray_engine import RayEngine  # noqa: PLC0415 - only who asks for it needs it

        with tempfile.TemporaryDirectory(prefix="zonelog-") as folder:
            engine = RayEngine(Path(folder))
            try:
                yield engine
            finally:
                engine.stop()
    else:
        local = name == "local"
        with pool_of(cores() if local else 1, apart=apart and local) as pool:
            yield pool
