"""Records of arrays and tables: dataclasses that are made in a fifth of the time.

Two of them are never compared nor printed, and that nobody assigns to their fields is
the type checker's business. So nothing is generated but `__init__`: a command makes some
sixty of these classes in every process before it does anything else.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

__all__ = ["record"]

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:

    def record(*, frozen: bool) -> Any:
        """Return what makes a class a dataclass; `frozen` is for the type checker, which sees `dataclass`."""
        assert frozen  # noqa: S101 - else it is an ordinary one
        return dataclass(eq=False, repr=False)
