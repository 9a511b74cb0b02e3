"""A server of object storage for tests (moto), which notes what is asked of it and can be told to refuse."""

import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ASKED = os.environ.get("EXTRAS", "").replace(",", " ").split()
HAS_S3 = all(importlib.util.find_spec(name) for name in ("obstore", "moto"))
needs_s3 = pytest.mark.skipif(
    not HAS_S3 and "s3" not in ASKED, reason="OBSTORE OR MOTO IS NOT INSTALLED: make test EXTRAS=ray,s3 tests s3://"
)
SECRETS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
BUCKET = "fleet"
SERVER = """
import re, sys, threading
from pathlib import Path
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

asked, refused = Path(sys.argv[1]), Path(sys.argv[2])
moto = DomainDispatcherApplication(create_backend_app)
conditions = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH")

def watched(environ, start):
    line = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
    with asked.open("a") as file:
        file.write(" ".join([line, *(environ[name] for name in conditions if name in environ)]) + "\\n")
    pattern = refused.read_text()
    if pattern and re.search(pattern, line):
        start("403 Forbidden", [("Content-Type", "application/xml")])
        return [b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"]
    return moto(environ, start)

server = make_server("127.0.0.1", 0, watched, threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.port, flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class Objects:
    """A bucket on the server; names are keys."""

    endpoint: str
    folder: Path
    environment: dict = field(default_factory=dict)

    def _store(self):
        from obstore.store import S3Store

        config = {name.lower(): value for name, value in SECRETS.items()}
        return S3Store(BUCKET, config=config, endpoint=self.endpoint, client_options={"allow_http": True})

    def put(self, key, data):
        import obstore

        obstore.put(self._store(), key, data)

    def get(self, key):
        import obstore

        return bytes(obstore.get(self._store(), key).bytes())

    def kind(self, key):
        """Return what browsers are told that an object is."""
        import obstore

        return obstore.get(self._store(), key).attributes["Content-Type"]

    def delete(self, *keys):
        import obstore

        for key in keys:
            obstore.delete(self._store(), key)

    def keys(self, prefix):
        import obstore

        return sorted(meta["path"] for batch in obstore.list(self._store(), prefix=prefix) for meta in batch)

    def contents(self, prefix):
        """Return all objects below a prefix, as of a folder."""
        return {key.removeprefix(f"{prefix}/"): self.get(key) for key in self.keys(prefix)}

    def asked(self, start=""):
        """Return what was asked of the server since the last time, as far as it starts so."""
        lines = (self.folder / "asked").read_text().splitlines()
        (self.folder / "asked").write_text("")
        return [line for line in lines if line.startswith(start)]

    def refuse(self, pattern):
        """Refuse what is asked like this from now on; nothing with an empty pattern."""
        (self.folder / "refused").write_text(pattern)


def serve(folder):
    """Yield a bucket, as long as it is needed."""
    if not HAS_S3:
        pytest.fail("EXTRAS asks for s3, but obstore and moto are not installed")
    for name in ("asked", "refused"):
        (folder / name).write_text("")
    command = [sys.executable, "-c", SERVER, folder / "asked", folder / "refused"]
    with (folder / "said").open("w") as said:
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True)
    import obstore
    from obstore.store import HTTPStore

    endpoint = f"http://127.0.0.1:{server.stdout.readline().strip()}"
    obstore.put(HTTPStore(endpoint, client_options={"allow_http": True}), BUCKET, b"")
    yield Objects(endpoint, folder, SECRETS | {"AWS_ENDPOINT_URL": endpoint})
    server.communicate()


def use(objects, monkeypatch):
    """Let this process use a server; one that was used before is forgotten."""
    import analyzer.buckets

    for name, value in objects.environment.items():
        monkeypatch.setenv(name, value)
    analyzer.buckets._client.cache_clear()
