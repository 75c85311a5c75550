"""SONYC-UST and corpora in its layout: a table of clips with eight labels each.

The layout is `annotations.csv` beside `audio/*.wav`. A row of the table is what one annotator said
of one clip: annotators above 0 are volunteers, those below 0 members of the SONYC team, who look
at one class at a time and leave the others at -1, and 0 is what the team agreed upon.
M. Cartwright et al., "SONYC-UST-V2: An Urban Sound Tagging Dataset with Spatiotemporal Context",
DCASE Workshop 2020.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from l2i.checks import InputError, raise_all
from l2i.datasets.clips import common_sources, examine, identical_clips
from l2i.datasets.pins import changed_files
from l2i.datasets.sound_files import audio_files, unmatched
from l2i.datasets.spreadsheets import numbers as as_numbers
from l2i.datasets.spreadsheets import read_table, whole
from l2i.names import LABEL, why_unshowable

SPLIT = "official"
LABELLING = "multiple"
VALIDATION = True
FILES = ["annotations.csv", "audio"]
FIGURE = "2"
OPTIONS = {
    "labels": (
        ["dcase", "authors"],
        "rule by which annotations become labels of training clips: DCASE's, or the authors'",
    ),
}
NEEDS: list[str] = []
PINS = {
    "n_clips": ("count", "clips of the corpus, those that are left out included"),
    "n_clips_per_split": ("counts", "clips of train, validate and test"),
    "n_samples": ("count", "samples of every clip"),
}
# The coarse classes in the order of the taxonomy; their columns are <number>_<class>_presence.
CLASSES = [
    "engine",
    "machinery-impact",
    "non-machinery-impact",
    "powered-saw",
    "alert-signal",
    "music",
    "human-voice",
    "dog",
]
PRESENCE = {f"{i}_{name}_presence": name for i, name in enumerate(CLASSES, 1)}
COLUMNS = ("split", "audio_filename", "annotator_id", *PRESENCE)
SENSOR = "sensor_id"  # where the clip was recorded; a corpus of your own need not say
SPLITS = ("train", "validate", "test")

log = logging.getLogger(__name__)


def index_corpus(
    folder: str | Path, *, labels: str, expect: Mapping | None = None
) -> tuple[pd.DataFrame, list[str], dict]:
    """List and check every clip of a corpus in the layout of SONYC-UST (Sec. IV-A.2).

    Clips of validate and test get the labels that the team agreed upon; those without are left
    out, as in the DCASE challenge.

    Parameters
    ----------
    folder : str or Path
        Holds `annotations.csv` and `audio/`.
    labels : str
        Rule for training clips, "dcase" or "authors", see `training_labels`.
    expect : mapping, optional
        What a pinned download must hold: files (the pins of its tables among them), n_clips and
        n_clips_per_split (clips that are left out included) and n_samples, any of them. Without
        it neither counts nor lengths are demanded, and silent clips are refused.

    Returns
    -------
    index : pd.DataFrame
        One row per clip, sorted by clip: clip (name without suffix), path (relative to `folder`),
        source (clips of one sensor, or of identical files), split, label_<class> for each class (1,
        0, or missing where nobody looked), n_samples, sample_rate (Hz), n_channels,
        duration_seconds, maximum, sha256 (of the file).
    classes : list of str
        The coarse classes in the order of the taxonomy.
    facts : dict
        n_clips_left_out (not agreed upon), n_training_clips_without_volunteer,
        n_labels_differing_between_rules, n_identical_groups, n_identical_groups_across_splits,
        n_sources, sources_share (what makes clips one source: sensors, where the table has them).

    Raises
    ------
    InputError
        One error that lists every problem found.
    """
    folder, expect = Path(folder), expect or {}
    if labels not in ("dcase", "authors"):
        raise InputError(f"labels must be dcase or authors, got {labels!r}")
    rows, problems = read_annotations(folder)
    problems += _pin_problems(folder, rows, expect)
    files, faults = audio_files(folder)
    problems += faults + unmatched({*rows.audio_filename}, files, "annotations.csv")
    clips, facts = _labelled_clips(rows, labels)
    problems += _gaps(clips)
    paths = [files[name] for name in clips.index if name in files]
    details, faults = examine(
        folder, paths, n_samples=expect.get("n_samples"), silence_allowed=bool(expect)
    )
    raise_all(problems + faults, f"{folder} is no usable corpus in the layout of SONYC-UST")
    index = _assemble(clips, files, _sensors(rows, clips.index), details)
    known = "sensor or file" if SENSOR in rows else f"file; annotations.csv has no {SENSOR}"
    facts |= {"n_sources": index["source"].nunique(), "sources_share": known}
    return index, list(CLASSES), facts | identical_clips(details, index.set_index("path")["split"])


def read_annotations(folder: Path) -> tuple[pd.DataFrame, list[str]]:
    """Read what the annotators said, and list what is wrong with it.

    Returns
    -------
    rows : pd.DataFrame
        One row per annotation: split, audio_filename, sensor_id if the table has it, annotator_id
        and one column per class (1: present, 0: absent, -1: nobody looked). NaN where a cell that
        should hold a number does not.
    problems : list of str
        One line each.
    """
    table = read_table(folder / "annotations.csv", COLUMNS, optional=[SENSOR])
    numbers = table[["annotator_id", *PRESENCE]].apply(as_numbers)
    if SENSOR in table:
        table[SENSOR] = table[SENSOR].map(whole)
    rows = table.drop(columns=numbers.columns).join(numbers).rename(columns=PRESENCE)
    return rows, _bad_cells(table, numbers) + _bad_clips(rows)


def training_labels(rows: pd.DataFrame, rule: str) -> pd.DataFrame:
    """Labels of training clips.

    Parameters
    ----------
    rows : pd.DataFrame
        Their annotations, see `read_annotations`; those of one clip need not be neighbours.
    rule : str
        "dcase": a class is present if any volunteer says so, and missing if none looked.
        "authors": it is present if the values in all rows of the clip, the team's and their -1
        included, add up to more than 0.5.

    Returns
    -------
    pd.DataFrame
        1, 0 or NaN (missing) by clip and class, sorted by clip.
    """
    values, clip = rows[CLASSES], rows.audio_filename
    if rule == "authors":
        return (values.groupby(clip).sum() > 0.5).astype(float)
    return _observed(values[rows.annotator_id > 0].groupby(clip).max()).reindex(sorted(set(clip)))


def agreed_labels(rows: pd.DataFrame) -> pd.DataFrame:
    """Labels that the team agreed upon, by clip and class, for the clips that have them."""
    agreed = rows[rows.annotator_id == 0].drop_duplicates("audio_filename")
    return _observed(agreed.set_index("audio_filename")[CLASSES]).sort_index()


def _observed(values: pd.DataFrame) -> pd.DataFrame:
    return values.where(values >= 0).astype(float)


def _labelled_clips(rows: pd.DataFrame, rule: str) -> tuple[pd.DataFrame, dict]:
    """The clips that have labels, with their split, and facts about the choice."""
    train = rows[rows.split == "train"]
    others = rows[rows.split.isin(("validate", "test"))]
    by_rule = {name: training_labels(train, name) for name in ("dcase", "authors")}
    agreed = agreed_labels(others)
    volunteered = train[train.annotator_id > 0].audio_filename
    facts = {
        "n_clips_left_out": others.audio_filename.nunique() - len(agreed),
        "n_training_clips_without_volunteer": len(by_rule["dcase"]) - volunteered.nunique(),
        "n_labels_differing_between_rules": int(
            (by_rule["dcase"].fillna(-1) != by_rule["authors"]).to_numpy().sum()
        ),
    }
    log.info(
        "%d clips of validate and test are left out, not agreed upon; %d training clips have no "
        "volunteer; %d labels of training clips differ between the rules dcase and authors",
        *facts.values(),
    )
    clips = pd.concat([by_rule[rule], agreed])
    split_of = rows.drop_duplicates("audio_filename").set_index("audio_filename").split
    clips.insert(0, "split", split_of.reindex(clips.index))
    return clips, facts


def _bad_cells(table: pd.DataFrame, numbers: pd.DataFrame) -> list[str]:
    """Name the cells that hold none of the values they may, by their line in the file."""
    allowed = numbers[list(PRESENCE)].isin([-1, 0, 1])
    allowed["annotator_id"] = numbers.annotator_id.mod(1) == 0
    allowed["split"] = table.split.isin(SPLITS)
    rules = {"split": "one of " + ", ".join(SPLITS), "annotator_id": "an integer"}
    return [
        f"annotations.csv, line {line}: {column} is {table.at[line, column]!r}, must be "
        + rules.get(column, "-1, 0 or 1")
        for line, column in allowed.stack().pipe(lambda x: x.index[~x])
    ]


def _bad_clips(rows: pd.DataFrame) -> list[str]:
    clips = rows.groupby("audio_filename")
    n_splits = clips.split.nunique()
    problems = [f"{name}: is in more than one split" for name in n_splits.index[n_splits > 1]]
    agreed = rows[(rows.annotator_id == 0) & (rows.split != "train")]
    n_readings = agreed.drop_duplicates(["audio_filename", *CLASSES]).audio_filename.value_counts()
    problems += [
        f"{name}: has rows of annotator 0 that contradict each other; keep the right one"
        for name in sorted(n_readings.index[n_readings > 1])
    ]
    problems += [
        f"{name}: its name {fault}; rename the file, and its rows"
        for name in n_splits.index
        if (fault := why_unshowable(Path(name).stem))
    ]
    stems = pd.Series(n_splits.index).map(lambda name: Path(name).stem)
    problems += [f"clip {stem}: has more than one file" for stem in stems[stems.duplicated()]]
    return problems


def _pin_problems(folder: Path, rows: pd.DataFrame, expect: Mapping) -> list[str]:
    problems = changed_files(folder, expect.get("files", []))
    found = rows.groupby("split").audio_filename.nunique()
    wanted = expect.get("n_clips_per_split", {})
    problems += [
        f"split {split} has {found.get(split, 0)} clips, the pinned corpus has {n}"
        for split, n in wanted.items()
        if found.get(split, 0) != n
    ]
    if (n := rows.audio_filename.nunique()) != expect.get("n_clips", n):
        problems.append(f"{n} clips, the pinned corpus has {expect['n_clips']}")
    return problems


def _gaps(clips: pd.DataFrame) -> list[str]:
    problems = [
        f"split {split} has no clip with labels"
        for split in SPLITS
        if split not in set(clips.split)
    ]
    positive = (clips[clips.split == "train"][CLASSES] == 1).any()
    return problems + [
        f"no training clip is labelled with {name}; it cannot be learned"
        for name in positive.index[~positive]
    ]


def _sensors(rows: pd.DataFrame, names: pd.Index) -> list[str | None]:
    """Sensor of each file, None where the table does not say."""
    if SENSOR not in rows:
        return [None] * len(names)
    said = rows[rows[SENSOR] != ""].drop_duplicates("audio_filename")
    return [*said.set_index("audio_filename")[SENSOR].reindex(names)]


def _assemble(
    clips: pd.DataFrame,
    files: Mapping[str, str],
    sensors: list[str | None],
    details: dict[str, dict],
) -> pd.DataFrame:
    columns = {
        "clip": [Path(name).stem for name in clips.index],
        "path": [files[name] for name in clips.index],
        "split": clips.split.to_numpy(),
    }
    # Int64: integers that may be missing, written as 1, 0 and nothing.
    columns |= {LABEL + name: clips[name].astype("Int64").array for name in CLASSES}
    index = pd.DataFrame(columns)
    index = index.join(pd.DataFrame([details[path] for path in index.path]))
    source = common_sources(index["clip"], pd.Series(sensors, dtype=object), index["sha256"])
    index.insert(2, "source", source)
    return index.sort_values("clip", ignore_index=True)
