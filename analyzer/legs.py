"""Legs and holes of a shard as plain rows, and trips put together from legs.

A leg is the part of a trip that one shard owns. `trips_of` puts the legs of all shards in
order and numbers the trips; what is known of a trip as a whole (its start, what its log
says at all) is known only then.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from analyzer.fixes import Fixes, instant_text
from analyzer.stated import SAID, Hints
from analyzer.terms import SECOND_US

_END = ("time_us", "longitude", "latitude", "accuracy_m", "file", "record")
LANE = ("vehicle_id", "trip_id")


def legs_of(fixes: Fixes) -> pl.DataFrame:
    """Return a row a trip of the shard that it owns a part of.

    trip (of the shard), vehicle_id, trip_id (empty: nameless), starts_trip, fixes, hole_us
    (in holes), first_* and last_* (time, place, accuracy, record of its ends), last_speed_kph
    (0 unknown), last_mode, the columns of SAID, types (vehicle types met), and of the types
    stated the first and last (type_first, type_last), whether the first fix states none
    (type_open) and the type that it was given (type_given); empty where there is none.
    """
    trips = fixes.trips.with_row_index("trip").with_columns(pl.col("trip").cast(pl.Int64))
    own = trips.filter(pl.col("own_last") >= pl.col("own_first"))
    first, last = own["own_first"].to_numpy(), own["own_last"].to_numpy()
    types = [t or "" for t in fixes.vehicle_types]
    ends = {
        f"{end}_{name}": pl.Series(getattr(fixes, name)[at])
        for end, at in (("first", first), ("last", last))
        for name in _END
    }
    return own.select("trip", *LANE, *SAID, starts_trip=pl.col("own_first") == pl.col("first")).with_columns(
        fixes=own["own_fixes"],
        **ends,
        last_speed_kph=pl.Series(np.nan_to_num(fixes.speed_kph[last], nan=0.0)),
        last_mode=pl.Series(fixes.control_mode[last]),
        type_open=_open(fixes, first),
        type_given=pl.Series([types[code] for code in fixes.vehicle_type[first]], dtype=pl.String),
        **_types(fixes, first, last, types),
    )


def _open(fixes: Fixes, first: np.ndarray) -> pl.Series:
    """Return which legs start with a fix that states no vehicle type."""
    if fixes.type_stated is None:
        return pl.Series([len(fixes.vehicle_types) == 1] * len(first), dtype=pl.Boolean)
    return pl.Series(~fixes.type_stated[first])


def _types(fixes: Fixes, first: np.ndarray, last: np.ndarray, names: Sequence[str]) -> dict[str, pl.Series]:
    """Return the vehicle types met on each leg, and the first and last of them that is stated."""
    rows: list[tuple[list[str], str, str]] = []
    for low, high in zip(first, last, strict=True):
        codes = fixes.vehicle_type[low : high + 1] if len(names) > 1 else np.zeros(1, dtype=np.int8)
        stated = codes if fixes.type_stated is None else codes[fixes.type_stated[low : high + 1]]
        ends = (names[stated[0]], names[stated[-1]]) if len(stated) else ("", "")
        rows.append(([names[code] for code in np.unique(codes)], *ends))
    met, begun, ended = zip(*rows, strict=True) if rows else ((), (), ())
    return {
        "types": pl.Series(met, dtype=pl.List(pl.String)),
        "type_first": pl.Series(begun, dtype=pl.String),
        "type_last": pl.Series(ended, dtype=pl.String),
    }


def holes_of(fixes: Fixes) -> pl.DataFrame:
    """Return a row a hole inside a trip that the shard owns: trip, and both ends of it."""
    last = fixes.holes[:-1]
    trip = fixes.trip[last]
    low, high = (fixes.trips[name].to_numpy()[trip] for name in ("own_first", "own_last"))
    last = last[(fixes.trip[last + 1] == trip) & (last >= low) & (last <= high)]
    after = last + 1
    columns = {
        "trip": fixes.trip[last].astype(np.int64),
        "last_us": fixes.time_us[last],
        "next_us": fixes.time_us[after],
    }
    for name in ("longitude", "latitude", "file", "record"):
        values = getattr(fixes, name)
        columns |= {f"last_{name}": values[last], f"next_{name}": values[after]}
    return pl.DataFrame({**columns, "last_mode": fixes.control_mode[last]})


def with_trip_numbers(legs: pl.DataFrame) -> pl.DataFrame:
    """Return the legs of all shards in order of vehicle, trip id and time, with `number`, their trip's."""
    ordered = legs.sort(*LANE, "first_time_us")
    other = pl.any_horizontal(pl.col(name) != pl.col(name).shift(1) for name in LANE)
    starts = (other | pl.col("starts_trip")).fill_null(value=True)
    return ordered.with_columns(number=starts.cast(pl.Int64).cum_sum() - 1)


def trips_of(legs: pl.DataFrame, holes: pl.DataFrame) -> pl.DataFrame:
    """Return a row a trip, nameless ones named by their start.

    vehicle_id, trip_id, start_us, end_us, offset_us (a clock of all trips less time),
    observed_share, the columns of SAID, first_* and last_* (of its ends), types.
    `legs` are numbered; `holes` have `trip`, the number. The share of a trip of one instant is 0.
    """
    ends = [f"first_{name}" for name in _END]
    lasts = [f"last_{name}" for name in (*_END, "speed_kph", "mode")]
    trips = legs.group_by("number", maintain_order=True).agg(
        *(pl.col(name).first() for name in (*LANE, *ends)),
        *(pl.col(name).last() for name in lasts),
        *(pl.col(name).any() for name in SAID),
        pl.col("types").list.explode(keep_nulls=False, empty_as_null=False).unique().sort(),
    )
    start, end = trips["first_time_us"].to_numpy(), trips["last_time_us"].to_numpy()
    spans = end - start
    hole_us = np.zeros(trips.height, dtype=np.int64)
    np.add.at(hole_us, holes["trip"].to_numpy(), (holes["next_us"] - holes["last_us"]).to_numpy())
    share = np.where(spans > 0, (spans - hole_us) / np.maximum(spans, 1), 0.0)
    names = [t or instant_text(s) for t, s in trips.select("trip_id", "first_time_us").iter_rows()]
    return trips.with_columns(
        trip_id=pl.Series(names, dtype=pl.String),
        start_us=pl.Series(start),
        end_us=pl.Series(end),
        offset_us=pl.Series(np.cumsum(spans + SECOND_US) - spans - start),
        observed_share=pl.Series(share),
    )


def hints_for(legs: pl.DataFrame) -> dict[int, Hints]:
    """Return, by shard, what legs must be told that they did not see of their trips.

    `legs` are numbered, of all shards, with `shard`. Shards that saw all that matters are
    left out.
    """
    whole = legs.with_columns(
        *(pl.col(name).any().over("number").alias(f"trip_{name}") for name in SAID),
        before=_stated("type_last").shift(1).forward_fill().over("number").fill_null(""),
        after=_stated("type_first").shift(-1).backward_fill().over("number").fill_null(""),
    )
    unseen = pl.any_horizontal(pl.col(name) != pl.col(f"trip_{name}") for name in SAID)
    meant = pl.coalesce(_stated("before"), _stated("type_first"), _stated("after")).fill_null("")
    mistyped = pl.col("type_open") & (meant != pl.col("type_given"))
    wrong = whole.filter(unseen | mistyped)["shard"].unique().sort().to_list()
    if not wrong:
        return {}
    told = whole.filter(pl.col("shard").is_in(wrong)).sort("shard", "trip")
    return {
        shard: Hints(
            trip=rows["trip"].to_numpy(),
            said={name: rows[f"trip_{name}"].to_numpy() for name in SAID},
            type_before=tuple(rows["before"].to_list()),
            type_after=tuple(rows["after"].to_list()),
        )
        for (shard,), rows in told.partition_by("shard", as_dict=True, maintain_order=True).items()
    }


def _stated(name: str) -> pl.Expr:
    """Return a vehicle type, null where it is empty."""
    return pl.when(pl.col(name) != "").then(pl.col(name))
