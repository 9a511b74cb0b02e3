"""What slices left to seams, put in order: the ends of lanes that meet are one seam.

A seam runs from where one slice stops owning a lane to where the next one starts; the
first and the last of a lane are open. Lanes that own nothing in a slice lie inside one.
"""

from collections.abc import Sequence

import polars as pl

from analyzer.legs import LANE
from analyzer.ownership import TAIL


def tangled_vehicles(lanes: pl.DataFrame) -> list[str]:
    """Return the vehicles whose records in one slice do not all lie before those in the next.

    `lanes` are those of all slices, with `shard` and `slice`.
    """
    if lanes.is_empty():
        return []
    spans = (
        lanes.group_by("vehicle_id", "shard", "slice")
        .agg(pl.col("first_us").min(), pl.col("last_us").max())
        .sort("vehicle_id", "first_us", "last_us")
    )
    overlap = pl.col("first_us") <= pl.col("last_us").shift(1)
    same = pl.col("vehicle_id") == pl.col("vehicle_id").shift(1)
    return spans.filter(overlap & same)["vehicle_id"].unique().sort().to_list()


def seams_of(lanes: pl.DataFrame, left: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (records, seams): what is left, with `seam`, and what each seam owns.

    `lanes` and `left` are those of all slices, with `shard`. `seams` has seam, own_from_us
    and own_to_us (null: open). Seams of one lane follow each other.
    """
    ordered = lanes.lazy().sort(*LANE, "first_us")
    owned = pl.col("own_from_us").is_not_null()
    first = pl.any_horizontal(pl.col(n) != pl.col(n).shift(1) for n in LANE).fill_null(value=True)
    # A lane's first seam comes after the last of the lane before it, and every owned middle ends one.
    numbered = ordered.with_columns(
        before=(first.cast(pl.Int64).cum_sum() - 1 + owned.cast(pl.Int64).cum_sum() - owned.cast(pl.Int64)), owned=owned
    ).collect(engine="in-memory")
    middles = numbered.lazy().filter("owned")
    ends = middles.select(seam="before", own_to_us="own_from_us")
    starts = middles.select(seam=pl.col("before") + 1, own_from_us="own_to_us")
    seams = pl.concat([numbered.lazy().select(seam="before"), starts.select("seam")]).unique()
    bounds = seams.join(starts, on="seam", how="left").join(ends, on="seam", how="left").sort("seam")
    tail = (pl.col("side") == TAIL).cast(pl.Int64)
    before = numbered.lazy().select("shard", "lane", "before")
    records = left.lazy().join(before, on=("shard", "lane"), how="left", maintain_order="left")
    records = records.with_columns(seam=pl.col("before") + tail).drop("before", "lane", "shard")
    records = records.sort("seam", "time", maintain_order=True).drop("side")
    return records.collect(engine="in-memory"), bounds.collect(engine="in-memory")


def in_shards(records: pl.DataFrame, seams: pl.DataFrame, size: int) -> Sequence[tuple[pl.DataFrame, pl.DataFrame]]:
    """Return the seams in groups of about `size` records, each with its records."""
    if records.is_empty():
        return []
    counts = records.group_by("seam").agg(pl.len().alias("count")).sort("seam")
    group = counts.select("seam", group=(pl.col("count").cum_sum() - 1) // size)
    parts = records.join(group, on="seam", how="left", maintain_order="left").partition_by("group", maintain_order=True)
    return [(part.drop("group"), seams.filter(pl.col("seam").is_in(part["seam"].unique().implode()))) for part in parts]


def by_day(records: pl.DataFrame, seams: pl.DataFrame, size: int) -> Sequence[tuple[pl.DataFrame, pl.DataFrame]]:
    """Return the same by the UTC day on which seams start, numbered from 0 in each group.

    What is added on one day changes no group of another.
    """
    if records.is_empty():
        return []
    day = records.group_by("seam").agg(pl.col("time").min().dt.date().alias("day"))
    dated = records.join(day, on="seam", how="left", maintain_order="left")
    days = [own.drop("day") for _, own in sorted(dated.partition_by("day", as_dict=True, maintain_order=True).items())]
    return [_numbered_anew(*group) for own in days for group in in_shards(own, seams, size)]


def _numbered_anew(records: pl.DataFrame, seams: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return seams numbered from 0."""
    numbers = seams.select("seam", new=pl.int_range(pl.len(), dtype=pl.Int64))
    joined = (frame.join(numbers, on="seam", how="left", maintain_order="left") for frame in (records, seams))
    own, bounds = (frame.with_columns(seam=pl.col("new")).drop("new") for frame in joined)
    return own, bounds
