"""A linear classifier of few features, fitted to its minimum: logistic regression.

Minimises  C * (number of labels) * loss(z w' + b, targets) + 1/2 ||w||^2  over w and b, with the
classification loss of the data set (l2i.training.losses), a mean over labels. scikit-learn does
it: multinomial logistic regression where one class is right; else one logistic regression per
class on the labels that somebody gave.
"""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor

N_ITERATIONS = 1000  # of a full fit, at most; tens to hundreds are needed
SLOPE = 1e-6  # a full fit ends when no entry of the gradient of the mean loss is larger


def fit_linear(
    z: Tensor,
    targets: Tensor,
    *,
    multi_label: bool,
    inverse_regularization: float,
    start: tuple[Tensor, Tensor],
    positive_weight: Tensor | None = None,
    n_iter: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Weights (C, K) and biases (C,), of the type and on the device of `start`.

    Parameters
    ----------
    z : Tensor, shape (N, K)
        Features, of about unit variance.
    targets : Tensor, shape (N, C)
        Labels: 1, 0, or NaN where nobody has looked.
    multi_label : bool
        Whether any number of classes may be right. Then every observed pair of clip and class
        counts as a label, else every clip.
    inverse_regularization : float
        C, larger for less shrinkage of w.
    start : (Tensor, Tensor)
        Weights and biases to start from. Where one class is right, the mean of the biases, which
        changes nothing, stays.
    positive_weight : Tensor, shape (C,), optional
        Factor on the positives of each class, where any number may be right.
    n_iter : int, optional
        Take so many iterations of L-BFGS, a step in the right direction, not all of them.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        If a full fit does not reach its minimum.
    """
    features, labels, w, b = (_array(part) for part in (z, targets, *start))
    C = inverse_regularization
    if multi_label:
        factors = np.ones(len(w)) if positive_weight is None else _array(positive_weight)
        for c, (y, factor) in enumerate(zip(labels.T, factors, strict=True)):
            seen, one = ~np.isnan(y), slice(c, c + 1)
            counts = np.where(y[seen] == 1, factor, 1.0)
            w[one], b[one] = _fit(features[seen], y[seen], counts, C, w[one], b[one], n_iter)
    elif len(w) == 2:
        # The softmax of two scores is the sigmoid of their difference, v = w1 - w0. Of all pairs
        # with that difference -v/2 and v/2 are the shortest, and 1/2 ||w||^2 is 1/4 ||v||^2: half
        # the penalty of the logistic regression for v, which twice its C makes up for.
        y, counts = labels.argmax(1), np.ones(len(labels))
        v, d = _fit(features, y, counts, 2 * C, w[1:] - w[:1], b[1:] - b[:1], n_iter)
        w, b = np.concatenate([-v, v]) / 2, b.mean() + np.concatenate([-d, d]) / 2
    else:
        w, b = _fit(features, labels.argmax(1), np.ones(len(labels)), C, w, b, n_iter)
    return torch.from_numpy(w).to(start[0]), torch.from_numpy(b).to(start[1])


def _fit(
    z: np.ndarray,
    y: np.ndarray,
    counts: np.ndarray,
    C: float,
    w: np.ndarray,
    b: np.ndarray,
    n_iter: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and biases from w, (1, K) or (C, K), and b, for classes y that count so much each."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    if not counts.any():
        return np.zeros_like(w), b  # nothing but the penalty is left to minimise
    # scikit-learn takes the classes that it finds in y for all: one row of no weight for each.
    n_classes = max(2, len(w))
    z = np.concatenate([z, np.zeros((n_classes, z.shape[1]))])
    y = np.concatenate([y, np.arange(n_classes)])
    counts = np.concatenate([counts, np.zeros(n_classes)])
    model = LogisticRegression(
        C=C, tol=SLOPE, max_iter=N_ITERATIONS if n_iter is None else n_iter, warm_start=True
    )
    model.coef_, model.intercept_ = w, b  # where a warm start begins
    with warnings.catch_warnings():
        if n_iter is not None:  # to end before the minimum is what was asked for
            warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(z, y, sample_weight=counts)
    return model.coef_, model.intercept_


def _array(x: Tensor) -> np.ndarray:
    """A copy in float64."""
    return np.array(x.detach().cpu(), dtype=np.float64)
