"""The command line: parse, call, print, exit status; no logic of its own."""

import atexit
import contextlib
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from analyzer import __version__
from analyzer.errors import AnalyzerError
from analyzer.ledger_commands import PLACE, folder, ledger_commands
from analyzer.option_types import WHEN, ZONE
from analyzer.quiet import speak_again

BAD_INPUT, INTERRUPTED, PIPE_CLOSED = 4, 130, 0
STOPPED = (
    "interrupted; the result is the previous one, or the new one as a whole (below s3://, where there is a run.json); "
    "a ledger keeps what was finished"
)
BUG = "an error of zonelog itself: please report it with these lines; the result is the previous one, or the new one"
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

BASEMAP = "What lies under the map: GeoJSON, KML, shapefile, GeoPackage or FlatGeobuf (repeatable)."
FOLDER = click.Path(path_type=Path)
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
DIRECTORY = click.Path(path_type=Path, exists=True, file_okay=False)


def default_language() -> str:
    """Return ko where the locale is Korean, else en."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    found = next((os.environ[n] for n in names if os.environ.get(n)), "")
    if not found and sys.platform == "win32":
        import locale  # noqa: PLC0415

        found = locale.getlocale()[0] or ""
    return "ko" if found.lower().startswith("ko") else "en"


def language(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --lang to a command."""
    option = click.option(
        "--lang", type=click.Choice(["ko", "en"]), default=default_language, help="Language (default: the locale's)."
    )
    return option(command)


@click.group(context_settings=CONTEXT)
@click.version_option(__version__, prog_name="zonelog")
def cli() -> None:
    """Judge trip logs of automated low-speed vehicles against zones and permits.

    \b
    Start with:    zonelog demo
    Your own logs: zonelog analyze logs/ --zones gwangju --out result
    """


@cli.command()
@click.argument("logs", metavar="LOG...", nargs=-1, required=True)
@click.option("--zones", required=True, metavar="NAME|DIR", help="Bundled zone set, or a folder.")
@click.option("--out", required=True, help="Where the result goes.", **PLACE)
@click.option("--timezone", type=ZONE, help="IANA time zone of times without offset.")
@click.option("--profile", type=FOLDER, metavar="FILE|NAME", help="Columns, units and words of an unknown layout.")
@click.option("--join", type=FILE, help="Table that says modes and operators by vehicle and time.")
@click.option(
    "--join-tolerance",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="How old a joined state may be (default: max_mode_age_s of the rules).",
)
@click.option("--msgs", type=DIRECTORY, help="Folder of .msg files for recordings without definitions.")
@click.option("--fleet", type=FILE, help="Vehicles and their types (CSV), instead of the set's own.")
@click.option("--from", "start", type=WHEN, metavar="TIME", help="Judge from here on (with offset).")
@click.option("--to", "end", type=WHEN, metavar="TIME", help="Judge up to, but not, here.")
@click.option("--vehicle", "vehicles", multiple=True, help="Judge this vehicle only (repeatable).")
@click.option(
    "--fail-on",
    type=click.Choice(["undecided", "violation", "never"]),
    default="undecided",
    show_default=True,
    help="Which verdicts make the exit status other than 0.",
)
@click.option(
    "--engine",
    type=click.Choice(["local", "serial", "ray"]),
    default="local",
    show_default=True,
    envvar="ZONELOG_ENGINE",
    help="Who judges: the processes of this machine, this one alone, or a Ray cluster.",
)
@click.option("--ledger", **PLACE, help="Keep what was read and judged; do only what is new.")
@click.option("--basemap", multiple=True, type=FILE, help=BASEMAP)
@click.option("--tiles", metavar="URL", help="Online basemap; without it the map asks for nothing.")
@click.option("--attribution", metavar="TEXT", default="", help="Who made the basemap or tiles, shown on the map.")
@click.option("--no-map", is_flag=True, help="Write no map.")
@click.option("--no-report", is_flag=True, help="Write no report and no workbook.")
@click.option("--pdf", is_flag=True, help="Print the report to report.pdf (needs Chromium, Chrome or Edge).")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@language
def analyze(**given: Any) -> None:
    """Read logs, judge every trip, write verdicts, report and map.

    LOG is a file, a folder (searched recursively), a pattern or a URL.

    \b
    Example: zonelog analyze logs/*.csv --zones gwangju --out result --timezone Asia/Seoul
    Exit status: 0 all compliant; 1 a violation; 3 something undecided; 4 some input
    could not be analyzed; 2 wrong usage; 130 interrupted (Ctrl-C).
    """
    from analyzer.run import exit_status, run_analysis  # noqa: PLC0415 - what is heavy only where it is needed

    analysis = run_analysis(given)
    if given["as_json"]:
        import json  # noqa: PLC0415

        click.echo(json.dumps(analysis.summary, ensure_ascii=False, indent=1))
    elif not given["quiet"]:
        from analyzer import terminal  # noqa: PLC0415

        terminal.print_summary(analysis, given["out"], given["lang"])
    else:
        for error in filter(None, (account.error for account in analysis.logs)):
            _complain(error)
    sys.exit(exit_status(analysis, given["fail_on"]))


@cli.command()
@click.option("--out", type=folder, metavar="DIR", default="zonelog-demo", show_default=True)
@language
def demo(out: Path, lang: str) -> None:
    """Make a day of labelled synthetic logs, judge it, compare with the truth.

    \b
    Example: zonelog demo --out demo-result
    """
    from analyzer import demo as day  # noqa: PLC0415
    from analyzer import terminal  # noqa: PLC0415
    from analyzer.progress import progress  # noqa: PLC0415

    with progress(quiet=False) as report:
        analysis, outcome = day.run_demo(out, lang, report)
    terminal.print_summary(analysis, out, lang)
    terminal.print_truth(outcome, lang)


@cli.group()
def zones() -> None:
    """List the bundled zone sets, validate one, or make a new one.

    \b
    Example: zonelog zones check gwangju
    """


@zones.command("list")
@language
def zones_list(lang: str) -> None:
    """List the bundled zone sets.

    \b
    Example: zonelog zones list
    """
    from analyzer import terminal  # noqa: PLC0415
    from analyzer.zone_loading import bundled, load_zone_set  # noqa: PLC0415

    terminal.print_zone_sets({name: load_zone_set(name) for name in bundled()}, lang)


@zones.command("check")
@click.argument("name_or_folder", metavar="NAME|DIR")
@language
def zones_check(name_or_folder: str, lang: str) -> None:
    """Validate a zone set: geometry, areas against the declared ones, dates, rules.

    \b
    Example: zonelog zones check my-zones/
    """
    from analyzer import terminal  # noqa: PLC0415
    from analyzer.zone_loading import load_zone_set  # noqa: PLC0415

    terminal.print_zone_set(load_zone_set(name_or_folder), lang)


@zones.command("new")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--from", "sources", multiple=True, required=True, type=FILE, help="Where the zones are (repeatable).")
@click.option("--crs", metavar="EPSG", help="Coordinate system, where the file does not say it or is wrong.")
@click.option("--layer", metavar="NAME", help="Layer, where there are several.")
@click.option("--id", "set_id", metavar="ID", help="Id of the set (default: the folder's name).")
@click.option("--id-field", metavar="NAME", help="Attribute that is the id of a zone.")
@click.option("--name-field", metavar="NAME", help="Attribute that is the name of a zone.")
@click.option("--area-field", metavar="NAME", help="Attribute with the declared area (needs --area-unit).")
@click.option("--area-unit", type=click.Choice(["km2", "ha", "m2"]), help="Unit of --area-field.")
@click.option("--accuracy-m", type=click.FloatRange(min=0), help="1 sigma of the outlines in metres (0: as surveyed).")
@click.option("--confidence", type=click.Choice(["official", "derived", "sketch"]), help="What the outlines are.")
@click.option("--encoding", metavar="NAME", help="Encoding of a shapefile's attributes, for example cp949.")
@click.option("--timezone", type=ZONE, default="Asia/Seoul", show_default=True, help="Time zone of the rules.")
@click.option("--repair", is_flag=True, help="Repair self-crossing outlines; the area may change.")
@click.option("--swap-axes", is_flag=True, help="The file has northing or latitude first.")
@language
def zones_new(folder: Path, sources: tuple[Path, ...], lang: str, **given: Any) -> None:
    """Make a zone set from GeoJSON, KML, shapefile, GeoPackage, MDS or ED-318.

    Writes zones.geojson, rules.toml with every field explained, and an example of fleet.csv.
    Nothing is permitted until you fill in the permit in rules.toml.

    \b
    Example: zonelog zones new my-zones --from areas.shp --crs EPSG:5186 --id-field CODE
    """
    from analyzer import terminal  # noqa: PLC0415
    from analyzer.zone_making import Choices, make_zone_set  # noqa: PLC0415

    if bool(given["area_field"]) != bool(given["area_unit"]):
        raise click.UsageError("--area-field and --area-unit belong together")
    zone_set, made = make_zone_set(folder, sources, Choices(**given))
    terminal.print_zone_set(zone_set, lang)
    terminal.print_made(made, lang)


@cli.command()
@click.argument("code", required=False)
def checks(code: str | None) -> None:
    """List the checks, or explain one.

    \b
    Example: zonelog checks speed-limit
    """
    from analyzer import catalogue  # noqa: PLC0415

    click.echo(catalogue.check_page(code) if code else catalogue.check_list())


@cli.command()
@click.argument("name", required=False)
@click.argument("log", required=False, metavar="[FILE]")
@click.option("--timezone", type=ZONE, help="For guess: IANA time zone of times without offset.")
@language
def formats(name: str | None, log: str | None, timezone: str | None, lang: str) -> None:
    """List the log formats, explain one, or guess what an unknown table means.

    \b
    Example: zonelog formats csv
    Example: zonelog formats guess trips.csv > trips.toml   (a profile to be checked and edited)
    """
    if log is not None and name != "guess":
        raise click.UsageError(f"a file can only be guessed: zonelog formats guess {log}")
    if name == "guess":
        if log is None:
            raise click.UsageError("which file? zonelog formats guess FILE")
        from analyzer.logs import guess_log  # noqa: PLC0415
        from analyzer.plain_text import plain  # noqa: PLC0415

        click.echo(plain(guess_log(log, timezone, lang), keep_lines=True), nl=False)
        return
    from analyzer import catalogue  # noqa: PLC0415

    click.echo(catalogue.format_page(name) if name else catalogue.format_list())


@cli.command()
@click.argument("out", type=folder, metavar="OUT")
@click.argument("finding_id")
@language
def explain(out: Path, finding_id: str, lang: str) -> None:
    """Explain one finding: its records, rule text and numbers.

    \b
    Example: zonelog explain result 3f9a1c (the first letters of an id are enough)
    """
    from analyzer import explain as explaining  # noqa: PLC0415
    from analyzer import terminal  # noqa: PLC0415

    terminal.print_explanation(*explaining.explain(out, finding_id, lang))


@cli.command()
@click.argument("folder", metavar="DIR", type=folder)
@language
def site(folder: Path, lang: str) -> None:
    """Write index.html for a folder of many results: by month, with figures and links.

    \b
    Example: zonelog site results/
    """
    from analyzer.plain_text import plain  # noqa: PLC0415
    from analyzer.site import write_site  # noqa: PLC0415

    index, count = write_site(folder, lang)
    click.echo(plain(f"{index} ({count})"))


for _command in ledger_commands(language):
    cli.add_command(_command)


def main() -> None:
    """Run the command; every error becomes a sentence and an exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        cli.main(prog_name="zonelog", standalone_mode=False)
        _leave(0)
    except SystemExit as stop:
        _leave(int(stop.code or 0))
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        speak_again()
        click.echo(STOPPED, err=True)
        os._exit(INTERRUPTED)  # threads that still wait for what will not come any more are not waited for
    except AnalyzerError as error:
        _complain(str(error))
        sys.exit(BAD_INPUT)
    except BrokenPipeError:
        _leave(PIPE_CLOSED)
    except BaseException:  # noqa: BLE001 - a panic of polars is no Exception, and Python's status 1 means a violation here
        speak_again()
        _complain(f"{traceback.format_exc()}{BUG}")
        sys.exit(BAD_INPUT)


def _complain(text: str) -> None:
    """Print an error; what it quotes of a log is made harmless."""
    from analyzer.plain_text import plain  # noqa: PLC0415

    click.echo(f"zonelog: {plain(text, keep_lines=True)}", err=True)


def _leave(status: int) -> None:
    """End at once, without taking apart what the system clears away anyway; the reader of our output may be gone."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    atexit._run_exitfuncs()  # noqa: SLF001 - temporary files and clusters end here
    os._exit(status)


if __name__ == "__main__":
    main()
