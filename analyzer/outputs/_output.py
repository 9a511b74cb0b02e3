"""What an output is, and what it is told of the run."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from analyzer.outputs._basemap import Layer
from analyzer.records import record
from analyzer.results import Analysis


@dataclass(frozen=True)
class Run:
    """How zonelog was called; `extras` is a folder copied into the output (the demo's logs).

    `basemap` lies under the zones of the map, `tiles` is the URL of an online one (null: none,
    the map asks for nothing), `attribution` is who made them.
    """

    command: tuple[str, ...]
    version: str
    lang: Literal["ko", "en"] = "ko"
    map: bool = True
    report: bool = True
    pdf: bool = False
    extras: Path | None = None
    basemap: tuple[Layer, ...] = ()
    tiles: str | None = None
    attribution: str = ""


@record(frozen=True, eq=False)
class Output:
    """One output: the files it writes into a folder, and when it is wanted.

    One that is written `beside` the others is polars' work: another thread does it meanwhile.
    """

    files: tuple[str, ...]
    write: Callable[[Analysis, Path, Run], None]
    wanted: Callable[[Run], bool] = lambda _run: True
    beside: bool = False
