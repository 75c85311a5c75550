"""OpenMIC-2018 and corpora in its layout: a table of clips of which some labels are known.

The layout is `openmic-2018-aggregated-labels.csv`, `class-map.json` and two lists of clips in
`partitions/` beside `audio/<first three characters>/<sample key>.ogg`. Somebody listened for
about two of the twenty instruments in each clip; the others are neither present nor absent.
E. J. Humphrey, S. Durand, B. McFee, "OpenMIC-2018: An Open Data-set for Multiple Instrument
Recognition", ISMIR 2018.
"""

from __future__ import annotations

import json
import logging
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from l2i.checks import InputError, raise_all
from l2i.datasets.clips import common_sources, examine, identical_clips
from l2i.datasets.pins import differences
from l2i.datasets.sound_files import audio_files, unmatched
from l2i.datasets.spreadsheets import numbers, read_table, read_text
from l2i.names import LABEL, why_unshowable

SPLIT = "official"
LABELLING = "multiple"
CLASSES = None  # as many as the class map names, twenty in the corpus as published
VALIDATION = False
FILES = ["openmic-2018-aggregated-labels.csv", "class-map.json", "partitions", "audio"]
FIGURE = "3"
OPTIONS: dict[str, tuple[list[str] | str, str]] = {}
NEEDS: list[str] = []
PINS = {
    "n_clips": ("count", "clips of the corpus"),
    "n_clips_per_split": ("counts", "clips of train and test"),
    "n_labels": ("count", "pairs of clip and class that somebody has labelled"),
    "partition_sha256": ("sha256s", "sha256 of the lists of train and test"),
}

LABELS = "openmic-2018-aggregated-labels.csv"
COLUMNS = ("sample_key", "instrument", "relevance")
CLASS_MAP = "class-map.json"
PARTITIONS = {split: f"partitions/split01_{split}.csv" for split in ("train", "test")}
KEY = re.compile(r"\d{6}_\d+", re.ASCII)  # track of the Free Music Archive, start in milliseconds
THRESHOLD = 0.5  # a relevance this high is a presence

log = logging.getLogger(__name__)


def index_corpus(
    folder: str | Path, *, expect: Mapping | None = None
) -> tuple[pd.DataFrame, list[str], dict]:
    """List and check every clip of a corpus in the layout of OpenMIC-2018 (Sec. IV-A.1).

    A label is 1 where the relevance of an instrument is at least 0.5, 0 where it is less, and
    missing where nobody listened for it. Of several rows for one clip and instrument the last
    counts, as in the arrays that the corpus's authors made of the table. These arrays
    (openmic-2018.npz) hold pickled objects and are not opened.

    Parameters
    ----------
    folder : str or Path
        Holds the table of labels, the class map, `partitions/` and `audio/`.
    expect : mapping, optional
        What a pinned download must hold: n_clips, n_clips_per_split (by split), n_labels and
        partition_sha256 (hashes of the lists, by split), any of them. Without it no counts are
        demanded, and silent clips are refused.

    Returns
    -------
    index : pd.DataFrame
        One row per clip, sorted by clip: clip (the sample key), path (relative to `folder`),
        source (clips of one track, or of identical files), split (train or test), label_<class> for
        each class (Int64: 1, 0 or missing), n_samples, sample_rate (Hz), n_channels,
        duration_seconds, maximum, sha256 (of the file).
    classes : list of str
        Names in the order of the class map.
    facts : dict
        n_labels (pairs of clip and class), n_duplicated_rows, n_clips_without_label, n_sources,
        n_identical_groups, n_identical_groups_across_splits.

    Raises
    ------
    InputError
        One error that lists every problem found.
    """
    folder, expect = Path(folder), expect or {}
    heading = f"{folder} is no usable corpus in the layout of OpenMIC-2018"
    classes = _read_classes(folder / CLASS_MAP)
    splits, problems = read_partitions(folder, expect)
    rows, faults = _read_labels(folder, splits, classes)
    labels = rows.drop_duplicates(["sample_key", "instrument"], keep="last")
    facts = {"n_labels": len(labels), "n_duplicated_rows": len(rows) - len(labels)}
    problems += faults + _count_problems(facts, expect)
    table = label_table(labels, splits.index, classes)
    problems += _classes_without_positive(table[splits == "train"])
    files, faults = audio_files(folder)
    names = {clip: f"{clip}.ogg" for clip in splits.index}
    problems += faults + unmatched({*names.values()}, files, "the lists of partitions")
    paths = {clip: files[name] for clip, name in names.items() if name in files}
    clips, faults = examine(folder, [*paths.values()], silence_allowed=bool(expect))
    raise_all(problems + faults, heading)
    facts["n_clips_without_label"] = _warn_of_unlabelled(table)
    index = _assemble(splits, paths, table, clips)
    facts["n_sources"] = index["source"].nunique()
    return index, classes, facts | identical_clips(clips, index.set_index("path")["split"])


def read_partitions(folder: Path, expect: Mapping | None = None) -> tuple[pd.Series, list[str]]:
    """Read the split of each clip, and list what is wrong with the two lists.

    Parameters
    ----------
    folder : Path
        Holds `partitions/`.
    expect : mapping, optional
        n_clips, n_clips_per_split and partition_sha256, where they are demanded.

    Returns
    -------
    splits : pd.Series
        "train" or "test" by sample key, sorted by key, each key once.
    problems : list of str
        One line each.
    """
    expect = expect or {}
    split_of: dict[str, str] = {}
    problems: list[str] = []
    for split, name in PARTITIONS.items():
        keys = _read_keys(folder / name)
        problems += _list_problems(folder / name, keys, split, expect)
        problems += [f"{name}: {key!r} is no sample key" for key in keys if not KEY.fullmatch(key)]
        for key in filter(KEY.fullmatch, keys):
            if key in split_of:
                other = PARTITIONS[split_of[key]]
                problems.append(
                    f"clip {key} stands in {name} twice; remove one"
                    if split_of[key] == split
                    else f"clip {key} stands in {other} and in {name}; remove it from one of them"
                )
            split_of.setdefault(key, split)
    if expect.get("n_clips", len(split_of)) != len(split_of):
        problems.append(f"{len(split_of)} clips, the pinned corpus has {expect['n_clips']}")
    return pd.Series(split_of, name="split", dtype=str).sort_index(), problems


def label_table(labels: pd.DataFrame, clips: pd.Index, classes: list[str]) -> pd.DataFrame:
    """Arrange labels by clip and class.

    Parameters
    ----------
    labels : pd.DataFrame
        sample_key, instrument, relevance (a number); one row for each pair.
    clips : pd.Index
        Sample keys: the rows of the table.
    classes : list of str
        Its columns; rows of `labels` with other keys or instruments are left out.

    Returns
    -------
    pd.DataFrame [dtype=Int64]
        1 (relevance at least 0.5), 0 or missing.
    """
    present = (labels.relevance >= THRESHOLD).astype("Int64").where(labels.relevance.notna())
    pairs = pd.MultiIndex.from_frame(labels[["sample_key", "instrument"]])
    table = pd.Series(present.array, index=pairs).unstack()
    return table.reindex(index=clips, columns=classes).astype("Int64")


def _read_classes(path: Path) -> list[str]:
    try:
        numbers = json.loads(read_text(path), object_pairs_hook=_once)
        classes = sorted(numbers, key=numbers.get)
        valid = len(classes) > 1 and [numbers[name] for name in classes] == [*range(len(classes))]
        valid = valid and all(type(number) is int for number in numbers.values())
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: maps no class names to numbers ({error}); restore it") from error
    if not valid:
        raise InputError(f"{path}: must give its classes the numbers 0, 1, 2, ...; restore it")
    faults = [
        f"class {name!r} {fault}; rename it here and in {LABELS}"
        for name in classes
        if (fault := why_unshowable(name))
    ]
    raise_all(faults, str(path))
    return [unicodedata.normalize("NFC", name) for name in classes]


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A mapping of JSON; of a name that stands there twice the first is lost without a word."""
    names = [unicodedata.normalize("NFC", name) for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{', '.join(map(repr, twice))} stands there twice")
    return dict(pairs)


def _read_keys(path: Path) -> list[str]:
    """Read one key a line; there is no header to skip, which would be the first clip."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; it lists the clips of a split. Restore it")
    cells = (line.strip().strip('",;\t ') for line in read_text(path).splitlines())
    return [cell for cell in cells if cell]


def _list_problems(path: Path, keys: list[str], split: str, expect: Mapping) -> list[str]:
    name, problems = PARTITIONS[split], []
    pinned = {"sha256": expect.get("partition_sha256", {}).get(split)}
    problems += [f"{name}: {fault}; fetch it again" for fault in differences(path, pinned)]
    n_wanted = expect.get("n_clips_per_split", {}).get(split, len(keys))
    if len(keys) != n_wanted:
        problems.append(f"{name}: has {len(keys)} clips, the pinned corpus has {n_wanted}")
    return problems


def _read_labels(
    folder: Path, splits: pd.Series, classes: list[str]
) -> tuple[pd.DataFrame, list[str]]:
    rows = read_table(folder / LABELS, COLUMNS)
    given = rows.relevance
    rows["relevance"] = numbers(given)
    problems = [
        f"{LABELS}: clip {key} is in neither of the lists in partitions/; complete them"
        for key in sorted(set(rows.sample_key) - set(splits.index))
    ]
    problems += [
        f"{LABELS}: instrument {name!r} is not in {CLASS_MAP}; correct one of them"
        for name in sorted(set(rows.instrument) - set(classes))
    ]
    bad = ~rows.relevance.between(0, 1)  # a NaN is not between them either
    for i in rows.index[bad]:
        where = f"line {i}, {rows.sample_key[i]}, {rows.instrument[i]}"
        problems.append(f"{LABELS}, {where}: relevance {given[i]!r} is not 0 to 1; correct it")
    return rows, problems


def _count_problems(facts: dict, expect: Mapping) -> list[str]:
    found, wanted = facts["n_labels"], expect.get("n_labels", facts["n_labels"])
    return [] if found == wanted else [f"{found} labels, the pinned corpus has {wanted}"]


def _classes_without_positive(training: pd.DataFrame) -> list[str]:
    return [
        f"no training clip has a label 1 for {name}; a classifier could not learn it"
        for name in training
        if not (training[name] == 1).any()
    ]


def _warn_of_unlabelled(table: pd.DataFrame) -> int:
    unlabelled = table.index[table.isna().all(axis=1)]
    if len(unlabelled):
        log.warning(
            "%d clips have no label: they count in no loss and no score, e.g. %s",
            len(unlabelled),
            ", ".join(unlabelled[:5]),
        )
    return len(unlabelled)


def _assemble(
    splits: pd.Series, paths: dict[str, str], table: pd.DataFrame, clips: dict[str, dict]
) -> pd.DataFrame:
    keys = splits.index
    front = pd.DataFrame({"clip": keys, "path": [paths[key] for key in keys], "split": splits})
    details = pd.DataFrame([clips[paths[key]] for key in keys], index=keys)
    index = pd.concat([front, table.add_prefix(LABEL), details], axis=1).reset_index(drop=True)
    track = index["clip"].str.partition("_")[0]
    index.insert(2, "source", common_sources(index["clip"], track, index["sha256"]))
    return index
