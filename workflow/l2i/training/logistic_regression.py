"""A linear classifier of few features, fitted to its minimum: logistic regression.

Minimises  C * (number of labels) * loss(z w' + b, targets) + 1/2 ||w||^2  over w and b, with the
classification loss of the data set (l2i.training.losses), which is a mean over labels. scikit-learn
does it, with L-BFGS: multinomial logistic regression where one class is right; else one logistic
regression per class on the labels that somebody gave.
"""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor

N_ITERATIONS = 10_000  # of a full fit, at most; tens to hundreds are needed
SLOPE = 1e-8  # a full fit ends when no entry of the gradient of a mean loss is larger


def fit_linear(
    z: Tensor,
    targets: Tensor,
    *,
    multi_label: bool,
    positive_weight: Tensor | None,
    inverse_regularization: float,
    start: tuple[Tensor, Tensor],
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
    positive_weight : Tensor, shape (C,), or None
        Factor on the positives of each class, where any number of classes may be right.
    inverse_regularization : float
        C, larger for less shrinkage of w.
    start : (Tensor, Tensor)
        Weights and biases to start from.
    n_iter : int, optional
        Go no further than so many iterations, a step in the right direction.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        If a full fit ends before its minimum.
    """
    x, labels, w, b = (_array(part) for part in (z, targets, *start))
    C = inverse_regularization
    if multi_label:
        factors = np.ones(len(w)) if positive_weight is None else _array(positive_weight)
        for c, factor in enumerate(factors):
            seen, one = ~np.isnan(labels[:, c]), slice(c, c + 1)
            y = labels[seen, c]
            counts = np.where(y == 1, factor, 1.0)
            w[one], b[one] = _fit(x[seen], y, counts, C, w[one], b[one], n_iter)
    else:
        y, counts = labels.argmax(1), np.ones(len(labels))
        if len(w) == 2:
            # The softmax of two scores is the sigmoid of their difference, with weights v. Among
            # all w with this v, -v/2 and v/2 are shortest: 1/2 ||w||^2 = 1/4 ||v||^2, which is half
            # of what logistic regression takes for v, so that its C is twice ours.
            v, d = _fit(x, y, counts, 2 * C, w[1:] - w[:1], b[1:] - b[:1], n_iter)
            w, b = np.concatenate([-v, v]) / 2, np.concatenate([-d, d]) / 2
        else:
            w, b = _fit(x, y, counts, C, w, b, n_iter)
        b -= b.mean()  # the softmax leaves one number free
    return torch.from_numpy(w).to(start[0]), torch.from_numpy(b).to(start[1])


def _fit(
    x: np.ndarray,
    y: np.ndarray,
    counts: np.ndarray,
    C: float,
    w: np.ndarray,
    b: np.ndarray,
    n_iter: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and biases for rows of class y that count so much each.

    From w and b, which have a row for each class; if there are two classes, only for the second.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    if not counts.any():
        return np.zeros_like(w), b  # only the penalty is left to minimise
    # Features of mean 0 move the biases alone, and L-BFGS gets there several times sooner.
    mean = x.mean(0)
    # scikit-learn knows of no classes but those in y, so each gets a row that counts nothing.
    n_classes = max(2, len(w))
    x = np.concatenate([x - mean, np.zeros((n_classes, len(mean)))])
    y = np.concatenate([y, np.arange(n_classes)])
    counts = np.concatenate([counts, np.zeros(n_classes)])
    limit = N_ITERATIONS if n_iter is None else n_iter
    model = LogisticRegression(C=C, tol=SLOPE, max_iter=limit, warm_start=True)
    model.coef_, model.intercept_ = w, b + w @ mean  # a warm start begins there
    with warnings.catch_warnings():
        if n_iter is not None:  # to end before the minimum is what was asked for
            warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x, y, sample_weight=counts)
    return model.coef_, model.intercept_ - model.coef_ @ mean


def _array(x: Tensor) -> np.ndarray:
    """A copy in float64."""
    return x.detach().cpu().numpy().astype(np.float64)
