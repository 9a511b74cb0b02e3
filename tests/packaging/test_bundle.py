"""The bundle for closed networks: it installs and works where no network is."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bundle import __main__ as bundle
from tests.packaging.test_wheel import ROOT

LINUX = sys.platform == "linux" and os.uname().machine == "x86_64"
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
NO_NETWORK = {"PIP_NO_INDEX": "1", "HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}


def offline(command, cwd=None):
    """Run a command in a network of its own, where the system allows it, else with every way out closed."""
    apart = ["unshare", "--map-root-user", "--net"]
    usable = shutil.which("unshare") and subprocess.run([*apart, "true"], check=False, capture_output=True)
    front = apart if usable and usable.returncode == 0 else []
    env = {k: v for k, v in os.environ.items() if not k.startswith("PIP_") and k != "PYTHONPATH"} | NO_NETWORK
    return subprocess.run(
        [*front, *command], check=False, env=env, capture_output=True, text=True, timeout=600, cwd=cwd
    )


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    command = [
        sys.executable,
        "-m",
        "bundle",
        "--targets",
        "linux-x86_64",
        "--pythons",
        HERE,
        "--out",
        folder / "b.zip",
    ]
    built = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=600)
    if built.returncode and not os.environ.get("CI"):
        pytest.skip(f"NOT TESTED: the bundle needs a package index to be built ({built.stderr[-200:]})")
    assert built.returncode == 0, built.stderr
    with zipfile.ZipFile(folder / "b.zip") as archive:
        archive.extractall(folder)
    return folder / "zonelog-bundle"


@pytest.mark.skipif(not LINUX, reason="builds the bundle of this system: Linux on x86-64")
def test_installs_and_works_without_a_network(unpacked, tmp_path):
    done = offline(["sh", str(unpacked / "install.sh"), str(tmp_path / "home")])
    assert done.returncode == 0, done.stderr
    zonelog = tmp_path / "home" / "bin" / "zonelog"
    demo = offline([str(zonelog), "demo", "--out", "demo", "--lang", "en"], cwd=tmp_path)
    assert demo.returncode == 0, demo.stderr
    assert (tmp_path / "demo" / "map.html").exists()


@pytest.mark.skipif(not LINUX, reason="builds the bundle of this system: Linux on x86-64")
def test_a_damaged_file_is_named_and_nothing_is_installed(unpacked, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(unpacked, copy)
    wheel = next((copy / "wheels").glob("polars-*.whl"))
    wheel.write_bytes(wheel.read_bytes()[:-1])
    done = offline(["sh", str(copy / "install.sh"), str(tmp_path / "home")])
    assert done.returncode == 1
    assert wheel.name in done.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.skipif(not LINUX, reason="builds the bundle of this system: Linux on x86-64")
def test_somebodys_folder_is_not_replaced(unpacked, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    done = offline(["sh", str(unpacked / "install.sh"), str(tmp_path)])
    assert (done.returncode, (tmp_path / "thesis.txt").exists()) == (1, True)


@pytest.mark.parametrize("python", bundle.PYTHONS)
@pytest.mark.parametrize("target", bundle.TARGETS)
def test_every_system_gets_one_pin_of_each_package_with_hashes(target, python):
    pins = list(bundle._pins(target, python))
    names = [pin.split("==")[0] for pin in pins]
    assert len(names) == len(set(names))
    assert {"polars-runtime-32", "numpy", "shapely", "xstatic-leaflet"} <= set(names)
    assert all("--hash=sha256:" in pin and ";" not in pin for pin in pins)


def test_same_files_same_zip(tmp_path):
    for name in ("one", "two"):
        folder = tmp_path / name / "zonelog-bundle"
        folder.mkdir(parents=True)
        for file in ("b.txt", "a.whl") if name == "one" else ("a.whl", "b.txt"):
            (folder / file).write_bytes(file.encode())
        bundle._zip(folder, tmp_path / f"{name}.zip")
    assert Path(tmp_path / "one.zip").read_bytes() == Path(tmp_path / "two.zip").read_bytes()
