"""The rules of a zone set as arrays, ready to be asked of many states at once."""

from functools import cached_property

import numpy as np

from analyzer.records import record
from analyzer.rules import Rule
from analyzer.terms import CONTROL_MODES, OPERATORS
from analyzer.track import SPEED_DIGITS
from analyzer.zones import ZoneSet

MAY_MATCH = -1
"""A rule bound to types, asked of a vehicle whose type nobody states."""

UNKNOWN_MODE = CONTROL_MODES.index("unknown")


@record(frozen=True, eq=False)
class Rulebook:
    """Arrays over the rules (R, all revisions in file order) and zones (Z, in file order)."""

    zone_set: ZoneSet

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Return the rules in file order."""
        return self.zone_set.rules.rules

    @cached_property
    def is_permit(self) -> np.ndarray:
        """Return (R,) which rules are permits."""
        return np.array([rule.kind == "permit" for rule in self.rules], dtype=bool)

    @cached_property
    def zones(self) -> np.ndarray:
        """Return (R, Z) which zones each rule names."""
        ids = [zone.zone_id for zone in self.zone_set.zones]
        named = [[zone_id in rule.zones for zone_id in ids] for rule in self.rules]
        return np.array(named, dtype=bool).reshape(len(self.rules), len(ids))

    @cached_property
    def permit_zones(self) -> np.ndarray:
        """Return (Z,) which zones some permit names, in force or not."""
        return self.zones[self.is_permit].any(axis=0)

    @cached_property
    def limit_kph(self) -> np.ndarray:
        """Return (R,) the speed limit with its tolerance, NaN where a rule sets none."""
        tolerance = self.zone_set.rules.evaluation.speed_tolerance_kph
        limits = [np.nan if r.max_speed_kph is None else r.max_speed_kph for r in self.rules]
        return np.round(np.array(limits, dtype=np.float64) + tolerance, SPEED_DIGITS)

    @cached_property
    def thresholds_kph(self) -> np.ndarray:
        """Return the distinct limits, sorted."""
        return np.unique(self.limit_kph[~np.isnan(self.limit_kph)])

    @cached_property
    def modes_named(self) -> np.ndarray:
        """Return (R,) which rules name control modes."""
        return np.array([bool(rule.control_modes) for rule in self.rules], dtype=bool)

    @cached_property
    def mode_named(self) -> np.ndarray:
        """Return (R, modes) which control modes each rule names."""
        named = [[mode in rule.control_modes for mode in CONTROL_MODES] for rule in self.rules]
        return np.array(named, dtype=bool).reshape(len(self.rules), len(CONTROL_MODES))

    @cached_property
    def operator_asked(self) -> np.ndarray:
        """Return (R,) which rules ask for an operator."""
        return np.array([rule.operator is not None for rule in self.rules], dtype=bool)

    @cached_property
    def operator_fits(self) -> np.ndarray:
        """Return (R, operators) which operators meet what each rule asks for."""
        wanted = {"any": ("on_board", "remote"), None: OPERATORS}
        fits = [[o in wanted.get(r.operator, (r.operator,)) for o in OPERATORS] for r in self.rules]
        return np.array(fits, dtype=bool).reshape(len(self.rules), len(OPERATORS))

    @cached_property
    def no_entry(self) -> np.ndarray:
        """Return (R,) which rules forbid their zones."""
        return np.array([rule.no_entry for rule in self.rules], dtype=bool)

    @cached_property
    def hours_asked(self) -> np.ndarray:
        """Return (R,) which rules speak of hours or days."""
        return np.array([bool(r.hours or r.except_dates) for r in self.rules], dtype=bool)

    @cached_property
    def accuracy_m(self) -> np.ndarray:
        """Return (Z,) the accuracy of each outline."""
        return np.array([zone.accuracy_m for zone in self.zone_set.zones], dtype=np.float64)

    def match_of(self, vehicle_id: str, stated: str | None) -> np.ndarray:
        """Return (R,) 1 where a rule names or types the vehicle, 0 where not, -1 where it may.

        `stated` is the type that the log says; without one the fleet file's counts.
        """
        listed = self.zone_set.fleet[vehicle_id].vehicle_type if vehicle_id in self.zone_set.fleet else ""
        return np.array([_match(rule, vehicle_id, stated or listed or None) for rule in self.rules], dtype=np.int8)


def _match(rule: Rule, vehicle_id: str, vehicle_type: str | None) -> int:
    """Return whether one rule is about one vehicle: 1, 0 or -1 (nobody knows)."""
    if not rule.vehicles and not rule.vehicle_types:
        return 1
    if vehicle_id in rule.vehicles or (vehicle_type and vehicle_type in rule.vehicle_types):
        return 1
    return MAY_MATCH if rule.vehicle_types and not vehicle_type else 0
