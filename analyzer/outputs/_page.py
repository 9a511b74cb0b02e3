"""What the pages share: assets inlined, data as inert blocks, and a policy that forbids the rest."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from analyzer.errors import OutputError
from analyzer.outputs._packing import ALPHABET

ASSETS = Path(__file__).resolve().parent.parent / "assets"
SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
PACKED = re.compile(f"[{re.escape(ALPHABET)}]*")
TILES = re.compile(r"(?P<origin>https?://(\{s\}\.)?[A-Za-z0-9.-]+(:[0-9]+)?)/[^\s\"'<>;,]*")
NAME = re.compile(r"[a-z0-9-]+")


def asset(name: str) -> str:
    """Return one of our own assets."""
    return (ASSETS / name).read_text(encoding="utf-8")


def leaflet(name: str) -> str:
    """Return a file of Leaflet 1.9.3 from the package XStatic-Leaflet."""
    from xstatic.pkg import leaflet as package  # noqa: PLC0415 - only the map needs it

    return (Path(package.BASE_DIR) / name).read_text(encoding="utf-8")


def inert_json(data: Any) -> str:
    """Return data as a JSON block that no parser of HTML can take for markup or code."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f'<script type="application/json" id="zonelog-data">{text}</script>'


def inert_block(name: str, packed: str) -> str:
    """Return packed data as a block; raises ValueError where characters are not ours, or the name is not."""
    _refuse_unless_plain(name, packed)
    return f'<script type="application/octet-stream" id="zonelog-{name}">{packed}</script>'


def chunk_script(name: str, packed: str) -> str:
    """Return packed data as a classic script of its own file, which hands it to the page."""
    _refuse_unless_plain(name, packed)
    return f'zonelogChunk("{name}","{packed}");\n'


def _refuse_unless_plain(name: str, packed: str) -> None:
    """Raise ValueError where something else than our names and characters would get into a page."""
    if not NAME.fullmatch(name) or not PACKED.fullmatch(packed):
        raise ValueError(name)


def with_policy(page: str, *, beside: bool = False, images: str | None = None) -> str:
    """Return the page with a policy: its own scripts by hash, its own styles, nothing else.

    `beside` lets those scripts load others (the files of a `map/` folder, which no hash can
    allow from `file://`), `images` is a source of pictures from elsewhere.
    """
    scripts = SCRIPT.findall(page)
    hashes = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    allowed = " ".join(f"'sha256-{h}'" for h in hashes) or "'none'"
    policy = (
        f"default-src 'none'; script-src {allowed}{' ' + STRICT if beside else ''}; style-src 'unsafe-inline'; "
        f"img-src data:{' ' + images if images else ''}; base-uri 'none'; form-action 'none'"
    )
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    return page.replace("<head>", f"<head>\n{meta}", 1)


STRICT = "'strict-dynamic'"


def tile_source(url: str) -> str:
    """Return what the policy must allow for the tiles of a URL; raises OutputError where it is none."""
    found = TILES.fullmatch(url)
    if not found or not all(part in url for part in ("{z}", "{x}", "{y}")):
        raise OutputError(f"{url}: no address of tiles; write https://HOST/{{z}}/{{x}}/{{y}}.png")
    return found["origin"].replace("{s}", "*")
