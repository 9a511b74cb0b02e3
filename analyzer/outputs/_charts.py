"""Charts of the report as SVG: the hours of every vehicle, and how fast was driven against the limit."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import accumulate
from typing import Any
from unicodedata import east_asian_width
from zoneinfo import ZoneInfo

import polars as pl

from analyzer.figures import lasting, number, share
from analyzer.language import LANGUAGES, Both, both
from analyzer.outputs._drawing import DRAWN
from analyzer.outputs._facts import in_force
from analyzer.plain_text import plain
from analyzer.results import Analysis
from analyzer.rules import Rule
from analyzer.windows import local_instant_us, window_edges

LABEL, RIGHT, ROW, TOP = 170.0, 992.0, 24.0, 26.0
MOST_LETTERS = 24
MOST_STEPS = 40
MOST_ROWS = 40
NEAR_PX = 0.5
WIDTHS = {"timeline": 1000, "chart": 500}


def _svg(kind: str, height: float, title: Both, parts: Sequence[str]) -> str:
    """Return the parts as one drawing."""
    label = escape(f"{title['ko']} / {title['en']}")
    size = f'viewBox="0 0 {WIDTHS[kind]} {height:.0f}"'
    return f'<svg class="{kind}" {size} role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _rect(kind: str, x: float, y: float, width: float, height: float) -> str:
    """Return a rectangle."""
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def _spans(rows: pl.DataFrame) -> Iterator[tuple[int, int]]:
    """Yield start and end of rows as microseconds since 1970 UTC."""
    return zip(*(rows[name].dt.epoch("us").to_list() for name in ("start", "end")), strict=True)


def shortened(name: str) -> str:
    """Return a name cut to what fits beside the hours: a Korean letter is as wide as two Latin ones."""
    widths = accumulate(2 if east_asian_width(letter) in "WF" else 1 for letter in name)
    fits = sum(1 for width in widths if width <= MOST_LETTERS)
    return name if fits == len(name) else name[: fits - 1] + "…"


class Timeline:
    """The hours of every vehicle, a drawing a day, all with the same axis of local hours."""

    def __init__(self, analysis: Analysis, zone: ZoneInfo) -> None:
        self._analysis, self._zone = analysis, zone
        local = pl.col("start").dt.convert_time_zone(str(zone))
        self._tracks = analysis.tracks.with_columns(day=local.dt.date())
        self._first, self._last = self._hours()

    def days(self) -> list[dt.date]:
        """Return the local days on which anything was driven."""
        return sorted(self._tracks["day"].unique().to_list())

    def _hours(self) -> tuple[int, int]:
        """Return the first and last hour of the axis: all that was driven, and two hours at least."""
        local = (pl.col(n).dt.convert_time_zone(str(self._zone)).dt.hour() for n in ("start", "end"))
        first, last = (self._tracks.select(h).to_series() for h in local)
        if first.is_empty():
            return 0, 24
        over = bool((self._tracks["end"].dt.convert_time_zone(str(self._zone)).dt.date() > self._tracks["day"]).any())
        low, high = int(first.min()), 24 if over else int(last.max()) + 1  # type: ignore[arg-type]
        return max(low - 1, 0), min(max(high + 1, low + 3), 24)

    def drawings(self, day: dt.date) -> list[str]:
        """Return the SVGs of one day, each short enough for a page of paper."""
        rows = self._tracks.filter(pl.col("day") == day).partition_by("vehicle_id", as_dict=True)
        names = sorted(str(key[0]) for key in rows)
        return [
            self._drawing({name: rows[(name,)] for name in names[first : first + MOST_ROWS]}, day)
            for first in range(0, len(names), MOST_ROWS)
        ]

    def _drawing(self, rows: Mapping[str, pl.DataFrame], day: dt.date) -> str:
        """Return the SVG of some vehicles."""
        height = TOP + ROW * len(rows) + 4
        parts = [self._axis(height)]
        for place, (name, own) in enumerate(rows.items()):
            parts.append(self._vehicle(name, day, own, TOP + ROW * place))
        return _svg("timeline", height, both("Hours of every vehicle"), parts)

    def _axis(self, height: float) -> str:
        """Return the hours and their lines."""
        step = 1 if self._last - self._first <= 14 else 2  # noqa: PLR2004
        out = []
        for hour in range(self._first, self._last + 1, step):
            x = LABEL + (hour - self._first) / (self._last - self._first) * (RIGHT - LABEL)
            out.append(f'<path class="hour" d="M{x:.1f} {TOP - 6:.0f}V{height - 2:.0f}"/>')
            out.append(f'<text class="hour-text" x="{x:.1f}" y="{TOP - 10:.0f}">{hour:02d}</text>')
        return "".join(out)

    def _x(self, day: dt.date, time_us: int) -> float:
        """Return the pixel of an instant, kept on the axis."""
        opens = local_instant_us(day, self._first * 3600, self._zone)
        closes = local_instant_us(day, self._last * 3600, self._zone)
        return LABEL + min(max((time_us - opens) / (closes - opens), 0.0), 1.0) * (RIGHT - LABEL)

    def _vehicle(self, name: str, day: dt.date, rows: pl.DataFrame, y: float) -> str:
        """Return the row of one vehicle: windows below, what was driven on them, findings under it."""
        label = escape(plain(shortened(name)))
        out = [f'<text class="row-name" x="4" y="{y + 15:.1f}">{label}</text>']
        out += self._bars("window", day, self._windows(name, day), y + 1, ROW - 2)
        for verdict in DRAWN:
            own = rows.filter(pl.col("verdict") == verdict)
            high = 3.0 if verdict == "not_observed" else 10.0
            out += self._bars(f"driven {verdict}", day, _spans(own), y + 4 + (10 - high) / 2, high)
        found = self._analysis.findings.filter(pl.col("vehicle_id") == name)
        for verdict in ("indeterminate", "violation"):
            out += self._bars(f"found {verdict}", day, _spans(found.filter(pl.col("verdict") == verdict)), y + 17, 4)
        return "".join(out)

    def _bars(self, kind: str, day: dt.date, spans: Iterable[tuple[int, int]], y: float, high: float) -> Iterator[str]:
        """Yield bars of what lies on a day; too short to see is two pixels wide, too near to tell apart is one."""
        opens, closes = (local_instant_us(day, s, self._zone) for s in (0, 86_400))
        left, right = -1.0, -1.0
        for start, end in sorted(spans):
            if end < opens or start >= closes:
                continue
            begin, stop = self._x(day, start), max(self._x(day, end), self._x(day, start) + 2)
            if left >= 0 and begin > right + NEAR_PX:
                yield _rect(kind, left, y, right - left, high)
                left = -1.0
            left, right = (begin, stop) if left < 0 else (left, max(right, stop))
        if left >= 0:
            yield _rect(kind, left, y, right - left, high)

    def _windows(self, name: str, day: dt.date) -> Iterable[tuple[int, int]]:
        """Yield when some permit lets the vehicle move in a zone in which it was on that day."""
        opens, closes = (local_instant_us(day, s, self._zone) for s in (self._first * 3600, self._last * 3600))
        for rule in self._permits(name, day):
            spans = window_edges(rule.hours, rule.except_dates, str(self._zone), opens, closes)
            for start, end in spans.tolist():
                begin, stop = max(start, rule.effective_us), min(end, rule.until_us or end)
                if stop > begin:
                    yield begin, stop

    def _permits(self, name: str, day: dt.date) -> Iterable[Rule]:
        """Yield the permits for a vehicle where it was on a day; of an unknown type, all."""
        exposure = self._analysis.exposure.filter((pl.col("vehicle_id") == name) & (pl.col("local_date") == day))
        zones = {z for text in exposure["zone_id"] for z in text.split("+")}
        kinds = self._types(name)
        for rule in self._analysis.zone_set.rules.rules:
            named = not (rule.vehicles or rule.vehicle_types) or name in rule.vehicles
            typed = bool(rule.vehicle_types) and ("" in kinds or bool(kinds & set(rule.vehicle_types)))
            if rule.kind == "permit" and zones & set(rule.zones) and (named or typed):
                yield rule

    def _types(self, name: str) -> set[str]:
        """Return the types of a vehicle as the log states them, else as the fleet file does; "" where nobody does."""
        listed = self._analysis.zone_set.fleet.get(name)
        fallback = listed.vehicle_type if listed else ""
        return {kind or fallback for kind in self._analysis.vehicle_types.get(name, ("",))}


def speed_charts(analysis: Analysis) -> list[dict[str, Any]]:
    """Return a chart for every set of limits: the zones, the drawing, and the share above in words."""
    evaluation = analysis.zone_set.rules.evaluation
    driven = analysis.speeds.filter(pl.col("control_mode").is_in(list(evaluation.permit_needed_for)))
    groups: dict[tuple[float, ...], list[str]] = {}
    for zone_id in driven["zone_id"].unique().sort():
        groups.setdefault(_limits(analysis, zone_id), []).append(zone_id)
    return [
        _chart(analysis, limits, driven.filter(pl.col("zone_id").is_in(ids)), ids)
        for limits, ids in sorted(groups.items())
    ]


def _limits(analysis: Analysis, zone_id: str) -> tuple[float, ...]:
    """Return the speed limits of rules in force in a combination of zones, lowest first."""
    first, last = analysis.coverage["trip_start"].min(), analysis.coverage["trip_end"].max()
    here = set(zone_id.split("+"))
    tolerance = analysis.zone_set.rules.evaluation.speed_tolerance_kph
    rules = [r for r in analysis.zone_set.rules.rules if here & set(r.zones) and in_force(r, first, last)]  # type: ignore[arg-type]
    return tuple(sorted({r.max_speed_kph + tolerance for r in rules if r.max_speed_kph is not None}))


def _chart(analysis: Analysis, limits: tuple[float, ...], rows: pl.DataFrame, ids: list[str]) -> dict[str, Any]:
    """Return one chart."""
    names = {z.zone_id: z.name for z in analysis.zone_set.zones}
    outside = both("outside every zone")
    parts = [names.get(z, outside) for z in dict.fromkeys(z for text in ids for z in text.split("+"))]
    total = float(rows["observed_s"].sum())
    known = rows.filter(pl.col("speed_kph").is_not_null())
    steps = known.group_by("speed_kph").agg(pl.col("observed_s").sum()).sort("speed_kph")
    return {
        "zones": {lang: ", ".join(p[lang] for p in parts) for lang in LANGUAGES},
        "limits": " / ".join(number(limit, "km/h") for limit in limits),
        "words": _in_words(limits, steps, total, total - float(known["observed_s"].sum())),
        "drawing": _columns(limits, [(int(a), float(b)) for a, b in steps.iter_rows()]),
    }


def _in_words(limits: tuple[float, ...], steps: pl.DataFrame, total_s: float, unknown_s: float) -> Both:
    """Return how long was driven in all, above the highest limit, and at a speed that nobody knows."""
    out = [both("{time} in all", time=lasting(total_s))]
    if limits:
        above = float(steps.filter(pl.col("speed_kph") > limits[-1])["observed_s"].sum())
        gaps = {"limit": number(limits[-1], "km/h"), "time": lasting(above), "share": share(above, total_s)}
        out.append(both("above {limit}: {time} ({share})", **gaps))
    if unknown_s > 0:
        out.append(both("speed unknown: {time}", time=lasting(unknown_s)))
    return {lang: " · ".join(text[lang] for text in out) for lang in LANGUAGES}


def _columns(limits: tuple[float, ...], steps: list[tuple[int, float]]) -> str:
    """Return columns of time by steps of 1 km/h; those above every limit are dark, and hatched by an edge."""
    top = min(max([s for s, _ in steps] + [int(limit) + 2 for limit in limits] + [4]), MOST_STEPS)
    times = [0.0] * (top + 1)
    for step, time in steps:
        times[min(step, top)] += time
    width, base, most = 460.0 / (top + 1), 150.0, max([*times, 1e-9])
    out = []
    for step, time in enumerate(times):
        high = max(118.0 * time / most, 2.0) if time else 0.0
        kind = "column over" if limits and step > limits[-1] else "column"
        x = 24 + step * width
        if high:
            out.append(_rect(kind, x + 1, base - high, width - 2, high))
        if step % (1 if top <= 20 else 5) == 0:  # noqa: PLR2004
            out.append(f'<text class="hour-text" x="{x + width:.1f}" y="{base + 14:.0f}">{step}</text>')
    for limit in limits:
        x = 24 + (limit + 1) * width
        out.append(f'<path class="limit" d="M{x:.1f} 14V{base:.0f}"/>')
        out.append(f'<text class="limit-text" x="{x + 4:.1f}" y="22">{number(limit, "km/h")}</text>')
    out.append(f'<path class="base" d="M20 {base:.0f}H490"/>')
    return _svg("chart", 170, both("Time by speed"), out)
