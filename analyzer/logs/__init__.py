"""Log formats: one module each, found by scanning."""
