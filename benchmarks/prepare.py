"""The data of a benchmark, made once in its folder: zone sets, logs, and the fleet's list."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from benchmarks import data, measure, zone_sets

HERE = Path(__file__).parent
FOLDER_FROM = 50_000_000
"""From here on a log is a folder of many files, one for each vehicle and day."""

VEHICLES, WIDE_VEHICLES, SMALL = 24, 63, 3_600
ZONE_SETS: dict[str, dict[str, int]] = {
    "7 zones": {"zones": 7},
    "63 zones": {"zones": 63},
    "10^4 vertices": {"zones": 7, "vertices": 10_000},
    "10^6 vertices": {"zones": 7, "vertices": 1_000_000},
}


class Data:
    """A folder of data; what is there from an earlier run of the same generator is used again."""

    def __init__(self, work: Path, python: str) -> None:
        """Make the zone sets; zonelog itself must find them valid."""
        sources = b"".join((HERE / name).read_bytes() for name in ("data.py", "zone_sets.py"))
        self.folder = work / f"data-{hashlib.sha256(sources).hexdigest()[:12]}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.zones = {name: self._zone_set(name, python) for name in ZONE_SETS}

    def _zone_set(self, name: str, python: str) -> Path:
        """Return the folder of a zone set, checked by zonelog."""

        def write(folder: Path) -> None:
            zone_sets.write_zone_set(folder, **ZONE_SETS[name])
            data.write_fleet_list(WIDE_VEHICLES, folder / "fleet.csv")

        folder = self.made(name.replace("^", "e").replace(" ", "-"), write)
        measure.run([python, measure.ROOT / "cli.py", "zones", "check", folder])
        return folder

    def log(self, fixes: int) -> Path:
        """Return a Parquet log around the seven zones: one file, or a folder where it is long."""
        fleet = data.Fleet(zone_sets.SIX, fixes, VEHICLES)
        if fixes >= FOLDER_FROM:
            return self.made(f"fleet-{fixes}", lambda path: data.write_folder(fleet, path))
        return self.made(f"fleet-{fixes}.parquet", lambda path: data.write_file(fleet, path))

    def csv(self, fixes: int) -> Path:
        """Return the same log as CSV."""
        fleet = data.Fleet(zone_sets.SIX, fixes, VEHICLES)
        return self.made(f"fleet-{fixes}.csv", lambda path: data.write_csv(fleet, path))

    def wide(self, fixes: int) -> Path:
        """Return a Parquet log around the 63 zones."""
        fleet = data.Fleet(zone_sets.driven(63), fixes, WIDE_VEHICLES)
        return self.made(f"wide-{fixes}.parquet", lambda path: data.write_file(fleet, path))

    def small(self) -> Path:
        """Return a CSV log of one vehicle, one hour, 1 Hz."""
        fleet = data.Fleet(zone_sets.SIX, SMALL, vehicles=1, hertz=1)
        return self.made("small.csv", lambda path: data.write_csv(fleet, path))

    def made(self, name: str, write: Callable[[Path], object]) -> Path:
        """Return a file or folder, written first where it is not there; whole or not at all."""
        path = self.folder / name
        if not path.exists():
            print(f"making {name}", flush=True)
            partial = path.with_name(f"partial-{name}")
            write(partial)
            partial.rename(path)
        return path
