"""What runs that were killed left beside a result: folders in which one was being built.

One is removed where it is sure that nobody needs it: nothing in it was touched for a day, and it
holds nothing but what was being built. A run that was killed as it put the new result in the
place of the previous one may have left that as `old`: such a folder is for people.
"""

import re
import shutil
import time
from pathlib import Path

PREFIX = ".zonelog-"
BUILT = "new"
ABANDONED_S = 24 * 3600
"""Age from which on nobody builds there any more."""

_MADE = re.compile(re.escape(PREFIX) + r"[a-z0-9_]{8}")
"""The names that `tempfile` gives."""


def remove_leftovers(parent: Path) -> None:
    """Remove what killed runs left in a folder; what cannot be looked at or removed stays."""
    for folder in parent.glob(f"{PREFIX}*"):
        try:
            abandoned = _MADE.fullmatch(folder.name) and not folder.is_symlink() and _is_abandoned(folder)
        except OSError:
            continue
        if abandoned:
            shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path) -> bool:
    """Return whether a folder holds a result that was being built long ago, and nothing else."""
    inside = [path.name for path in folder.iterdir()]
    if inside not in ([], [BUILT]):
        return False
    latest_s = max(path.lstat().st_mtime for path in (folder, *folder.rglob("*")))
    return time.time() - latest_s > ABANDONED_S
