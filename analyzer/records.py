"""Records: frozen dataclasses that are made in a fifth of the time.

That nobody assigns to their fields is the type checker's business, and of those that hold
arrays or tables no two are ever compared, nor any printed. So little is generated but
`__init__`: a command makes a hundred of these classes in every process before it does
anything else.
"""

from dataclasses import dataclass, fields
from operator import attrgetter
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
        return _comparable if eq else dataclass(eq=False, repr=False)

    def _comparable(cls: type) -> type:
        """Return the class as a dataclass that compares as one, by functions that need not be compiled for it."""
        made = dataclass(eq=False, repr=False)(cls)
        names = [own.name for own in fields(made)]
        values = attrgetter(*names)

        def equal(self: Any, other: Any) -> bool:
            return values(self) == values(other) if type(other) is type(self) else NotImplemented

        def shown(self: Any) -> str:
            told = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
            return f"{type(self).__qualname__}({told})"

        made.__eq__, made.__hash__, made.__repr__ = equal, lambda self: hash(values(self)), shown
        return made
