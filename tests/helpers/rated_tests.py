"""A small listening test as its pack says it, and answers to it, also as webMUSHRA saves them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from l2i.listening_test.naming import LABELS, test_id
from l2i.listening_test.participants import plan_participants
from l2i.listening_test.ratings import Asked, read_asked
from l2i.listening_test.simulated import simulate
from l2i.tables import write_rows

SYSTEMS = ["slime", "l2i_att"]


def small_pack(
    folder: Path,
    classes: tuple[str, ...] = ("dog", "music"),
    *,
    n_stimuli: int = 8,
    n_participants: int = 6,
    per_participant: int = 4,
) -> Path:
    """What of a pack the answers are held against."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"s{i:02d}" for i in range(1, n_stimuli + 1)]
    of = {name: classes[i % len(classes)] for i, name in enumerate(names)}
    clips = [f"clip-{name}" for name in names]
    stimuli = pd.DataFrame({"stimulus": names, "clip": clips, "class": of.values()})
    write_rows(stimuli, folder / "stimuli.csv")
    plan = plan_participants(
        of, SYSTEMS, n_participants=n_participants, per_participant=per_participant, seed=0
    )
    write_rows(plan, folder / "participants.csv")
    return folder


def small_test(folder: Path, *args, **options) -> Asked:
    """The same, read."""
    return read_asked(small_pack(folder, *args, **options), SYSTEMS)


def answers_to(asked: Asked, seed: int = 0, *, by: float = 12.0, real: bool = True) -> pd.DataFrame:
    """Answers of all participants; `real` ones are as the page of the test writes them."""
    n = len(asked.n_trials)
    random = np.random.default_rng(seed)
    answers = simulate(asked, n_participants=n, better="l2i_att", by=by, random=random)
    return answers.assign(simulated="false") if real else answers


def save_by_participant(answers: pd.DataFrame, folder: Path, test: str) -> list[Path]:
    """A file for each, as the page names them."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for person, rows in answers.groupby("participant"):
        paths.append(folder / f"ratings_{test}_{person}.csv")
        rows.to_csv(paths[-1], index=False)
    return paths


def as_webmushra(answers: pd.DataFrame) -> pd.DataFrame:
    """The same as service/write.php of webMUSHRA appends it, hidden reference included."""
    rows = []
    for (person, stimulus), trial in answers.groupby(["participant", "stimulus"], sort=False):
        rated = dict(zip(trial["label"], trial["rating"], strict=True))
        session = test_id(trial["test"].iloc[0], person)
        ms = round(1000 * trial["seconds"].iloc[0])
        sounds = {"reference": 97, **{label: rated[label] for label in LABELS if label in rated}}
        rows += [(session, stimulus, sound, score, ms, "") for sound, score in sounds.items()]
    columns = ["session_test_id", "trial_id", "rating_stimulus", "rating_score", "rating_time"]
    return pd.DataFrame(rows, columns=[*columns, "rating_comment"])
