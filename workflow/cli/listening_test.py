"""`l2i listening-test`: answers to listening tests, checked, counted, and made up to try things."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pandas as pd
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.opening import RunFolder, machine_of, open_run
from cli.showing import AsJson, Outcome, tell
from l2i.checks import InputError, printable
from l2i.disk import replace_text
from l2i.listening_test.ratings import Asked, Ratings, answers_below, import_files, read_asked
from l2i.listening_test.report import SIMULATED
from l2i.listening_test.simulated import simulate as simulated
from l2i.streams import random_stream
from l2i.tables import read_rows, to_csv

TestFolder = Annotated[
    Path,
    typer.Option(
        "--test",
        metavar="FOLDER",
        help="The test, such as results/paper/listening_test/sonyc_ust.",
    ),
]


# ---------------------------------------------------------------- check


class Checked(NamedTuple):
    """Answers that are as they should be."""

    asked: Asked
    found: Ratings

    @property
    def outcome(self) -> Outcome:
        """What the exit code says of it: who did not finish is no fault."""
        return Outcome.FINE

    @property
    def missing(self) -> list[int]:
        """Participants for whom there is a plan and no answer."""
        return sorted({*self.asked.n_trials} - {*self.found.participants["participant"]})

    def facts(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        people = self.found.participants
        return {
            "test": self.asked.test,
            "simulated": bool(people["simulated"].any()),
            "participants": people.to_dict("records"),
            "missing": self.missing,
            "files": self.found.files.to_dict("records"),
        }

    def show(self, console: Console) -> None:
        """The same for people."""
        people, files = self.found.participants, self.found.files
        if people["simulated"].any():
            console.print(f"[bold red]{SIMULATED}[/bold red]")
        table = Table("participant", "rated", "of", "", title=f"Listening test {self.asked.test}")
        for row in people.itertuples():
            remarks = ["one rating throughout"] * row.all_equal + ["not finished"] * (
                not row.complete
            )
            table.add_row(
                str(row.participant), str(row.n_rated), str(row.n_asked), ", ".join(remarks)
            )
        console.print(table)
        for row in files[files["same_as"] != ""].itertuples():
            console.print(escape(f"{row.file} is {row.same_as} again, and counted once"))
        if n := int(files["n_references"].sum()):
            console.print(f"{n} ratings of webMUSHRA's hidden reference are left out")
        complete = int(people["complete"].sum())
        console.print(f"{len(people)} participants, {complete} of them complete")
        if self.missing:
            console.print(f"No answers of {', '.join(map(str, self.missing))}")


def check(
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE|FOLDER...", help="Answers, or folders of them.")
    ],
    test: TestFolder,
    as_json: AsJson = False,
) -> None:
    """Hold answers against what a listening test asked, and say who has answered.

    Exit code 4 where something does not belong: each problem with file, line and what to do.
    """
    asked = read_asked(test)
    tell(Checked(asked, import_files(_files_of(paths), asked)), as_json)


def _files_of(paths: list[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder; name the answers")
        csv = answers_below(path) if path.is_dir() else [path]
        if not csv:
            raise InputError(f"{path} holds no csv file: name the folder of the answers")
        found += csv
    return found


# ---------------------------------------------------------------- status


class Status(NamedTuple):
    """The listening tests of a run."""

    run: Path
    tests: list[dict[str, Any]]

    @property
    def outcome(self) -> Outcome:
        """What the exit code says of it."""
        return Outcome.FINE

    def facts(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return {"run": str(self.run), "tests": self.tests}

    def show(self, console: Console) -> None:
        """The same for people."""
        if not self.tests:
            console.print(escape(f"{self.run} has no listening test: see listening_test.datasets"))
            return
        table = Table("data set", "test", "stimuli", "planned for", "csv files", "imported from")
        for each in self.tests:
            imported = each["n_imported"]
            mark = ", SIMULATED" if each["simulated"] else ""
            table.add_row(
                each["dataset"],
                each["test"],
                str(each["n_stimuli"]),
                f"{each['n_participants']} people",
                "machine.ratings is null" if each["answers"] is None else str(each["n_files"]),
                "nobody yet" if imported is None else f"{imported} people{mark}",
            )
        console.print(table)
        for each in self.tests:
            console.print(escape(printable(f"{each['dataset']}: {each['page']}")))


def status(run: RunFolder = None, as_json: AsJson = False) -> None:
    """Which listening tests a run has, and how many answers to each there are."""
    opened = open_run(run)
    ratings = machine_of(opened).get("ratings")
    packs = sorted(path.parent for path in opened.folder.glob("listening_test/*/stimuli.csv"))
    tests = [_status_of(opened.folder, pack, ratings) for pack in packs]
    tell(Status(opened.folder, tests), as_json)


def _status_of(run: Path, pack: Path, ratings: str | None) -> dict[str, Any]:
    asked, dataset = read_asked(pack), pack.name
    answers = None if ratings is None else Path(os.path.expanduser(ratings), dataset)
    imported = run / "ratings" / dataset / "participants.csv"
    people = read_rows(imported) if imported.exists() else pd.DataFrame()
    return {
        "dataset": dataset,
        "test": asked.test,
        "page": str(pack / "index.html"),
        "n_stimuli": len(asked.classes),
        "n_participants": len(asked.n_trials),
        "answers": None if answers is None else str(answers),
        "n_files": 0 if answers is None else len(answers_below(answers)),
        "n_imported": len(people) if len(people) else None,
        "simulated": bool(len(people) and people["simulated"].any()),
    }


# ---------------------------------------------------------------- simulate


class Simulated(NamedTuple):
    """What was made up."""

    path: Path
    n_ratings: int

    @property
    def outcome(self) -> Outcome:
        """What the exit code says of it."""
        return Outcome.FINE

    def facts(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return {"path": str(self.path), "n_ratings": self.n_ratings, "simulated": True}

    def show(self, console: Console) -> None:
        """The same for people."""
        console.print(f"{self.path}: {self.n_ratings} ratings. {SIMULATED}", markup=False)


def simulate(
    test: TestFolder,
    output: Annotated[
        Path, typer.Option("--output", metavar="FOLDER", help="Where the file of answers goes.")
    ],
    participants: Annotated[
        int | None, typer.Option(min=1, help="How many answer; all by default.")
    ] = None,
    better: Annotated[
        str | None, typer.Option(metavar="SYSTEM", help="Which is rated higher; the first by name.")
    ] = None,
    by: Annotated[float, typer.Option(metavar="POINTS", help="By how much, on average.")] = 10.0,
    seed: Annotated[int, typer.Option(help="Of all that is drawn.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Make up answers, to try the analysis before there are any.

    They are marked, and whatever is made of them says so; with real ones they are never mixed.
    """
    asked = read_asked(test)
    better = asked.systems[0] if better is None else better
    if better not in asked.systems:
        raise InputError(
            f"{better} cannot be the better one: the test compares {' and '.join(asked.systems)}"
        )
    answers = simulated(
        asked,
        n_participants=participants or len(asked.n_trials),
        better=better,
        by=by,
        random=random_stream(seed, "simulated answers", asked.test),
    )
    output.mkdir(parents=True, exist_ok=True)
    path = output / f"SIMULATED_ratings_{asked.test}.csv"
    replace_text(path, to_csv(answers))
    tell(Simulated(path, len(answers)), as_json)
