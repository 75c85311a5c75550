"""The command `l2i` and its verbs; each verb has a module of its own."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer
import typer.core

from cli.export import export
from cli.interpret import interpret
from cli.showing import NoRecord, Outcome, tell_error
from l2i import __version__
from l2i.checks import InputError

UsageError: Any = typer.BadParameter.__base__  # Typer names it nowhere else

LISTENING_TEST = ("check", "status", "simulate")
AUDIT = ("verify", "why", "stale", "accept", "diff", "seal", "crate", "rebuild")


class Verbs(Mapping[str, Any]):
    """Verbs by name, whose module is imported when one is asked for: its own, or one for all."""

    def __init__(self, names: Sequence[str], module: str | None = None) -> None:
        self.names, self.module = names, module

    def __getitem__(self, name: str) -> Any:
        if name not in self.names:
            raise KeyError(name)
        alone = typer.Typer(add_completion=False)
        alone.command(name)(getattr(importlib.import_module(f"cli.{self.module or name}"), name))
        return typer.main.get_command(alone)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class Group(typer.core.TyperGroup):
    """Some verbs. What they import takes seconds, for which no other verb should wait."""

    verbs: Verbs

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands: Any = self.verbs


class App(typer.core.TyperGroup):
    """All verbs; the one that plans is imported when it is asked for."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands: Any = ChainMap(self.commands, Verbs(("plan",)))  # type: ignore[arg-type]


class Audit(Group):
    """The verbs on runs."""

    verbs = Verbs(AUDIT)


class ListeningTest(Group):
    """The verbs on listening tests."""

    verbs = Verbs(LISTENING_TEST, "listening_test")


app = typer.Typer(
    name="l2i",
    cls=App,
    help="Listen to Interpret: hear why a sound is classified as it is, and ask a run where its "
    "numbers come from.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def show_version(asked: bool) -> None:
    """Print the version and end, if it is asked for."""
    if asked:
        print(f"l2i {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Options of the command itself; each is answered by its callback."""


audit = typer.Typer(
    cls=Audit,
    help="Verify, explain and compare results by the records that they came with.\n\n"
    "Exit codes: 0 all is well, 1 something was tampered with, 2 something is stale, "
    "3 something has no record, 4 the question cannot be understood.",
    no_args_is_help=True,
)
app.add_typer(audit, name="audit")
listening_test = typer.Typer(
    cls=ListeningTest,
    help="Check answers to a listening test, see how many there are, and try the analysis.",
    no_args_is_help=True,
)
app.add_typer(listening_test, name="listening-test")
app.command()(interpret)
app.command()(export)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit with the code of its outcome.

    Raises
    ------
    SystemExit
        Always; see `cli.showing.Outcome`.
    """
    try:
        code = app(arguments, prog_name="l2i", standalone_mode=False)
    except UsageError as error:
        error.show()
        code = Outcome.USAGE
    except (typer.Abort, KeyboardInterrupt):
        code = 130
    except NoRecord as error:
        tell_error(error)
        code = Outcome.NO_RECORD
    except InputError as error:
        tell_error(error)
        code = Outcome.USAGE
    except OSError as error:  # what was to be written cannot be: 1 would say that it is tampered
        named = error.filename2 or error.filename  # of a part, what it would have become
        tell_error(InputError(f"{named} cannot be used ({error.strerror}): name another"))
        code = Outcome.USAGE
    except Exception:  # a fault of ours: 1 would say that something was tampered with
        traceback.print_exc()
        code = os.EX_SOFTWARE
    sys.exit(int(code or 0))


if __name__ == "__main__":
    main()
