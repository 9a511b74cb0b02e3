"""`python -m bundle`: build the zip that installs zonelog where no network is.

Wheels are downloaded by pip for other systems as well, each with the hash of
`requirements.lock`; what has no wheel is no part of it, so nothing is compiled anywhere.
Same lock, same project, same bytes.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().parent
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
TARGETS = {
    "linux-x86_64": ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    "windows-x86_64": ("win_amd64",),
    "macos-arm64": ("macosx_12_0_arm64",),
}
"""System -> the tags of wheels that run on it."""

SYSTEMS = {"linux-x86_64": "linux", "windows-x86_64": "win32", "macos-arm64": "darwin"}
EPOCH = (1980, 1, 1, 0, 0, 0)
SCRIPTS = ("install.py", "install.sh", "install.command", "install.bat", "README.txt")


def main() -> None:
    """Build the zip and say what it holds."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="zonelog-bundle-") as folder:
        top = Path(folder) / "zonelog-bundle"
        _fill(top, arguments.targets, arguments.pythons)
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        _zip(top, arguments.out)
    size = arguments.out.stat().st_size / 1e6
    print(f"{arguments.out}: {size:.0f} MB, SHA-256 {_sha256(arguments.out)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bundle", description="Build the zip for closed networks.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist" / "zonelog-bundle.zip")
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=list(TARGETS), metavar="SYSTEM")
    parser.add_argument("--pythons", nargs="+", default=list(PYTHONS), metavar="VERSION")
    return parser.parse_args()


def _fill(top: Path, targets: Iterable[str], pythons: Iterable[str]) -> None:
    """Put everything that belongs into the zip into a folder."""
    wheels = top / "wheels"
    wheels.mkdir(parents=True)
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, ROOT)
    for python in pythons:
        for target in targets:
            _download(wheels, target, python)
    for name in SCRIPTS:
        shutil.copy(HERE / name, top / name)
    (top / "install.sh").chmod(0o755)
    (top / "install.command").chmod(0o755)
    shutil.copytree(ROOT / "docs", top / "docs")
    for name in ("README.md", "CHANGELOG.md", "LICENSE", "requirements.lock"):
        shutil.copy(ROOT / name, top / name)
    sums = (f"{_sha256(path)}  {path.relative_to(top).as_posix()}\n" for path in _files(top))
    (top / "SHA256SUMS").write_text("".join(list(sums)), encoding="utf-8", newline="\n")


def _download(wheels: Path, target: str, python: str) -> None:
    """Download the wheels of one system and Python, by their hashes."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8", delete=False) as file:
        file.write("".join(_pins(target, python)))
    try:
        tags = [part for tag in TARGETS[target] for part in ("--platform", tag)]
        flags = ["--require-hashes", "--no-deps", "--only-binary=:all:", "--dest", wheels, "--requirement", file.name]
        _pip("download", *tags, "--python-version", python, *flags)
    finally:
        Path(file.name).unlink()


def _pins(target: str, python: str) -> Iterator[str]:
    """Yield the pins of the lock that a system and a Python need, without their markers.

    pip asks markers of the machine it runs on, also where it downloads for another.
    """
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": SYSTEMS[target],
        "platform_system": {"linux": "Linux", "win32": "Windows", "darwin": "Darwin"}[SYSTEMS[target]],
        "os_name": "nt" if SYSTEMS[target] == "win32" else "posix",
    }
    for block in _blocks():
        requirement = Requirement(block[0].split(" --hash")[0].rstrip(" \\"))
        if requirement.marker is None or requirement.marker.evaluate(environment):
            hashes = [line.strip().rstrip(" \\") for line in block[1:]]
            yield " ".join([f"{requirement.name}{requirement.specifier}", *hashes]) + "\n"


def _blocks() -> Iterator[list[str]]:
    """Yield the lines of each pin of the lock: the requirement, then its hashes."""
    block: list[str] = []
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if line.lstrip().startswith("#"):
            continue
        if line[:1].strip() and block:
            yield block
            block = []
        block.append(line)
    yield block


def _pip(command: str, *arguments: object) -> None:
    """Run pip; it ends with its words where it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", command, "--quiet", *map(str, arguments)], check=False, cwd=ROOT
    )
    if done.returncode:
        raise SystemExit(f"pip {command} failed; what it says above tells why")


def _files(top: Path) -> list[Path]:
    """Return all files below a folder, by name."""
    return sorted(path for path in top.rglob("*") if path.is_file())


def _zip(top: Path, out: Path) -> None:
    """Write a folder as a zip: names in order, one time for all, wheels as they are."""
    with zipfile.ZipFile(out, "w") as archive:
        for path in _files(top):
            entry = zipfile.ZipInfo(path.relative_to(top.parent).as_posix(), EPOCH)
            entry.external_attr = (path.stat().st_mode & 0xFFFF) << 16
            entry.compress_type = zipfile.ZIP_STORED if path.suffix == ".whl" else zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    main()
