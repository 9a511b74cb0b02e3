"""Checks: one sentence of the regulation each, found by scanning."""
