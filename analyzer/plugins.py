"""Plug-ins: one per module of a package, found by scanning, nothing registered anywhere."""

import importlib
import pkgutil
from collections.abc import Container
from types import ModuleType
from typing import TypeVar

from analyzer.errors import PluginError

Plugin = TypeVar("Plugin")


def discover(package: str, attribute: str, kind: type[Plugin], only: Container[str] | None = None) -> dict[str, Plugin]:
    """Return module name -> plug-in for every public module of `package`, or `only` for some.

    Each module must bind `attribute` to a `kind` and carry a docstring, which is its
    page in the catalogue; a module whose name starts with `_` is no plug-in.

    Raises PluginError where a module does not.
    """
    parent = importlib.import_module(package)
    names = sorted(m.name for m in pkgutil.iter_modules(parent.__path__))
    modules = {
        n: importlib.import_module(f"{package}.{n}") for n in names if n[0] != "_" and (only is None or n in only)
    }
    return {name: _plugin(module, attribute, kind) for name, module in modules.items()}


def _plugin(module: ModuleType, attribute: str, kind: type[Plugin]) -> Plugin:
    """Return the plug-in of one module, refused where it is none."""
    plugin = getattr(module, attribute, None)
    if not isinstance(plugin, kind):
        message = f"{module.__name__}: `{attribute}` must be a {kind.__name__}"
        raise PluginError(message)
    if not (module.__doc__ or "").strip():
        message = f"{module.__name__}: a plug-in needs a docstring, its catalogue page"
        raise PluginError(message)
    return plugin
