"""Records: frozen dataclasses that are made in a fifth of the time.

That nobody assigns to their fields is the type checker's business, and of those that hold
arrays or tables no two are ever compared, nor any printed. So little is generated but
`__init__`: a command makes a hundred of these classes in every process before it does
anything else.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

__all__ = ["record"]

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:

    def record(*, frozen: bool, eq: bool = True) -> Any:
        """Return what makes a class a dataclass; `frozen` is for the type checker, which sees `dataclass`.

        With `eq` records that say the same are equal, alike as keys, and can be printed.
        """
        assert frozen  # noqa: S101 - else it is an ordinary one
        return dataclass(eq=eq, unsafe_hash=eq, repr=eq)
