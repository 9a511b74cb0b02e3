"""A result in object storage: a store knows no folders that could be swapped, so the order of what is written must do.

Everything is put into a prefix beside first (`.zonelog-…/`); until all of it is there, the previous
result is untouched. Then its `run.json` is withdrawn, the files are copied to their places within
the store, and the new `run.json` is created last, on condition that there is none. So where a
`run.json` is, the files that it names are there; a reader may see a result without one, which
is unfinished, and never half of one with one, unless two runs write to one place at once: the
later one notices, and withdraws it.
"""

import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from analyzer.buckets import AT_ONCE, Prefix
from analyzer.errors import OutputError

RUN_FILE = "run.json"
LAST = "summary.json"
ASIDE, PROBE = ".zonelog-", ".zonelog-probe-"
UNCHANGED = "; the previous result is unchanged"
UNFINISHED = f"; what lies there is unfinished and has no {RUN_FILE}: analyze again"


def refuse_address(address: str) -> None:
    """Refuse an address that holds what is not zonelog's, or that cannot be written: OutputError says why."""
    there = Prefix(address, OutputError, UNCHANGED)
    if _outputs(there) is None and not _unfinished(there) and not there.is_empty():
        message = f"{address}: holds objects that zonelog did not write (no {RUN_FILE} of its own); name another prefix"
        raise OutputError(message)
    probe = f"{PROBE}{secrets.token_hex(8)}"
    there.create(probe, b"")
    there.delete([probe])


def upload(folder: Path, address: str, staged_all: Callable[[], None]) -> None:
    """Put the files of a folder below an address, `run.json` last; OutputError where that does not come to an end.

    `staged_all` is called once all of them are there beside: what it raises leaves the previous result.
    """
    files = sorted((p for p in folder.rglob("*") if p.is_file()), key=lambda p: (p.name == LAST, p.as_posix()))
    names = {p.relative_to(folder).as_posix(): p for p in files if p != folder / RUN_FILE}
    before, after = (Prefix(address, OutputError, advice) for advice in (UNCHANGED, UNFINISHED))
    aside = f"{ASIDE}{secrets.token_hex(8)}"
    staged = {name: f"{aside}/{name}" for name in names}
    mark = set[str]()
    try:
        _each(lambda name: before.replace(staged[name], names[name]), names)
        stale = (_outputs(before) or {}).keys() - names.keys()
        staged_all()
        mark = {f"{aside}/{LAST}"}  # while it is there, who comes next knows that the rest is ours, but unfinished
        before.delete([RUN_FILE])
        _each(lambda name: after.copy(staged[name], name), names)
        after.delete(sorted(stale))
        _create_record(after, (folder / RUN_FILE).read_bytes())
        mark = set()
    finally:
        with suppress(OutputError):
            before.delete(sorted({*staged.values()} - mark))


def _create_record(there: Prefix, data: bytes) -> None:
    """Create run.json; where another run did so meanwhile, files may be of both: then nobody's result is there."""
    if there.create(RUN_FILE, data):
        return
    with suppress(FileNotFoundError):
        if there.read(RUN_FILE)[0] == data:
            return
    there.delete([RUN_FILE])
    raise OutputError(f"{there.address}: another run wrote its result there at the same time{UNFINISHED}")


def _each(function: Callable[[str], object], names: Iterable[str]) -> None:
    """Do something with each name, several at a time."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for _ in threads.map(function, names):
            pass


def _outputs(there: Prefix) -> Mapping[str, str] | None:
    """Return the outputs that zonelog's own run.json names, null where there is none."""
    try:
        record = json.loads(there.read(RUN_FILE)[0])
    except (FileNotFoundError, ValueError):
        return None
    ours = isinstance(record, dict) and "zonelog" in record and isinstance(record.get("outputs"), dict)
    return record["outputs"] if ours else None


def _unfinished(there: Prefix) -> bool:
    """Return whether a run that wrote there was ended: what it put aside is still there."""
    return any(name.startswith(ASIDE) and "/" in name for name in there.names())
