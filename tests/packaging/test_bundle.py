"""The bundle for closed networks: it installs and works where no network is."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bundle import __main__ as bundle
from bundle.pins import extras, pins, read
from bundle.systems import SYSTEMS, Promise, least_version, needed_lines
from tests.packaging.resolving import lacking
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
    """A bundle for every system, with the smaller extra."""
    folder = tmp_path_factory.mktemp("bundle")
    options = ["--pythons", HERE, "--extras", "s3", "--out", folder / "b.zip"]
    command = [sys.executable, "-m", "bundle", *options]
    built = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=600)
    if built.returncode and not os.environ.get("CI"):
        pytest.skip(f"NOT TESTED: the bundle needs a package index to be built ({built.stderr[-200:]})")
    assert built.returncode == 0, built.stderr
    with zipfile.ZipFile(folder / "b.zip") as archive:
        archive.extractall(folder)
    return folder / "zonelog-bundle"


@pytest.fixture(scope="module")
def installed(unpacked, tmp_path_factory):
    """The folder in which somebody stood, and installed zonelog into the folder `here` of it."""
    folder = tmp_path_factory.mktemp("stood")
    (folder / "carried over").symlink_to(unpacked)
    done = offline(["sh", "carried over/install.command", "here"], cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.skipif(not LINUX, reason="installs on this system: Linux on x86-64")
def test_installs_where_the_user_is_and_works_without_a_network(installed, unpacked):
    assert not (unpacked / "here").exists()
    zonelog = installed / "here" / "bin" / "zonelog"
    demo = offline([str(zonelog), "demo", "--out", "demo", "--lang", "en"], cwd=installed)
    assert demo.returncode == 0, demo.stderr
    assert (installed / "demo" / "map.html").exists()


@pytest.mark.skipif(not LINUX, reason="installs on this system: Linux on x86-64")
def test_an_extra_of_the_bundle_is_installed_and_asks_the_store(installed):
    """Without it, zonelog says what to install; with it, that nobody answers."""
    command = ["here/bin/zonelog", "analyze", "s3://fleet/day/", "--zones", "demo", "--out", "r", "--lang", "en"]
    keys = ["AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b", "AWS_REGION=c", "AWS_ENDPOINT_URL=http://127.0.0.1:9"]
    done = offline(["env", *keys, *command], cwd=installed)
    said = " ".join(done.stderr.split())
    assert done.returncode == 4, said
    assert "127.0.0.1:9" in said
    assert "pip install" not in said


def test_every_system_finds_all_it_needs_on_the_oldest_version_that_is_promised(unpacked):
    """Asked of the wheels' own metadata; one version earlier, something is missing."""
    facts = json.loads((unpacked / "systems.json").read_text(encoding="utf-8"))
    assert [one["system"] for one in facts["systems"]] == list(SYSTEMS)
    for one in facts["systems"]:
        promised = tuple(one["least"] or ())
        assert lacking(unpacked / "wheels", one["system"], HERE, promised, ["s3"]) == set()
        earlier = (promised[0] - 1, 0) if one["system"] == "macos-arm64" else (2, promised[1] - 1) if promised else ()
        if earlier and promised != SYSTEMS[one["system"]].oldest:
            assert lacking(unpacked / "wheels", one["system"], HERE, earlier, ["s3"])


def test_readme_says_what_the_wheels_say(unpacked):
    words = (unpacked / "README.txt").read_text(encoding="utf-8")
    for one in json.loads((unpacked / "systems.json").read_text(encoding="utf-8"))["systems"]:
        promise = Promise(one["system"], one["python"], tuple(one["least"]) if one["least"] else None)
        for korean in (False, True):
            assert needed_lines([promise], korean=korean) in words
    assert "installed as well: s3." in words


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


@pytest.mark.parametrize("wanted", [(), ("ray", "s3")])
@pytest.mark.parametrize("python", bundle.PYTHONS)
@pytest.mark.parametrize("target", SYSTEMS)
def test_every_system_gets_one_pin_of_each_package_with_hashes(target, python, wanted):
    names = [pin.name for pin in pins(target, python, wanted)]
    lines = [pin.line() for pin in pins(target, python, wanted)]
    assert len(names) == len(set(names))
    assert {"polars-runtime-32", "numpy", "shapely", "xstatic-leaflet"} <= set(names)
    assert all("--hash=sha256:" in line and ";" not in line for line in lines)


def test_extras_add_what_they_need_and_no_tools_of_tests():
    plain, s3, ray = ({pin.name for pin in pins("linux-x86_64", "3.12", wanted)} for wanted in ((), ("s3",), ("ray",)))
    assert s3 - plain == {"obstore", "typing-extensions"}
    assert {"ray", "msgpack", "protobuf", "jsonschema", "rpds-py"} <= ray - plain
    assert not {"moto", "pytest", "boto3", "mypy"} & (ray | s3)


def test_both_locks_pin_the_same_versions():
    """So a bundle with extras holds the zonelog that was tested without them."""
    everything = {str(pin.requirement) for pin in read("requirements-extras.lock")}
    plain = read("requirements.lock")
    assert {f"{p.name}{p.requirement.specifier}" for p in plain} <= {one.split(";")[0].strip() for one in everything}


def test_an_extra_that_there_is_not_is_named():
    with pytest.raises(argparse.ArgumentTypeError, match=f"s4 is none of {', '.join(extras())}"):
        bundle._extras("s3,s4")


@pytest.mark.parametrize(
    ("target", "wheels", "least"),
    [
        ("macos-arm64", ["a-1-py3-none-any.whl"], (11, 0)),
        ("macos-arm64", ["a-1-cp311-cp311-macosx_10_9_universal2.whl"], (11, 0)),
        ("macos-arm64", ["a-1-cp311-abi3-macosx_11_0_arm64.whl", "b-1-cp311-cp311-macosx_14_0_arm64.whl"], (14, 0)),
        ("macos-arm64", ["a-1-cp311-cp311-macosx_15_0_x86_64.macosx_12_0_arm64.whl"], (12, 0)),
        ("linux-x86_64", ["a-1-cp311-cp311-manylinux1_x86_64.manylinux_2_5_x86_64.whl"], (2, 17)),
        ("linux-x86_64", ["a-1-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl"], (2, 27)),
        ("linux-x86_64", ["a-1-py3-none-manylinux2014_x86_64.whl", "b-1-py3-none-manylinux_2_34_x86_64.whl"], (2, 34)),
        ("windows-x86_64", ["a-1-cp311-cp311-win_amd64.whl"], None),
    ],
)
def test_a_system_may_be_as_old_as_the_wheel_that_asks_for_most(target, wheels, least):
    assert least_version(SYSTEMS[target], wheels) == least


def test_pythons_with_one_need_share_a_line():
    promises = [
        Promise("macos-arm64", "3.11", (14, 0)),
        Promise("macos-arm64", "3.12", (12, 0)),
        Promise("macos-arm64", "3.13", (12, 0)),
        Promise("windows-x86_64", "3.11", None),
    ]
    assert needed_lines(promises, korean=False).splitlines() == [
        "  macOS 14 or later (Apple silicon): Python 3.11",
        "  macOS 12 or later (Apple silicon): Python 3.12 or 3.13",
        "  Windows (x86-64): Python 3.11",
    ]


def test_same_files_same_zip(tmp_path):
    for name in ("one", "two"):
        folder = tmp_path / name / "zonelog-bundle"
        folder.mkdir(parents=True)
        for file in ("b.txt", "a.whl") if name == "one" else ("a.whl", "b.txt"):
            (folder / file).write_bytes(file.encode())
        bundle._zip(folder, tmp_path / f"{name}.zip")
    assert Path(tmp_path / "one.zip").read_bytes() == Path(tmp_path / "two.zip").read_bytes()
