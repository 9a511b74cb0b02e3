"""Log formats: one module each, found by scanning."""

import glob
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import cache
from itertools import accumulate
from pathlib import Path

import polars as pl

from analyzer.addresses import scheme_of
from analyzer.errors import LogError
from analyzer.logs._files import HEAD_BYTES, head_of, is_url, packed, sha256_of
from analyzer.logs._folders import Found, without_other_things
from analyzer.logs._format import (
    PART_BYTES,
    PART_RECORDS,
    PART_SIZE,
    Format,
    Log,
    Part,
    PartSize,
    Plan,
    ReadOptions,
    refuse_unreadable,
)
from analyzer.logs._grid import error_m, grid_in, with_grid
from analyzer.logs._objects import copy_of, is_object, objects_of, version_of
from analyzer.logs._packed import unpacked_name
from analyzer.logs._remarks import Remark, notices_of
from analyzer.logs._ros_files import is_metadata, one_a_recording, recording_of
from analyzer.logs._states import States, read_states
from analyzer.plugins import discover
from analyzer.quiet import without_panics

__all__ = [
    "PART_BYTES",
    "PART_RECORDS",
    "Format",
    "Found",
    "Log",
    "Part",
    "PartSize",
    "Plan",
    "ReadOptions",
    "Remark",
    "States",
    "companions",
    "error_m",
    "find_logs",
    "formats",
    "grid_in",
    "guess_log",
    "is_empty_recording",
    "is_url",
    "notices_of",
    "plan_log",
    "read_log",
    "read_part",
    "read_states",
    "refuse_unreadable",
    "search_logs",
    "sha256_of",
]


_WEB = ("http", "https")
_SUFFIXES_OF_ANYTHING = ("", ".dat", ".log")
"""Suffixes of files that may be anything: in a folder, only their content tells a log."""


@cache
def formats() -> dict[str, Format]:
    """Return module name -> log format."""
    return discover(__name__, "FORMAT", Format)


def find_logs(arguments: Sequence[str]) -> list[str]:
    """Return the logs that files, folders (searched recursively), globs and URLs name.

    Each is named as the user gave it (a folder's files below that folder); the order is
    that of the names. Raises LogError where an argument names nothing.
    """
    return search_logs(arguments).logs


def search_logs(arguments: Sequence[str], given: Collection[Path] = ()) -> Found:
    """Return the logs as `find_logs` does, and what folders hold that is none; `given` are files of other options."""
    named = [_named(argument, given) for argument in arguments]
    found = dict.fromkeys(path for one in named for path in one.logs)
    said = dict.fromkeys(remark for one in named for remark in one.remarks)
    return Found(sorted(one_a_recording(list(found))), tuple(said))


def _named(argument: str, given: Collection[Path]) -> Found:
    """Return the logs that one argument names."""
    path = Path(argument)
    if is_object(argument):
        return Found(_named_objects(argument))
    if is_url(argument) and scheme_of(argument) not in _WEB:
        raise LogError(f"{argument}: is no address that is read; name a file, s3://… or http(s)://… (small letters)")
    if is_url(argument) or path.is_file():
        return Found([argument])
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file())
        inside, remarks = without_other_things(path, files, given, _may_be_log)
        logs = _something([str(p) for p in inside], f"{argument}: no log in this folder; {_known_formats()}")
        return Found(logs, tuple(remarks))
    matches = sorted(p for p in glob.glob(argument, recursive=True) if Path(p).is_file())  # noqa: PTH207 - patterns may be absolute
    return Found(_something(matches, f"{argument}: no such file or folder; check the path"))


def _named_objects(argument: str) -> list[str]:
    """Return the logs among the objects that an address names; of many, the suffix tells."""
    found = objects_of(argument)
    inside = found if found == [argument] else [path for path in found if _has_suffix(path)]
    return _something(inside, f"{argument}: no log there; check the address; {_known_formats()}")


def _something(paths: list[str], message: str) -> list[str]:
    """Return the paths, refused where there are none."""
    if not paths:
        raise LogError(message)
    return paths


def _may_be_log(path: Path) -> bool:
    """Return whether some format has the suffix of a file in a folder; of others, whether its content proves one."""
    if _has_suffix(str(path)):
        return True
    if path.suffix.lower() not in _SUFFIXES_OF_ANYTHING:
        return False
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    return any(f.decisive and f.recognises(head) for f in formats().values())


def _has_suffix(path: str) -> bool:
    """Return whether some format has the suffix of a file."""
    name = unpacked_name(path).lower()
    return any(name.endswith(suffix) for f in formats().values() for suffix in f.suffixes)


def _known_formats() -> str:
    """Return a clause that names the formats."""
    names = [f"{f.name} ({', '.join(f.suffixes)})" for f in formats().values()]
    return f"zonelog reads {'; '.join(names)}"


def plan_log(path: str, options: ReadOptions, size: PartSize = PART_SIZE) -> Plan:
    """Return how a log is read in parts, without decoding it.

    Raises LogError where the file is missing, empty, of no known format or without the
    columns of a log.
    """
    if is_object(path):
        version = version_of(path)
        with copy_of(path, version) as copy:
            return replace(plan_log(copy, options, size), path=path, version=version)
    form = _format_of(unpacked_name(path), head_of(path))
    if not form.unpacks and packed(path):
        raise LogError(f"{path}: is packed; {form.name} is not read so, unpack it first")
    if form.plan is None:
        return Plan(path, form.name)
    with _own_words(path, form):
        plan = form.plan(path, options, size)
        return with_grid(plan, lambda part: form.read(plan, part, options))


def companions(path: str) -> tuple[str, ...]:
    """Return the files that a log consists of besides `path`, none where that cannot be told."""
    try:
        return tuple(map(str, recording_of(path).files)) if is_metadata(path) and not is_url(path) else ()
    except LogError:
        return ()


def read_part(plan: Plan, part: Part, options: ReadOptions) -> Log:
    """Return one part of a log, its records numbered from 1.

    LogError says why the log cannot be read as a whole. That no record is readable is no
    error of a part: `refuse_unreadable` is for the one who has seen them all.
    """
    if is_object(plan.path):
        with copy_of(plan.path, plan.version) as copy:
            log = read_part(replace(plan, path=copy), part, options)
        own = (replace(r, subject=plan.path) if r.subject == copy else r for r in log.remarks)
        return replace(log, path=plan.path, remarks=tuple(own))
    form = _by_name(plan.format)
    with _own_words(plan.path, form):
        return form.read(plan, part, options)


@contextmanager
def _own_words(path: str, form: Format) -> Iterator[None]:
    """Refuse a file where polars panics, in our words alone."""
    try:
        with without_panics() if form.may_panic else nullcontext():
            yield
    except pl.exceptions.PanicException as error:
        raise LogError(f"{path}: cannot be read as {form.name}: it is damaged, or was cut off") from error


def read_log(path: str, options: ReadOptions, size: PartSize = PART_SIZE) -> Log:
    """Return one log, all its parts; LogError says why it cannot be read as a whole."""
    plan = plan_log(path, options, size)
    log = _joined([read_part(plan, part, options) for part in plan.parts])
    if log.records.is_empty() and not is_empty_recording(log.remarks):
        first = log.rejects.select("record", "reason", "text").head(1).rows()
        refuse_unreadable(path, log.record_count, first[0] if first else None)
    return replace(log, sha256=sha256_of(path, plan.files))


def is_empty_recording(remarks: Iterable[Remark]) -> bool:
    """Return whether a log is whole and holds nothing: no error, but said."""
    return any(remark.code == "empty-recording" for remark in remarks)


def _joined(parts: list[Log]) -> Log:
    """Return the parts of a log as one, records numbered through."""
    befores = list(accumulate((part.record_count for part in parts), initial=0))
    numbered = list(zip(parts, befores, strict=False))
    return Log(
        path=parts[0].path,
        format=parts[0].format,
        sha256=None,
        records=pl.concat([_shifted(part.records, before) for part, before in numbered], how="diagonal"),
        rejects=pl.concat([_shifted(part.rejects, before) for part, before in numbered]),
        record_count=befores[-1],
        other_records=sum(part.other_records for part in parts),
        remarks=tuple(remark for part in parts for remark in part.remarks),
    )


def _shifted(frame: pl.DataFrame, before: int) -> pl.DataFrame:
    """Return records of a part numbered as those of the file, of which `before` came before."""
    return frame.with_columns(pl.col("record") + before) if before else frame


@cache
def _by_name(name: str) -> Format:
    """Return the format of a name; most are called like their module, and no other is imported then."""
    alone = discover(__name__, "FORMAT", Format, (name,)).get(name)
    return alone if alone and alone.name == name else next(f for f in formats().values() if f.name == name)


def _format_of(path: str, head: bytes) -> Format:
    """Return the format of a log: by content that proves it, then by suffix and content, then by content alone."""
    by_content = [f for f in formats().values() if head and f.recognises(head)]
    if proven := [f for f in by_content if f.decisive]:
        return proven[0]
    lower = path.lower()
    by_suffix = [f for f in formats().values() if any(lower.endswith(s) for s in f.suffixes)]
    both = [f for f in by_suffix if f in by_content or f.decisive]
    sure = [f for f in by_content if not f.is_vague]
    if found := [f for f in both if not f.is_vague] or sure or both or by_content or by_suffix:
        return found[0]
    raise LogError(f"{path}: unknown kind of file; {_known_formats()}")


def guess_log(path: str, timezone: str | None, lang: str) -> str:
    """Return what is seen in a log, as a profile whose comments are the evidence; LogError where it is no log."""
    from analyzer.logs._guess import guess  # noqa: PLC0415 - only a guess needs it

    form = _format_of(unpacked_name(path), head_of(path))
    with _own_words(path, form):
        return guess(path, form.name, timezone, lang)
