"""The logs of a folder: what lies there and is no log is left out, and said.

People keep zone sets, results and the table of `--join` beside their logs, and computers
leave files of their own there. Left out are only: ledgers, what a `run.json` of zonelog names as
its outputs, `zones.geojson` (and `fleet.csv` and `rules.toml` beside it), files that other
options were given, what systems and Office keep for themselves, and what is of no known kind: an
archive of logs would go unnoticed else. A file that is named itself is read.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from analyzer.logs._remarks import Remark
from analyzer.records import record
from analyzer.store import FORMAT, MARK

RUN_FILE = "run.json"
ZONES_FILE, ZONE_FILES = "zones.geojson", ("zones.geojson", "rules.toml", "fleet.csv")
_MOST_BYTES, _MARK_BYTES = 64 << 20, 1 << 10
_CLUTTER = (".DS_Store", "Thumbs.db", "desktop.ini")
_APPLE_DOUBLE = b"\x00\x05\x16\x07"
_OWNER_FILE_BYTES = 1024
"""Office keeps the name of who has a document open in a file of 54 to 165 bytes."""


@record(frozen=True)
class Found:
    """The logs that were named, in order of their names, and remarks on what was left out."""

    logs: list[str]
    remarks: tuple[Remark, ...] = ()


def without_other_things(
    folder: Path, files: Sequence[Path], given: Iterable[Path], may_be_log: Callable[[Path], bool]
) -> tuple[list[Path], list[Remark]]:
    """Return the files of a folder without those that are no logs, and remarks on these."""
    places = {file.parent for file in files}
    ledgers = {place: _ledger_of(place, folder) for place in places}
    kinds = {place: _own_files(place) for place in places if ledgers[place] is None}
    options = {path.resolve() for path in given}
    left: list[Path] = []
    remarks = [
        Remark("left-out-ledger", str(folder), 1, (str(own),))
        for own in sorted({own for own in ledgers.values() if own})
    ]
    for file in (file for file in files if ledgers[file.parent] is None):
        kind, subject = _kind(file, kinds[file.parent], options)
        if kind is None and not may_be_log(file):
            kind = "unknown"
        if kind is None:
            left.append(file)
        else:
            remarks.append(Remark(f"left-out-{kind}", str(subject or folder), 1, (file.name,)))
    return left, remarks


def _ledger_of(place: Path, folder: Path) -> Path | None:
    """Return the ledger in `folder` or below it that a place is part of, null where it is of none."""
    while not _is_ledger(place):
        if place == folder:
            return None
        place = place.parent
    return place


def _is_ledger(place: Path) -> bool:
    """Return whether a folder is a ledger of zonelog."""
    mark = place / MARK
    try:
        if not mark.is_file() or mark.stat().st_size > _MARK_BYTES:
            return False
        return json.loads(mark.read_bytes()).keys() == FORMAT.keys()
    except (OSError, ValueError, AttributeError, RecursionError):
        return False


def _own_files(place: Path) -> dict[str, str]:
    """Return the names that a result or a zone set in a folder has for its own -> which of the two."""
    own = dict.fromkeys(ZONE_FILES, "zones") if (place / ZONES_FILE).is_file() else {}
    return own | dict.fromkeys(_outputs(place / RUN_FILE), "result")


def _outputs(run: Path) -> list[str]:
    """Return the names of the outputs that a run.json of zonelog names, none where it is not zonelog's."""
    try:
        if run.stat().st_size > _MOST_BYTES:
            return []
        said = json.loads(run.read_text(encoding="utf-8"))
        return [RUN_FILE, *map(str, said["outputs"])] if "zonelog" in said else []
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return []


def _kind(file: Path, own: dict[str, str], options: set[Path]) -> tuple[str | None, Path | None]:
    """Return as what a file is left out, null where it may be a log, and the folder or file that is said of it."""
    if file.resolve() in options:
        return "option", file
    if file.name in own:
        return own[file.name], file.parent
    return ("shadow", None) if _is_shadow(file) else (None, None)


def _is_shadow(file: Path) -> bool:
    """Return whether a file is one that a system or Office keeps for itself."""
    if file.name in _CLUTTER:
        return True
    try:
        if file.name.startswith("~$"):
            return file.stat().st_size <= _OWNER_FILE_BYTES
        if file.name.startswith("._"):
            with file.open("rb") as opened:
                return opened.read(len(_APPLE_DOUBLE)) == _APPLE_DOUBLE
    except OSError:
        pass  # said when it is read
    return False
