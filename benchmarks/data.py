"""Synthetic logs: vehicles that wander in and around zones at 10 Hz, the same for the same seed.

A vehicle follows a smooth way around the middle of its zone, in and out of its lobes and
its hole. It drives at 5 to 6 km/h, stops, is now and then too fast, is driven by hand, loses its
receiver; its positions carry a slowly wandering error and a little noise, as real ones do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.zone_sets import LAT_M, LON_M, Place

SEED = 20260317
START_US = 1_773_709_200_000_000  # 2026-03-17 10:00 in Seoul, a Tuesday
DAY_US = 86_400_000_000
DRIVE = 250_000
"""Fixes of one vehicle on one day, at most: seven hours at 10 Hz."""

MODES = pl.Series(["autonomous", "remote", "manual", "disengaged"])
OPERATORS = pl.Series(["remote", "on_board"])
COLUMNS = (
    "vehicle_id",
    "timestamp",
    "latitude",
    "longitude",
    "speed_kph",
    "horizontal_accuracy_m",
    "control_mode",
    "operator",
)
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S%.3f%:z"


@dataclass(frozen=True)
class Fleet:
    """So many fixes of so many vehicles, one or more to each place."""

    places: Sequence[Place]
    fixes: int
    vehicles: int = 24
    hertz: int = 10

    def drives(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """Yield a name and a frame for each day of each vehicle, vehicle after vehicle."""
        for vehicle in range(self.vehicles):
            each = self.fixes * (vehicle + 1) // self.vehicles - self.fixes * vehicle // self.vehicles
            for day, start in enumerate(range(0, each, DRIVE)):
                place = self.places[vehicle % len(self.places)]
                fixes = min(DRIVE, each - start)
                yield f"V{vehicle:03d}-{day:03d}", drive(vehicle, day, place, fixes, self.hertz)


def drive(vehicle: int, day: int, place: Place, fixes: int, hertz: int = 10) -> pl.DataFrame:
    """Return one day of one vehicle."""
    rng = np.random.default_rng([SEED, vehicle, day])
    speed = _speeds(rng, fixes, hertz)
    pause_us = _pauses(rng, fixes)
    metres = np.cumsum(speed / 3.6 / hertz + pause_us * 1.5e-6)
    x, y = _way(rng, place.radius_m, metres)
    time_us = START_US + day * DAY_US + int(rng.integers(0, 600)) * 1_000_000 + np.cumsum(pause_us)
    time_us += np.arange(fixes) * (1_000_000 // hertz)
    return pl.DataFrame(
        {
            "vehicle_id": pl.Series([f"V{vehicle:03d}"]).new_from_index(0, fixes),
            "timestamp": pl.Series(time_us).cast(pl.Datetime("us", "UTC")),
            "latitude": np.round(place.lat + (y + _error(rng, fixes, hertz)) / LAT_M, 8),
            "longitude": np.round(place.lon + (x + _error(rng, fixes, hertz)) / LON_M, 8),
            "speed_kph": np.round(speed, 2),
            "horizontal_accuracy_m": np.round(np.abs(rng.normal(0.6, 0.1, fixes)), 2),
            "control_mode": MODES.gather(_modes(rng, fixes, hertz)),
            "operator": OPERATORS.gather(_stretches(rng, fixes, hertz, [0.98, 0.02])),
        }
    )


def _speeds(rng: np.random.Generator, fixes: int, hertz: int) -> np.ndarray:
    """Return km/h: about 5.6; of the half minutes one in ten is a stop, one in a hundred too fast."""
    halves = fixes // (30 * hertz) + 2
    target = np.clip(rng.normal(5.6, 0.5, halves), 4, 6.6)
    target[rng.random(halves) < 0.01] = 7.9
    stopped = rng.random(halves) < 0.1
    seconds = np.arange(fixes) / hertz
    speed = np.interp(seconds / 30, np.arange(halves), target) + rng.normal(0, 0.08, fixes)
    speed[stopped[(seconds / 30).astype(np.int64)]] = 0
    return np.maximum(speed, 0)


def _pauses(rng: np.random.Generator, fixes: int) -> np.ndarray:
    """Return microseconds without any fix before each one: a hole of 12 to 40 s in about an hour."""
    pause = np.zeros(fixes, dtype=np.int64)
    where = rng.integers(1, max(fixes, 2), fixes // 36_000)
    pause[where] = rng.integers(12, 40, len(where)) * 1_000_000
    return pause


def _way(rng: np.random.Generator, radius_m: float, metres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return metres east and north of the middle after so many metres of way."""
    turn = np.arange(0, metres[-1] / (0.3 * radius_m) + 1, 0.004)
    first, second, start = rng.uniform(0, 2 * np.pi, 3)
    reach = radius_m * (0.62 + 0.33 * np.sin(turn / 3.1 + first) * np.sin(turn / 7.7 + second))
    x, y = reach * np.cos(turn + start), reach * np.sin(turn + start)
    length = np.append(0, np.cumsum(np.hypot(np.diff(x), np.diff(y))))
    return np.interp(metres, length, x), np.interp(metres, length, y)


def _error(rng: np.random.Generator, fixes: int, hertz: int) -> np.ndarray:
    """Return metres of error: one that wanders within seconds, and noise of 1.5 cm."""
    knots = rng.normal(0, 0.4, fixes // (5 * hertz) + 2)
    return np.interp(np.arange(fixes) / (5 * hertz), np.arange(len(knots)), knots) + rng.normal(0, 0.015, fixes)


def _modes(rng: np.random.Generator, fixes: int, hertz: int) -> np.ndarray:
    """Return indices into MODES; before a stretch by hand, and some others, five seconds disengaged."""
    modes = _stretches(rng, fixes, hertz, [0.85, 0.08, 0.07])
    by_hand = (np.flatnonzero(modes[1:] > modes[:-1]) + 1)[:, None] - np.arange(1, 5 * hertz + 1)
    modes[np.maximum(by_hand, 0).ravel()] = MODES.len() - 1
    return modes


def _stretches(rng: np.random.Generator, fixes: int, hertz: int, shares: Sequence[float]) -> np.ndarray:
    """Return an index for each fix, drawn anew every ten minutes."""
    stretch = 600 * hertz
    return np.repeat(rng.choice(len(shares), fixes // stretch + 1, p=shares), stretch)[:fixes].astype(np.uint32)


def write_folder(fleet: Fleet, folder: Path) -> Path:
    """Write one Parquet file for each vehicle and day."""
    folder.mkdir(parents=True)
    for name, frame in fleet.drives():
        frame.write_parquet(folder / f"{name}.parquet", compression="zstd")
    return folder


def write_file(fleet: Fleet, path: Path) -> Path:
    """Write one Parquet file, vehicle after vehicle, with little memory."""
    parts = write_folder(fleet, path.with_suffix(".parts"))
    scan = pl.scan_parquet(parts / "*.parquet")
    scan.sink_parquet(path, compression="zstd", row_group_size=500_000, maintain_order=True)
    for part in parts.iterdir():
        part.unlink()
    parts.rmdir()
    return path


def write_csv(fleet: Fleet, path: Path) -> Path:
    """Write one CSV file with local times and their offset."""
    local = pl.col("timestamp").dt.convert_time_zone("Asia/Seoul").dt.strftime(TIME_FORMAT)
    with path.open("wb") as file:
        for number, (_, frame) in enumerate(fleet.drives()):
            frame.with_columns(local).write_csv(file, include_header=number == 0)
    return path


def write_fleet_list(vehicles: int, path: Path) -> Path:
    """Write the types of the vehicles; one of 24 is of a type that no permit names."""
    types = ["bus" if n % 24 == 23 else "sweeper" for n in range(vehicles)]
    lines = [f"V{n:03d},{kind}" for n, kind in enumerate(types)]
    path.write_text("\n".join(["vehicle_id,vehicle_type", *lines, ""]), encoding="utf-8")
    return path
