"""Outputs: one module each, found by scanning."""
