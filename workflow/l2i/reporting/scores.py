"""Numbers of Tables I, IV, VI, VII and VIII from the rows of clips.

Data sets with one class a clip have columns for the clip's class. Data sets with several labels
have columns for each class: ``label_<class>`` (1, 0, empty where nobody looked) and
``decided_<class>`` (1, 0: the classifier's decision), with ``probability_<class>`` of the
classifier in classification.csv, and with ``classifier_<class>`` and ``interpreter_<class>`` in
fidelity.csv.

What a data set is scored by is its ``metric``: ``accuracy``, ``auprc`` or ``f1``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from l2i.checks import InputError
from l2i.metrics import (
    GRID_7,
    GRID_11,
    ClassMetric,
    auprc,
    auprc_on_grid,
    average_precision,
    f1_tallies,
    macro,
    macro_f1,
    max_f1,
    mean_macro_f1,
    mean_weighted_f1,
    micro,
    micro_auprc,
    weighted_f1,
)
from l2i.names import LABEL
from l2i.reporting.beside_paper import (
    condition_text,
    measure_difference,
    measure_score,
    measure_share,
)
from l2i.reporting.permutation import exchange_p, sign_flip_p
from l2i.reporting.statistics import Metric, OfSums, mean, paired_difference, values_of
from l2i.thresholds import INTERPRETER_DECIDES

# Reference and estimate (N, n_classes) of the clips for some classes.
Sides = Callable[[pd.DataFrame, Sequence[str]], tuple[np.ndarray, np.ndarray]]
CLASS_MEANS: Mapping[str, ClassMetric] = {
    "macro_auprc": auprc,
    "macro_auprc_7": partial(auprc_on_grid, grid=GRID_7),
    "macro_auprc_11": partial(auprc_on_grid, grid=GRID_11),
    "mean_average_precision": average_precision,
}
# Means over classes of what sums of tallies give.
OF_TALLIES: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "avg_weighted_f1": mean_weighted_f1,
    "avg_macro_f1": mean_macro_f1,
}
POOLED: Mapping[str, ClassMetric] = {
    "micro_auprc": micro_auprc,
    "micro_auprc_11": partial(micro, auprc_on_grid, grid=GRID_11),
    "max_f1_7": partial(micro, max_f1, grid=GRID_7),
    "max_f1_11": partial(micro, max_f1, grid=GRID_11),
}
OF_ORDER = ("mean_average_precision",)  # metrics of no more than the order of scores
# Metrics that clips without a class tell as much of as those that hold one.
OF_BOTH_SIGNS = ("avg_weighted_f1", "weighted_f1")
# Metric of one class -> the same under its name in the table of classes.
OF_ONE_CLASS: Mapping[str, Mapping[str, ClassMetric]] = {
    "auprc": {"auprc": auprc, "average_precision": average_precision},
    "f1": {"weighted_f1": weighted_f1, "macro_f1": macro_f1},
}


@dataclass(frozen=True)
class Score:
    """One number of a table that clips only have together, such as an area under a curve.

    `metric` and `condition` are its key, `value` is how clips give it, and `informative` which of
    them it rests on, all if None.
    """

    metric: str
    condition: str
    value: Metric
    informative: Callable[[pd.DataFrame], np.ndarray] | None = None

    def number(self, clips: pd.DataFrame, **how: Any) -> dict[str, float]:
        """What one system has; `how` are statistics and seed of `measure_score`."""
        return measure_score(clips, self.value, informative=self.informative, **how)

    def difference(self, clips: pd.DataFrame, other: pd.DataFrame, **how: Any) -> dict[str, float]:
        """How far one system is from another on the same clips."""
        return measure_difference(clips, other, self.value, **how)

    def p(self, clips: pd.DataFrame, other: pd.DataFrame, **how: int) -> float:
        """Whether that may be chance: see `l2i.reporting.permutation.exchange_p`."""
        if self.metric in OF_ORDER:
            clips, other = ranked(clips), ranked(other)
        return exchange_p(clips, other, self.value, **how)


@dataclass(frozen=True)
class ClipScore:
    """As `Score`, where every clip has a value, in percent, and the number is their mean."""

    metric: str
    condition: str
    values: Callable[[pd.DataFrame], pd.Series]

    def number(self, clips: pd.DataFrame, **how: Any) -> dict[str, float]:
        """What one system has; `how` are statistics and seed of `measure_share`."""
        return measure_share(self._by_clip(clips), **how)

    def difference(self, clips: pd.DataFrame, other: pd.DataFrame, **how: Any) -> dict[str, float]:
        """How far one system is from another on the same clips."""
        sides = self._by_clip(clips), self._by_clip(other)
        return measure_difference(*sides, mean, full=100.0, **how)

    def p(self, clips: pd.DataFrame, other: pd.DataFrame, **how: int) -> float:
        """Whether that may be chance: see `l2i.reporting.permutation.sign_flip_p`."""
        return sign_flip_p(paired_difference(self._by_clip(clips), self._by_clip(other)), **how)

    def _by_clip(self, clips: pd.DataFrame) -> pd.DataFrame:
        return values_of(clips, self.values(clips))


def compared_by(scores: Sequence[Score] | Sequence[ClipScore]) -> Score | ClipScore:
    """The one of the scores of a table that systems are compared by.

    Its difference is printed, with its interval and its p. It is the first one, but for areas under
    curves, where it is average precision: those of DCASE depend on how high scores are, and not on
    their order alone, so that exchanged answers of systems on different scales would tell nothing.
    """
    of_order = [each for each in scores if each.metric in OF_ORDER]
    return [*of_order, *scores][0]


def ranked(clips: pd.DataFrame) -> pd.DataFrame:
    """The same clips with a system's scores of each class as ranks, between 0 and 1.

    Average precision depends on the order of scores alone, so that it is the same of ranks.
    Exchanging the scores themselves would mix two scales: systems that order clips alike, but are
    sure of themselves to different degrees, would seem to differ by chance.
    """
    scores = [name for name in clips if name.startswith(("probability_", "interpreter_"))]
    groups = clips.groupby([name for name in ("fold", "run") if name in clips])[scores]
    ranks = groups.rank() / (groups.transform("size").to_numpy()[:, None] + 1)
    return clips.assign(**{name: ranks[name] for name in scores})


def class_names(clips: pd.DataFrame) -> list[str]:
    """Classes of a data set with several labels a clip, in their order."""
    return [name.removeprefix(LABEL) for name in clips.columns if name.startswith(LABEL)]


def classes_without(clips: pd.DataFrame, column: str) -> list[str]:
    """Classes that no clip holds by its `column`, label or decided: areas leave them out."""
    return [name for name in class_names(clips) if not (clips[f"{column}_{name}"] == 1).any()]


# ---------------------------------------------------------------- one class a clip


def correct_in_percent(clips: pd.DataFrame) -> pd.Series:
    """100 where the classifier is right, else 0; NaN where it failed.

    A classifier that diverged still predicts some class; its probability tells.
    """
    return (100.0 * clips["correct"]).mask(clips["probability"].isna())


def hits_in_percent(clips: pd.DataFrame, k: int) -> pd.Series:
    """100 where the classifier's class is among the interpreter's first k, else 0.

    NaN where a network failed: it still ranks classes somehow; its probability tells.
    """
    failed = clips[["classifier_probability", "interpreter_probability"]].isna().any(axis=1)
    return (100.0 * (clips["rank"] <= k)).mask(failed | clips["rank"].isna())


def top_k_fidelity(k: int) -> ClipScore:
    """Share of clips whose class, as the classifier sees it, is among the interpreter's first k."""
    return ClipScore(f"top_{k}_fidelity", "", partial(hits_in_percent, k=k))


def as_classification(clips: pd.DataFrame) -> pd.DataFrame:
    """Rows of fidelity.csv as those of classification.csv: an interpreter judged by the labels.

    Such is L2I-PostHoc of Table VIII. As for fidelity, the interpreter decides for its likeliest
    class, or for every class from a probability of 0.5 on.
    """
    key = clips[["dataset", "fold", "source", "system", "variant", "run", "clip"]]
    if not (classes := class_names(clips)):
        return key.assign(
            label=clips["label"],
            predicted=clips["interpreter_class"],
            probability=clips["interpreter_probability"],
            correct=(clips["interpreter_class"] == clips["label"]).astype(int),
        )
    estimates = _columns(clips, "interpreter", classes)
    tables = [clips[[LABEL + name for name in classes]]]
    for column, values in (
        ("probability", estimates),
        ("decided", (estimates >= INTERPRETER_DECIDES).astype(int)),
    ):
        names = [f"{column}_{name}" for name in classes]
        tables.append(pd.DataFrame(values, index=clips.index, columns=names))
    return pd.concat([key, *tables], axis=1)


# ---------------------------------------------------------------- several labels a clip


def labels_and_probabilities(
    clips: pd.DataFrame, classes: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """What annotators heard, and the classifier's probability."""
    return _columns(clips, "label", classes), _columns(clips, "probability", classes)


def labels_and_decisions(
    clips: pd.DataFrame, classes: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """What annotators heard, and what the classifier decides; NaN where it failed."""
    failed = np.isnan(_columns(clips, "probability", classes))
    decisions = np.where(failed, np.nan, _columns(clips, "decided", classes))
    return _columns(clips, "label", classes), decisions


def decisions_and_estimates(
    clips: pd.DataFrame, classes: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """What the classifier decides, and the interpreter's probability; NaN where either failed."""
    failed = np.isnan(_columns(clips, "classifier", classes))
    estimates = np.where(failed, np.nan, _columns(clips, "interpreter", classes))
    return _columns(clips, "decided", classes), estimates


def decisions_of_both(
    clips: pd.DataFrame, classes: Sequence[str], *, observed: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """What the classifier decides, and what the interpreter would; on `observed` labels or all."""
    decided, estimates = decisions_and_estimates(clips, classes)
    if observed:
        decided = np.where(np.isnan(_columns(clips, "label", classes)), np.nan, decided)
    decisions = np.where(np.isnan(estimates), np.nan, estimates >= INTERPRETER_DECIDES)
    return decided, decisions


def classification_scores(
    metric: str, classes: Sequence[str], excluded: Sequence[str]
) -> list[Score] | list[ClipScore]:
    """Rows of Tables I and VIII: over all classes, and, where there are any, without `excluded`.

    Parameters
    ----------
    metric : str
        ``accuracy``, ``auprc`` or ``f1``.
    classes : sequence of str
        Of the data set, where several may be right.
    excluded : sequence of str
        Those that class-wise means are given without.

    Raises
    ------
    InputError
        If `excluded` names no class of the data set.
    """
    if metric == "accuracy":
        return [ClipScore("accuracy", "", correct_in_percent)]
    kept = _kept(classes, excluded)
    sets = {"": classes}
    if excluded:
        sets[condition_text({"excluded": list(excluded)})] = kept
    if metric == "f1":
        return _means(["avg_weighted_f1", "avg_macro_f1"], labels_and_decisions, sets)
    return [
        *_means(["macro_auprc"], labels_and_probabilities, sets),
        *_pooled(["micro_auprc"], labels_and_probabilities, classes),
        *_means(["macro_auprc_7", "mean_average_precision"], labels_and_probabilities, sets),
        *_pooled(["max_f1_7"], labels_and_probabilities, classes),
    ]


def fidelity_scores(
    metric: str, classes: Sequence[str], excluded: Sequence[str]
) -> list[Score] | list[ClipScore]:
    """Rows of Table IV: without `excluded`, and over all classes; see `classification_scores`.

    F1 is taken over all clips, since the classifier decides on all, and, with the condition
    ``labels=observed``, over those that annotators labelled.
    """
    if metric == "accuracy":
        return [top_k_fidelity(1)]
    sets: dict[str, Sequence[str]] = {"": _kept(classes, excluded)}
    if excluded:
        sets[condition_text({"classes": "all"})] = classes
    if metric == "f1":
        names = ["avg_weighted_f1", "avg_macro_f1"]
        observed = partial(decisions_of_both, observed=True)
        some = {", ".join(filter(None, [c, "labels=observed"])): s for c, s in sets.items()}
        return [*_means(names, decisions_of_both, sets), *_means(names, observed, some)]
    return [
        *_means(["macro_auprc"], decisions_and_estimates, sets),
        *_pooled(["micro_auprc"], decisions_and_estimates, classes),
        *_means(["macro_auprc_11"], decisions_and_estimates, sets),
        *_pooled(["micro_auprc_11"], decisions_and_estimates, classes),
        *_means(["mean_average_precision"], decisions_and_estimates, sets),
        *_pooled(["max_f1_11"], decisions_and_estimates, classes),
    ]


def class_scores(metric: str, name: str, *, of_interpreter: bool) -> list[Score]:
    """How well the classifier hears one class, or how well an interpreter follows it there."""
    sides = {
        ("auprc", False): labels_and_probabilities,
        ("auprc", True): decisions_and_estimates,
        ("f1", False): labels_and_decisions,
        ("f1", True): decisions_of_both,
    }[metric, of_interpreter]
    return [
        _score(title, "", partial(macro, of_class), sides, [name])
        for title, of_class in OF_ONE_CLASS[metric].items()
    ]


def _columns(clips: pd.DataFrame, quantity: str, classes: Sequence[str]) -> np.ndarray:
    return clips[[f"{quantity}_{name}" for name in classes]].to_numpy(dtype=float)


def _kept(classes: Sequence[str], excluded: Sequence[str]) -> list[str]:
    unknown = [name for name in excluded if name not in classes]
    kept = [name for name in classes if name not in excluded]
    if unknown or not kept:
        raise InputError(
            f"excluded_classes must name some of the classes {', '.join(classes)}, and not all; "
            f"got {', '.join(excluded)}"
        )
    return kept


def _means(metrics: Sequence[str], sides: Sides, sets: Mapping[str, Sequence[str]]) -> list[Score]:
    return [
        _tallied(metric, condition, sides, classes)
        if metric in OF_TALLIES
        else _score(metric, condition, partial(macro, CLASS_MEANS[metric]), sides, classes)
        for metric in metrics
        for condition, classes in sets.items()
    ]


def _pooled(metrics: Sequence[str], sides: Sides, classes: Sequence[str]) -> list[Score]:
    return [_score(metric, "", POOLED[metric], sides, classes) for metric in metrics]


def _score(
    name: str, condition: str, metric: ClassMetric, sides: Sides, classes: Sequence[str]
) -> Score:
    def value(clips: pd.DataFrame, counts: np.ndarray) -> np.ndarray:
        return metric(*sides(clips, classes), counts)

    return Score(name, condition, value, _informative(name, sides, classes))


def _tallied(name: str, condition: str, sides: Sides, classes: Sequence[str]) -> Score:
    def terms(clips: pd.DataFrame) -> np.ndarray:
        return f1_tallies(*sides(clips, classes))

    value = OfSums(terms, OF_TALLIES[name])
    return Score(name, condition, value, _informative(name, sides, classes))


def _informative(
    name: str, sides: Sides, classes: Sequence[str]
) -> Callable[[pd.DataFrame], np.ndarray] | None:
    def holds_any(clips: pd.DataFrame) -> np.ndarray:
        return (sides(clips, classes)[0] == 1).any(axis=1)

    return None if name in OF_BOTH_SIGNS else holds_any
