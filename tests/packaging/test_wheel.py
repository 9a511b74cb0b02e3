"""The wheel holds only `analyzer`, and works where no checkout is near."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", out, ROOT]
    subprocess.run(command, check=True, timeout=300)
    return next(out.glob("zonelog-*.whl"))


@pytest.fixture(scope="module")
def clean(wheel, tmp_path_factory):
    """A new environment with the wheel in it; the dependencies are lent by this one."""
    home = tmp_path_factory.mktemp("clean")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True, timeout=300)
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.run([python, "-c", query], check=True, capture_output=True, text=True).stdout.strip()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # Appended, so what is in the new environment comes first; editable installs are left behind.
    (Path(site) / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python


def run(python, *arguments, cwd):
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"PYTHONUTF8": "1"}
    command = [python, "-m", "analyzer", *arguments]
    return subprocess.run(
        command, check=False, cwd=cwd, env=env, capture_output=True, text=True, encoding="utf-8", timeout=300
    )


def test_holds_only_the_package(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "analyzer",
        next(n for n in names if "dist-info" in n).split("/")[0],
    }
    assert {"analyzer/_zones/gwangju/zones.geojson", "analyzer/assets/map.js", "analyzer/py.typed"} <= set(names)


def test_entry_point(wheel):
    archive = zipfile.ZipFile(wheel)
    entry = next(n for n in archive.namelist() if n.endswith("entry_points.txt"))
    assert "zonelog = analyzer:main" in archive.read(entry).decode()


def test_works_elsewhere(clean, tmp_path):
    where = [clean, "-c", "import analyzer; print(analyzer.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60).stdout
    assert ROOT not in Path(found.strip()).parents
    assert "gwangju" in run(clean, "zones", "list", cwd=tmp_path).stdout
    done = run(clean, "demo", "--out", "demo", "--lang", "en", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "9 facts built into the synthetic day 9 were found" in " ".join(done.stdout.split())
    assert (tmp_path / "demo" / "report.html").exists()
