"""Outputs: one module each, found by scanning; the folder is written whole or not at all."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from analyzer.errors import OutputError
from analyzer.outputs._basemap import read_basemap
from analyzer.outputs._leftovers import BUILT, PREFIX, remove_leftovers
from analyzer.outputs._output import Output, Run
from analyzer.outputs._page import tile_source
from analyzer.outputs._run import run_record
from analyzer.outputs._upload import RUN_FILE, refuse_address, upload
from analyzer.plugins import discover
from analyzer.results import Analysis

__all__ = ["Output", "Run", "outputs", "read_basemap", "refuse_output", "tile_source", "write_outputs"]

ALWAYS = ("geojson", "summary_json", "tables")
"""The outputs that every run wants: the others draw, and take time to import."""


@cache
def outputs(only: tuple[str, ...] | None = None) -> dict[str, Output]:
    """Return module name -> output, of all or `only` of some modules."""
    return discover(__name__, "OUTPUT", Output, only)


def refuse_output(out: Path | str) -> None:
    """Refuse a folder or an address that is not zonelog's to write: OutputError says why and what to do."""
    if isinstance(out, str):
        refuse_address(out)
    else:
        _refuse_folder(out)


def _refuse_folder(out: Path) -> None:
    """Refuse a folder that is not zonelog's to write."""
    target = out.resolve()
    here = Path.cwd().resolve()
    if target == here or target in here.parents or target == Path.home().resolve():
        message = f"{out}: this folder would be replaced as a whole; name a new one, --out result"
        raise OutputError(message)
    if target.exists() and not target.is_dir():
        raise OutputError(f"{out}: is a file; name a folder for the output")
    if target.is_dir() and any(target.iterdir()) and not _is_ours(target):
        message = f"{out}: holds files that zonelog did not write (no {RUN_FILE} of its own); name a new folder"
        raise OutputError(message)
    _refuse_unwritable(out, target)


def _is_ours(folder: Path) -> bool:
    """Return whether a folder holds zonelog's own run.json."""
    try:
        return "zonelog" in json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return False


def _refuse_unwritable(out: Path, target: Path) -> None:
    """Refuse a folder that cannot be made: its nearest existing parent must be writable."""
    parent = next(p for p in target.parents if p.exists())
    if not parent.is_dir():
        raise OutputError(f"{out}: {parent} is a file, so no folder can be made below it")
    try:
        with tempfile.TemporaryDirectory(prefix=PREFIX, dir=parent):
            pass
    except OSError as error:
        message = f"{out}: no folder can be written in {parent} ({error.strerror}); name another place"
        raise OutputError(message) from error


def write_outputs(
    analysis: Analysis, out: Path | str, run: Run, book: Callable[[dict[str, str]], None] = lambda _: None
) -> dict[str, str]:
    """Write all wanted outputs into `out`, whole or not at all; return the SHA-256 of each.

    They are built in a folder beside it, which then takes its place; until the very last
    step a crash leaves what was there before. For object storage see `_upload`. `book` is told
    of the hashes when all is there beside, before that step: what it raises leaves what was there.
    Raises OutputError where it cannot write.
    """
    refuse_output(out)
    try:
        if isinstance(out, str):
            with tempfile.TemporaryDirectory(prefix="zonelog-") as work:
                hashes = _build(analysis, Path(work) / BUILT, run)
                upload(Path(work) / BUILT, out, lambda: book(hashes))
            return hashes
        target = out.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(target.parent)
        with tempfile.TemporaryDirectory(prefix=PREFIX, dir=target.parent) as work:
            built = Path(work) / BUILT
            hashes = _build(analysis, built, run)
            book(hashes)
            _swap(built, target, Path(work) / "old")
    except OSError as error:
        message = f"{out}: cannot be written ({error.strerror or error}); the previous result is unchanged"
        raise OutputError(message) from error
    return hashes


def _build(analysis: Analysis, folder: Path, run: Run) -> dict[str, str]:
    """Write every wanted output, and run.json last; return the hashes that it names."""
    folder.mkdir()
    if run.extras is not None:
        shutil.copytree(run.extras, folder, dirs_exist_ok=True)
    wanted = [own for own in outputs(None if run.map or run.report else ALWAYS).values() if own.wanted(run)]
    with ThreadPoolExecutor(1) as other:
        beside = [other.submit(own.write, analysis, folder, run) for own in wanted if own.beside]
        for output in (own for own in wanted if not own.beside):
            output.write(analysis, folder, run)
        for done in beside:
            done.result()
    written = sorted(p for p in folder.rglob("*") if p.is_file())
    hashes = {p.relative_to(folder).as_posix(): _sha256(p) for p in written}
    record = run_record(analysis, run, hashes)
    text = json.dumps(record, ensure_ascii=False, indent=1) + "\n"
    (folder / RUN_FILE).write_text(text, encoding="utf-8", newline="\n")
    return hashes


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _swap(built: Path, target: Path, aside: Path) -> None:
    """Put `built` in the place of `target`; what was there comes back if that fails."""
    if target.exists():
        os.replace(target, aside)  # noqa: PTH105 - replaces on Windows too
    try:
        os.replace(built, target)  # noqa: PTH105
    except BaseException:
        if aside.exists() and not target.exists():
            os.replace(aside, target)  # noqa: PTH105
        raise
