"""What zonelog is measured against, each in its fastest documented form, each in a fresh process.

`python -m benchmarks.peers NAME LOG ZONES` prints JSON: the seconds of the step alone, and the
number of fixes in each zone. Reading the log and making points of it is not in the seconds.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import shapely

from benchmarks.data import COLUMNS

READ_PARQUET = f"import polars, sys; polars.read_parquet(sys.argv[1], columns={list(COLUMNS)})"
READ_CSV = (
    "import polars, sys; polars.read_csv(sys.argv[1]).with_columns("
    "polars.col('timestamp').str.to_datetime('%Y-%m-%dT%H:%M:%S%.f%:z', time_unit='us'))"
)
"""Programs of their own, imports included: nothing but polars is loaded in them."""

Zones = dict[str, shapely.Geometry]


def scanned(log: Path) -> pl.LazyFrame:
    """Return a Parquet log, a file or a folder of files."""
    return pl.scan_parquet(log / "*.parquet" if log.is_dir() else log)


def zones_of(folder: Path) -> Zones:
    """Return zone id -> geometry."""
    document = json.loads((folder / "zones.geojson").read_text(encoding="utf-8"))
    features = document["features"]
    return {f["properties"]["zone_id"]: shapely.from_geojson(json.dumps(f["geometry"])) for f in features}


def positions(log: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return longitudes and latitudes of a log."""
    frame = scanned(log).select("longitude", "latitude").collect()
    return frame["longitude"].to_numpy(), frame["latitude"].to_numpy()


def sjoin(log: Path, zones: Zones) -> dict[str, Any]:
    """Join points with zones by geopandas; `seconds` is the join with its index, `before` what it needs.

    `within` asks prepared zones over a tree of points; the default, `intersects`, takes 30 times as long.
    """
    import geopandas

    begun = time.perf_counter()
    geometry = geopandas.points_from_xy(*positions(log))
    points = geopandas.GeoDataFrame(geometry=geometry, crs="EPSG:4326")
    areas = geopandas.GeoDataFrame({"zone": list(zones)}, geometry=list(zones.values()), crs="EPSG:4326")
    started = time.perf_counter()
    joined = geopandas.sjoin(points, areas, predicate="within")
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "before": started - begun, "inside": joined["zone"].value_counts().to_dict()}


def contains(log: Path, zones: Zones) -> dict[str, Any]:
    """Ask shapely.contains_xy, prepared, zone after zone, on one thread."""
    lon, lat = positions(log)
    started = time.perf_counter()
    inside = {}
    for zone, geometry in zones.items():
        shapely.prepare(geometry)
        inside[zone] = shapely.contains_xy(geometry, lon, lat)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "inside": {zone: int(mask.sum()) for zone, mask in inside.items()}}


def index(log: Path, zones: Zones) -> dict[str, Any]:
    """Ask zonelog's own index, its building included."""
    from analyzer.membership import ZoneIndex

    lon, lat = positions(log)
    started = time.perf_counter()
    built = ZoneIndex(tuple(zones.values()))
    ready = time.perf_counter()
    label = built.combination_of(lon, lat)
    done = time.perf_counter()
    matrix = built.combinations.matrix()
    counts = np.bincount(label, minlength=len(matrix)) @ matrix
    inside = dict(zip(zones, counts.tolist(), strict=True))
    return {"seconds": done - started, "building": ready - started, "inside": inside}


def clip(log: Path, zones: Zones, *, point_based: bool = False) -> dict[str, Any]:
    """Clip trajectories by MovingPandas: by their lines, its default, cuts at the border as zonelog does."""
    warnings.simplefilter("ignore")
    import geopandas
    import movingpandas

    frame = scanned(log).collect()
    lon, lat = frame["longitude"].to_numpy(), frame["latitude"].to_numpy()
    columns = {
        "vehicle_id": frame["vehicle_id"].to_numpy(),
        "t": frame["timestamp"].dt.replace_time_zone(None).dt.cast_time_unit("ns").to_numpy(),  # in us it finds nothing
    }
    points = geopandas.GeoDataFrame(columns, geometry=geopandas.points_from_xy(lon, lat), crs="EPSG:4326")
    trajectories = movingpandas.TrajectoryCollection(points, traj_id_col="vehicle_id", t="t")
    started = time.perf_counter()
    parts = {zone: trajectories.clip(geometry, point_based=point_based) for zone, geometry in zones.items()}
    seconds = time.perf_counter() - started
    inside = {zone: sum(len(t.df) for t in part.trajectories) for zone, part in parts.items()}
    added = 0 if point_based else 2 * max(len(part.trajectories) for part in parts.values())
    return {"seconds": seconds, "inside": inside, "added": added}


def longer_visits(log: Path, zones: Zones) -> dict[str, int]:
    """Return the fixes in each zone, without visits of one fix: a trajectory has two at least."""
    frame = scanned(log).collect()
    lon, lat = frame["longitude"].to_numpy(), frame["latitude"].to_numpy()
    vehicle = frame["vehicle_id"].rle_id().to_numpy()
    counts = {}
    for zone, geometry in zones.items():
        mask = shapely.contains_xy(geometry, lon, lat)
        new = np.append(True, (mask[1:] != mask[:-1]) | (vehicle[1:] != vehicle[:-1]))
        starts = np.flatnonzero(new)
        lengths = np.diff(np.append(starts, len(mask)))
        counts[zone] = int(lengths[mask[starts] & (lengths > 1)].sum())
    return counts


PEERS: dict[str, Callable[[Path, Zones], dict[str, Any]]] = {
    "sjoin": sjoin,
    "contains": contains,
    "index": index,
    "clip-lines": clip,
    "clip-points": partial(clip, point_based=True),
}


def command(name: str, log: Path, zones: Path) -> list[str]:
    """Return the command that runs one of PEERS."""
    return [sys.executable, "-m", "benchmarks.peers", name, str(log), str(zones)]


def read_command(log: Path) -> list[str]:
    """Return the command by which polars reads a log, and nothing else."""
    if log.suffix == ".csv":
        return [sys.executable, "-c", READ_CSV, str(log)]
    return [sys.executable, "-c", READ_PARQUET, str(log / "*.parquet" if log.is_dir() else log)]


if __name__ == "__main__":
    print(json.dumps(PEERS[sys.argv[1]](Path(sys.argv[2]), zones_of(Path(sys.argv[3])))))
