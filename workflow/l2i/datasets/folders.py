"""Any folder of sounds: `{class}/anything.wav`, cut into clips and drawn into folds.

Sounds lie anywhere below the folder of their class and are called as you like; wav, flac, ogg, mp3
and whatever else libsndfile reads, of any rate. One that is longer than `clip_seconds` is cut into
clips, from its beginning; what is left at the end is a clip too if it lasts at least half as long.

All clips of a file have one source, and so have files that are equal byte by byte. Folds are drawn
by source. Where more is known, `clips.csv` beside the folders of the classes says it: a row for
each sound with the columns `file` (`kettle/monday.wav`) and `source` (sounds with the same one are
never trained on and tested with), or `fold`, or both.
"""

from __future__ import annotations

import logging
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

import pandas as pd

from l2i.checks import InputError, printable, raise_all
from l2i.datasets.clips import common_sources, examine, identical_clips, identical_groups
from l2i.datasets.fold_draw import draw_folds
from l2i.datasets.sound_files import files_below, is_sound, warn_of_others
from l2i.datasets.spreadsheets import read_table, whole
from l2i.names import why_unshowable

SPLIT = "folds"
LABELLING = "single"
CLASSES = None  # as many as there are folders
VALIDATION = False
FILES: list[str] = []  # of any name
FIGURE = None
OPTIONS = {"n_folds": ("several", "folds that sounds are drawn into, or that clips.csv names")}
NEEDS = ["clip_seconds", "seed"]
PINS: dict[str, tuple[str, str]] = {}

TABLE = "clips.csv"
PIECE = ["first_sample", "n_samples", "duration_seconds", "maximum", "sounds"]
COLUMNS = [
    *("clip", "path", "source", "fold", "label", "category", "first_sample", "n_samples"),
    *("sample_rate", "n_channels", "duration_seconds", "maximum", "sha256"),
]
FEW = 3  # names that a message gives of many

log = logging.getLogger(__name__)


def index_corpus(
    folder: str | Path,
    *,
    n_folds: int,
    clip_seconds: float,
    seed: int,
    expect: Mapping | None = None,
) -> tuple[pd.DataFrame, list[str], dict]:
    """List and check every clip of a folder of sounds.

    Parameters
    ----------
    folder : str or Path
        Holds a folder for each class and, where sources or folds are known, `clips.csv`.
    n_folds : int
        At least 2. Each class must have as many sources.
    clip_seconds : float
        Longer files are cut into clips of this length.
    seed : int
        Of the draw of folds; see l2i.datasets.fold_draw.
    expect : mapping, optional
        Nothing is demanded but files, whoever they are from.

    Returns
    -------
    index : pd.DataFrame
        One row per clip, sorted by clip: clip (path of its file with `_` for `/`, without suffix,
        and with a number where there are several), path (relative to `folder`), source, fold,
        label (0..C-1), category, first_sample and n_samples (in its file, at the rate of that),
        sample_rate (Hz), n_channels, duration_seconds, maximum, sha256 (of the file).
    classes : list of str
        Names of the folders, sorted.
    facts : dict
        n_files, n_sources, n_silent_pieces, n_identical_groups, n_identical_groups_across_splits.

    Raises
    ------
    InputError
        One error that lists every problem found.
    """
    folder = Path(folder)
    files, problems = _sounds(folder)
    files, faults = _with_table(files, folder / TABLE)
    facts, unheard = examine(folder, files["path"].tolist(), piece_seconds=clip_seconds)
    files = files[files["path"].isin(facts)]
    clips, n_silent = _clips(files, facts)
    problems += [*faults, *unheard, *_silent_clips(facts)]
    problems += [*_odd_names(clips), *_in_two_classes(files, facts)]
    files = files.assign(source=_sources(files, facts))
    if "fold" in files:
        problems += _wrong_folds(files, n_folds)
    elif not problems:  # else sources may be missing
        problems += _too_few_sources(files, n_folds)
    raise_all(problems, f"{folder} cannot be used as folders of sounds")
    clips = clips.merge(files, on="path")
    if "fold" not in clips:
        clips["fold"] = _drawn_folds(clips, n_folds, seed)
    index, classes = _assemble(clips, facts)
    told = {"n_files": len(files), "n_sources": index["source"].nunique()}
    told |= {"n_silent_pieces": n_silent}
    part_of = index.drop_duplicates("path").set_index("path")["fold"]
    return index, classes, told | identical_clips(facts, part_of)


# ---------------------------------------------------------------- files


def _sounds(folder: Path) -> tuple[pd.DataFrame, list[str]]:
    """The sounds below the folders of classes (path, class), and what is wrong with them."""
    places = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    rows, others, empty = [], [], []
    problems = [
        f"{path.name} lies beside the folders of the classes; move it into the one of its class"
        for path in places
        if not path.is_dir() and is_sound(path.name)
    ]
    for place in places:
        if not place.is_dir():
            continue
        paths = sorted(
            path.relative_to(folder).as_posix() for path in files_below(place, above=folder)
        )
        sounds = [path for path in paths if is_sound(path)]
        rows += [(path, unicodedata.normalize("NFC", place.name)) for path in sounds]
        others += [path for path in paths if not is_sound(path)]
        empty += [] if sounds else [place.name]
    warn_of_others(others, folder.name)
    if empty:
        log.warning("%s: no sounds in it, so it is no class", printable(", ".join(empty)))
    files = pd.DataFrame(rows, columns=["path", "class"], dtype=str)
    names = sorted(set(files["class"]))
    problems += [
        f"class {name!r}: its name {fault}; rename its folder"
        for name in names
        if (fault := why_unshowable(name))
    ]
    if len(names) < 2:
        there = f"there is {names[0]}" if names else "there is none"
        problems.append(f"two folders with sounds are needed, one for each class, and {there}")
    return files, problems


def _with_table(files: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, list[str]]:
    """The sounds with what the table says of them: source and, where it has that column, fold."""
    if not path.exists():
        return files.assign(source=""), []
    table = read_table(path, ["file"], ["source", "fold"])
    if list(table.columns) == ["file"]:
        raise InputError(f"{path}: has neither a source nor a fold column; add one of them")
    names = files["path"].map(lambda path: unicodedata.normalize("NFC", path))
    problems = [
        f"{name} has more than one row in {path.name}; leave one"
        for name in sorted(set(table["file"][table["file"].duplicated()]))
    ]
    problems += [
        f"{name} has no row in {path.name}; add its row, or move it out of the corpus"
        for name in sorted({*names} - {*table["file"]})
    ]
    problems += [
        f"{name} has a row in {path.name} and is no sound of a class; write it as kettle/monday.wav"
        for name in sorted({*table["file"]} - {*names})
    ]
    rows = table.drop_duplicates("file").set_index("file").reindex(names, fill_value="")
    said = {column: rows[column].to_numpy() for column in rows}
    return files.assign(**{"source": "", **said}), problems


# ---------------------------------------------------------------- clips


def _clips(files: pd.DataFrame, facts: Mapping[str, dict]) -> tuple[pd.DataFrame, int]:
    """Pieces of files that sound, a row each, and how many do not and are left out."""
    rows = []
    for path in files["path"]:
        pieces = facts[path]["pieces"]
        n_digits = max(3, len(str(len(pieces))))
        for number, piece in enumerate(pieces, 1):
            name = _name(path) + (f"_{number:0{n_digits}d}" if len(pieces) > 1 else "")
            rows.append({"clip": name, "path": path, **piece})
    clips = pd.DataFrame(rows, columns=["clip", "path", *PIECE])
    sounds = clips.pop("sounds").astype(bool)
    silent = clips["clip"][~sounds]
    if len(silent):
        log.warning(
            "%d of %d pieces of files are silent throughout and are left out, such as %s",
            len(silent),
            len(clips),
            printable(", ".join(silent[:FEW])),
        )
    return clips[sounds], len(silent)


def _silent_clips(facts: Mapping[str, dict]) -> Iterator[str]:
    for path, of_file in facts.items():
        if not any(piece["sounds"] for piece in of_file["pieces"]):
            yield f"{path}: sounds at its end alone, which is no clip; move it out of the corpus"


def _name(path: str) -> str:
    """Name of a file among clips, which depends on no other file."""
    name = PurePosixPath(path).with_suffix("").as_posix().replace("/", "_")
    return unicodedata.normalize("NFC", name)


def _odd_names(clips: pd.DataFrame) -> Iterator[str]:
    """Names of clips that cannot be shown, or that several have."""
    for name in clips.drop_duplicates("path", keep="last")["clip"]:
        if fault := why_unshowable(name):
            yield f"clip {name!r}: its name {fault}; rename its file, or a folder that it lies in"
    for name, paths in clips.groupby("clip")["path"]:
        if len(paths) > 1:
            yield (
                f"{name} would be the name of several clips, of {' and '.join(paths[:FEW])}; "
                "rename one file, or keep one if they are the same sound"
            )


def _in_two_classes(files: pd.DataFrame, facts: dict[str, dict]) -> Iterator[str]:
    class_of = files.set_index("path")["class"]
    for group in identical_groups(facts):
        if len({class_of[path] for path in group}) > 1:
            yield f"{' and '.join(group[:FEW])} are the same file in several classes; keep one"


# ---------------------------------------------------------------- sources and folds


def _sources(files: pd.DataFrame, facts: Mapping[str, dict]) -> pd.Series:
    """The source of each file, as the table names it or as the file is called."""
    names = files["path"].map(_name)
    said = files["source"].where(files["source"] != "", names)
    return common_sources(names, said, files["path"].map(lambda path: facts[path]["sha256"]))


def _wrong_folds(files: pd.DataFrame, n_folds: int) -> Iterator[str]:
    folds = files["fold"].map(whole)
    wanted = [str(fold) for fold in range(1, n_folds + 1)]
    for path, fold in zip(files["path"], folds, strict=True):
        if fold not in wanted:
            yield f"{path}: its fold in {TABLE} is {fold!r}, not 1 to {n_folds}, which is n_folds"
    if empty := [fold for fold in wanted if fold not in set(folds)]:
        yield f"{TABLE} puts nothing into fold {', '.join(empty)}; set n_folds to what it has"
    for source, of_source in files.assign(fold=folds).groupby("source"):
        if of_source["fold"].nunique() > 1:
            some = of_source.drop_duplicates("fold")["path"][:FEW]
            yield (
                f"{' and '.join(some)} are of one source, {source}, and {TABLE} puts them into "
                "different folds; put them into one"
            )


def _too_few_sources(files: pd.DataFrame, n_folds: int) -> Iterator[str]:
    n_sources = files.groupby("class")["source"].nunique()
    least = n_sources.min()
    some = f"corpus.n_folds to {least} and run.folds to {[*range(1, least + 1)]}"
    fewer = f", or set {some}" if least > 1 else ""
    for name, n in n_sources[n_sources < n_folds].items():
        yield (
            f"class {name} has {n} source{'s' * (n > 1)} (files, or what {TABLE} and equal files "
            f"make one), and each of {n_folds} folds needs one: add recordings{fewer}"
        )


def _drawn_folds(clips: pd.DataFrame, n_folds: int, seed: int) -> pd.Series:
    by_source = clips.groupby("source")["class"]
    n_clips = {str(source): dict(Counter(classes)) for source, classes in by_source}
    return clips["source"].map(draw_folds(n_clips, n_folds, seed))


def _assemble(clips: pd.DataFrame, facts: Mapping[str, dict]) -> tuple[pd.DataFrame, list[str]]:
    classes = sorted(set(clips["class"]))
    of_files = pd.DataFrame([facts[path] for path in clips["path"]], index=clips.index)
    index = clips.rename(columns={"class": "category"}).assign(
        fold=clips["fold"].map(lambda fold: int(whole(str(fold)))),
        label=clips["class"].map(classes.index),
        **{column: of_files[column] for column in ("sample_rate", "n_channels", "sha256")},
    )
    return index[COLUMNS].sort_values("clip", ignore_index=True), classes
