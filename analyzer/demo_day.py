"""The synthetic day of the demo: trips laid out in metres and seconds, and what is true of them."""

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from analyzer.geometry import metres_per_degree

DAY = dt.datetime(2026, 3, 17, tzinfo=dt.timezone(dt.timedelta(hours=9)))
"""A Tuesday; the hours of the demo's permits are those of a weekday."""

CRUISE_KPH = 6.0


@dataclass(frozen=True)
class Leg:
    """A straight way: metres along and across the trip's axis, speed, mode; or a silent one."""

    along_m: float
    across_m: float
    speed_kph: float = CRUISE_KPH
    control_mode: str = "autonomous"
    logged: bool = True

    @property
    def seconds(self) -> float:
        """Return how long it takes."""
        return math.hypot(self.along_m, self.across_m) / (self.speed_kph / 3.6)


@dataclass(frozen=True)
class Trip:
    """A trip: from an origin, on an axis (east, north unit vector), leg after leg."""

    vehicle_id: str
    vehicle_type: str
    trip_id: str
    start: dt.datetime
    origin: tuple[float, float]
    axis: tuple[float, float]
    interval_s: float
    accuracy_m: float
    legs: tuple[Leg, ...]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the fixes of the trip."""
        along = across = elapsed = 0.0
        for leg in self.legs:
            steps = round(leg.seconds / self.interval_s)
            for step in range(steps if leg.logged else 0):
                share = step / steps
                place = (along + share * leg.along_m, across + share * leg.across_m)
                yield self._row(elapsed + step * self.interval_s, place, leg)
            along, across, elapsed = along + leg.along_m, across + leg.across_m, elapsed + leg.seconds
        yield self._row(elapsed, (along, across), self.legs[-1])

    def _row(self, elapsed_s: float, place: tuple[float, float], leg: Leg) -> dict[str, Any]:
        """Return one fix."""
        lon, lat = moved(self.origin, self.axis, *place)
        return {
            "vehicle_id": self.vehicle_id,
            "timestamp": self.at(elapsed_s).isoformat(timespec="milliseconds"),
            "latitude": f"{lat:.8f}",
            "longitude": f"{lon:.8f}",
            "trip_id": self.trip_id,
            "vehicle_type": self.vehicle_type,
            "speed_kph": f"{leg.speed_kph:g}",
            "horizontal_accuracy_m": f"{self.accuracy_m:g}",
            "control_mode": leg.control_mode,
            "operator": "remote",
        }

    def at(self, elapsed_s: float) -> dt.datetime:
        """Return an instant of the trip."""
        return self.start + dt.timedelta(milliseconds=round(elapsed_s * 1000))

    def after(self, legs: int) -> float:
        """Return the seconds that the first `legs` legs take."""
        return sum(leg.seconds for leg in self.legs[:legs])

    @property
    def end_place(self) -> tuple[float, float]:
        """Return longitude and latitude of the trip's end."""
        along, across = sum(g.along_m for g in self.legs), sum(g.across_m for g in self.legs)
        return moved(self.origin, self.axis, along, across)


def moved(
    origin: tuple[float, float], axis: tuple[float, float], along_m: float, across_m: float
) -> tuple[float, float]:
    """Return the place `along_m` on an axis and `across_m` to its left from an origin."""
    east, north = metres_per_degree(origin[1])
    x = axis[0] * along_m - axis[1] * across_m
    y = axis[1] * along_m + axis[0] * across_m
    return origin[0] + x / east, origin[1] + y / north


def unit(start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    """Return the direction from one place to another as an east, north unit vector."""
    east, north = metres_per_degree((start[1] + end[1]) / 2)
    x, y = (end[0] - start[0]) * east, (end[1] - start[1]) * north
    return x / math.hypot(x, y), y / math.hypot(x, y)


@dataclass(frozen=True)
class Day:
    """The trips of the day and what is true of them."""

    trips: tuple[Trip, ...]
    truth: tuple[dict[str, Any], ...]


SOUTH_EDGE = ((126.7518, 35.1173), (126.7702, 35.1226))
"""An edge of the demo's Pyeongdong: the zone is to its left (north)."""

NOTCH = 60.0
"""The demo's Songjeong has a notch in its southern edge, this wide to each side and this deep."""

SONGJEONG_EDGE = ((126.7933, 35.1429), (126.8002, 35.145))


def build_day() -> Day:
    """Return the synthetic day."""
    cruise_mps = CRUISE_KPH / 3.6
    trips, truth = [], []
    for make in (_deep_departure, _wrong_mode, _shallow_and_fast, _clipped_corner, _clean):
        trip, facts = make(cruise_mps)
        trips.append(trip)
        truth += facts
    return Day(tuple(trips), tuple(truth))


def _fact(  # noqa: PLR0913 - a row of the truth table
    trip: Trip, check: str, verdict: str, start: dt.datetime, end: dt.datetime, ko: str, en: str
) -> dict[str, Any]:
    """Return one row of the truth table."""
    names = {"vehicle_id": trip.vehicle_id, "trip_id": trip.trip_id}
    return {**names, "check": check, "verdict": verdict, "start": start, "end": end, "what_ko": ko, "what_en": en}


def _between(edge: tuple[tuple[float, float], tuple[float, float]], share: float) -> tuple[float, float]:
    """Return a place on an edge."""
    (ax, ay), (bx, by) = edge
    return ax + share * (bx - ax), ay + share * (by - ay)


def _deep_departure(mps: float) -> tuple[Trip, list[dict[str, Any]]]:
    """Return a sweeper that leaves Pyeongdong by 30 m and comes back."""
    axis = unit(*SOUTH_EDGE)
    origin = moved(_between(SOUTH_EDGE, 0.5), axis, 0, 40)
    legs = (Leg(0, -70), Leg(0, 70), Leg(50, 0))
    start = DAY.replace(hour=10, minute=5)
    trip = Trip("SYNTHETIC-SWEEPER", "sweeper", "SYN-A1", start, origin, axis, 0.1, 0.5, legs)
    out, back = trip.at(40 / mps), trip.at(100 / mps)
    ko, en = "평동 구역을 30 m 벗어났다 돌아옴", "leaves Pyeongdong by 30 m and comes back"
    return trip, [_fact(trip, "outside-zone", "violation", out, back, ko, en)]


def _wrong_mode(mps: float) -> tuple[Trip, list[dict[str, Any]]]:
    """Return the sweeper in Uchi Park in the evening: autonomous first, where only remote is allowed."""
    legs = (Leg(50, 0), Leg(100, 0, control_mode="remote"))
    start = DAY.replace(hour=18, minute=10)
    trip = Trip("SYNTHETIC-SWEEPER", "sweeper", "SYN-A2", start, (126.8925, 35.2245), (1.0, 0.0), 1.0, 0.5, legs)
    earlier, _ = _deep_departure(mps)
    ko, en = "원격만 허가된 우치공원에서 자율 모드로 움직임", "moves in autonomous mode where only remote is allowed"
    moved_ko, moved_en = (
        "평동에서 우치공원까지의 이동이 기록에 없음",
        "was moved from Pyeongdong to Uchi Park without a log",
    )
    return trip, [
        _fact(trip, "driving-mode", "violation", start, trip.at(trip.after(1)), ko, en),
        _fact(trip, "unlogged-movement", "not_observed", earlier.at(earlier.after(3)), start, moved_ko, moved_en),
    ]


def _shallow_and_fast(mps: float) -> tuple[Trip, list[dict[str, Any]]]:
    """Return a truck that leaves by less than its GNSS can tell, speeds, and loses its log."""
    axis = unit(*SOUTH_EDGE)
    origin = moved(_between(SOUTH_EDGE, 0.2), axis, 0, 10)
    shallow = 2 * mps
    legs = (
        Leg(0, -10 - shallow),
        Leg(0, 40 + shallow),
        Leg(60 * mps, 0),
        Leg(75, 0, speed_kph=9.0),
        Leg(60 * mps, 0),
        Leg(60 * mps, 0, logged=False),
        Leg(60 * mps, 0),
    )
    start = DAY.replace(hour=10, minute=30)
    names = ("SYNTHETIC-INDUSTRIAL", "industrial_waste_truck", "SYN-B1")
    trip = Trip(*names, start, origin, axis, 1.0, 3.0, legs)
    out, back = trip.at(10 / mps), trip.at((10 + 2 * shallow) / mps)
    silent = trip.at(trip.after(5) - 1.0)
    return trip, [
        _fact(
            trip,
            "outside-zone",
            "indeterminate",
            out,
            back,
            "평동 구역을 3.3 m 벗어남(측정 오차 이내)",
            "leaves Pyeongdong by 3.3 m, which its GNSS cannot tell",
        ),
        _fact(
            trip,
            "speed-limit",
            "violation",
            trip.at(trip.after(3)),
            trip.at(trip.after(4)),
            "30초 동안 시속 9 km로 주행",
            "drives at 9 km/h for 30 s",
        ),
        _fact(
            trip,
            "log-gap",
            "not_observed",
            silent,
            trip.at(trip.after(6)),
            "약 1분 동안 기록이 끊김",
            "has no log for about a minute",
        ),
    ]


def _clipped_corner(mps: float) -> tuple[Trip, list[dict[str, Any]]]:
    """Return a truck that clips a corner between two fixes inside, and runs past noon."""
    axis = unit(*SONGJEONG_EDGE)
    depth, interval = 2.0, 5.0
    step = interval * mps
    lead = 24.5 * step
    origin = moved(_between(SONGJEONG_EDGE, 0.5), axis, -lead, NOTCH - depth)
    start = DAY.replace(hour=11, minute=57)
    legs = (Leg(60 * step, 0),)
    names = ("SYNTHETIC-RESIDENTIAL", "residential_waste_truck", "SYN-C1")
    trip = Trip(*names, start, origin, axis, interval, 0.1, legs)
    out, back = trip.at((lead - depth) / mps), trip.at((lead + depth) / mps)
    noon = DAY.replace(hour=12)
    return trip, [
        _fact(
            trip,
            "outside-zone",
            "violation",
            out,
            back,
            "안쪽 두 위치 사이에서 구역의 모서리를 벗어남",
            "clips a corner of Songjeong with no fix outside",
        ),
        _fact(
            trip,
            "operating-hours",
            "violation",
            noon,
            trip.at(trip.after(1)),
            "정오가 지난 뒤에도 운행",
            "runs past noon",
        ),
    ]


def _clean(mps: float) -> tuple[Trip, list[dict[str, Any]]]:
    """Return a vehicle that obeys every rule."""
    legs = (Leg(300 * mps, 0), Leg(0, 120 * mps), Leg(-120 * mps, 0))
    start = DAY.replace(hour=14, minute=10)
    names = ("SYNTHETIC-INFORMATION", "public_information", "SYN-D1")
    trip = Trip(*names, start, (126.815, 35.192), (1.0, 0.0), 1.0, 0.5, legs)
    end = trip.at(trip.after(len(legs)))
    return trip, [_fact(trip, "", "compliant", start, end, "모든 규칙을 지킴", "obeys every rule")]
