"""What an installation from a folder of wheels lacks, asked of the wheels themselves, for any system."""

import email
import zipfile

from packaging import tags
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from bundle.systems import SYSTEMS


def lacking(folder, target, python, version, extras):
    """Return the requirements of zonelog that no wheel meets on a version of a system, under a Python."""
    usable = _tags(target, python, version)
    asked, seen, missing = [Requirement(f"zonelog[{','.join(extras)}]")], set(), set()
    while asked:
        requirement = asked.pop()
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        wheel = next(filter(None, (_meets(path, requirement, usable) for path in folder.glob("*.whl"))), None)
        if wheel is None:
            missing.add(requirement.name)
        else:
            asked += _requirements(wheel, requirement.extras, target, python)
    return missing


def _meets(path, requirement, usable):
    name, version, _, offered = parse_wheel_filename(path.name)
    right = name == canonicalize_name(requirement.name) and requirement.specifier.contains(version, prereleases=True)
    return path if right and offered & usable else None


def _requirements(wheel, extras, target, python):
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        lines = email.message_from_bytes(archive.read(name)).get_all("Requires-Dist") or []
    environment = SYSTEMS[target].markers | {"python_version": python, "python_full_version": f"{python}.9"}
    for requirement in map(Requirement, lines):
        marker = requirement.marker
        if marker is None or any(marker.evaluate(environment | {"extra": extra}) for extra in extras or {""}):
            requirement.marker = None
            yield requirement


def _tags(target, python, version):
    pair = tuple(map(int, python.split(".")))
    platforms = list(_platforms(target, version))
    interpreter = f"cp{pair[0]}{pair[1]}"
    return {
        *tags.cpython_tags(pair, [interpreter], platforms),
        *tags.compatible_tags(pair, interpreter, platforms),
    }


def _platforms(target, version):
    if target == "macos-arm64":
        return tags.mac_platforms(version, "arm64")
    if target == "windows-x86_64":
        return ["win_amd64"]
    old = ["manylinux1", "manylinux2010", "manylinux2014"]
    return [f"{name}_x86_64" for name in [*old, *(f"manylinux_2_{minor}" for minor in range(5, version[1] + 1))]]
