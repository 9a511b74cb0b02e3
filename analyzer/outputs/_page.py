"""What the pages share: assets inlined, data as inert JSON, and a policy that forbids the rest."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

ASSETS = Path(__file__).resolve().parent.parent / "assets"
SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


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


def with_policy(page: str) -> str:
    """Return the page with a policy: its own scripts by hash, its own styles, nothing else."""
    scripts = SCRIPT.findall(page)
    hashes = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    allowed = " ".join(f"'sha256-{h}'" for h in hashes) or "'none'"
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    return page.replace("<head>", f"<head>\n{meta}", 1)
