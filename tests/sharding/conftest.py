"""A server of object storage, and where a ledger may lie: in a folder, or there."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sharding.s3 import BUCKET, Objects, needs_s3, serve, use


@pytest.fixture(scope="session")
def bucket(tmp_path_factory):
    """Return a bucket on a server."""
    yield from serve(tmp_path_factory.mktemp("server"))


@dataclass(frozen=True)
class Folder:
    """A ledger in a folder."""

    where: Path

    def names(self, kind):
        return sorted(p.relative_to(self.where).as_posix() for p in (self.where / kind).rglob("*") if p.is_file())

    def read(self, name):
        return (self.where / name).read_bytes()

    def write(self, name, data):
        (self.where / name).write_bytes(data)

    def remove(self, kind):
        shutil.rmtree(self.where / kind)


@dataclass(frozen=True)
class Prefix:
    """A ledger in object storage."""

    where: str
    objects: Objects

    def _key(self, name):
        return f"{self.where.removeprefix(f's3://{BUCKET}/')}/{name}"

    def names(self, kind):
        start = len(self._key(""))
        return [key[start:] for key in self.objects.keys(self._key(kind))]

    def read(self, name):
        return self.objects.get(self._key(name))

    def write(self, name, data):
        self.objects.put(self._key(name), data)

    def remove(self, kind):
        self.objects.delete(*self.objects.keys(self._key(kind)))


@pytest.fixture(params=["folder", pytest.param("s3", marks=needs_s3)])
def home(request, tmp_path, monkeypatch):
    """Return a place for a ledger, and how to look into it behind its back."""
    if request.param == "folder":
        return Folder(tmp_path / "ledger")
    objects = request.getfixturevalue("bucket")
    use(objects, monkeypatch)
    return Prefix(f"s3://{BUCKET}/{tmp_path.name}/ledger", objects)
