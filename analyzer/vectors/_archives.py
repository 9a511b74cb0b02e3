"""Zip archives (KMZ, zipped shapefiles): read in memory, bounded before anything is unpacked."""

import io
import zipfile
from pathlib import PurePosixPath

MOST_MEMBERS = 1_000
MOST_BYTES = 512 << 20
MOST_RATIO = 100
FREE_BYTES = 1 << 20
"""Below this size no ratio is asked for."""


class Archive:
    """The members of a zip, by name; ValueError where it is none, or unpacks to too much."""

    def __init__(self, data: bytes) -> None:
        """Check names and sizes as the directory states them; reading gives no more than stated."""
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, OverflowError) as error:
            raise ValueError(f"not a readable zip: {error}") from error
        members = [m for m in self._zip.infolist() if not m.is_dir()]
        total = sum(m.file_size for m in members)
        if len(members) > MOST_MEMBERS or total > max(FREE_BYTES, min(MOST_BYTES, MOST_RATIO * len(data))):
            raise ValueError(f"the zip would unpack to {total:,} bytes in {len(members)} files; unpack it yourself")
        self._members = {m.filename: m for m in members}

    def names(self, suffix: str) -> list[str]:
        """Return the names with a suffix, sorted; resource forks of a Mac are none."""
        own = (n for n in self._members if PurePosixPath(n).suffix.lower() == suffix and "__MACOSX" not in n)
        return sorted(own)

    def read(self, name: str) -> bytes:
        """Return a member, never more bytes than the directory states."""
        try:
            with self._zip.open(self._members[name]) as file:
                return file.read(self._members[name].file_size)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zipfile.LargeZipFile) as error:
            raise ValueError(f"{name} in the zip cannot be read: {error}") from error

    def beside(self, name: str, suffix: str) -> bytes | None:
        """Return the member that is called as `name` with another suffix, whatever its case."""
        wanted = str(PurePosixPath(name).with_suffix(suffix)).lower()
        found = next((n for n in sorted(self._members) if n.lower() == wanted), None)
        return None if found is None else self.read(found)
