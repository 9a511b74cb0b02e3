"""The install scripts find a Python that fits, or say which would, before anything is written."""

import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from bundle import install

BUNDLE = Path(install.__file__).parent
FACTS = {
    "extras": [],
    "systems": [
        {"system": "linux-x86_64", "python": "3.11", "least": [2, 28]},
        {"system": "linux-x86_64", "python": "3.12", "least": [2, 28]},
        {"system": "windows-x86_64", "python": "3.12", "least": None},
        {"system": "macos-arm64", "python": "3.11", "least": [14, 0]},
        {"system": "macos-arm64", "python": "3.12", "least": [12, 0]},
    ],
}


@pytest.fixture
def on(tmp_path, monkeypatch):
    """Be on a system, under a Python."""
    (tmp_path / "systems.json").write_text(json.dumps(FACTS), encoding="utf-8")
    monkeypatch.setattr(install, "HERE", tmp_path)

    def be(built_for, version, machine, python, *, free_threaded=0):
        name = {"linux": "linux", "macosx": "darwin"}.get(built_for.split("-")[0], "win32")
        monkeypatch.setattr(sys, "platform", name)
        monkeypatch.setattr(sys, "version_info", tuple(map(int, python.split("."))))
        monkeypatch.setattr(sysconfig, "get_platform", lambda: built_for)
        monkeypatch.setattr(sysconfig, "get_config_var", lambda _: free_threaded)
        monkeypatch.setattr(platform, "machine", lambda: machine)
        monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", version) if version else ("", ""))
        monkeypatch.setattr(platform, "mac_ver", lambda: (version, ("", "", ""), machine))
        return install._unfit()

    return be


@pytest.mark.parametrize(
    "where",
    [
        ("linux-x86_64", "2.28", "x86_64", "3.11"),
        ("linux-x86_64", "2.100", "x86_64", "3.12"),
        ("win-amd64", "", "AMD64", "3.12"),
        ("macosx-11.0-arm64", "14.6.1", "arm64", "3.11"),
        ("macosx-10.13-universal2", "12.7", "arm64", "3.12"),
    ],
)
def test_fits_where_the_wheels_run(on, where):
    assert on(*where) == ""


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (
            ("macosx-11.0-arm64", "13.6", "arm64", "3.11"),
            "This is Python 3.11; on this computer (macos-arm64 13.6) one of these is needed: 3.12.",
        ),
        (("macosx-11.0-arm64", "11.7", "arm64", "3.12"), "nothing for this computer (macos-arm64 11.7)"),
        (("macosx-10.13-universal2", "14.0", "x86_64", "3.12"), "nothing for this computer (macos-x86_64 14.0)"),
        (("linux-x86_64", "2.17", "x86_64", "3.12"), "nothing for this computer (linux-x86_64 2.17)"),
        (("linux-x86_64", "", "x86_64", "3.12"), "nothing for this computer (linux-x86_64)"),
        (("linux-aarch64", "2.36", "aarch64", "3.12"), "nothing for this computer (linux-aarch64 2.36)"),
        (("win32", "", "AMD64", "3.12"), "nothing for this computer (win32)"),
        (
            ("win-amd64", "", "AMD64", "3.8"),
            "This is Python 3.8; on this computer (windows-x86_64) one of these is needed: 3.12.",
        ),
    ],
)
def test_says_what_is_needed_where_they_do_not(on, where, said):
    assert said in on(*where)


def test_free_threaded_pythons_need_wheels_of_their_own(on):
    assert "This is Python 3.12t" in on("linux-x86_64", "2.36", "x86_64", "3.12", free_threaded=1)


def test_a_python_without_venv_is_told_what_to_install(on, monkeypatch):
    monkeypatch.setattr(install.importlib.util, "find_spec", lambda _: None)
    assert "install python3.12-venv" in on("linux-x86_64", "2.36", "x86_64", "3.12")


def test_missing_checksums_are_damage(tmp_path, monkeypatch):
    monkeypatch.setattr(install, "HERE", tmp_path)
    assert install._damage().endswith(": SHA256SUMS")


@pytest.mark.parametrize(
    ("folder", "extras", "said"), [("a b", ["ray", "s3"], True), ("a b", ["s3"], False), ("ab", ["ray", "s3"], False)]
)
def test_ray_in_a_folder_with_spaces_is_warned_of(folder, extras, said):
    """Ray writes the path of Python into a shell command without quotes; its workers then die, and a run waits."""
    assert ("--engine ray cannot work" in install._about_ray(Path("/opt") / folder, extras)) is said


@pytest.fixture
def shell(tmp_path):
    """Run install.sh from another folder, with pretended Pythons that say how they were called."""
    (tmp_path / "the bundle").mkdir()
    (tmp_path / "bin").mkdir()
    shutil.copy(BUNDLE / "install.sh", tmp_path / "the bundle")
    (tmp_path / "bin" / "dirname").symlink_to(shutil.which("dirname"))

    def run(**fits):
        for name, fit in fits.items():
            python = tmp_path / "bin" / name.replace("_", ".")
            answer = 'printf "%s|" "$(basename "$0")" "$PWD" "$@"'.replace('$(basename "$0")', python.name)
            python.write_text(f'#!/bin/sh\n[ "$2" = --fits ] && exit {0 if fit else 1}\n{answer}\n', encoding="utf-8")
            python.chmod(0o755)
        command = [shutil.which("sh"), "the bundle/install.sh", "my folder"]
        env = {"PATH": str(tmp_path / "bin")}
        return subprocess.run(command, check=False, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)

    return run


POSIX = pytest.mark.skipif(os.name == "nt", reason="a shell script")


@POSIX
def test_the_first_python_that_fits_installs_from_where_the_user_is(shell, tmp_path):
    done = shell(python3_14=False, python3_12=True, python3=True)
    assert done.stdout == f"python3.12|{tmp_path}|the bundle/install.py|my folder|"


@POSIX
def test_where_none_fits_one_says_why(shell, tmp_path):
    done = shell(python3_14=False, python3=False)
    assert done.stdout == f"python3|{tmp_path}|the bundle/install.py|my folder|"


@POSIX
def test_where_no_python_is_the_script_says_so(shell):
    done = shell()
    assert (done.returncode, "README.txt says which" in done.stderr) == (1, True)


def test_the_script_for_windows_stays_where_the_user_is():
    """It cannot be run here; this is what was wrong with it."""
    lines = (BUNDLE / "install.bat").read_text(encoding="utf-8").lower().splitlines()
    assert not [line for line in lines if line.split()[:1] in (["cd"], ["pushd"], ["chdir"])]
    assert all('"%~dp0install.py"' in line for line in lines if "install.py" in line)
