"""zonelog: verdicts on the trips of automated low-speed vehicles.

Public names: `analyze(logs, zone_set, options)`, `Analysis`, `AnalyzerError`. They are
loaded when first used, so that importing the package costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyzer.analysis import analyze
    from analyzer.errors import AnalyzerError
    from analyzer.results import Analysis

__all__ = ["Analysis", "AnalyzerError", "__version__", "analyze"]

__version__ = "0.1.0"

_HOMES = {"analyze": "analyzer.analysis", "AnalyzerError": "analyzer.errors", "Analysis": "analyzer.results"}


def main() -> None:
    """Run the command; the processes that it starts import this package again, but not all of the command."""
    import gc  # noqa: PLC0415
    import importlib  # noqa: PLC0415

    gc.disable()  # nothing that is imported is garbage
    command = importlib.import_module("analyzer.__main__")
    gc.enable()
    command.main()


def __getattr__(name: str) -> Any:
    """Return a public name from the module that holds it."""
    if name not in _HOMES:
        message = f"module 'analyzer' has no attribute {name!r}"
        raise AttributeError(message)
    import importlib  # noqa: PLC0415 - only when a name is used

    return getattr(importlib.import_module(_HOMES[name]), name)
