"""The commands that look into a ledger: `runs` and `diff`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from analyzer import __version__
from analyzer.addresses import is_object, scheme_of, where


def place(text: str) -> Path | str:
    """Return a folder or an address of object storage; wrong usage where it is an address of something else."""
    if scheme_of(text) and not is_object(text):
        raise click.BadParameter(f"{text}: is no folder, and no address that is known; {SUPPORTED}")
    return where(text)


PLACE: dict[str, Any] = {"type": place, "metavar": "DIR|s3://…"}
"""A folder or an address of object storage."""
SUPPORTED = "write s3://bucket/prefix (small letters) or a folder, which may begin with ./"


def folder(text: str) -> Path:
    """Return a folder of this machine; wrong usage where it is an address: results are not read from there."""
    if scheme_of(text):
        raise click.BadParameter(
            f"{text}: is no folder, which this command needs; a result that lies there, copy it here first: "
            "aws s3 cp --recursive"
        )
    return Path(text)


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class _ListFirst(click.Group):
    """A group whose arguments are those of `list` where they name no other command."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        """Return the command that is meant."""
        known = args and args[0] in self.commands
        return super().resolve_command(ctx, args if known else ["list", *args])


def ledger_commands(language: Decorator) -> tuple[click.Command, ...]:
    """Return the commands; `language` adds --lang to one."""
    runs = click.Group.command
    group = _ListFirst("runs", help=_RUNS, short_help="List the runs of a ledger, or make one again.")
    for name, act, options in (("list", _list, ()), ("show", _show, _SHOW)):
        runs(group, name)(_with(act, (_LEDGER, *options, language)))
    return group, click.command("diff")(_with(_diff, (_LEDGER, *_TWO, language)))


def _with(act: Callable[..., Any], decorators: tuple[Decorator, ...]) -> Callable[..., Any]:
    """Return a function with its arguments and options."""
    for decorate in reversed(decorators):
        act = decorate(act)
    return act


_RUNS = """List the runs of a ledger, or make the result of one again.

\b
Example: zonelog runs ledger/
         zonelog runs show ledger/ last --out again
"""
_LEDGER = click.argument("folder", **PLACE)
_SHOW = (
    click.argument("run"),
    click.option("--out", required=True, help="Where the result goes.", **PLACE),
)
_TWO = (click.argument("before", metavar="RUN1"), click.argument("after", metavar="RUN2"))


def _list(folder: Path | str, lang: str) -> None:
    """List the runs of a ledger: when, on what, with which findings, and what had changed.

    \b
    Example: zonelog runs list ledger/
    """  # noqa: D301 - click reads the control character
    from analyzer.ledger_words import print_runs  # noqa: PLC0415 - heavy imports only where they are needed
    from analyzer.manifests import runs_of  # noqa: PLC0415

    store = _store(folder)
    print_runs(store, runs_of(store), lang)


def _show(folder: Path | str, run: str, out: Path | str, lang: str) -> None:
    """Make the result of a past run again: tables, report and map, from the ledger alone.

    \b
    RUN is the name of a run, its first letters, or `last`.
    Example: zonelog runs show ledger/ 20260317T0900 --out again
    """  # noqa: D301
    from analyzer.booking import refuse_place  # noqa: PLC0415
    from analyzer.history import make_again  # noqa: PLC0415
    from analyzer.ledger_words import print_damaged, print_made_again  # noqa: PLC0415
    from analyzer.manifests import run_named  # noqa: PLC0415

    refuse_place(folder, out, ())
    store = _store(folder)
    manifest = run_named(store, run)
    made = make_again(store, manifest, out, __version__)
    print_damaged(sorted(set(store.damaged)), lang)
    print_made_again(manifest, made, lang)


def _diff(folder: Path | str, before: str, after: str, lang: str) -> None:
    """Say what became a finding from RUN1 to RUN2, what ceased to be one, and why.

    \b
    Example: zonelog diff ledger/ 20260317T0900 last
    """  # noqa: D301
    from analyzer.differences import differences  # noqa: PLC0415
    from analyzer.ledger_words import print_damaged, print_differences  # noqa: PLC0415
    from analyzer.manifests import run_named  # noqa: PLC0415

    store = _store(folder)
    found = differences(store, run_named(store, before), run_named(store, after))
    print_damaged(store.damaged, lang)
    print_differences(found, lang)


def _store(folder: Path | str) -> Any:
    """Return the ledger at a place, refused where there is none."""
    from analyzer.store import Store  # noqa: PLC0415

    store = Store.at(folder)
    store.check()
    return store
