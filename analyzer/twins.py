"""The same drive under several names: two files of one drive are one drive twice.

A vehicle that the log does not name is called after its file, so the bag and the CSV of a
drive are two vehicles, and kilometres and findings count twice. Told are trips of several
vehicles that begin at the same instant at the same place (1e-6 degrees, 0.1 m), or that
begin within 1e-4 degrees (11 m) and both begin and end in the same second, as of formats
with fewer digits. Nothing is left out: which file is the right one, nobody says.
"""

from collections import Counter
from collections.abc import Iterable

import polars as pl

from analyzer.terms import SECOND_US, Notice

_FINE_DECIMALS, _COARSE_DECIMALS = 6, 4


def twins(trips: pl.DataFrame) -> Iterable[Notice]:
    """Yield a notice a set of vehicles; `trips` are those of the analysis (`legs.trips_of`)."""
    moved = trips.filter(pl.col("end_us") > pl.col("start_us"))
    exact = [pl.col("start_us"), *_place(_FINE_DECIMALS)]
    near = [pl.col("start_us") // SECOND_US, pl.col("end_us") // SECOND_US, *_place(_COARSE_DECIMALS)]
    found: dict[tuple[str, ...], int] = {}
    for key in (exact, near):
        alike = moved.group_by([value.alias(f"key_{n}") for n, value in enumerate(key)]).agg(
            pl.col("vehicle_id").unique().sort()
        )
        several = alike.filter(pl.col("vehicle_id").list.len() > 1)["vehicle_id"].to_list()
        for name, count in Counter(map(tuple, several)).items():
            found[name] = max(found.get(name, 0), count)
    for vehicles in sorted(found):
        if not any(set(vehicles) < set(others) for others in found):
            yield _twins(vehicles, found[vehicles])


def _place(decimals: int) -> list[pl.Expr]:
    """Return where a trip begins, in steps of so many decimals of degrees.

    The edges of the steps are where one more decimal is rounded up or down, so that rounding changes no step.
    """
    axes = ("longitude", "latitude")
    return [(pl.col(f"first_{axis}") * 10**decimals + 0.25).floor().cast(pl.Int64) for axis in axes]


def _twins(vehicles: tuple[str, ...], count: int) -> Notice:
    """Return that vehicles may be one."""
    names = ", ".join(vehicles)
    return Notice(
        "same-drive",
        names,
        f"차량 {names}: 운행 {count}건이 같은 시각 같은 곳에서 시작합니다. 한 운행을 여러 파일로 적은 것이면 거리와 "
        "판정이 그만큼 여러 번 세어진 것이므로, 한 파일만 남기거나 프로파일로 같은 차량 이름을 주십시오.",
        f"Vehicles {names}: {count} trip(s) begin at the same instant at the same place. Where they are one drive in "
        "several files, distances and findings count once for each: leave one, or name them alike by a profile.",
    )
