"""Agreement between a reference and an estimate: of classes, of tags, of sounds.

Several metrics of tagging share one form. `truth` says of N clips whether they hold a class: 1, 0,
or NaN where nobody looked, which leaves the clip out. `scores` are probabilities or decisions.
`counts` (B, N), how often each clip counts in each of B resamplings, gives B values at once;
without it every clip counts once and there is one value.

A class that no observed clip holds has no recall: its areas and its F1 of the authors' thresholds
are NaN, and `macro` leaves it out of its mean. (The evaluator of DCASE would give it 0.) A score
that is itself no number makes its metric NaN, and every mean over classes with it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from l2i.checks import InputError, require_shape

if TYPE_CHECKING:  # tables are made without PyTorch, whose import takes longer than their numbers
    from torch import Tensor

# Thresholds of the authors' code: for the fidelity of interpreters, and for classifiers.
GRID_11 = (0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05)
GRID_7 = (0.95, 0.9, 0.8, 0.5, 0.2, 0.1, 0.05)
LOWEST_THRESHOLD = 0.01  # of the evaluator of DCASE
SI_SDR_RANGE = (-30.0, 60.0)  # dB: a part in a thousand of an estimate, and all but a millionth

# truth (N,), scores (N,), counts (B, N) or None -> (B,), or a number without counts
ClassMetric = Callable[..., np.ndarray]


def rank_of(estimate: Tensor, reference: Tensor) -> Tensor:
    """Rank, from 1, of the reference class among the estimated scores.

    Top-k fidelity (Sec. IV-C) is the share of clips whose rank is at most k. Ties go to the lower
    class number, so that no metric depends on a sorting algorithm.

    Parameters
    ----------
    estimate : Tensor, shape (B, C)
        Scores of the interpreter.
    reference : Tensor of int64, shape (B,)
        Classes predicted by the classifier.
    """
    require_shape(reference, (len(estimate),), "reference")
    own = estimate.gather(1, reference[:, None])
    numbers = reference.new_ones(estimate.shape[1]).cumsum(0) - 1
    lower_class = numbers < reference[:, None]
    # Put so that scores that are no numbers rank last, not first.
    behind = (estimate < own) | ((estimate == own) & ~lower_class)
    return 1 + (~behind).sum(1)


def si_sdr(estimate: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux et al. 2019).

    What of an estimate lies along the reference, over what does not. No mean is taken off.

    Parameters
    ----------
    estimate, reference : (..., n_samples) array
        Leading axes are broadcast.

    Returns
    -------
    (...,) array, or a number
        inf for a multiple of the reference, -inf for what is orthogonal to it, NaN where either is
        silent: of what holds nothing, neither part has a share.

    References
    ----------
    J. Le Roux, S. Wisdom, H. Erdogan, J. R. Hershey, "SDR - half-baked or well done?", ICASSP 2019.
    """
    estimate, reference = (np.asarray(x, dtype=float) for x in (estimate, reference))
    products = (estimate * reference).sum(-1, keepdims=True)
    target = _divided(products, np.square(reference).sum(-1, keepdims=True)) * reference
    energies = [np.square(part).sum(-1) for part in (target, estimate - target)]
    with np.errstate(divide="ignore", invalid="ignore"):  # told by what is returned
        return 10 * np.log10(energies[0] / energies[1])


def bounded_si_sdr(estimate: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """:func:`si_sdr` within `SI_SDR_RANGE`, so that it can be averaged; silence has the lowest."""
    lowest, highest = SI_SDR_RANGE
    return np.nan_to_num(si_sdr(estimate, reference), nan=lowest).clip(lowest, highest)


def _of_observed(metric: ClassMetric) -> ClassMetric:
    """Reduce truth to what was observed, as numbers of clips hold it; see the head of the module.

    The metric itself gets a truth of bool and always counts, and may take each score for a number.
    """

    @functools.wraps(metric)
    def measured(
        truth: np.ndarray, scores: np.ndarray, counts: np.ndarray | None = None, **options: object
    ) -> np.ndarray:
        truth, scores = np.asarray(truth, dtype=float), np.asarray(scores, dtype=float)
        require_shape(truth, (None,), "truth")
        require_shape(scores, truth.shape, "scores")
        seen = ~np.isnan(truth)
        if not np.isin(truth[seen], (0, 1)).all():
            raise InputError("truth must be 1, 0, or NaN where it is not observed")
        weights = np.ones((1, len(truth))) if counts is None else np.asarray(counts, dtype=float)
        require_shape(weights, (None, len(truth)), "counts")
        if not seen.any() or np.isnan(scores[seen]).any():
            values = np.full(len(weights), np.nan)
        else:
            weights = weights if seen.all() else weights[:, seen]
            values = metric(truth[seen] == 1, scores[seen], weights, **options)
        return values[0] if counts is None else values

    return measured


@_of_observed
def auprc(truth: np.ndarray, scores: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Area under the precision-recall curve of one class, as the evaluator of DCASE 2020 task 5.

    One point for every score of at least 0.01, and one for threshold 1, in falling order of
    thresholds, between (recall 0, precision 1) and (1, 0); trapezoids. Threshold 1 gives (0, 0)
    where no score reaches it, so that a perfect ranking of n positives has 1 - 1 / (2n), and one
    that gives them all the same score a half. A clip that counts more than once is as many clips
    that come one after the other, and not a tie, which this curve would punish.

    Parameters
    ----------
    truth, scores : (N,) array
    counts : (B, N) array, optional
        See the head of the module.

    Returns
    -------
    (B,) array, or a number without `counts`
    """
    return _area(*_official_points(truth, scores, counts))


@_of_observed
def _auprc_of_pairs(truth: np.ndarray, scores: np.ndarray, counts: np.ndarray) -> np.ndarray:
    precision, recall = (points[..., ::-1] for points in _official_points(truth, scores, counts))
    order = np.argsort(recall, axis=-1, kind="stable")
    return _area(*(np.take_along_axis(p, order, axis=-1) for p in (precision, recall)))


def micro_auprc(
    truth: np.ndarray, scores: np.ndarray, counts: np.ndarray | None = None
) -> np.ndarray:
    """Area under the curve of all pairs of clip and class, as the evaluator of DCASE.

    The points are those of `auprc`, but within equal recall they come in rising order of
    thresholds: the evaluator sorts its rising thresholds by recall, with a sort that leaves the
    order of ties to chance. Keeping them as they come is within 1e-5 of it; falling order, as
    within a class, would be up to a few thousandths higher.

    Parameters
    ----------
    truth, scores : (N, C) array
    counts : (B, N) array, optional
    """
    return micro(_auprc_of_pairs, truth, scores, counts)


@_of_observed
def auprc_on_grid(
    truth: np.ndarray, scores: np.ndarray, counts: np.ndarray, *, grid: Sequence[float]
) -> np.ndarray:
    """Area under the precision-recall curve at a few thresholds, as in the authors' code.

    A score counts as positive strictly above a threshold, and precision is 1 where none is. Ends
    as in `auprc`.

    Parameters
    ----------
    truth, scores, counts
        See the head of the module.
    grid : sequence of float
        Thresholds; the authors' are `GRID_11` and `GRID_7`.
    """
    tp, fp, n_positive = _positives(truth, scores, counts, np.sort(grid)[::-1], side="right")
    return _area((tp + 1e-9) / (tp + fp + 1e-9), _divided(tp, n_positive))


@_of_observed
def average_precision(truth: np.ndarray, scores: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Precision averaged over all steps of recall, without interpolation (scikit-learn's)."""
    if not truth.any():
        return np.full(len(counts), np.nan)
    order = np.argsort(-scores, kind="stable")
    scores, truth, counts = scores[order], truth[order], counts[:, order]
    # Recall rises with scores that positives have, and precision is asked for at the last clip of
    # each such score alone: clips are added up from one to the next.
    _, first_of_score = np.unique(-scores, return_index=True)
    holds_positive = np.logical_or.reduceat(truth, first_of_score)
    next_score = np.append(first_of_score[1:], len(scores))[holds_positive]
    begin = np.append(0, next_score[:-1])
    n_before = np.append(0, truth.cumsum())  # positives before each clip
    gained = np.add.reduceat(counts[:, truth], n_before[begin], axis=1)
    tp, said = (
        gained.cumsum(axis=1),
        np.add.reduceat(counts[:, : next_score[-1]], begin, axis=1).cumsum(axis=1),
    )
    return _divided((gained * (tp / np.maximum(said, 1))).sum(-1), tp[:, -1])


@_of_observed
def max_f1(
    truth: np.ndarray, scores: np.ndarray, counts: np.ndarray, *, grid: Sequence[float]
) -> np.ndarray:
    """The best F1 that one threshold of `grid` gives; a score counts strictly above it."""
    tp, fp, n_positive = _positives(truth, scores, counts, np.sort(grid)[::-1], side="right")
    best = _divided(2 * tp, tp + fp + n_positive).max(axis=-1)
    return np.where(n_positive[:, 0] > 0, best, np.nan)


@_of_observed
def weighted_f1(truth: np.ndarray, decided: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """F1 of the positives and of the negatives, weighted by how many clips are either.

    A sign that no clip has weighs nothing; without any, F1 is NaN. The metric of OpenMIC in the
    paper is the mean of this over classes.

    Parameters
    ----------
    truth, decided : (N,) array of 1 and 0
    counts : (B, N) array, optional
    """
    return _weighted_f1(counts @ f1_tallies(truth[:, None], decided[:, None]))[:, 0]


@_of_observed
def macro_f1(truth: np.ndarray, decided: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Plain mean of the F1 of the positives and of the negatives; see `weighted_f1`.

    A sign that is neither true nor decided of any clip has no F1; the other's is taken alone.
    """
    return _macro_f1(counts @ f1_tallies(truth[:, None], decided[:, None]))[:, 0]


def f1_tallies(truth: np.ndarray, decided: np.ndarray) -> np.ndarray:
    """What F1 of each class counts, clip by clip: sums over clips are all that F1 depends on.

    Parameters
    ----------
    truth : (N, C) array
        1, 0 or NaN, as everywhere here.
    decided : (N, C) array of 1 and 0

    Returns
    -------
    (N, 4 C) array of 1 and 0
        Whether a label is observed, true, observed and decided, and true and decided, each of all
        classes. NaN throughout where a decision on an observed label is no number.

    Raises
    ------
    InputError
        If they hold anything else.
    """
    truth, decided = np.asarray(truth, dtype=float), np.asarray(decided, dtype=float)
    require_shape(truth, (None, None), "truth")
    require_shape(decided, truth.shape, "decided")
    seen = ~np.isnan(truth)
    if not np.isin(truth[seen], (0, 1)).all():
        raise InputError("truth must be 1, 0, or NaN where it is not observed")
    if np.isnan(decided[seen]).any():
        return np.full((len(truth), 4 * truth.shape[1]), np.nan)
    if not np.isin(decided[seen], (0, 1)).all():
        raise InputError("decisions must be 1 or 0")
    is_true, says_true = truth == 1, seen & (decided == 1)
    return np.hstack([seen, is_true, says_true, is_true & says_true]).astype(float)


def mean_weighted_f1(sums: np.ndarray) -> np.ndarray:
    """Mean over classes of `weighted_f1`, (B,), of sums (B, 4 C) of `f1_tallies`."""
    return _mean_of_numbers(_weighted_f1(sums))


def mean_macro_f1(sums: np.ndarray) -> np.ndarray:
    """Mean over classes of `macro_f1`, (B,), of sums (B, 4 C) of `f1_tallies`."""
    return _mean_of_numbers(_macro_f1(sums))


def _weighted_f1(sums: np.ndarray) -> np.ndarray:
    """`weighted_f1` of each class, (B, C)."""
    (f1_p, n_p), (f1_n, n_n) = _f1_of_signs(sums)
    return _divided(np.nan_to_num(f1_p) * n_p + np.nan_to_num(f1_n) * n_n, n_p + n_n)


def _macro_f1(sums: np.ndarray) -> np.ndarray:
    """`macro_f1` of each class, (B, C)."""
    (f1_p, _), (f1_n, _) = _f1_of_signs(sums)
    return _mean_of_numbers(np.stack([f1_p, f1_n], axis=-1))


def _f1_of_signs(sums: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """F1 (B, C) and number of clips (B, C) of the positives, then of the negatives."""
    seen, is_true, says_true, both = np.split(sums, 4, axis=1)
    is_false, says_false = seen - is_true, seen - says_true
    both_false = is_false - says_true + both
    return [
        (_divided(2 * both, is_true + says_true), is_true),
        (_divided(2 * both_false, is_false + says_false), is_false),
    ]


def macro(
    metric: ClassMetric,
    truth: np.ndarray,
    scores: np.ndarray,
    counts: np.ndarray | None = None,
    **options: object,
) -> np.ndarray:
    """Mean over classes of a metric of one class, without classes where it is undefined.

    NaN where it is undefined for all, or any score of an observed label is no number.

    Parameters
    ----------
    metric : callable
        Such as `auprc`.
    truth, scores : (N, C) array
    counts : (B, N) array, optional
    **options
        Of the metric.
    """
    truth, scores = np.asarray(truth, dtype=float), np.asarray(scores, dtype=float)
    require_shape(truth, (None, None), "truth")
    require_shape(scores, truth.shape, "scores")
    columns = zip(truth.T, scores.T, strict=True)
    means = _mean_of_numbers(np.stack([metric(*c, counts, **options) for c in columns], axis=-1))
    diverged = np.isnan(scores[~np.isnan(truth)]).any()
    return means * np.nan if diverged else means


def micro(
    metric: ClassMetric,
    truth: np.ndarray,
    scores: np.ndarray,
    counts: np.ndarray | None = None,
    **options: object,
) -> np.ndarray:
    """A metric of one class over all pairs of clip and class; parameters as those of `macro`."""
    truth, scores = np.asarray(truth, dtype=float), np.asarray(scores, dtype=float)
    require_shape(truth, (None, None), "truth")
    require_shape(scores, truth.shape, "scores")
    pairs = None if counts is None else np.repeat(counts, truth.shape[1], axis=1)
    return metric(truth.ravel(), scores.ravel(), pairs, **options)


def _positives(
    truth: np.ndarray,
    scores: np.ndarray,
    counts: np.ndarray,
    thresholds: np.ndarray,
    *,
    side: Literal["left", "right"],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True and false positives (B, T) at each threshold, and all positives (B, 1).

    Positive is a score at or above a threshold (`side` left), or above it (right).
    """
    order = np.argsort(-scores, kind="stable")
    n_positive = len(scores) - np.searchsorted(scores[order][::-1], thresholds, side=side)
    counts = counts[:, order]
    none = np.zeros((len(counts), 1))
    tp, fp = (
        np.hstack([none, np.cumsum(counts * sign, axis=1)])
        for sign in (truth[order], ~truth[order])
    )
    return tp[:, n_positive], fp[:, n_positive], tp[:, -1:]


def _official_points(
    truth: np.ndarray, scores: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall (B, T) of the evaluator of DCASE, thresholds falling.

    A clip that a resampling does not draw repeats the point of the next higher threshold, which
    adds nothing to an area. Of one that it draws more often, the first comes before the others: at
    the start, the width of a step matters.
    """
    once = np.minimum(counts, 1)
    counts, truth = np.hstack([once, counts - once]), np.tile(truth, 2)
    scores = np.append(scores, np.nextafter(scores, -np.inf))
    thresholds = np.unique(np.append(scores[scores >= LOWEST_THRESHOLD], 1.0))[::-1]
    tp, fp, n_positive = _positives(truth, scores, counts, thresholds, side="left")
    return tp / np.maximum(tp + fp, 0.5), _divided(tp, n_positive)


def _area(precision: np.ndarray, recall: np.ndarray) -> np.ndarray:
    """Area (B,) under points (B, T) between (recall 0, precision 1) and (1, 0)."""
    zero = np.zeros((len(recall), 1))
    # Where there is no recall, the ends must not make a number of it.
    precision = np.hstack([zero + 1, precision, zero])
    recall = np.hstack([zero, recall, zero + 1])
    return np.trapezoid(precision, recall, axis=-1)


def _divided(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Quotient; NaN where the whole is 0."""
    shape = np.broadcast_shapes(part.shape, whole.shape)
    return np.divide(part, whole, out=np.full(shape, np.nan), where=whole > 0)[()]


def _mean_of_numbers(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis of what is a number; NaN where nothing is."""
    known = ~np.isnan(values)
    return _divided(np.where(known, values, 0.0).sum(-1), known.sum(-1))
