"""Text from logs made harmless for a terminal: no control characters, no hidden turns."""

import re

_HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain(text: str, *, keep_lines: bool = False) -> str:
    """Return a text whose control characters (colours, cursor moves) are shown as `?`."""
    shown = _HIDDEN.sub("?", text)
    return shown if keep_lines else shown.replace("\n", " ").replace("\t", " ")
