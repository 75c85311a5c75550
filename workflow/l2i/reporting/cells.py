"""One number of a table, found by what a person types.

`table_4.csv:l2i_att,esc50,top_1` names a row by its keys; `Table IV, L2I w/ ATT, ESC-50, top-1` by
what the page prints. The table comes first, the rest in any order. Case, blanks and punctuation do
not matter, and may be used to tell names apart that differ in nothing else. `column=value` says
which key is meant, and one more word, such as `low`, which column of the number.

A row is found where each of the parts names another one of its keys, and no other row has as good a
claim: a row all of whose keys are named comes before one that has more of them.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import PurePath
from typing import Any, NamedTuple

import pandas as pd

from l2i.checks import InputError
from l2i.names import TITLES
from l2i.reporting.conditions import in_words, settings_of
from l2i.reporting.quantities import QUANTITIES, quantity

# What may be a key of a table, in the order in which a cell is named; all else is its number.
KEYS = (
    *("system", "other", "dataset", "fold", "variant", "n_components", "class", "quantity"),
    *("metric", "loss", "removal", "condition", "device", "precision"),
)
NUMBER_OF_TABLE = "table"  # a column that the name of the table says already
# What data sets are called beyond their names, which `ESC-50` and `SONYC-UST` are by their letters.
DATASETS = {"openmic": ("OpenMIC-2018",), "sonyc_ust": ("SONYC-UST-V2",)}
# What pages call the columns of a number.
COLUMNS = {
    **{"mean": ("ours",), "spread": ("sd",), "paper_mean": ("paper",), "p_holm": ("p, Holm",)},
    **{"n_folds": ("folds",), "n_runs": ("runs",), "n_clips": ("clips",)},
    **{"n_sources": ("sources",)},
}
ROMAN = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")
FEW = 6  # candidates that a message lists
MOST = 50  # parts of an address; no row has as many keys
HOW = (
    "Name the table and then, in any order, the keys of a row, as in "
    "table_4.csv:l2i_att,esc50,top_1 or 'Table IV, L2I w/ ATT, ESC-50, top-1'; column=value says "
    "which key is meant"
)

_PART = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]+")
_CSV = re.compile(r"(?P<table>.*\.csv)\s*(?:[:,](?P<rest>.*))?", re.IGNORECASE | re.DOTALL)
_COUNT = re.compile(r"n|n_\w+|paper_n")
_TABLE = re.compile(r"(table|comparisons|figure)_(\d+)")


class Address(NamedTuple):
    """What was typed: the table or, where it is printed, its name; and the pieces behind it."""

    table: str
    pieces: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """One number of a table.

    ``place`` is its row (from 0), ``keys`` are those that the row has, by column, and ``number``
    all other columns in their order, None where empty. ``column`` is the one that was asked for.
    """

    table: str
    place: int
    keys: Mapping[str, str]
    number: Mapping[str, Any]
    column: str | None = None

    @property
    def name(self) -> str:
        """The cell as it can be typed."""
        named = [*self.keys.values(), *filter(None, [self.column])]
        return f"{self.table}.csv:{','.join(named)}"


def parse_address(text: str, tables: Iterable[str]) -> Address:
    """Take an address apart.

    Parameters
    ----------
    text : str
        See the head of the module. In front of ``.csv`` may stand a path.
    tables : iterable of str
        Names of the tables that there are, without ``.csv``: `table_4`, `cost`, `figure_2`.

    Returns
    -------
    Address
        With one of `tables`.

    Raises
    ------
    InputError
        If it names none of them.
    """
    tables = list(tables)
    if found := _CSV.fullmatch(text.strip()):
        named, rest = PurePath(found["table"]).stem, found["rest"] or ""
        heads = [(named, _pieces(rest))]
    else:
        pieces = _pieces(text)
        # `Table IV: L2I w/ ATT` as well; some names of tables hold a comma, `..., pair by pair`.
        first, colon, rest = pieces[0].partition(":") if pieces else ("", "", "")
        heads = [(", ".join(pieces[:i]), pieces[i:]) for i in range(len(pieces), 0, -1)]
        heads += [(first, (*_pieces(rest), *pieces[1:]))] if colon else []
    names = {plain(name): table for table in tables for name in names_of_table(table)}
    for head, rest_of in heads:
        if table := names.get(plain(head)):
            return Address(table, tuple(rest_of))
    named = heads[-1][0] if heads else ""
    near = [names[each] for each in get_close_matches(plain(named), names, n=FEW, cutoff=0.7)]
    listed = _listed(list(dict.fromkeys([*near, *tables])), len(tables))
    raise InputError(f"{named!r} is no table of this run, which has {listed}. {HOW}")


def names_of_table(table: str) -> list[str]:
    """What a table may be called: its file's name, and what is printed over it."""
    special = {  # numbers as in workflow/report, which a test holds them to
        "comparisons_4": ["table S1"],
        "comparisons_8": ["table S2"],
        "classes": ["table S3", "class by class"],
        "corruption": ["table S4", "clips in company"],
        "faithfulness_more": ["table S5", "further measures of faithfulness"],
        "sanity": ["table S6", "sanity checks"],
        "ratings": ["table S7", "listening test", "ratings of the listening test"],
        "cost": ["table S8", "costs", "what training costs"],
        "figure_training": ["figure S1"],
        "figure_interpretation": ["figure S2"],
        "figure_dictionary": ["figure S3"],
        "figure_thresholds": ["figure S4"],
        "figure_corruption": ["figure S5"],
        "figure_sanity": ["figure S6"],
    }
    names = [table, *special.get(table, [])]
    if found := _TABLE.fullmatch(table):
        kind, number = found[1], int(found[2])
        numerals = [str(number), ROMAN[number]] if number < len(ROMAN) else [str(number)]
        as_printed = {
            "table": ["table {}"],
            "comparisons": ["comparisons {}", "table {}, pair by pair"],
            "figure": ["figure {}", "fig. {}"],
        }
        names += [form.format(numeral) for form in as_printed[kind] for numeral in numerals]
    return names


def find_cell(
    address: Address, rows: pd.DataFrame, *, titles: Mapping[str, str] | None = None
) -> Cell:
    """The cell of a table that an address names.

    Parameters
    ----------
    address : Address
        See `parse_address`.
    rows : DataFrame
        The table, as `l2i.tables.read_rows` reads it.
    titles : mapping, optional
        What systems are called in print, see `titles_in`; without, names and `l2i.names.TITLES`.

    Returns
    -------
    Cell

    Raises
    ------
    InputError
        If a part names nothing in the table, if no row has all of the parts, or several have.
    """
    table = _Table(address.table, rows, {**TITLES, **(titles or {})})
    if len(address.pieces) > MOST:
        raise InputError(f"{address.table}.csv: a cell has no {len(address.pieces)} keys. {HOW}")
    several: list[int] = []
    for parts in table.segmentations(address.pieces):
        for keys, column in _with_column(parts, table):
            found = table.rows_of(keys) if keys else []
            if len(meant := table.meant(found, keys)) == 1:
                return table.cell(meant[0], column)
            several = several or found
    if several:
        raise table.ambiguity(several, address)
    raise table.refusal(next(table.segmentations(address.pieces)))


def cells_of(table: str, rows: pd.DataFrame) -> list[Cell]:
    """All cells of a table, row by row."""
    known = _Table(table, rows, {})
    return [known.cell(place) for place in range(len(rows))]


def titles_in(settings: Mapping[str, Any]) -> dict[str, str]:
    """What the settings of a table's record call systems and data sets in print."""
    of_paper = settings.get("paper", {}).get("systems", {})
    named = {name: system["title"] for name, system in of_paper.items() if "title" in system}
    return {**named, **titles_of_run(settings)}


def titles_of_run(settings: Mapping[str, Any]) -> dict[str, str]:
    """Of `titles_in` those of this run's own systems and data sets."""
    return {**settings.get("titles", {}), **settings.get("page", {}).get("titles", {})}


def key_columns(rows: pd.DataFrame) -> list[str]:
    """The columns of a table that tell its rows apart, in the order of `KEYS`."""
    return [name for name in KEYS if name in rows]


def plain(text: str) -> str:
    """A name without what does not matter: case, blanks, punctuation, zeros at a number's end."""
    found = _PART.findall(unicodedata.normalize("NFKC", text).casefold())
    spelt = "".join(f"{float(part):g}" if "." in part else part for part in found)
    return spelt or text.strip()


# ---------------------------------------------------------------- rows and their names


class _Key(NamedTuple):
    column: str
    text: str  # of a condition, one of its settings


class _Table:
    """The rows of a table with all names of their keys."""

    def __init__(self, name: str, rows: pd.DataFrame, titles: Mapping[str, str]) -> None:
        self.name, self.rows, self.titles = name, rows, titles
        self.columns = key_columns(rows)
        texts = {column: [_text(value) for value in rows[column]] for column in self.columns}
        self.keys = [
            [_Key(column, text) for column in self.columns for text in _each(column, texts, place)]
            for place in range(len(rows))
        ]
        quoted = (
            rows["verdict"].eq("reference") if "verdict" in rows else pd.Series(False, rows.index)
        )
        of_paper = (
            rows[quoted].set_index("dataset")["paper_dataset"].to_dict() if quoted.any() else {}
        )
        self.named: dict[str, set[_Key]] = {}  # plain name -> keys
        for key in {key for keys in self.keys for key in keys}:
            for each in {*self._names(key), *self._of_the_paper(key, of_paper)}:
                for spelling in (each, f"{key.column}={each}"):
                    self.named.setdefault(plain(spelling), set()).add(key)
        self.numbers = [
            column for column in rows if column not in self.columns and column != NUMBER_OF_TABLE
        ]
        self.of_number = {
            plain(each): column
            for column in self.numbers
            for each in (column, *COLUMNS.get(column, ()))
        }

    def _names(self, key: _Key) -> Iterator[str]:
        """What a key is called: as it stands in the file, and as it is printed."""
        yield key.text
        if key.column in ("system", "other", "removal", "dataset") and key.text in self.titles:
            yield self.titles[key.text]
        if key.column in ("metric", "loss"):
            yield from _names_of_metric(key.text)
        if key.column == "dataset":
            yield from DATASETS.get(key.text, ())
        if key.column == "condition":
            name, _, value = key.text.partition("=")
            if value in self.titles:
                yield f"{name}={self.titles[value]}"
            yield in_words(key.text, self.titles)

    def _of_the_paper(self, key: _Key, datasets: Mapping[str, str]) -> Iterator[str]:
        """How pages call a data set beside a number that the paper quotes; ours to the paper's."""
        if key.column == "dataset" and key.text in datasets:
            of = datasets[key.text]
            yield from (f"{name} of the paper" for name in (of, *DATASETS.get(of, ())))

    def segmentations(self, pieces: Sequence[str]) -> Iterator[list[str]]:
        """What was typed between commas as names, some of which hold commas; longest names first.

        A piece that belongs to no name stands alone.
        """
        if not pieces:
            yield []
            return
        known = self.named.keys() | self.of_number.keys()
        joined = [", ".join(pieces[:i]) for i in range(len(pieces), 0, -1)]
        ends = [each for each in joined if plain(each) in known] or [pieces[0]]
        for each in ends:
            n = len(pieces) - joined.index(each)
            for rest in self.segmentations(pieces[n:]):
                yield [each, *rest]

    def rows_of(self, parts: Sequence[str]) -> list[int]:
        """Rows of which each part names another key."""
        meant = [self.named.get(plain(part), set()) for part in parts]
        return [place for place, keys in enumerate(self.keys) if _each_another(meant, keys)]

    def meant(self, found: list[int], parts: Sequence[str]) -> list[int]:
        """Those of the rows with the best claim: spelt like this, then without further keys."""
        spelt = {place: self._n_spelt(parts, self.keys[place]) for place in found}
        left = [place for place in found if spelt[place] == max(spelt.values())]
        whole = [place for place in left if len(self.keys[place]) == len(parts)]
        return whole or left

    def ambiguity(self, found: list[int], address: Address) -> InputError:
        """Which rows fit what was typed, and what tells them apart."""
        differ = [
            column
            for column in self.columns
            if len({tuple(k for k in self.keys[place] if k.column == column) for place in found})
            > 1
        ]
        listed = _listed([self.cell(place).name for place in found], between="; ")
        said = ", ".join(address.pieces) or "nothing"
        return InputError(
            f"{self.name}.csv: {said!r} names {len(found)} rows, which differ in "
            f"{', '.join(differ) or 'no key'}: {listed}. Name one more of their keys. {HOW}"
        )

    def _n_spelt(self, parts: Sequence[str], keys: Sequence[_Key]) -> int:
        """How many of the parts are names of the keys to the letter."""
        names = {name for key in keys for name in self._names(key)}
        names |= {f"{key.column}={name}" for key in keys for name in self._names(key)}
        return sum(part.strip() in names for part in parts)

    def cell(self, place: int, column: str | None = None) -> Cell:
        keys: dict[str, str] = {}
        for key in self.keys[place]:
            keys[key.column] = ", ".join(filter(None, [keys.get(key.column, ""), key.text]))
        number = {name: _value(name, self.rows[name].iloc[place]) for name in self.numbers}
        return Cell(self.name, place, keys, number, column)

    def refusal(self, parts: Sequence[str]) -> InputError:
        """Why no row is found."""
        known = self.named.keys() | self.of_number.keys()
        unknown = [part for part in parts if plain(part) not in known]
        if not parts:
            return InputError(f"{self.name}.csv: which of its rows? {self._known()}. {HOW}")
        if unknown:
            said = "; ".join(f"{part!r} names nothing in it{self._near(part)}" for part in unknown)
            return InputError(f"{self.name}.csv: {said}. {self._known()}. {HOW}")
        if all(plain(part) in self.of_number for part in parts):
            return InputError(
                f"{self.name}.csv: {', '.join(parts)} is a column: of which row? {self._known()}"
            )
        near = self._but_one(parts)
        listed = _listed(near, between="; ")
        told = f"With all but one of these there are {listed}. " if near else ""
        return InputError(f"{self.name}.csv: no row is {', '.join(parts)} at once. {told}{HOW}")

    def _near(self, part: str) -> str:
        near = get_close_matches(plain(part), self.named, n=FEW, cutoff=0.6)
        keys = dict.fromkeys(key.text for name in near for key in sorted(self.named[name]))
        return f" (near: {_listed(list(keys))})" if keys else ""

    def _known(self) -> str:
        """The keys of the table, a few of each column."""
        known: dict[str, dict[str, None]] = {column: {} for column in self.columns}
        for key in (key for keys in self.keys for key in keys):
            known[key.column].setdefault(key.text)
        told = [f"{column}: {_listed(list(texts))}" for column, texts in known.items() if texts]
        return f"It has, by {'; '.join(told)}"

    def _but_one(self, parts: Sequence[str]) -> list[str]:
        """Rows that fit all parts but one."""
        found: dict[str, None] = {}
        for i in range(len(parts)):
            rest = [*parts[:i], *parts[i + 1 :]]
            if rest:
                found |= dict.fromkeys(self.cell(place).name for place in self.rows_of(rest))
        return list(found)


def _with_column(parts: list[str], table: _Table) -> Iterator[tuple[list[str], str | None]]:
    """The parts as keys alone, then with the last as a column of the number."""
    yield parts, None
    if parts and (column := table.of_number.get(plain(parts[-1]))):
        yield parts[:-1], column


def _each_another(meant: Sequence[set[_Key]], keys: Sequence[_Key]) -> bool:
    """Whether each part means a key that no other one needs."""
    if not meant:
        return True
    first, *rest = meant
    return any(
        _each_another(rest, [other for other in keys if other is not key])
        for key in keys
        if key in first
    )


def _names_of_metric(metric: str) -> Iterator[str]:
    if found := re.fullmatch(r"(top_\d+)_fidelity", metric):
        yield found[1]
    elif metric not in QUANTITIES:
        return
    shown = quantity(metric)
    yield from (shown.title, shown.heading)


def _each(column: str, texts: Mapping[str, list[str]], place: int) -> list[str]:
    text = texts[column][place]
    return settings_of(text) if column == "condition" else [text] if text else []


def _pieces(text: str) -> tuple[str, ...]:
    return tuple(piece.strip() for piece in text.split(",") if piece.strip())


def _text(value: object) -> str:
    """A key as the file has it; none where the cell is empty."""
    missing = value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))
    return "" if missing else str(value)


def _value(column: str, value: Any) -> Any:
    """A number as Python has it; counts, that pandas reads as floats beside empty cells, whole."""
    if pd.isna(value):
        return None
    plain_value = value.item() if hasattr(value, "item") else value
    counts = _COUNT.fullmatch(column) and isinstance(plain_value, float)
    return int(plain_value) if counts and plain_value.is_integer() else plain_value


def _listed(names: Sequence[str], most: int = FEW, between: str = ", ") -> str:
    told = between.join(names[:most])
    return told if len(names) <= most else f"{told} and {len(names) - most} more"
