"""Install zonelog from this folder, without a network: `python install.py [FOLDER]`.

Checks every file against SHA256SUMS, makes a virtual environment in FOLDER (default:
`zonelog` in the user's home) and installs the wheels that are here into it.
"""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
OLDEST = (3, 11)


def main() -> int:
    """Check, install, and say how to start; 1 where that is not possible."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path.home() / "zonelog"
    if sys.version_info < OLDEST:
        return _refused(f"Python {OLDEST[0]}.{OLDEST[1]} or later is needed; this is {sys.version.split()[0]}.")
    damaged = _damaged()
    if damaged:
        return _refused(f"These files are missing or damaged, copy the bundle again: {', '.join(damaged[:5])}")
    if target.exists() and not (target / "pyvenv.cfg").is_file() and any(target.iterdir()):
        return _refused(f"{target} holds other files; name a new folder.")
    venv.create(target, with_pip=True, clear=True)
    folder = target / ("Scripts" if os.name == "nt" else "bin")
    python = folder / ("python.exe" if os.name == "nt" else "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--no-index", "--find-links", HERE / "wheels", "zonelog"]
    if subprocess.run([str(part) for part in pip], check=False).returncode:
        return _refused("pip could not install it; is this Python one of those that README.txt names?")
    print(f"zonelog is installed. Try it / 설치했습니다. 시험해 보기: {folder / 'zonelog'} demo --out zonelog-demo")
    return 0


def _damaged() -> list[str]:
    """Return the files that are not what SHA256SUMS says."""
    lines = (HERE / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return [name for digest, name in (line.split("  ", 1) for line in lines) if _sha256(HERE / name) != digest]


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file, nothing where it is missing."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _refused(message: str) -> int:
    """Say why not."""
    print(message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
