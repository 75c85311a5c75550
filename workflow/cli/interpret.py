"""`l2i interpret`: hear why a model classifies sounds of one's own as it does."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.showing import AsJson, tell, tell_error
from l2i.checks import InputError, printable
from l2i.disk import Refused

if TYPE_CHECKING:
    from l2i.interpretation.model import Model

PAGE = "index.html"
MANY = 3  # files that the title of their page names


class Outcome(enum.IntEnum):
    """Exit codes, beside those that `cli.main` gives to what cannot be understood."""

    FINE = 0
    FAILED = 1  # for some file


@dataclass(frozen=True)
class Interpreted:
    """What was found in a file."""

    file: Path
    name: str
    seconds: float
    notes: list[str]
    probabilities: dict[str, float]
    decided: list[str]
    interpretations: list[dict[str, Any]]  # what each interpretation.json says

    def facts(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return {**vars(self), "file": printable(str(self.file))}

    def show(self, console: Console, top: int) -> None:
        """The same for people: tables of at most `top` rows."""
        console.print(f"[bold]{_plain(self.name)}[/bold], {self.seconds:.3g} s")
        for note in self.notes:
            console.print(f"  {note}", markup=False)
        if not self.decided:
            console.print("  decided for no class; a table shows the most probable ones")
        console.print(_classes(self, top))
        for interpretation in self.interpretations:
            _show_components(console, interpretation, top)


@dataclass(frozen=True)
class InterpretReport:
    """What was found in all files, and where it can be heard."""

    model: Model
    folder: Path
    heard: list[Interpreted]
    failed: dict[Path, str]
    top: int

    @property
    def outcome(self) -> Outcome:
        """What the exit code says of it."""
        return Outcome.FAILED if self.failed else Outcome.FINE

    def facts(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return {
            "page": str(self.folder / PAGE) if self.heard else None,
            "model": self.model.card,
            "files": [each.facts() for each in self.heard],
            "failed": {printable(str(file)): why for file, why in self.failed.items()},
        }

    def show(self, console: Console) -> None:
        """The same for people."""
        console.print(f"Model: {printable(self.model.title)}", markup=False)
        for each in self.heard:
            each.show(console, self.top)
        if self.failed:
            n = len(self.failed) + len(self.heard)
            console.print(f"{len(self.failed)} of {n} files could not be interpreted", markup=False)
        if self.heard:
            console.print("Listen:", str(self.folder / PAGE), markup=False)


def interpret(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Sounds: wav, flac, ogg, mp3 and others."),
    ],
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="MODEL",
            help="A file of a model, or the folder of a run such as results/esc10. "
            "By default the small model that ships with l2i.",
        ),
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Of the run, where it has several.")] = None,
    fold: Annotated[str | None, typer.Option(help="Likewise.")] = None,
    system: Annotated[str | None, typer.Option(help="Likewise, such as l2i_att.")] = None,
    run: Annotated[str | None, typer.Option(help="Likewise, its number.")] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--class", metavar="NAME", help="Class to interpret. By default what is decided for."
        ),
    ] = None,
    output: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER", help="What to write into: new, empty, or written by this before."
        ),
    ] = Path("interpretation"),
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Relevance above which a component is heard; by default the model's."
        ),
    ] = None,
    single_file: Annotated[
        bool, typer.Option("--single-file", help="Put all that the page plays into index.html.")
    ] = False,
    top: Annotated[int, typer.Option(min=1, metavar="N", help="Rows of a printed table.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Hear why a model classifies sounds as it does.

    Writes each relevant component as sound, all of them together, and what is left without them,
    and a page that plays them. Stereo is mixed into one channel, as the model was trained; long
    files are heard in windows. Exit code: 1 a file could not be interpreted (the others were),
    4 the command cannot be understood.
    """
    # Imported here because torch takes seconds, for which no other verb should wait.
    from l2i.interpretation.saving import fresh_folder, mark, write_page
    from l2i.models import load

    chosen = load(model, dataset=dataset, fold=fold, system=system, run=run)
    if threshold is not None:
        chosen = replace(chosen, threshold=threshold)
    names = names_of(files)
    if target is not None:
        chosen.known_class(target)
    if single_file:
        require_few(names)
    heard: list[Interpreted] = []
    failed: dict[Path, str] = {}
    try:
        with fresh_folder(output) as fresh:
            _interpret_all(names, chosen, target, fresh, heard, failed)
            shown = [each.name for each in heard]
            write_page(fresh, chosen, _title(shown), single_file=single_file)
            mark(fresh, chosen, shown)
    except NothingHeard:
        pass
    tell(InterpretReport(chosen, output, heard, failed, top), as_json)


class NothingHeard(Exception):
    """No file could be interpreted, so that there is nothing to write."""


def _interpret_all(
    names: dict[Path, str],
    model: Model,
    target: str | None,
    folder: Path,
    heard: list[Interpreted],
    failed: dict[Path, str],
) -> None:
    """Write what is heard in each file; a bad one does not stop the others."""
    from l2i.interpretation.saving import SOUNDS, write_dictionary, write_explanations

    write_dictionary(folder / SOUNDS, model)
    for file, name in names.items():
        try:
            explanation = replace(model.explain(file), name=name)
            targets = [target] if target else explanation.decided or [explanation.most_probable]
            said = write_explanations(folder / SOUNDS, explanation, targets)
        except Refused:  # of one, as of all
            raise
        except InputError as error:
            tell_error(error)
            failed[file] = str(error)
            continue
        heard.append(
            Interpreted(
                file,
                name,
                len(explanation.waveform) / explanation.sample_rate,
                explanation.notes,
                explanation.probabilities,
                explanation.decided,
                said,
            )
        )
    if not heard:
        raise NothingHeard


def names_of(files: Sequence[Path]) -> dict[Path, str]:
    """What files are called, each by as much of its path as tells it from the others.

    A file that is named twice is one.
    """
    distinct = {file.absolute(): file for file in files}
    found: dict[Path, str] = {}
    for depth in range(max(len(path.parts) for path in distinct) + 1):
        # The name without its suffix, then with it, then with more and more of its folders.
        names = {
            path: path.stem if depth == 0 else "/".join(path.parts[-depth:]) for path in distinct
        }
        shown = {path: printable(name) for path, name in names.items()}
        counts, taken = Counter(shown.values()), {*found.values()}
        for path, name in shown.items():
            if counts[name] == 1 and name not in taken:
                found.setdefault(distinct[path], name)
    return {file: found.get(file, printable(str(file))) for file in distinct.values()}


def require_few(names: dict[Path, str]) -> None:
    """Raise InputError where a page in a single file is asked for too many."""
    from l2i.pages.listening import MOST_IN_ONE_FILE

    if len(names) > MOST_IN_ONE_FILE:
        raise InputError(
            f"a page in a single file holds at most {MOST_IN_ONE_FILE} sounds, and these are "
            f"{len(names)}: leave out some, or do without --single-file"
        )


def _title(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= MANY else f"{len(names)} sounds"


def _classes(interpreted: Interpreted, top: int) -> Table:
    table = Table("class", "probability", "", box=SIMPLE_HEAD)
    explained = [each["interpreted_class"] for each in interpreted.interpretations]
    falling = sorted(interpreted.probabilities.items(), key=lambda item: (-item[1], item[0]))
    for i, (name, probability) in enumerate(falling):
        if i < top or name in explained:
            words = ["decided for"] if name in interpreted.decided else []
            words += ["interpreted"] if name in explained else []
            table.add_row(_plain(name), f"{probability:.3f}", ", ".join(words))
    return table


def _show_components(console: Console, interpretation: dict[str, Any], top: int) -> None:
    target, sounds = interpretation["interpreted_class"], interpretation["sounds"]
    if not [each for each in sounds.values() if each["kind"] == "component"]:
        largest = max(interpretation["relevances"])
        console.print(
            f"No component is relevant to {printable(target)}: the largest relevance is "
            f"{largest:.2g}, the threshold {interpretation['threshold']:g}",
            markup=False,
        )
    table = Table(
        "sound", "relevance", "level (dBFS)", f"probability of {_plain(target)}", box=SIMPLE_HEAD
    )
    components = 0
    for each in sounds.values():
        components += each["kind"] == "component"
        if components > top:
            table.add_row(f"and {len(interpretation['sounds']) - 2 - top} more", "", "", "")
            break
        named = f"component {each['component']}" if "component" in each else each["kind"]
        relevance = f"{each['relevance']:.2f}" if "relevance" in each else ""
        level = "silent" if each["level_dbfs"] is None else f"{each['level_dbfs']:.1f}"
        p = "" if each["probabilities"] is None else f"{each['probabilities'][target]:.3f}"
        table.add_row(named, relevance, level, p)
    console.print(table)


def _plain(text: str) -> str:
    """A text from outside, in which Rich sees no markup and a terminal no command."""
    return escape(printable(text))
