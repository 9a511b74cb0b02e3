"""Install zonelog from this folder, without a network: `python install.py [FOLDER]`.

Checks every file against SHA256SUMS, makes a virtual environment in FOLDER (default:
`zonelog` in the user's home) and installs the wheels that are here into it. `--fits`
only asks whether this Python can: status 0 or 1. Any Python 3 can read this, to be told
that another is needed: so no annotation here is evaluated.
"""

import hashlib
import importlib.util
import io
import json
import os
import platform
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Check, install, and say how to start; 1 where that is not possible."""
    if sys.argv[1:] == ["--fits"]:
        return int(bool(_unfit()))
    target = Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else Path.home() / "zonelog"
    reason = _damage() or _unfit() or _occupied(target)
    if reason:
        print(reason, file=sys.stderr)
        return 1
    return _install(target)


def _install(target: Path) -> int:
    """Install zonelog and the extras that are here into a new virtual environment."""
    venv.create(target, with_pip=True, clear=True)
    folder = target / ("Scripts" if os.name == "nt" else "bin")
    python = folder / ("python.exe" if os.name == "nt" else "python")
    extras = _facts()["extras"]
    package = f"zonelog[{','.join(extras)}]" if extras else "zonelog"
    pip = [python, "-m", "pip", "install", "--quiet", "--no-index", "--find-links", HERE / "wheels", package]
    if subprocess.run([str(part) for part in pip], check=False).returncode:
        words = "pip could not install it; it says why above. / pip이 설치하지 못했습니다. 이유는 위에 있습니다."
        print(words, file=sys.stderr)
        return 1
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a console may have no Korean letters
    print(_about_ray(target, extras), end="")
    print(f"zonelog is installed. Try it / 설치했습니다. 시험해 보기: {folder / 'zonelog'} demo --out zonelog-demo")
    return 0


def _about_ray(target: Path, extras: "list[str]") -> str:
    """Say that Ray cannot start its workers from a folder with spaces; all else works there."""
    if "ray" not in extras or " " not in str(target):
        return ""
    return (
        f"{target} has spaces in its name: --engine ray cannot work from there; install into another folder for it. / "
        "폴더 이름에 빈칸이 있어 --engine ray를 쓸 수 없습니다. 쓰려면 다른 폴더에 설치하십시오.\n"
    )


def _damage() -> str:
    """Say which files are not what SHA256SUMS says."""
    sums = HERE / "SHA256SUMS"
    lines = sums.read_text(encoding="utf-8").splitlines() if sums.is_file() else ["?  SHA256SUMS"]
    names = [name for digest, name in (line.split("  ", 1) for line in lines) if _sha256(HERE / name) != digest]
    english = "These files are missing or damaged, copy the bundle again"
    korean = "없거나 손상된 파일이 있습니다. 묶음을 다시 복사하십시오"
    return f"{english} / {korean}: {', '.join(names[:5])}" if names else ""


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file, nothing where it is missing."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _occupied(target: Path) -> str:
    """Say that a folder holds what is not zonelog's."""
    if not target.exists() or (target / "pyvenv.cfg").is_file() or (target.is_dir() and not any(target.iterdir())):
        return ""
    return f"{target} holds other files; name a new folder. / 다른 파일이 있습니다. 새 폴더를 지정하십시오."


def _unfit() -> str:
    """Say why this Python cannot do it, and which could."""
    fitting, system = _fitting(), f"{_system()} {'.'.join(map(str, _version()))}".strip()
    if not fitting:
        return (
            f"This bundle has nothing for this computer ({system}); README.txt says what it is for. / "
            f"이 컴퓨터({system})용 휠이 없습니다. README.txt를 보십시오."
        )
    if _python() not in fitting:
        pythons = ", ".join(fitting)
        return (
            f"This is Python {_python()}; on this computer ({system}) one of these is needed: {pythons}. / "
            f"Python {_python()}입니다. 이 컴퓨터({system})에는 다음 중 하나가 필요합니다: {pythons}."
        )
    if importlib.util.find_spec("ensurepip") is None:
        return (
            f"This Python cannot make virtual environments; install python{_python()}-venv. / "
            f"가상 환경을 만들 수 없습니다. python{_python()}-venv를 설치하십시오."
        )
    return ""


def _fitting() -> "list[str]":
    """Return the Pythons for which wheels that run on this computer are here."""
    system, version = _system(), _version()
    return [
        one["python"]
        for one in _facts()["systems"]
        if one["system"] == system and (one["least"] is None or tuple(one["least"]) <= version)
    ]


def _facts() -> "Any":
    """Return what the bundle is for: `extras`, and `systems` with their Python and least version."""
    return json.loads((HERE / "systems.json").read_text(encoding="utf-8"))


def _python() -> str:
    """Return which Python this is, as wheels tell them apart: 3.12, 3.14t (free-threaded), pypy 3.11."""
    name = "" if sys.implementation.name == "cpython" else f"{sys.implementation.name} "
    threads = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    return f"{name}{sys.version_info[0]}.{sys.version_info[1]}{threads}"


def _system() -> str:
    """Return the name that `systems.json` has for this system."""
    built_for = sysconfig.get_platform()
    if built_for.startswith("macosx"):
        return f"macos-{platform.machine()}"
    return built_for.replace("win-amd64", "windows-x86_64")


def _version() -> "tuple[int, ...]":
    """Return the version of macOS, or of glibc on Linux; nothing where there is none."""
    library, version = platform.libc_ver() if sys.platform == "linux" else ("glibc", platform.mac_ver()[0])
    return tuple(int(number) for number in version.split(".")) if library == "glibc" and version else ()


if __name__ == "__main__":
    sys.exit(main())
