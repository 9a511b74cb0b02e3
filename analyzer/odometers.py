"""Odometers against the way between positions, and odometers that step back.

What a part of a log says is kept so that it adds up: sums over consecutive records
of a vehicle, in the order of the log, and both ends, so that the step from one part to the
next is not lost. The way counts where a vehicle plainly moved (0.3 to 70 m/s, records at
most a minute apart): receivers of parked vehicles wander. Readings that fall by up to 1 m
are jitter, by more a reset.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import polars as pl

from analyzer.geometry import ground_distance_m
from analyzer.records import record
from analyzer.terms import SECOND_US

LEAST_MPS, MOST_MPS = 0.3, 70.0
LONGEST_STEP_US = 60 * SECOND_US
JITTER_M = 1.0
LEAST_WAY_M = 500.0
STEPS = 10
"""An odometer must have gone so many of its smallest steps to say anything: DTG counts kilometres."""
_MOST_M = 1e9
"""A step of an odometer that is no number to add up."""
STUCK_WAY_M = 20_000.0
"""A way over which even an odometer of whole kilometres must have moved."""

ENDS = ("time_us", "longitude", "latitude", "odometer_m")
MICROMETRES = 1_000_000
"""Sums are whole micrometres: they are the same however the parts are."""
_NAMES = ("way_um", "gone_um", "step_m", "resets", "inversions")


@record(frozen=True)
class Told:
    """What the odometers of a file say: metres gone by them, by positions, and how often they stepped back."""

    gone_m: float
    way_m: float
    resets: int

    @property
    def ratio(self) -> float | None:
        """Return metres by odometer over metres by positions, null where the way is too short to tell."""
        return self.gone_m / self.way_m if self.way_m else None


def odometer_of(records: pl.DataFrame) -> pl.DataFrame:
    """Return a row a vehicle of a part of a log (in its order): sums and both ends; no row without an odometer."""
    if "odometer_m" not in records.columns:
        return pl.DataFrame()
    said = records.filter(pl.all_horizontal(pl.col(n).is_not_null() for n in ("time", *ENDS[1:])))
    named = said.select(pl.col("vehicle_id").cast(pl.String), pl.col("time").to_physical().alias(ENDS[0]), *ENDS[1:])
    rows = [_row(vehicle, own) for (vehicle,), own in named.group_by("vehicle_id", maintain_order=True)]
    return pl.DataFrame(rows)


def _row(vehicle: object, own: pl.DataFrame) -> dict[str, object]:
    """Return the sums and the ends of the records of one vehicle."""
    ends = {f"{end}_{n}": own[n][at] for end, at in (("first", 0), ("last", -1)) for n in ENDS}
    return {"vehicle_id": vehicle, **ends, **dict(zip(_NAMES, _sums([own[n].to_numpy() for n in ENDS]), strict=True))}


def _sums(values: Sequence[np.ndarray]) -> tuple[int, int, float, int, int]:
    """Return way_um, gone_um, step_m (infinity: none), resets and inversions over consecutive records."""
    time_us, lon, lat, odometer_m = values
    if len(time_us) < 2:  # noqa: PLR2004
        return 0, 0, np.inf, 0, 0
    step_us, rise_m = np.diff(time_us), np.diff(odometer_m)
    way_m = ground_distance_m(lon[:-1], lat[:-1], lon[1:], lat[1:])
    near = (step_us > 0) & (step_us <= LONGEST_STEP_US) & (way_m <= MOST_MPS * step_us / SECOND_US)
    moved = near & (way_m >= LEAST_MPS * step_us / SECOND_US)
    rose = near & (rise_m > 0)
    smallest = float(rise_m[rose].min()) if rose.any() else np.inf
    way_um, gone_um = (
        int(np.rint(m * MICROMETRES).astype(np.int64).sum()) for m in (way_m[moved], np.minimum(rise_m[rose], _MOST_M))
    )
    return (way_um, gone_um, smallest, int((rise_m < -JITTER_M).sum()), int((step_us < 0).sum()))


def odometers(parts: Mapping[int, Sequence[pl.DataFrame]]) -> Iterable[tuple[int, Told]]:
    """Yield (file, what its odometers say); `parts` are those of each file, in order.

    Vehicles whose records are not in order of time say nothing: their steps are none.
    """
    for file in sorted(parts):
        frames = [frame for frame in parts[file] if frame.height]
        if frames:
            yield file, _told(pl.concat(frames))


def _told(rows: pl.DataFrame) -> Told:
    """Return what all vehicles of a file say together."""
    gone_m = way_m = 0.0
    resets = 0
    for _, own in rows.sort("vehicle_id", maintain_order=True).group_by("vehicle_id", maintain_order=True):
        seams = [_sums(_seam(own, n)) for n in range(own.height - 1)]
        way_um, gone_um, step, back, inversions = zip(*own.select(_NAMES).iter_rows(), *seams, strict=True)
        if sum(inversions):
            continue
        resets += sum(back)
        way, gone = sum(way_um) / MICROMETRES, sum(gone_um) / MICROMETRES
        if way >= (LEAST_WAY_M if gone >= STEPS * min(step) else STUCK_WAY_M):
            gone_m, way_m = gone_m + gone, way_m + way
    return Told(gone_m, way_m, resets)


def _seam(own: pl.DataFrame, number: int) -> list[np.ndarray]:
    """Return the last record of a part and the first of the next."""
    return [np.array([own[f"last_{n}"][number], own[f"first_{n}"][number + 1]]) for n in ENDS]
