"""What polars writes of its own panics on standard error does not reach the user, who gets our sentence.

A panic is written by Rust as it happens, on whatever thread, and no setting turns that off. So
file descriptor 2 points to a temporary file while polars reads what may be damaged; anything in
there that is no panic is written on afterwards.
"""

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

_STDERR = 2
_PANIC = b"panicked at"


class _Holder:
    """Holds standard error back as long as anybody in this process wants it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0
        self._real: int | None = None
        self._held: IO[bytes] | None = None
        self._process = 0

    def begin(self) -> None:
        """Hold back what is written from here on, where there is room and a standard error."""
        with self._lock:
            self._depth += 1
            if self._depth > 1:
                return
            with suppress(OSError):
                if self._held is None or self._process != os.getpid():
                    self._held, self._process = tempfile.TemporaryFile(buffering=0), os.getpid()  # noqa: SIM115 - kept
                self._real = os.dup(_STDERR)
                os.dup2(self._held.fileno(), _STDERR)

    def end(self) -> None:
        """Hold back no longer; write on what was no panic."""
        with self._lock:
            self._depth -= 1
            if self._depth or self._real is None:
                return
            real, self._real = self._real, None
            os.dup2(real, _STDERR)
            os.close(real)
            with suppress(OSError):
                self._pass_on()

    def give_up(self) -> None:
        """Hold back nothing any more, whoever still wants it."""
        with self._lock:
            self._depth += 1  # never to be taken back: nobody begins again
            if self._real is not None:
                os.dup2(self._real, _STDERR)
                self._real = None

    def _pass_on(self) -> None:
        """Write on what was held back, and forget it."""
        held = self._held
        if held is None or not held.tell():
            return
        held.seek(0)
        said = held.read()
        held.seek(0)
        held.truncate()
        if _PANIC not in said:
            os.write(_STDERR, said)


_holder = _Holder()


def speak_again() -> None:
    """Let standard error be itself for the rest of this process, which is about to end."""
    _holder.give_up()


@contextmanager
def without_panics() -> Iterator[None]:
    """Keep the panics of what is done inside off standard error."""
    _holder.begin()
    try:
        yield
    finally:
        _holder.end()
