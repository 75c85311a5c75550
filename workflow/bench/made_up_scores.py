"""Files of the paper's size, as jobs of evaluation would leave them; their numbers are made up.

Each is made of the job of the workflow that would write it: its wildcards and its settings. Numbers
of clips, classes and sources are those of the corpora.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from l2i.datasets.sonyc_ust import CLASSES as SONYC_UST
from l2i.evaluation.class_tree import DISTANCE
from l2i.evaluation.coherence import ALL
from l2i.reporting.removals import NOTHING, RELEVANT
from l2i.tables import write_rows


@dataclass(frozen=True)
class Corpus:
    """How large a corpus is: test clips of a fold, their sources, classes, what is observed."""

    n_clips: int
    n_sources: int
    classes: tuple[str, ...]
    multi_label: bool = True
    observed: float = 1.0  # of the labels

    def scaled(self, share: float) -> Corpus:
        """A smaller one."""
        n_clips, n_sources = (max(8, round(share * n)) for n in (self.n_clips, self.n_sources))
        return Corpus(n_clips, n_sources, self.classes, self.multi_label, self.observed)


CORPORA = {
    "esc50": Corpus(400, 270, tuple(f"class_{i:02d}" for i in range(50)), multi_label=False),
    "sonyc_ust": Corpus(664, 50, tuple(SONYC_UST)),
    "openmic": Corpus(5085, 5085, tuple(f"instrument_{i:02d}" for i in range(20)), observed=0.1),
}
N_CELLS, N_COLUMNS = 15_360, 6_400  # pictured of a clip, and of dictionaries
STAGES = ("head", "B6", "B5", "B4", "B3", "B2", "B1")  # of the classifier, as they are shuffled


@dataclass(frozen=True)
class Made:
    """What a job would write: its rule, wildcards and settings, on a corpus."""

    rule: str
    wildcards: Mapping[str, str]
    settings: Mapping[str, Any]
    corpus: Corpus

    @property
    def random(self) -> np.random.Generator:
        """The same for the same file."""
        return self._random(self.rule, *self.wildcards.values())

    def _random(self, *names: str) -> np.random.Generator:
        return np.random.default_rng(zlib.crc32(" ".join(names).encode()))

    @property
    def shared(self) -> np.random.Generator:
        """The same for all systems of a fold: what is the corpus's and the classifier's."""
        return self._random(self.wildcards["dataset"], self.wildcards.get("fold", ""))

    def clips(self) -> pd.DataFrame:
        """One row per test clip, with what each file says of it."""
        fold, n = self.wildcards["fold"], self.corpus.n_clips
        # Each source has a clip, the others fall as they may.
        more = self.shared.integers(self.corpus.n_sources, size=n - self.corpus.n_sources)
        source = np.concatenate([np.arange(self.corpus.n_sources), more])
        rows = {
            "dataset": self.wildcards["dataset"],
            "fold": fold,
            "source": [f"{fold}{number:06d}" for number in source],
        }
        for name in ("system", "variant", "run"):
            if name in self.wildcards:
                rows[name] = self.wildcards[name]
        return pd.DataFrame(rows | {"clip": [f"{fold}-{i:06d}-A" for i in range(n)]})

    def tags(self, random: np.random.Generator) -> np.ndarray:
        """Probabilities (N, C) that seldom reach a half, in the four-byte format of networks."""
        shape = len(self.clips()), len(self.corpus.classes)
        return random.beta(0.4, 2.5, shape).astype(np.float32)

    def by_class(self, **matrices: np.ndarray) -> pd.DataFrame:
        """Matrices (N, C) as columns `{name}_{class}`."""
        return pd.DataFrame(
            {
                f"{name}_{label}": values[:, c]
                for name, values in matrices.items()
                for c, label in enumerate(self.corpus.classes)
            }
        )

    def decisions(self) -> tuple[np.ndarray, np.ndarray]:
        """Clip (n,) and class (n,) of all that a classifier decides for."""
        if self.corpus.multi_label:
            clip, of = np.nonzero(self.tags(self.shared) > 0.5)
            return clip, of
        n = self.corpus.n_clips
        return np.arange(n), self.shared.integers(len(self.corpus.classes), size=n)

    def decided(self) -> pd.DataFrame:
        """One row per clip and class that is decided for."""
        clip, of = self.decisions()
        rows = self.clips().iloc[clip].reset_index(drop=True)
        return rows.assign(**{"class": np.array(self.corpus.classes)[of]})


def classification(made: Made) -> pd.DataFrame:
    """classification.csv, of a classifier or of a system that predicts by itself."""
    rows, random, n = made.clips(), made.random, made.corpus.n_clips
    if made.corpus.multi_label:
        own = made.tags(made.shared) if "system" not in made.wildcards else made.tags(random)
        tags = {"label": _labels(made), "probability": own, "decided": (own > 0.5).astype(int)}
        return pd.concat([rows, made.by_class(**tags)], axis=1)
    label, predicted = made.shared.integers(50, size=n), random.integers(50, size=n)
    predicted = np.where(random.random(n) < 0.8, label, predicted)
    scores = {"label": label, "predicted": predicted, "probability": _single(random, n)}
    return rows.assign(
        **scores, correct=(label == predicted).astype(int), cross_entropy=_single(random, n)
    )


def fidelity(made: Made) -> pd.DataFrame:
    """fidelity.csv."""
    rows, random, n = made.clips(), made.random, made.corpus.n_clips
    if made.corpus.multi_label:
        theirs = made.tags(made.shared)
        estimate = np.clip(theirs + random.normal(0, 0.2, theirs.shape), 0, 1).astype(np.float32)
        tags = {"label": _labels(made), "classifier": theirs, "decided": (theirs > 0.5).astype(int)}
        scores = made.by_class(**tags, interpreter=estimate)
    else:
        decided = made.decisions()[1]
        scores = pd.DataFrame(
            {
                "label": made.shared.integers(50, size=n),
                "classifier_class": decided,
                "interpreter_class": np.where(random.random(n) < 0.7, decided, 0),
                "rank": random.geometric(0.7, n),
                "classifier_probability": _single(random, n),
                "interpreter_probability": _single(random, n),
            }
        )
    losses = {f"{name}_loss": _single(random, n) for name in ("fidelity", "reconstruction")}
    return pd.concat([rows, scores, pd.DataFrame(losses)], axis=1)


def faithfulness(made: Made) -> pd.DataFrame:
    """faithfulness.csv: of each decision, the removals that the settings ask for."""
    rows, said = made.decided(), made.settings["random"]
    removals: list[tuple[str, float, int]] = [(NOTHING, np.nan, 0)]
    removals += [(RELEVANT, threshold, 0) for threshold in made.settings["thresholds"]]
    removals += [
        (f"random_{baseline}", said["threshold"], draw)
        for baseline, draw in product(said["baselines"], range(said["n_draws"]))
    ]
    rows = rows.loc[rows.index.repeat(len(removals))].reset_index(drop=True)
    names, thresholds, draws = zip(*removals * (len(rows) // len(removals)), strict=True)
    random, n = made.random, len(rows)
    rows = rows.assign(removal=names, threshold=thresholds, draw=draws, matched=1)
    removed, share = random.integers(0, 30, n), random.random(n)
    before, drop = _single(random, n), np.round(random.normal(0.05, 0.2, n), 16)
    return rows.assign(
        **{"n_removed": removed, "energy_removed": share, "probability_before": before},
        **{"probability_after": before - drop, "probability_drop": drop, "logit_drop": 5 * drop},
    )


def masks(made: Made) -> pd.DataFrame:
    """masks.csv of a system, or of a method that asks the classifier alone."""
    rows, operators = made.decided(), made.settings["operators"]
    # The first clips stand for those that are drawn, the same of all systems.
    kept = rows["clip"].drop_duplicates().iloc[: made.settings["n_clips"]]
    rows = rows[rows["clip"].isin(kept)].reset_index(drop=True)
    rows = rows.loc[rows.index.repeat(len(operators))].reset_index(drop=True)
    random, n = made.random, len(rows)
    rows = rows.assign(operator=np.tile(operators, n // len(operators)))
    shares = (
        *("probability_before", "probability_in", "probability_out", "probability_drop"),
        *("relative_drop", "relative_gain", "insertion", "deletion", "sparseness", "complexity"),
    )
    rows = rows.assign(**{name: random.random(n) for name in shares})
    flags = {name: random.integers(2, size=n) for name in ("increase", "decided_in", "empty")}
    return rows.assign(**flags, energy_kept=random.random(n))


def corruption(made: Made) -> pd.DataFrame:
    """corruption.csv of a system."""
    rows = made.clips()
    conditions = [*product(("noise", "class"), map(float, made.settings["snr_db"]))]
    rows = rows.loc[rows.index.repeat(len(conditions))].reset_index(drop=True)
    random, n = made.random, len(rows)
    kinds, ratios = zip(*conditions * (n // len(conditions)), strict=True)
    rows = rows.assign(kind=kinds, snr_db=ratios, predictor="classifier")
    rows["class"] = "class_00"
    flags = ("right_when_clean", "survives", "empty")
    sizes = ("mixture", "interpretation", "mixture_other", "remainder")
    return rows.assign(
        **{name: random.integers(2, size=n) for name in flags},
        **{f"{name}_si_sdr": random.normal(0, 5, n) for name in sizes},
        **{f"{name}_improvement": random.normal(0, 5, n) for name in sizes[1::2]},
    )


def sanity(made: Made) -> pd.DataFrame:
    """sanity.csv: every draw of every step of the cascade."""
    steps = [("nothing", 0)]
    cascade = ["+".join(STAGES[: i + 1]) for i in range(len(STAGES))]
    steps += [*product(cascade, range(made.settings["n_draws"]))]
    parts = []
    for step, draw in steps:
        rows, random, n = made.decided(), made._random(step, str(draw)), made.corpus.n_clips
        shares = ("correlation", "overlap", "top_same", "probability_drop")
        numbers = {name: random.random(n) for name in shares}
        flags = {name: random.integers(2, size=n) for name in ("followed", "decided", "n_selected")}
        parts.append(rows.assign(shuffled=step, draw=draw, **numbers, **flags))
    return pd.concat(parts, ignore_index=True)


def relevances(made: Made) -> pd.DataFrame:
    """relevances.csv, with or without activations exchanged."""
    rows = made.decided()
    vectors = np.round(made.random.normal(size=(len(rows), 100)), 6)
    return rows.join(pd.DataFrame(vectors, columns=[f"r_{i:03d}" for i in range(100)]))


def relevance_points(made: Made) -> pd.DataFrame:
    """relevance_points.csv: of each class as many as are shown."""
    rows = made.decided()
    if (shown := made.settings.get("shown_per_class")) is not None:
        rows = rows.groupby("class").head(shown)
    places = {name: made.random.normal(size=len(rows)) for name in "xy"}
    return rows[["clip", "class"]].assign(**places)


def coherence(made: Made) -> pd.DataFrame:
    """coherence.csv."""
    names = ("silhouette", "purity", "purity_chance", "silhouette_exchanged", "purity_exchanged")
    rows = pd.DataFrame(
        {"dataset": made.wildcards["dataset"], "class": [*made.corpus.classes, ALL]}
    )
    rows = rows.assign(n_vectors=100, **{name: made.random.random(len(rows)) for name in names})
    return rows.assign(n_neighbors=5, n_drawn=25, n_left_out=0)


def class_distances(made: Made) -> pd.DataFrame:
    """class_distances.csv: between points of a line, so that a tree can be made of them."""
    names = made.corpus.classes
    place = np.arange(len(names), dtype=float)
    rows = pd.DataFrame(np.abs(place[:, None] - place), columns=[DISTANCE + name for name in names])
    rows.insert(0, "class", names)
    return rows


def history(made: Made) -> pd.DataFrame:
    """history.csv of a classifier or system, of fifty epochs."""
    random = np.random.default_rng(0)
    losses = ("total", "fidelity", "reconstruction", "sparsity", "seconds", "seconds_waiting")
    return pd.DataFrame({"epoch": range(1, 51)} | {name: random.random(50) for name in losses})


def pictured(name: str) -> pd.DataFrame:
    """cells.csv, clip.csv or columns.csv of what is pictured."""
    random = np.random.default_rng(0)
    if name == "clip.csv":
        return pd.DataFrame({"clip": ["a"], "class": ["class_00"], "probability": [0.9]})
    if name == "cells.csv":
        time, frequency = divmod(np.arange(N_CELLS), 128)
        levels = ("input_db", "mask", "interpretation_db", "remainder_db")
        cells = {"time_s": time / 80, "frequency_hz": 45 * 1.05**frequency}
        return pd.DataFrame(cells | {each: random.random(N_CELLS) for each in levels})
    component, frequency = divmod(np.arange(N_COLUMNS), 64)
    columns = pd.DataFrame({"place": component + 1, "component": component, "active": 1})
    return columns.assign(
        centroid_hz=100.0 + component,
        frequency_hz=45 * 1.1**frequency,
        level_db=-80 * random.random(N_COLUMNS),
        dataset="esc50",
    )


Maker = Callable[[Made], pd.DataFrame]
MAKERS: Mapping[str, Maker] = {
    "classification.csv": classification,
    "fidelity.csv": fidelity,
    "faithfulness.csv": faithfulness,
    "masks.csv": masks,
    "corruption.csv": corruption,
    "sanity.csv": sanity,
    "relevances.csv": relevances,
    "relevances_exchanged.csv": relevances,
    "relevance_points.csv": relevance_points,
    "coherence.csv": coherence,
    "class_distances.csv": class_distances,
    "history.csv": history,
}


def write_made_up(path: Path, made: Made) -> None:
    """Write what the job would leave at this path.

    Raises
    ------
    KeyError
        A file of which nothing is known here: write how it looks, or its table is not measured.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.name == "classes.json":
        path.write_text(json.dumps(made.corpus.classes), encoding="utf-8")
    elif path.parent.name == "pictured":
        write_rows(pictured(path.name), path)
    elif path.parent.name == "references":
        names = [name for name in made.settings["references"] if name != "mixture"]
        parts = [corruption(made).assign(system=name) for name in names]
        write_rows(pd.concat(parts, ignore_index=True), path)
    else:
        rows = MAKERS[path.name](made)
        if (
            path.name == "masks.csv" and "system" not in made.wildcards
        ):  # of one job for all methods
            rows.insert(3, "system", path.parents[2].name)
            rows.insert(4, "variant", "default")
        write_rows(rows, path)


def _labels(made: Made) -> np.ndarray:
    random = made._random("labels", made.wildcards["dataset"])
    shape = made.corpus.n_clips, len(made.corpus.classes)
    labels = (random.random(shape) < 0.3).astype(float)
    return np.where(random.random(shape) < made.corpus.observed, labels, np.nan)


def _single(random: np.random.Generator, n: int) -> np.ndarray:
    return random.random(n).astype(np.float32)
