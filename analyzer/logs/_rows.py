"""Rows of a JSON document read on as a plain table."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from analyzer.errors import LogError
from analyzer.logs._arrays import Array
from analyzer.logs._columns import columns_of
from analyzer.logs._format import NO_REJECTS, Log, ReadOptions, refuse_unreadable
from analyzer.logs._json import Document, Rows, column_of, names_of
from analyzer.logs._plain import Sheet, log_of
from analyzer.logs._profile import Profile, load_profile
from analyzer.logs._remarks import Remark
from analyzer.logs._times import PER_UNIT_US
from analyzer.logs._tracks import with_columns

_EARLIEST_S, _LATEST_S = 315_532_800, 7_258_118_400
"""1980 and 2200: between them, seconds, milli-, micro- and nanoseconds are never the same numbers."""


def log_of_rows(document: Document, name: str, rows: Rows, options: ReadOptions) -> Log:
    """Return the log of rows; LogError where it cannot be judged as a whole."""
    path = document.path
    if not rows.rows:
        refuse_unreadable(path, rows.record, _first(rows))
    names = names_of(path, rows.rows)
    profile = with_columns(load_profile(options.profile), rows.ours, names)
    profile = replace(profile, values={**_values(rows, profile), **profile.values})
    wanted = _columns(path, names, profile)
    columns = {own: column_of([row.get(own) for row in rows.rows]) for own in dict.fromkeys(wanted.values())}
    profile, said = _epochs(path, wanted, columns, profile)
    sheet = Sheet(
        path,
        name,
        pl.DataFrame(columns),
        pl.Series(rows.numbers, dtype=pl.Int64),
        pl.DataFrame(rows.bad, schema=NO_REJECTS.schema, orient="row"),
        (*document.remarks, *rows.remarks, *said),
    )
    log = log_of(sheet, options, profile)
    return replace(log, record_count=log.record_count + rows.others, other_records=rows.others)


def log_of_array(array: Array, name: str, options: ReadOptions) -> Log:
    """Return the log of an array of records that are written alike; UnlikeError where they are not."""
    profile = load_profile(options.profile)
    wanted = _columns(array.path, array.names, profile)
    frame = array.frame(list(dict.fromkeys(wanted.values())))
    profile, said = _epochs(array.path, wanted, frame.to_dict(), profile)
    return log_of(Sheet(array.path, name, frame, remarks=said), options, profile)


def _first(rows: Rows) -> tuple[int, str] | None:
    """Return the first record that is none, and why."""
    if rows.bad:
        return rows.bad[0][:2]
    return (1, "no position in time") if rows.others else None


def _values(rows: Rows, profile: Profile) -> dict[str, Mapping[str, str]]:
    """Return what words of the control mode mean where the profile does not say it."""
    return {} if "control_mode" in profile.values or not rows.modes else {"control_mode": rows.modes}


def _columns(path: str, names: list[str], profile: Profile) -> dict[str, str]:
    """Return our name -> the document's; a list of vehicles is refused as what it is."""
    try:
        return columns_of(path, names, profile)
    except LogError as error:
        low = {n.lower() for n in names}
        if "vehicle_id" in low and not low & {"latitude", "lat", "longitude", "lon", "lng", "timestamp", "time"}:
            message = (
                f"{path}: names vehicles without times and positions: a fleet, not a log; write it as "
                "fleet.csv and give it with --fleet"
            )
            raise LogError(message) from error
        raise


def _epochs(
    path: str, wanted: Mapping[str, str], columns: Mapping[str, pl.Series], profile: Profile
) -> tuple[Profile, tuple[Remark, ...]]:
    """Return a profile that says the unit of times that are numbers, told by their size, and a remark."""
    own = wanted.get("timestamp")
    if own is None or "timestamp" in profile.columns or not columns[own].dtype.is_numeric():
        return profile, ()
    kind = epoch_of(columns[own].drop_nulls().median())
    if kind is None:
        return profile, ()
    said = replace(profile, columns={**profile.columns, kind: own})
    return said, (Remark("epoch-unit", path, words=(kind.removeprefix("timestamp_"),)),)


def epoch_of(number: Any) -> str | None:
    """Return the column of times in which a number lies between 1980 and 2200, null where in none."""
    if number is None:
        return None
    return next((k for k, us in PER_UNIT_US.items() if _EARLIEST_S <= float(number) * us / 1e6 <= _LATEST_S), None)
