"""NMEA sentences put together: which say positions, their dates, and what completes them."""

import numpy as np
import polars as pl

from analyzer.errors import LogError
from analyzer.logs._nmea import KINDS
from analyzer.logs._numerals import DAY_US
from analyzer.terms import SECOND_US

RMC, GGA, GST, ZDA, VTG = range(len(KINDS))
_REACH = 200
"""Sentences between two that may be of one epoch."""
_MANY_MORE = 1.5
_SAME_PLACE_DEG = 5e-6
"""Half a metre: the places of two sentences of one fix may have another number of digits."""


def primary_of(said: pl.DataFrame) -> int:
    """Return the kind whose sentences are the positions: RMC, or GGA where it has many more."""
    sound = said.filter(pl.col("reason").is_null())["kind"]
    rmc, gga = (int((sound == kind).sum()) for kind in (RMC, GGA))
    if rmc or gga:
        return GGA if gga > _MANY_MORE * rmc else RMC
    return RMC if (said["kind"] == RMC).any() else GGA


def with_fractions(said: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Return the sentences, RMC of whole seconds with the time of their GGA, and how many changed.

    Some receivers write two or more fixes a second, but whole seconds in RMC. A second is
    settled only where it has as many RMC as GGA, all at the same places in the same order.
    """
    sound = said.filter(pl.col("reason").is_null(), pl.col("kind").is_in([RMC, GGA]), pl.col("clock_us").is_not_null())
    fraction = sound["clock_us"] % SECOND_US != 0
    is_rmc = sound["kind"] == RMC
    if (fraction & is_rmc).any() or not fraction.any() or not is_rmc.any():
        return said, 0
    pairs = _pairs(sound)
    finer = said.join(pairs, on="record", how="left", maintain_order="left")
    changed = int((finer["finer_us"] != finer["clock_us"]).sum())
    return finer.with_columns(clock_us=pl.coalesce("finer_us", "clock_us")).drop("finer_us"), changed


def _pairs(sound: pl.DataFrame) -> pl.DataFrame:
    """Return (record of an RMC, finer_us: the time of the GGA of the same fix)."""
    second = pl.col("clock_us") // SECOND_US
    place = ["second", "number", "many"]
    numbered = sound.with_columns(second=(second != second.shift()).fill_null(value=False).cum_sum()).with_columns(
        number=pl.int_range(pl.len()).over("second", "kind"), many=pl.len().over("second", "kind")
    )
    rmc, gga = (numbered.filter(pl.col("kind") == kind) for kind in (RMC, GGA))
    theirs = gga.select(*place, "latitude", "longitude", finer_us="clock_us")
    pairs = rmc.join(theirs, on=place, maintain_order="left")
    same = [(pl.col(n) - pl.col(f"{n}_right")).abs() <= _SAME_PLACE_DEG for n in ("latitude", "longitude")]
    rises = (pl.col("finer_us").diff().over("second") > 0).fill_null(value=True)
    settled = (pl.all_horizontal(*same, rises).sum().over("second")) == pl.col("many")
    return pairs.filter(settled).select("record", "finer_us")


def dated(path: str, said: pl.DataFrame, kind: int) -> pl.DataFrame:
    """Return the sentences of a kind with their `time`; LogError where they have no date."""
    chosen = said.filter(pl.col("kind") == kind)
    if chosen.is_empty():
        raise LogError(f"{path}: NMEA without a position (RMC or GGA); record one of them")
    if kind == RMC:
        return _with_time(chosen, chosen["day"] * DAY_US + chosen["clock_us"])
    timed = said.filter(_is_timed())
    clock_us = _unrolled(timed["clock_us"].to_numpy())
    day = timed["day"].to_numpy()
    anchor = pl.Series(day * DAY_US + timed["clock_us"].to_numpy() - clock_us, nan_to_null=True)
    offset = anchor.fill_null(strategy="forward").fill_null(strategy="backward")
    if timed.height and offset.null_count():
        raise LogError(f"{path}: the positions (GGA) have no date; record ZDA or RMC as well")
    times = timed.select("record", time_us=offset.cast(pl.Int64) + pl.Series(clock_us))
    joined = chosen.join(times, on="record", how="left", maintain_order="left")
    return _with_time(joined.drop("time_us"), joined["time_us"])


def _with_time(frame: pl.DataFrame, time_us: pl.Series) -> pl.DataFrame:
    """Return sentences with an instant."""
    return frame.with_columns(time=time_us.cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))


def _is_timed() -> pl.Expr:
    """Return which sentences say a time of day that may be believed, a date among them or not."""
    dates = pl.col("kind") == ZDA
    positions = pl.col("kind").is_in([RMC, GGA])
    return (dates | positions) & pl.col("reason").is_null() & pl.col("clock_us").is_not_null()


def _unrolled(clock_us: np.ndarray) -> np.ndarray:
    """Return times of the day on a clock that goes on at midnight: no step is longer than half a day."""
    step = np.diff(clock_us, prepend=clock_us[:1])
    step -= DAY_US * np.rint(step / DAY_US).astype(np.int64)
    return np.cumsum(step) + (clock_us[0] if len(clock_us) else 0)


def completed(chosen: pl.DataFrame, said: pl.DataFrame, kind: int) -> pl.DataFrame:
    """Return positions with the accuracy, speed and quality that other sentences of their epoch say."""
    other = said.filter(pl.col("kind") == (GGA if kind == RMC else RMC))
    gst = said.filter(pl.col("kind") == GST, pl.col("reason").is_null())
    moved = chosen
    for more, names in ((gst, ["horizontal_accuracy_m"]), (other.filter(pl.col("reason").is_null()), _MOTION)):
        moved = _filled(moved, more, names)
    moved = _filled(moved, _with_carried_clock(said), _MOTION)
    doubted = _joined(moved, other.filter(pl.col("reason").is_in(["no-fix", "not-measured"])), ["reason"])
    return moved.with_columns(reason=pl.coalesce("reason", pl.Series(doubted["reason_more"])))


_MOTION = ["speed_kph", "heading_deg"]


def _with_carried_clock(said: pl.DataFrame) -> pl.DataFrame:
    """Return VTG with the last time of day before each."""
    clock = pl.when(pl.col("reason").is_null()).then("clock_us").forward_fill()
    carried = said.with_columns(clock_us=clock)
    return carried.filter(pl.col("kind") == VTG, pl.col("reason").is_null())


def _filled(chosen: pl.DataFrame, more: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Return positions, what they do not say taken from sentences of the same time."""
    if more.is_empty() or not any(chosen[name].null_count() for name in names):
        return chosen
    joined = _joined(chosen, more, names)
    return chosen.with_columns(pl.coalesce(pl.col(n), joined[f"{n}_more"]).alias(n) for n in names)


def _joined(chosen: pl.DataFrame, more: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Return for each position the nearest sentence of the same time of day, null where none is near."""
    others = more.select("record", "clock_us", *(pl.col(n).alias(f"{n}_more") for n in names))
    return chosen.select("record", "clock_us").join_asof(
        others.filter(pl.col("clock_us").is_not_null()),
        on="record",
        by="clock_us",
        strategy="nearest",
        tolerance=_REACH,
        check_sortedness=False,
    )
