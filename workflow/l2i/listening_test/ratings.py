"""Ratings of a listening test: all answers to it, held against what was asked.

Nothing is repaired or guessed. What does not belong is refused, all of it in one message, each
problem with file, line, rule and remedy; who did not finish is kept and counted, and who gave one
rating to everything is kept and flagged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import pandas as pd

from l2i.checks import InputError, raise_all
from l2i.datasets.listing import stats_below
from l2i.datasets.spreadsheets import numbers
from l2i.listening_test.answers import COLUMNS, AnswerFile, read_answers
from l2i.listening_test.naming import LABELS, hash_of_test
from l2i.tables import read_rows

LOWEST, HIGHEST = 0, 100
SIMULATED, REAL = "True", "False"


@dataclass(frozen=True)
class Asked:
    """What a listening test asks.

    test : str
        Its hash, which answers name.
    classes : mapping
        Stimulus -> its class.
    plan : mapping
        (participant, stimulus) -> position, and the systems whose sounds are A and B.
    """

    test: str
    classes: Mapping[str, str]
    plan: Mapping[tuple[int, str], tuple[int, tuple[str, str]]]

    @property
    def systems(self) -> list[str]:
        """The two that are compared, by name."""
        return sorted({name for _, systems in self.plan.values() for name in systems})

    @property
    def n_trials(self) -> dict[int, int]:
        """How many stimuli each participant is given."""
        return dict(pd.Series([person for person, _ in self.plan]).value_counts().sort_index())


class Ratings(NamedTuple):
    """What participants answered.

    ratings : DataFrame
        The columns `COLUMNS` and ``file``, one row per rating, by participant, position and label.
    participants : DataFrame
        One row for each who answered: ``participant``, ``n_asked``, ``n_rated`` (stimuli),
        ``complete``, ``all_equal`` (one rating throughout), ``simulated``.
    files : DataFrame
        One row for each file: ``file``, ``sha256``, ``n_ratings``, ``n_references`` (of the hidden
        reference of webMUSHRA, left out), ``same_as`` (a file with the same bytes, counted once).
    """

    ratings: pd.DataFrame
    participants: pd.DataFrame
    files: pd.DataFrame


def read_asked(pack: str | Path, systems: Sequence[str] | None = None) -> Asked:
    """What the pack of a listening test asks; see `l2i.listening_test.pack`.

    Parameters
    ----------
    pack : str or Path
        Folder with stimuli.csv and participants.csv.
    systems : sequence of str, optional
        The two that are compared; by default those that are first for anybody.

    Raises
    ------
    InputError
        If it is no such pack.
    """
    folder = Path(pack)
    if not (folder / "stimuli.csv").is_file():
        raise InputError(
            f"{folder} is no pack of a listening test, it lacks stimuli.csv: name the folder that "
            "holds the index.html of the test, such as results/paper/listening_test/sonyc_ust"
        )
    stimuli = read_rows(folder / "stimuli.csv", columns=("stimulus", "class"), stimulus=str)
    columns = ("participant", "position", "stimulus", "first")
    plan = read_rows(folder / "participants.csv", columns=columns, stimulus=str, first=str)
    compared = sorted(set(plan["first"])) if systems is None else list(systems)
    if len(compared) != 2 or not {*plan["first"]} <= {*compared}:
        raise InputError(
            f"{folder / 'participants.csv'} compares {', '.join(sorted(set(plan['first'])))}, and "
            f"a listening test two systems{'' if systems is None else f', {compared}'}: compose "
            "it anew"
        )
    other = {compared[0]: compared[1], compared[1]: compared[0]}
    return Asked(
        test=hash_of_test(folder),
        classes=dict(zip(stimuli["stimulus"], stimuli["class"], strict=True)),
        plan={
            (int(row.participant), row.stimulus): (int(row.position), (row.first, other[row.first]))
            for row in plan.itertuples()
        },
    )


def import_folder(folder: str | Path, asked: Asked) -> Ratings:
    """All answers in the csv files of a folder, named as they lie in it; see `import_files`."""
    return import_files(answers_below(folder), asked, below=folder)


def answers_below(folder: str | Path) -> list[Path]:
    """The csv files of a folder and of those in it, without hidden ones; none if it is not there.

    webMUSHRA saves `mushra.csv` for everybody, in folders that tell them apart.
    """
    names = stats_below(folder) if Path(folder).is_dir() else ()
    return [Path(folder, name) for name in names if PurePath(name).suffix.lower() == ".csv"]


def import_files(
    paths: Sequence[Path], asked: Asked, *, below: str | Path | None = None
) -> Ratings:
    """All answers to a test.

    Parameters
    ----------
    paths : sequence of Path
        Files as participants returned them.
    asked : Asked
    below : str or Path, optional
        A folder that they lie in: they are called by their paths relative to it.

    Raises
    ------
    InputError
        With all that does not belong: see the head of the module.
    """
    files, problems = _read_all(paths, below)
    once = {each.sha256: each for each in reversed(files)}  # of the same bytes, the first
    rows = _joined([each for each in files if once[each.sha256] is each])
    checked = _Checked(rows, asked)
    problems += checked.problems()
    if not problems and rows.empty:
        problems = ["no file holds a rating: have the test finished, and its answers saved"]
    raise_all(problems, f"answers to the listening test {asked.test}")
    ratings = checked.ratings()
    return Ratings(ratings, _participants(ratings, asked), _described(files, once, ratings))


def _read_all(
    paths: Sequence[Path], below: str | Path | None
) -> tuple[list[AnswerFile], list[str]]:
    files, problems = [], []
    several = len({path.name for path in paths}) < len({*paths})

    def name_of(path: Path) -> str:
        if below is not None:
            return path.relative_to(below).as_posix()
        return str(path) if several else path.name

    for path in dict.fromkeys(paths):
        try:
            files.append(read_answers(path, name_of(path)))
        except InputError as error:
            problems.append(str(error))
    return files, problems


def _joined(files: Sequence[AnswerFile]) -> pd.DataFrame:
    """Rows of all files, with ``file`` and ``line`` in front."""
    columns = ["file", "line", *(name for name in COLUMNS if name != "class")]
    parts = [each.rows.assign(file=each.name, line=each.rows.index) for each in files]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return found.reindex(columns=columns)


class _Checked:
    """Rows of answers, and what is wrong with each."""

    def __init__(self, rows: pd.DataFrame, asked: Asked) -> None:
        self.rows, self.asked = rows, asked
        self.rating = numbers(rows["rating"])
        self.seconds = numbers(rows["seconds"])

    def problems(self) -> list[str]:
        """One line each; of rows that are of another test, no more than that."""
        foreign = self.rows["test"] != self.asked.test
        found = list(self._of_another_test(self.rows[foreign]))
        found += [line for row in self.rows[~foreign].itertuples() for line in self._of_row(row)]
        ours = self.rows[~foreign]
        found += [*self._contradictions(ours), *self._halves(ours), *self._mixed(ours)]
        return found

    def ratings(self) -> pd.DataFrame:
        """Rows without problems, each rating once."""
        given = [
            self.asked.plan[int(row.participant), row.stimulus] for row in self.rows.itertuples()
        ]
        sides = [LABELS.index(label) for label in self.rows["label"]]
        typed = self.rows.assign(
            participant=self.rows["participant"].astype(int),
            position=[position for position, _ in given],
            system=[systems[side] for (_, systems), side in zip(given, sides, strict=True)],
            rating=self.rating.astype(int),
            seconds=self.seconds,
            simulated=self.rows["simulated"] == SIMULATED,
        )
        typed["class"] = typed["stimulus"].map(self.asked.classes)
        typed = typed.drop_duplicates(["participant", "stimulus", "label"])
        order = ["participant", "position", "label"]
        return typed.sort_values(order, ignore_index=True)[[*COLUMNS, "file"]]

    def _of_another_test(self, foreign: pd.DataFrame) -> Iterator[str]:
        for (file, test), rows in foreign.groupby(["file", "test"], sort=False):
            of = f"is of the test {test!r}" if test else "names no test of ours"
            yield (
                f"{file} line {rows['line'].iloc[0]}: {of}, and this one is {self.asked.test!r}: "
                "put the file with the answers to its own test; if the test was composed anew "
                "since, set back what was changed, and it is composed as it was rated"
            )

    def _of_row(self, row: Any) -> Iterator[str]:
        asked, place = self.asked, f"{row.file} line {row.line}"
        known = {str(person) for person, _ in asked.plan}
        if row.participant not in known:
            yield (
                f"{place}: participant {row.participant!r} is none of the {len(known)} of this "
                "test: write the number that the person was given"
            )
        elif row.stimulus not in asked.classes:
            yield f"{place}: {row.stimulus!r} is no stimulus of this test: restore the file"
        elif (int(row.participant), row.stimulus) not in asked.plan:
            yield (
                f"{place}: {row.stimulus} was not given to participant {row.participant}: write "
                "the number that the person was given"
            )
        elif row.label not in LABELS:
            yield f"{place}: the sound {row.label!r} is neither A nor B: restore the file"
        else:
            yield from self._of_plan(row, place)
        if not LOWEST <= self.rating[row.Index] <= HIGHEST or self.rating[row.Index] % 1:
            yield (
                f"{place}: the rating {row.rating!r} is no whole number from {LOWEST} to "
                f"{HIGHEST}: restore the file"
            )
        if row.seconds and not self.seconds[row.Index] >= 0:
            yield f"{place}: {row.seconds!r} are no seconds: restore the file"
        if row.simulated not in (SIMULATED, REAL):
            yield f"{place}: simulated is {row.simulated!r}, not true or false: restore the file"

    def _of_plan(self, row: Any, place: str) -> Iterator[str]:
        position, systems = self.asked.plan[int(row.participant), row.stimulus]
        system = systems[LABELS.index(row.label)]
        if row.system not in ("", system):
            yield (
                f"{place}: says that {row.label} of {row.stimulus} is {row.system}, and it is "
                f"{system}: restore the file"
            )
        if row.position not in ("", str(position)):
            yield (
                f"{place}: has {row.stimulus} in place {row.position}, and it was given in place "
                f"{position}: restore the file"
            )

    def _contradictions(self, rows: pd.DataFrame) -> Iterator[str]:
        """Two ratings of one sound by one participant."""
        for key, part in rows.groupby(["participant", "stimulus", "label"], sort=False):
            first = part.iloc[0]
            for _, other in part.iloc[1:].iterrows():
                if other["rating"] != first["rating"]:
                    yield (
                        f"{first['file']} line {first['line']} and {other['file']} line "
                        f"{other['line']}: participant {key[0]} rates {key[2]} of {key[1]} "
                        f"{first['rating']} and {other['rating']}: keep one of the two; if they "
                        "are of two people, one had the wrong number and is left out"
                    )

    def _halves(self, rows: pd.DataFrame) -> Iterator[str]:
        """Trials of which one sound is rated alone."""
        rows = rows[rows["label"].isin(LABELS)]
        for (person, stimulus), part in rows.groupby(["participant", "stimulus"], sort=False):
            if part["label"].nunique() < len(LABELS):
                first = part.iloc[0]
                yield (
                    f"{first['file']} line {first['line']}: participant {person} rates only "
                    f"{first['label']} of {stimulus}: restore the rating of the other sound, or "
                    "take the row out"
                )

    def _mixed(self, rows: pd.DataFrame) -> Iterator[str]:
        """Real answers beside simulated ones."""
        of_kind = {kind: rows.loc[rows["simulated"] == kind, "file"] for kind in (SIMULATED, REAL)}
        if all(len(files) for files in of_kind.values()):
            named = {kind: files.iloc[0] for kind, files in of_kind.items()}
            yield (
                f"{named[SIMULATED]} is simulated and {named[REAL]} is not: they are never "
                "analysed together; take the simulated files out of the folder"
            )


def _participants(ratings: pd.DataFrame, asked: Asked) -> pd.DataFrame:
    rows = []
    for person, part in ratings.groupby("participant"):
        n_asked, n_rated = asked.n_trials[int(person)], part["stimulus"].nunique()
        rows.append(
            {
                "participant": int(person),
                "n_asked": int(n_asked),
                "n_rated": n_rated,
                "complete": n_rated == n_asked,
                "all_equal": part["rating"].nunique() == 1,
                "simulated": bool(part["simulated"].any()),
            }
        )
    return pd.DataFrame(rows)


def _described(
    files: Sequence[AnswerFile], once: Mapping[str, AnswerFile], ratings: pd.DataFrame
) -> pd.DataFrame:
    n_of = ratings["file"].value_counts()
    return pd.DataFrame(
        {
            "file": each.name,
            "sha256": each.sha256,
            "n_ratings": int(n_of.get(each.name, 0)),
            "n_references": each.n_references,
            "same_as": "" if once[each.sha256] is each else once[each.sha256].name,
        }
        for each in files
    )
