"""What a check is: a sentence of the regulation as two expressions, and the words they use.

`obeyed = ~when | must` in three-valued logic: false is broken, null is undecided, never
silently passed. The words are columns of a frame that has one row for every state that
vehicles were in (and, for conditions, every rule that speaks of it).
"""

from typing import Literal

import polars as pl

from analyzer.records import record

PERMIT_NEEDED = pl.col("permit_needed")
"""The control mode is one of `permit_needed_for`."""
IN_PERMIT_ZONE = pl.col("in_permit_zone")
"""Inside a zone of some permit, in force or not."""
PERMIT_IN_FORCE_HERE = pl.col("permit_in_force_here")
"""Inside a valid zone of a permit that is in force."""
VEHICLE_PERMITTED = pl.col("vehicle_permitted")
"""Such a permit names or types the vehicle; null where nobody states the vehicle's type."""

SPEED_KPH = pl.col("speed_kph")
"""Speed; null where unknown."""
SPEED_LIMIT_KPH = pl.col("speed_limit_kph")
"""Limit of the rule with its tolerance; null where it sets none."""
MOVING = pl.col("moving")
"""Speed is at least `moving_kph`; null where the speed is unknown."""
HOURS_OPEN = pl.col("hours_open")
"""The local time is in the rule's hours; true where it sets none."""
MODES_NAMED = pl.col("modes_named")
"""The rule names control modes."""
MODE_JUDGED = pl.col("mode_judged")
"""The mode is autonomous, remote or unknown: no safety response, no driver driving."""
MODE_NAMED = pl.col("mode_named")
"""The mode is one of those that the rule names; null where unknown."""
OPERATOR_ASKED = pl.col("operator_asked")
"""The rule asks for an operator."""
OPERATOR_PRESENT = pl.col("operator_present")
"""The operator is the one that the rule asks for; null where unknown."""
NO_ENTRY = pl.col("no_entry")
"""The rule is a restriction that forbids its zones."""

Scope = Literal["place", "permit", "restriction", "trip"]


@record(frozen=True)
class Check:
    """One sentence of the regulation.

    `scopes` says of what it speaks: the `place` of a vehicle (any permit), a condition of a
    `permit` or a `restriction`, or the `trip` as a whole (then it has no expressions).
    `measure` says what its margin is: metres of `depth`, km/h of `speed`, or none.
    `needs` names what a trip must say for the check to be asked at all. `order` is its
    place in every table.
    """

    order: int
    scopes: tuple[Scope, ...]
    when: pl.Expr | None = None
    must: pl.Expr | None = None
    measure: Literal["depth", "speed"] | None = None
    needs: tuple[Literal["mode_said", "operator_said", "speed_known"], ...] = ()
    spans_holes: bool = False

    @property
    def obeyed(self) -> pl.Expr:
        """Three-valued: true, false (broken) or null (undecided)."""
        if self.when is None or self.must is None:
            return pl.lit(True)
        return ~self.when | self.must
