"""Checks: one sentence of the regulation each, found by scanning."""

from functools import cache

from analyzer.plugins import discover
from analyzer.sentence import Check


@cache
def checks() -> dict[str, Check]:
    """Return code -> check in the order of the contract."""
    found = discover(__name__, "check", Check)
    ordered = sorted(found.items(), key=lambda item: item[1].order)
    return {name.replace("_", "-"): check for name, check in ordered}
