"""What `zonelog analyze` does: processes are started before anything heavy is imported."""

import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analyzer import __version__
from analyzer.addresses import is_object, lies_in, where
from analyzer.errors import OutputError
from analyzer.huge_pages import ask_for_huge_pages
from analyzer.progress import progress

if TYPE_CHECKING:
    from analyzer.engines import Engine
    from analyzer.ledger import Ledger
    from analyzer.results import Analysis

MANY_BYTES = 40_000_000
"""Input from which on other processes are started at once."""

FREED_MEMORY = "dirty_decay_ms:1000,muzzy_decay_ms:0,narenas:1"
"""How polars gives memory back (jemalloc's words): its own setting keeps what the system could have."""


def run_analysis(given: dict[str, Any]) -> "Analysis":
    """Read, judge and write what the options of `analyze` say, with as many processes as are worth it."""
    from analyzer.engines import engine_of  # noqa: PLC0415

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's helpers wait in a loop for work that never comes
    ask_for_huge_pages()
    with engine_of(given["engine"], apart=given["ledger"] is not None) as pool:
        if _bytes_of(given["logs"]) >= MANY_BYTES:
            if given["engine"] == "local":
                os.environ.setdefault("POLARS_MAX_THREADS", "1")  # the processes share the cores
            os.environ.setdefault("_RJEM_MALLOC_CONF", FREED_MEMORY)
            if given["ledger"] is None:  # else what is to be done is known later
                pool.start()
        return _analyze_with(pool, given)


def _bytes_of(logs: Sequence[str]) -> int:
    """Return the size of what files and folders hold; of patterns and URLs nothing is known."""
    files = (file for path in map(Path, logs) for file in (path.rglob("*") if path.is_dir() else [path]))
    return sum(file.stat().st_size for file in files if file.is_file())


def _analyze_with(pool: "Engine", given: dict[str, Any]) -> "Analysis":
    """Read, judge and write."""
    gc.disable()  # nothing that is imported is garbage
    from analyzer.analysis import Options, analyze  # noqa: PLC0415
    from analyzer.logs import ReadOptions, search_logs  # noqa: PLC0415
    from analyzer.outputs import Run, read_basemap, refuse_output, write_outputs  # noqa: PLC0415
    from analyzer.planning import plans_beside  # noqa: PLC0415
    from analyzer.zone_loading import load_zone_set  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    _refuse_among_logs(given["out"], given["logs"])
    refuse_output(given["out"])
    if given["pdf"]:
        from analyzer.outputs.report_pdf import find_browser  # noqa: PLC0415

        find_browser()
    basemap = read_basemap(given["basemap"])
    _refuse_tiles(given)
    found = search_logs(given["logs"], [path for path in (given["join"], given["fleet"]) if path])
    reading = ReadOptions(timezone=given["timezone"], profile=given["profile"], msgs=given["msgs"])
    planned = plans_beside(found.logs, reading, pool)
    zone_set = load_zone_set(given["zones"], given["fleet"])
    ledger = _opened_ledger(given)
    with progress(quiet=given["quiet"] or given["as_json"]) as report:
        options = Options(
            timezone=given["timezone"],
            profile=given["profile"],
            msgs=given["msgs"],
            start=given["start"],
            end=given["end"],
            vehicles=given["vehicles"],
            progress=report,
            draw=not (given["no_map"] and given["no_report"]),
            pool=pool,
            join=given["join"],
            join_tolerance_s=given["join_tolerance"],
            ledger=ledger,
            remarks=found.remarks,
            planned=planned,
        )
        analysis = analyze(found.logs, zone_set, options)
        run = Run(
            command=("zonelog", *sys.argv[1:]),
            version=__version__,
            lang=given["lang"],
            map=not given["no_map"],
            report=not given["no_report"],
            pdf=given["pdf"],
            basemap=basemap,
            tiles=given["tiles"],
            attribution=given["attribution"],
        )
        if ledger is None:
            write_outputs(analysis, given["out"], run)
        else:
            from analyzer.booking import write_and_book  # noqa: PLC0415

            write_and_book(ledger, analysis, run, given)
    return analysis


def exit_status(analysis: "Analysis", fail_on: str) -> int:
    """Return the exit status: 4 before 1 before 3, less what `fail_on` lets pass."""
    verdict = analysis.summary["verdict"]
    if any(account.error for account in analysis.logs):
        return 4
    if verdict == "violation":
        return 0 if fail_on == "never" else 1
    return 0 if verdict == "compliant" or fail_on != "undecided" else 3


def _opened_ledger(given: dict[str, Any]) -> "Ledger | None":
    """Return the ledger that was asked for, null where none was."""
    if given["ledger"] is None:
        return None
    from analyzer.booking import refuse_place  # noqa: PLC0415
    from analyzer.ledger import Ledger  # noqa: PLC0415

    refuse_place(given["ledger"], given["out"], given["logs"])
    return Ledger.at(given["ledger"])


def _refuse_among_logs(out: Path | str, logs: Sequence[str]) -> None:
    """Refuse a result below an address of logs: the next run would read its tables as logs."""
    if is_object(out) and any(lies_in(out, where(log)) for log in logs):
        raise OutputError(f"{out}: lies among the logs, where it would be searched; name a prefix elsewhere")


def _refuse_tiles(given: dict[str, Any]) -> None:
    """Refuse tiles without an attribution, which their makers ask for, and what is no address of tiles."""
    from analyzer.outputs import tile_source  # noqa: PLC0415

    if given["tiles"] is None:
        return
    if not given["attribution"]:
        raise click.UsageError("--tiles needs --attribution: who made them")
    tile_source(given["tiles"])
