"""ESC-50 and corpora in its layout: a table of clips out of a folder, or one list of what is wrong.

The layout is `meta/esc50.csv` beside `audio/{fold}-{source}-{take}-{target}.wav` (or flac, ogg).
K. J. Piczak, "ESC: Dataset for Environmental Sound Classification", ACM Multimedia 2015.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from l2i.checks import InputError, raise_all
from l2i.datasets.clips import common_sources, examine, identical_clips
from l2i.datasets.sound_files import audio_files, unmatched
from l2i.datasets.spreadsheets import read_table, truth, whole
from l2i.hashing import file_sha256
from l2i.names import why_unshowable

SPLIT = "folds"
LABELLING = "single"
CLASSES = None  # as many as the table names
VALIDATION = False
FILES = ["meta/esc50.csv", "audio"]
FIGURE = None
OPTIONS = {
    "subset": (["all", "esc10"], "all clips, or the ten classes that the table marks as esc10")
}
NEEDS: list[str] = []
PINS = {
    "csv_sha256": ("sha256", "sha256 of the table of clips"),
    "n_clips": ("count", "clips of the corpus"),
    "n_clips_per_fold_and_class": ("count", "clips of each class in each fold"),
    "n_samples": ("count", "samples of every clip"),
}

COLUMNS = ("filename", "fold", "target", "category", "esc10", "src_file", "take")
NAME = re.compile(
    r"(?P<fold>[1-5])-(?P<src_file>\d+)-(?P<take>[A-Z])-(?P<target>\d{1,2})\.(wav|flac|ogg)",
    re.ASCII,
)
N_TARGETS = 50

log = logging.getLogger(__name__)


def index_corpus(
    folder: str | Path, *, subset: str, expect: Mapping | None = None
) -> tuple[pd.DataFrame, list[str], dict]:
    """List and check every clip of a corpus in the layout of ESC-50.

    Parameters
    ----------
    folder : str or Path
        Holds `meta/esc50.csv` and `audio/`.
    subset : str
        "all", or "esc10" for the rows that the csv marks as such.
    expect : mapping, optional
        What a pinned download must hold: csv_sha256, n_clips, n_clips_per_fold_and_class and
        n_samples, any of them. Without it neither counts nor lengths are demanded.

    Returns
    -------
    index : pd.DataFrame
        One row per clip, sorted by clip: clip (name without suffix), path (relative to `folder`),
        source (clips of one src_file, or of identical files), fold, label (0..C-1), category,
        n_samples, sample_rate (Hz), n_channels, duration_seconds, maximum, sha256 (of the file).
    classes : list of str
        Class names in the order of labels, which is the order of the targets in the csv.
    facts : dict
        n_sources, n_identical_groups, n_identical_groups_across_splits.

    Raises
    ------
    InputError
        One error that lists every problem found.
    """
    folder, expect = Path(folder), expect or {}
    csv = folder / "meta" / "esc50.csv"
    table = _read_table(csv)
    problems = _hash_problems(csv, expect) + check_table(table, expect)
    chosen = table[table.esc10 == "True"] if subset == "esc10" else table
    files, faults = audio_files(folder)
    problems += faults + _unmatched(table, chosen, files)
    if subset not in ("all", "esc10"):
        problems.append(f"subset must be all or esc10, got {subset!r}")
    if chosen.empty:
        problems.append(f"no row of {csv.name} belongs to subset {subset}")
    paths = [files[name] for name in sorted({*chosen.filename} & files.keys())]
    details, faults = examine(folder, paths, n_samples=expect.get("n_samples"))
    raise_all(problems + faults, f"{folder} is no usable corpus in the layout of ESC-50")
    _warn_of_straddling_sources(chosen)
    index, classes = _assemble(chosen, files, details)
    facts = {"n_sources": index["source"].nunique()}
    return index, classes, facts | identical_clips(details, index.set_index("path")["fold"])


def check_table(table: pd.DataFrame, expect: Mapping | None = None) -> list[str]:
    """Return what is wrong with the rows of `esc50.csv`, one line for each problem.

    Parameters
    ----------
    table : pd.DataFrame
        The columns of the csv, as text.
    expect : mapping, optional
        n_clips and n_clips_per_fold_and_class, where they are demanded.
    """
    expect = expect or {}
    problems = [p for row in table.to_dict("records") for p in _row_problems(row)]
    stems = table.filename.str.rsplit(".", n=1).str[0]
    problems += [f"clip {s} has more than one row" for s in sorted(set(stems[stems.duplicated()]))]
    pairs = table[["target", "category"]].drop_duplicates()
    for column, other in (("target", "category"), ("category", "target")):
        for value in sorted(set(pairs[column][pairs[column].duplicated()])):
            problems.append(f"{column} {value} stands with more than one {other}")
    if "n_clips" in expect and len(table) != expect["n_clips"]:
        problems.append(f"{len(table)} rows, the pinned corpus has {expect['n_clips']}")
    if "n_clips_per_fold_and_class" in expect:
        wanted = expect["n_clips_per_fold_and_class"]
        counts = pd.crosstab(table.fold, table.target).stack()
        for (fold, target), n in counts[counts != wanted].items():
            problems.append(f"fold {fold}, target {target}: {n} rows, {wanted} expected")
    return problems


def _read_table(csv: Path) -> pd.DataFrame:
    if not csv.parent.parent.is_dir():
        raise InputError(
            f"{csv.parent.parent}: no such folder; put the corpus there, or set machine.data"
        )
    if not csv.is_file():
        raise InputError(
            f"{csv}: no such file. ESC-50 of 2016 and later has it; the first release (ogg files "
            "in one folder per class) cannot be used. Download the corpus again"
        )
    table = read_table(csv, COLUMNS)
    for column in ("fold", "target", "src_file"):
        table[column] = table[column].map(whole)
    return table.assign(esc10=table.esc10.map(truth))


def _hash_problems(csv: Path, expect: Mapping) -> list[str]:
    pinned = expect.get("csv_sha256")
    found = file_sha256(csv)
    if pinned in (None, found):
        return []
    return [f"meta/esc50.csv has sha256 {found}, pinned is {pinned}; fetch the corpus again"]


def _row_problems(row: dict) -> list[str]:
    name, problems = row["filename"], []
    if row["fold"] not in set("12345"):
        problems.append(f"{name}: fold {row['fold']!r} is not 1 to 5")
    if not (row["target"].isdecimal() and int(row["target"]) < N_TARGETS):
        problems.append(f"{name}: target {row['target']!r} is not 0 to {N_TARGETS - 1}")
    if row["esc10"] not in ("True", "False"):
        problems.append(f"{name}: esc10 {row['esc10']!r} is neither True nor False")
    if fault := why_unshowable(row["category"]):
        problems.append(f"{name}: category {fault}")
    match = NAME.fullmatch(name)
    if not match:
        problems.append(f"{name!r} is no name {{fold}}-{{source}}-{{take}}-{{target}}.wav")
    elif any(match[key] != row[key] for key in ("fold", "take", "target")) or not _same_number(
        match["src_file"], row["src_file"]
    ):
        problems.append(f"{name}: the name and the other columns of its row disagree")
    return problems


def _same_number(one: str, other: str) -> bool:
    """Spreadsheets leave out leading zeros."""
    return one.lstrip("0") == other.lstrip("0")


def _unmatched(table: pd.DataFrame, chosen: pd.DataFrame, files: Mapping[str, str]) -> list[str]:
    """As `unmatched`; of rows outside of the subset no files are needed."""
    others = {*table.filename} - {*chosen.filename}
    needed = {name: path for name, path in files.items() if name not in others}
    return unmatched({*chosen.filename}, needed, "meta/esc50.csv")


def _warn_of_straddling_sources(table: pd.DataFrame) -> None:
    n_folds = table.groupby("src_file").fold.nunique()
    sources = sorted(n_folds[n_folds > 1].index)
    if sources:
        log.warning(
            "%d recordings have clips in more than one fold, as published: %s",
            len(sources),
            ", ".join(sources),
        )


def _assemble(
    table: pd.DataFrame, files: Mapping[str, str], facts: dict[str, dict]
) -> tuple[pd.DataFrame, list[str]]:
    targets = table.target.astype(int)
    order = sorted(set(targets))
    index = pd.DataFrame(
        {
            "clip": table.filename.str.rsplit(".", n=1).str[0],
            "path": table.filename.map(files),
            "fold": table.fold.astype(int),
            "label": targets.map(order.index),
            "category": table.category,
        }
    )
    details = pd.DataFrame([facts[path] for path in index.path], index=table.index)
    source = common_sources(index["clip"], table.src_file, details["sha256"])
    index.insert(2, "source", source)
    index = index.join(details).sort_values("clip", ignore_index=True)
    by_label = index.drop_duplicates("label").sort_values("label")
    return index, by_label.category.tolist()
