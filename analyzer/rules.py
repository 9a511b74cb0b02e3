"""The rule file of a zone set: permits, restrictions and evaluation settings, validated."""

import datetime as dt
from collections.abc import Mapping
from typing import Literal

from analyzer.records import record


@record(frozen=True)
class Evaluation:
    """Settings of `[evaluation]`: approved with the rules, printed in every report."""

    confidence: float = 0.95
    default_accuracy_m: float = 3.0
    border_buffer_m: float = 0.0
    min_duration_s: float = 2.0
    merge_gap_s: float = 2.0
    max_gap_s: float = 10.0
    trip_gap_s: float = 300.0
    speed_tolerance_kph: float = 0.0
    moving_kph: float = 1.0
    unlogged_distance_m: float = 50.0
    min_observed_share: float = 0.95
    max_mode_age_s: float = 10.0
    max_plausible_kph: float = 200.0
    permit_needed_for: tuple[str, ...] = (
        "autonomous",
        "remote",
        "disengaged",
        "not_ready",
        "minimal_risk",
        "unknown",
    )
    assumed_control_mode: str = "autonomous"


@record(frozen=True)
class Window:
    """Local hours on weekdays, half-open; `to_s <= from_s` never occurs.

    `days` are 0 (Monday) to 6; `from_s` and `to_s` are seconds after local midnight of
    the day on which the window starts; a window past midnight has `to_s > 86400`.
    """

    days: tuple[int, ...]
    from_s: int
    to_s: int


@record(frozen=True)
class Rule:
    """One revision of a permit or restriction.

    Instants are microseconds since 1970 UTC. `until_us` is where the revision stops
    being in force: the earlier of `expires_us` and the next revision's `effective_us`;
    null = never. `zones` are zone ids in file order; `vehicle_types`, `vehicles`,
    `control_modes` and `hours` are empty where left out.
    """

    id: str
    revision: int
    kind: Literal["permit", "restriction"]
    text: Mapping[str, str]
    effective_us: int
    expires_us: int | None = None
    until_us: int | None = None
    legal_basis: str = ""
    source: str = ""
    confidence: str = "assumed"
    note: str = ""
    zones: tuple[str, ...] = ()
    vehicle_types: tuple[str, ...] = ()
    vehicles: tuple[str, ...] = ()
    control_modes: tuple[str, ...] = ()
    max_speed_kph: float | None = None
    operator: Literal["on_board", "remote", "any"] | None = None
    hours: tuple[Window, ...] = ()
    except_dates: tuple[dt.date, ...] = ()
    no_entry: bool = False


@record(frozen=True)
class Rules:
    """A whole rule file: time zone, settings, and rules in file order."""

    timezone: str
    evaluation: Evaluation
    rules: tuple[Rule, ...]
