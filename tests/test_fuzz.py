"""The brief form of `make fuzz`: every reader on damaged files, bombs and long drives, in bounded memory and time."""

import pytest

from tests import fuzz

pytest.importorskip("resource", reason="this system does not say how much memory a process took")
SECONDS, SEED, LEAST = 10, 5, 100


def test_damaged_drives_in_every_format(tmp_path):
    assert int(fuzz.run("damages", tmp_path, SECONDS, SEED, seconds=SECONDS)) > LEAST


@pytest.mark.parametrize("job", ["bombs", "long"])
def test_memory_is_bounded(tmp_path, job):
    assert int(fuzz.run(job, tmp_path)) > 20


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("raise KeyError('never a LogError')", "never a LogError"),
        ("bytearray(fuzz.MOST_GROWTH_BYTES + (1 << 26))", "more than"),
        ("import os; os.abort()", "breaks a reader"),
    ],
)
def test_what_breaks_a_reader_is_found(tmp_path, monkeypatch, what, said):
    """The driver must notice a crash, too much memory, and the end of the process."""
    broken = f"from tests import fuzz\ndef broken(path):\n    {what}\nfuzz._parts = broken\n"
    call = "import sys; from pathlib import Path; fuzz.child(sys.argv[-2], Path(sys.argv[-1]))"
    monkeypatch.setattr(fuzz, "COMMAND", ("-c", broken + call))
    with pytest.raises(AssertionError, match=said):
        fuzz.run("bombs", tmp_path)
