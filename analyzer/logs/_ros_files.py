"""Recordings of several files: what their metadata.yaml names, and nothing outside its folder."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from analyzer.errors import LogError
from analyzer.records import record

METADATA = "metadata.yaml"
KEY = "rosbag2_bagfile_information"
_MOST_CHARACTERS = 4 << 20


@record(frozen=True)
class Recording:
    """The files of a recording in their order, and the names of those that are missing."""

    files: tuple[Path, ...]
    missing: tuple[str, ...] = ()


def is_metadata(path: str) -> bool:
    """Return whether a path is that of the metadata of a recording."""
    return PurePosixPath(path.replace("\\", "/")).name == METADATA


def recording_of(path: str) -> Recording:
    """Return the files of a recording; LogError where its metadata cannot be used."""
    if not is_metadata(path):
        return Recording((Path(path),))
    names = _names(path)
    found = [(name, _inside(path, name)) for name in names]
    files = tuple(file for _, file in found if file is not None)
    missing = tuple(name for name, file in found if file is None)
    if not files:
        shown = ", ".join(repr(name) for name in missing[:5])
        message = f"{path}: none of the files that it names is there ({shown}); put them beside it"
        raise LogError(message)
    return Recording(files, missing)


def _names(path: str) -> list[str]:
    """Return the files that the metadata names."""
    try:
        names = _named(_text(Path(path)))
    except Exception as error:
        message = (
            f"{path}: cannot be read as the metadata of a recording ({type(error).__name__}); name its files instead"
        )
        raise LogError(message) from error
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise LogError(f"{path}: relative_file_paths names no files; name the files of the recording instead")
    return list(dict.fromkeys(names))


@lru_cache(maxsize=8)
def _named(text: str) -> Any:
    """Return what a text names as its files: parsed once, though it is asked for when found, planned and read."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - only recordings need it

    return YAML(typ="safe", pure=True).load(text)[KEY]["relative_file_paths"]


def _text(file: Path) -> str:
    """Return the text of a file of moderate size."""
    with file.open(encoding="utf-8") as opened:
        text = opened.read(_MOST_CHARACTERS + 1)
    if len(text) > _MOST_CHARACTERS:
        raise ValueError
    return text


def _inside(path: str, name: str) -> Path | None:
    """Return a file that the metadata names, null where it is missing; LogError where it lies elsewhere."""
    folder = Path(path).parent
    plain = PurePosixPath(name.replace("\\", "/"))
    # Versions before 4 wrote the folder's own name before that of the file.
    places = (folder / plain, folder / plain.name)
    file = next((p for p in places if p.is_file()), None)
    outside = plain.is_absolute() or ".." in plain.parts or ":" in name
    if outside or (file is not None and not file.resolve().is_relative_to(folder.resolve())):
        message = f"{path}: names a file outside its folder ({name!r}); put all files of the recording beside it"
        raise LogError(message)
    return file


def one_a_recording(paths: Sequence[str]) -> list[str]:
    """Return paths without the files that belong to a recording among them, nor metadata of other things."""
    own: set[Path] = set()
    foreign = set()
    for path in filter(is_metadata, paths):
        if KEY.encode() not in _head(path):
            foreign.add(path)
            continue
        try:
            own.update(file.resolve() for file in recording_of(path).files)
        except LogError:
            continue  # it is refused when it is read, with the reason
    left = [p for p in paths if p not in foreign and ("://" in p or is_metadata(p) or Path(p).resolve() not in own)]
    return left or list(paths)


def _head(path: str) -> bytes:
    """Return the first bytes of a file, none where it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return file.read(4096)
    except OSError:
        return b""
