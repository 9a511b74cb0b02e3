"""A brute-force judge: one interval, one rule, one predicate at a time, from the contract's own words."""

from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil, hypot, sqrt

import shapely
from shapely.geometry import LineString, Point
from shapely.ops import unary_union

from tests.oracle.reading import distance, implied, make_trips, read_logs, read_world, runs_of, z_of

PLACES = ("outside-zone", "permit-not-in-force", "vehicle-not-permitted")
SPANNING = (*PLACES, "no-entry")
SAMPLE_M = 0.02


@dataclass
class Interval:
    """An elementary interval of one segment (or the instant of a run's last fix)."""

    start: int
    end: int
    fix: object
    inside: frozenset
    accuracy: float
    first: bool
    last: bool
    run: int
    points: list
    broken: dict = field(default_factory=dict)
    count: dict = field(default_factory=dict)


@dataclass
class Finding:
    check: str
    rule: object
    trip: object
    start: int
    end: int
    intervals: list
    runs: tuple
    hole_us: int = 0
    verdict: str = "indeterminate"
    peak: float | None = None
    margin: float | None = None
    error: float | None = None
    matched: tuple = ()


@dataclass
class Verdicts:
    findings: list
    coverage: list
    rejects: list
    counts: dict


class Judge:
    def __init__(self, world):
        self.w, self.s, self.z = world, world.settings, z_of(world)
        self.permits = [r for r in world.rules if r.kind == "permit"]
        self.zone = {z.id: z for z in world.zones}
        self.permit_zones = [z for z in world.zones if any(z.id in p.zones for p in self.permits)]
        self.counts = {}
        self.unions = {}

    def note(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    # -- who and what applies ------------------------------------------------------------
    def match(self, rule, vehicle, kind):
        if not rule.vehicles and not rule.vehicle_types:
            return True
        if vehicle in (rule.vehicles or []) or (kind and kind in (rule.vehicle_types or [])):
            return True
        return None if rule.vehicle_types and not kind else False

    def here(self, rule, interval, t):
        return [z for z in rule.zones if z in interval.inside and self.zone[z].valid(t)]

    def moving(self, fix):
        return None if fix.speed is None else round(fix.speed, 6) >= self.s["moving_kph"]

    def error(self, accuracy, zone_accuracy):
        return self.z * sqrt(accuracy**2 + zone_accuracy**2)

    def limit(self, rule):
        return round(rule.max_speed_kph + self.s["speed_tolerance_kph"], 6)

    def conditions(self, rule, trip, fix, t):
        """Each condition of a permit: True met, False broken, None unknown; and whether it is checkable."""
        moving = self.moving(fix)
        found = {}
        if rule.max_speed_kph is not None:
            value = None if fix.speed is None else round(fix.speed, 6) <= self.limit(rule)
            found["speed-limit"] = (value, trip.speed_known)
        if rule.windows is not None:
            value = True if rule.open(t) else (None if moving is None else not moving)
            found["operating-hours"] = (value, trip.speed_known)
        if rule.control_modes:
            if fix.mode not in ("autonomous", "remote", "unknown") or moving is False:
                value = True
            elif fix.mode == "unknown" or not trip.mode_said:
                value = None
            elif fix.mode in rule.control_modes:
                value = True
            else:
                value = False if moving else None
            found["driving-mode"] = (value, trip.mode_said and trip.speed_known)
        if rule.operator:
            wanted = ("on_board", "remote") if rule.operator == "any" else (rule.operator,)
            if moving is False or fix.operator in wanted:
                value = True
            elif fix.operator in (None, "unknown"):
                value = None
            else:
                value = False if moving else None
            found["safety-operator"] = (value, trip.operator_said and trip.speed_known)
        return found

    def surely_broken(self, rule, trip, fix, t):
        """The conditions certainly broken at the instant of a fix."""
        if fix.speed is None:
            speed, sure_moving = None, False
        else:
            speed = round(fix.speed, 6)
            sure_moving = speed - fix.speed_error >= self.s["moving_kph"]
        broken = set()
        if rule.max_speed_kph is not None and speed is not None and speed - self.limit(rule) > fix.speed_error:
            broken.add("speed-limit")
        if rule.windows is not None and not rule.open(t) and sure_moving:
            broken.add("operating-hours")
        if rule.control_modes and trip.mode_said and sure_moving and fix.mode in ("autonomous", "remote"):
            broken |= {"driving-mode"} if fix.mode not in rule.control_modes else set()
        if rule.operator and sure_moving and fix.operator not in (None, "unknown"):
            wanted = ("on_board", "remote") if rule.operator == "any" else (rule.operator,)
            if fix.operator not in wanted:
                broken.add("safety-operator")
        return broken

    # -- one interval --------------------------------------------------------------------
    def judge(self, trip, interval):
        """Fill in what is broken: (check, rule) -> 'broken' or 'undecided', and the permits looked at."""
        fix, t = interval.fix, interval.start
        needed = fix.mode in self.s["permit_needed_for"]
        if needed and self.permits:
            self.judge_permits(trip, interval)
        for rule in self.w.rules:
            if rule.kind == "restriction" and rule.in_force(t) and self.here(rule, interval, t):
                self.judge_restriction(trip, interval, rule)

    def put(self, interval, check, rule, status, matched=()):
        interval.broken[check, rule.key if rule else None] = (status, rule, tuple(matched))

    def judge_permits(self, trip, interval):
        fix, t = interval.fix, interval.start
        covering = [p for p in self.permits if set(p.zones) & interval.inside]
        if not covering:
            self.put(interval, "outside-zone", None, "broken", self.permits)
            return
        forced = [p for p in covering if p.in_force(t) and self.here(p, interval, t)]
        if not forced:
            self.put(interval, "permit-not-in-force", None, "broken", covering)
            return
        applying = [(p, self.match(p, trip.vehicle, fix.type)) for p in forced]
        applying = [(p, m) for p, m in applying if m is not False]
        if not applying:
            self.put(interval, "vehicle-not-permitted", None, "broken", forced)
            return
        rated = []
        for p, m in applying:
            found = self.conditions(p, trip, fix, t)
            broken = sum(v is False for v, _ in found.values())
            unknown = sum(v is None for v, _ in found.values()) + (m is None)
            rated.append((broken, unknown, p.order, p, m, found))
        broken, unknown, _, chosen, match, found = min(rated, key=lambda r: r[:3])
        others = [p for p, _ in applying if p is not chosen]
        if match is None:
            self.put(interval, "vehicle-not-permitted", None, "undecided", forced)
        for check, (value, checkable) in found.items():
            if value is not True and checkable:
                certain = value is False and match is True
                self.put(interval, check, chosen, "broken" if certain else "undecided", others)
        if len(applying) > 1 and (broken or unknown):
            self.note("permits-compared")

    def judge_restriction(self, trip, interval, rule):
        fix, t = interval.fix, interval.start
        match = self.match(rule, trip.vehicle, fix.type)
        if match is False or not rule.open(t):
            return
        applies = match
        if rule.control_modes:
            if fix.mode == "unknown":
                applies = None
            elif fix.mode not in rule.control_modes:
                return
        if rule.no_entry:
            self.put(interval, "no-entry", rule, "broken" if applies else "undecided")
        if rule.max_speed_kph is not None and trip.speed_known:
            if fix.speed is None:
                self.put(interval, "speed-limit", rule, "undecided")
            elif round(fix.speed, 6) > self.limit(rule):
                self.put(interval, "speed-limit", rule, "broken" if applies else "undecided")

    # -- distances -----------------------------------------------------------------------
    def outside(self, point):
        """(metres, zone) to every permit zone."""
        p = Point(point)
        return [(p.distance(z.metres), z) for z in self.permit_zones]

    def depth(self, rule, point, t):
        """Depth inside the union of the rule's zones that act now, and the accuracy of the nearest border."""
        zones = [self.zone[i] for i in rule.zones if self.zone[i].valid(t)]
        key = tuple(z.id for z in zones)
        if key not in self.unions:
            border = unary_union([z.metres for z in zones]).boundary
            own = [(border.intersection(z.metres.boundary.buffer(1e-6)), z.accuracy) for z in zones]
            self.unions[key] = border, [(part, accuracy) for part, accuracy in own if not part.is_empty]
        border, own = self.unions[key]
        p = Point(point)
        d = p.distance(border)
        # Borders as near as this are equally near: then the less accurate one counts.
        return d, max(accuracy for part, accuracy in own if p.distance(part) <= 1.001 * d + 1e-6)

    def lawful_near(self, trip, interval, point, t, fix_instant):
        """Whether a zone of a permit under which it would be lawful is within the position error."""
        for p in self.permits:
            if not p.in_force(t) or self.match(p, trip.vehicle, interval.fix.type) is False:
                continue
            if fix_instant and self.surely_broken(p, trip, interval.fix, t):
                continue
            for i in p.zones:
                zone = self.zone[i]
                if zone.valid(t):
                    d = 0.0 if i in interval.inside else Point(point).distance(zone.metres)
                    if d <= self.error(interval.accuracy, zone.accuracy):
                        return True
        return False

    # -- one stretch ---------------------------------------------------------------------
    def evidence(self, finding):
        """Peak and verdict of a stretch: every sample of every interval."""
        best_sure = best_any = None
        peak = None
        buffer = self.s["border_buffer_m"]
        for n in finding.intervals:
            status, rule, matched = n.broken[finding.check, finding.rule.key if finding.rule else None]
            finding.matched = tuple(dict.fromkeys([*finding.matched, *(m.id for m in matched)]))
            at_fix = n.start == n.fix.t
            if finding.check in ("outside-zone", "no-entry"):
                for point in n.points:
                    if finding.check == "outside-zone":
                        away = self.outside(point)
                        d, zone = min(away, key=lambda a: a[0])
                        spare = min(a - self.error(n.accuracy, z.accuracy) for a, z in away) - buffer
                        error = self.error(n.accuracy, zone.accuracy)
                    else:
                        d, accuracy = self.depth(rule, point, n.start)
                        error = self.error(n.accuracy, accuracy)
                        spare = d - error - buffer
                    peak = d if peak is None else max(peak, d)
                    item = (spare, d - buffer, error)
                    best_any = max(best_any or item, item)
                    if status == "broken":
                        best_sure = max(best_sure or item, item)
            elif finding.check in PLACES:
                if status == "broken":
                    clear = any(not self.lawful_near(finding.trip, n, p, n.start, False) for p in n.points)
                    clear = clear or (at_fix and not self.lawful_near(finding.trip, n, n.points[0], n.start, True))
                    if clear:
                        best_sure = (1.0, None, None)
            else:
                fix = n.fix
                if finding.check == "speed-limit" and fix.speed is not None:
                    speed = round(fix.speed, 6)
                    peak = speed if peak is None else max(peak, speed)
                    if at_fix:
                        item = (speed - self.limit(rule) - fix.speed_error, speed - self.limit(rule), fix.speed_error)
                        best_any = max(best_any or item, item)
                if at_fix and status == "broken":
                    if rule.kind == "permit":
                        sure = finding.check in self.surely_broken(rule, finding.trip, fix, n.start)
                        sure = sure and not self.lawful_near(finding.trip, n, n.points[0], n.start, True)
                    else:
                        sure = round(fix.speed, 6) - self.limit(rule) > fix.speed_error
                        d, accuracy = self.depth(rule, n.points[0], n.start)
                        sure = sure and d > self.error(n.accuracy, accuracy)
                    if sure:
                        item = (1.0, None, None)
                        if finding.check == "speed-limit":
                            margin = round(fix.speed, 6) - self.limit(rule)
                            item = (margin - fix.speed_error, margin, fix.speed_error)
                        best_sure = max(best_sure or item, item, key=lambda i: i[0])
        finding.peak = peak
        certain = best_sure is not None and best_sure[0] > 0
        finding.verdict = "violation" if certain else "indeterminate"
        best = best_sure if certain else best_any
        if best is not None:
            finding.spare, finding.margin, finding.error = best
        else:
            finding.spare = None


def intervals_of(judge, trip):
    """Cut every segment at borders and edges; the last fix of a run is an instant."""
    w = judge.w
    made = []
    for number, run in enumerate(runs_of(w, trip)):
        for k, fix in enumerate(run):
            last = k == len(run) - 1
            first = k == 0
            if last:
                inside = frozenset(z.id for z in w.zones if z.degrees.covers(Point(fix.lon, fix.lat)))
                made.append(Interval(fix.t, fix.t, fix, inside, fix.accuracy, first, True, number, [(fix.x, fix.y)]))
                continue
            made += segment(judge, fix, run[k + 1], number, first)
    return made


def segment(judge, a, b, number, first):
    w = judge.w
    span = b.t - a.t
    line = LineString([(a.lon, a.lat), (b.lon, b.lat)])
    shares = {0.0, 1.0}
    still = (a.lon, a.lat) == (b.lon, b.lat)
    for zone in w.zones if not still else []:
        met = line.intersection(zone.degrees.boundary)
        for x, y in shapely.get_coordinates(met):
            along = ((x - a.lon) * (b.lon - a.lon) + (y - a.lat) * (b.lat - a.lat)) / (
                (b.lon - a.lon) ** 2 + (b.lat - a.lat) ** 2
            )
            if 0 < along < 1:
                shares.add(along)
                judge.note("border-cuts")
    moments = {a.t + round(s * span): s for s in sorted(shares, reverse=True)}
    for edge in w.edges:
        if a.t < edge < b.t:
            moments.setdefault(edge, (edge - a.t) / span)
            judge.note("edge-cuts")
    times = sorted(moments)
    accuracy = max(a.accuracy, b.accuracy)
    made = []
    for start, end in pairwise(times):
        low, high = (start - a.t) / span, (end - a.t) / span
        middle = (low + high) / 2
        p = Point(a.lon + middle * (b.lon - a.lon), a.lat + middle * (b.lat - a.lat))
        inside = frozenset(z.id for z in w.zones if z.degrees.covers(p) or z.degrees.boundary.distance(p) < 1e-12)
        count = max(1, ceil(hypot(b.x - a.x, b.y - a.y) * (high - low) / SAMPLE_M))
        shares = [low + (high - low) * i / count for i in range(count + 1)]
        points = [(a.x + s * (b.x - a.x), a.y + s * (b.y - a.y)) for s in shares]
        made.append(Interval(start, end, a, inside, accuracy, first and start == a.t, False, number, points))
    return made


def stretches(judge, trip, intervals):
    """Every (check, rule): touching intervals together, then joined over holes."""
    keys = dict.fromkeys(key for n in intervals for key in n.broken)
    found = []
    for check, rule_key in keys:
        parts = []
        for n in intervals:
            if (check, rule_key) not in n.broken:
                continue
            rule = n.broken[check, rule_key][1]
            if parts and parts[-1].end == n.start and parts[-1].runs[1] == n.run:
                parts[-1].end = n.end
                parts[-1].intervals.append(n)
            elif parts and check in SPANNING and joinable(judge, parts[-1].intervals[-1], n):
                judge.note("holes-spanned")
                parts[-1].hole_us += n.start - parts[-1].end
                parts[-1].end = n.end
                parts[-1].intervals.append(n)
                parts[-1].runs = (parts[-1].runs[0], n.run)
            else:
                parts.append(Finding(check, rule, trip, n.start, n.end, [n], (n.run, n.run)))
        found += parts
    return found


def joinable(judge, before, after):
    s = judge.s
    if not (before.last and after.first and after.run == before.run + 1):
        return False
    if after.start - before.end > s["trip_gap_s"] * 1e6 or before.fix.mode != after.fix.mode:
        return False
    return not any(before.end < e <= after.start for e in judge.w.edges)


def merge(judge, parts):
    """Findings a moment apart are one."""
    out = []
    for f in sorted(parts, key=lambda f: (f.check, f.rule.order if f.rule else -1, f.start)):
        p = out[-1] if out else None
        same = p and (p.check, p.rule) == (f.check, f.rule) and p.runs[1] == f.runs[0]
        gap = f.start - p.end if p else 0
        if same and (gap < judge.s["merge_gap_s"] * 1e6 or gap <= 0):
            judge.note("merged")
            p.end, p.runs, p.hole_us = f.end, (p.runs[0], f.runs[1]), p.hole_us + f.hole_us
            p.intervals += f.intervals
            p.verdict = "violation" if "violation" in (p.verdict, f.verdict) else "indeterminate"
            p.peak = max((v for v in (p.peak, f.peak) if v is not None), default=None)
            p.spare = max((v for v in (p.spare, f.spare) if v is not None), default=None)
            p.matched = tuple(dict.fromkeys([*p.matched, *f.matched]))
        else:
            out.append(f)
    return out


def judge_trip(judge, trip):
    """Return the findings of a trip, and those left out."""
    s = judge.s
    intervals = intervals_of(judge, trip)
    for n in intervals:
        judge.judge(trip, n)
    parts = stretches(judge, trip, intervals)
    for f in parts:
        judge.evidence(f)
    deep = [f for f in parts if f.check not in ("outside-zone", "no-entry") or f.peak > max(s["border_buffer_m"], 0.01)]
    for _ in range(len(parts) - len(deep)):
        judge.note("shallow")
    merged = merge(judge, deep)
    runs = runs_of(judge.w, trip)
    ends = {r[0].t for r in runs} | {r[-1].t for r in runs}
    kept, left_out = [], []
    for f in merged:
        short = f.end - f.start < s["min_duration_s"] * 1e6
        touches = f.start in ends or f.end in ends or f.hole_us
        (left_out if short and not touches else kept).append(f)
    for before, after in pairwise(runs):
        gap = Finding("log-gap", None, trip, before[-1].t, after[0].t, [], (0, 0), verdict="not_observed")
        gap.peak, gap.hole_us, gap.spare = distance(before[-1], after[0]), gap.end - gap.start, None
        kept.append(gap)
    return kept, left_out


def unlogged(judge, trips):
    """Trips that start away from where the vehicle's last one ended."""
    s, found = judge.s, []
    for trip in trips:
        first = trip.fixes[0]
        earlier = [t for t in trips if t.vehicle == trip.vehicle and t is not trip and t.fixes[-1].t <= first.t]
        if not earlier:
            continue
        last = max((t.fixes[-1] for t in earlier), key=lambda f: f.t)
        metres = distance(last, first)
        seconds = min((first.t - last.t) / 1e6, s["max_gap_s"])
        error = judge.z * (last.accuracy + first.accuracy) + (last.speed or 0) / 3.6 * seconds
        if metres - s["unlogged_distance_m"] > error:
            f = Finding("unlogged-movement", None, trip, last.t, first.t, [], (0, 0), verdict="not_observed")
            f.peak, f.margin, f.error, f.spare = metres, metres - s["unlogged_distance_m"], error, None
            found.append(f)
    return found


def asked(judge, trip):
    """The checks that have a line for this trip."""
    checks = ["log-gap", "unlogged-movement"]
    if judge.permits:
        checks += PLACES
    start, end = trip.fixes[0].t, trip.fixes[-1].t
    types = {f.type for f in trip.fixes}
    for r in judge.w.rules:
        if r.effective > end or r.until <= start or all(judge.match(r, trip.vehicle, t) is False for t in types):
            continue
        if r.max_speed_kph is not None:
            checks.append("speed-limit")
        if r.kind == "restriction" and r.no_entry:
            checks.append("no-entry")
        if r.kind == "permit":
            checks += ["operating-hours"] * (r.windows is not None) + ["driving-mode"] * bool(r.control_modes)
            checks += ["safety-operator"] * bool(r.operator)
    return sorted(set(checks))


def lines_of(judge, trip, kept, left_out):
    s = judge.s
    span = trip.fixes[-1].t - trip.fixes[0].t
    holes = sum(f.end - f.start for f in kept if f.check == "log-gap")
    share = (span - holes) / span if span else 0.0
    needs = {
        "speed-limit": trip.speed_known,
        "operating-hours": trip.speed_known,
        "driving-mode": trip.mode_said and trip.speed_known,
        "safety-operator": trip.operator_said and trip.speed_known,
    }
    lines = []
    for check in asked(judge, trip):
        own = [f for f in kept if f.check == check]
        out = [f for f in left_out if f.check == check]
        certain_s = sum(f.end - f.start for f in out if f.verdict == "violation") / 1e6
        if any(f.verdict == "violation" for f in own):
            verdict = "violation"
        elif any(f.verdict == "indeterminate" for f in own) or (certain_s and certain_s >= s["min_duration_s"]):
            verdict = "indeterminate"
        elif not needs.get(check, True):
            verdict = "not_checkable"
        elif share < s["min_observed_share"] or (check == "unlogged-movement" and own):
            verdict = "not_observed"
        else:
            verdict = "compliant"
        lines.append((trip, check, verdict, share, len(own), len(out)))
    return lines


def run(folder):
    """Return the verdicts of a scenario folder."""
    world = read_world(folder)
    judge = Judge(world)
    fixes, rejects = read_logs(world, sorted(folder.glob("*.csv.log")) or sorted(folder.glob("log*.csv")))
    trips = make_trips(world, fixes, rejects)
    moved = unlogged(judge, trips)
    findings, coverage = [], []
    for trip in trips:
        kept, left_out = judge_trip(judge, trip)
        kept += [f for f in moved if f.trip is trip]
        judge.counts["suppressed"] = judge.counts.get("suppressed", 0) + len(left_out)
        findings += kept
        coverage += lines_of(judge, trip, kept, left_out)
    return Verdicts(findings, coverage, rejects, judge.counts)


__all__ = ["Finding", "Verdicts", "implied", "run"]
