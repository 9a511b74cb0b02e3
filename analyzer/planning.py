"""Plans of logs: how each is read in parts, told by other processes while this one has something else to do."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

from analyzer.engines import Engine
from analyzer.errors import LogError
from analyzer.logs import Plan, ReadOptions, is_url, plan_log

Plans: TypeAlias = tuple[list[Plan], dict[str, str]]
"""How each log is divided, in order of path, and the reasons of those that cannot be read."""


def plans_of(paths: Sequence[str], plan: Callable[[str], Plan]) -> Plans:
    """Return the plans of logs, each made by `plan`."""
    plans, failed = [], {}
    for path in paths:
        try:
            plans.append(plan(path))
        except LogError as error:
            failed[path] = str(error)
    return plans, failed


def plans_beside(paths: Sequence[str], reading: ReadOptions, engine: Engine) -> Callable[[], Plans]:
    """Have the helpers of an engine plan logs; return what waits for them, and does its own share then."""
    helpers = 0 if any(is_url(path) for path in paths) else engine.helpers
    ordered = sorted({*paths})
    count = max(min(helpers + 1, len(ordered)), 1)
    shares = [ordered[number::count] for number in range(count)]
    asked = [engine.ask(_plans, share, reading) for share in shares[:helpers]]

    def wait() -> Plans:
        own = [_plans(share, reading) for share in shares[helpers:]]
        return _joined([*own, *(answer() for answer in asked)])

    return wait


def _plans(paths: Sequence[str], reading: ReadOptions) -> Plans:
    """Return the plans of some logs."""
    return plans_of(paths, partial(plan_log, options=reading))


def _joined(shares: Sequence[Plans]) -> Plans:
    """Return plans in the order of their paths."""
    plans = sorted((plan for plans, _ in shares for plan in plans), key=lambda plan: plan.path)
    return plans, {path: reason for _, failed in shares for path, reason in sorted(failed.items())}
