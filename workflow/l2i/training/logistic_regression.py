"""A linear classifier of few features, fitted to its minimum: logistic regression.

Minimises  C * (number of labels) * loss(z w' + b, targets) + 1/2 ||w||^2  over w and b, with the
classification loss of the data set, which is a mean over labels: multinomial logistic regression
where one class is right; else one logistic regression per class on the labels that somebody gave.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import linear

from l2i.training.losses import Loss

N_ITERATIONS = 1000  # of a full fit, at most; tens to hundreds are needed
SLOPE = 1e-6  # a full fit ends when no entry of the gradient of the mean loss is larger


def fit_linear(
    z: Tensor,
    targets: Tensor,
    loss: Loss,
    *,
    multi_label: bool,
    inverse_regularization: float,
    start: tuple[Tensor, Tensor],
    n_iter: int = N_ITERATIONS,
) -> tuple[Tensor, Tensor]:
    """Weights (C, K) and biases (C,), of the type and on the device of `start`.

    Parameters
    ----------
    z : Tensor, shape (N, K)
        Features, of about unit variance.
    targets : Tensor, shape (N, C)
        Labels: 1, 0, or NaN where nobody has looked.
    loss : callable
        Of logits and targets, a mean over the labels given.
    multi_label : bool
        Whether every observed pair of clip and class counts as a label, or every clip.
    inverse_regularization : float
        C, larger for less shrinkage of w.
    start : (Tensor, Tensor)
        Weights and biases to start from.
    n_iter : int
        Iterations of L-BFGS at most; with few, a step in the right direction.
    """
    from scipy.optimize import minimize

    features, wanted = z.detach().double(), targets.double()
    shape = start[0].shape
    device = features.device
    n_labels = max(1, int((~targets.isnan()).sum())) if multi_label else len(targets)
    ridge = 1.0 / (inverse_regularization * n_labels)

    def slope(flat: np.ndarray) -> tuple[float, np.ndarray]:
        theta = torch.tensor(flat, device=device, requires_grad=True)
        w, b = theta[: shape.numel()].reshape(shape), theta[shape.numel() :]
        total = loss(linear(features, w, b), wanted) + 0.5 * ridge * w.square().sum()
        (gradient,) = torch.autograd.grad(total, theta)
        return total.item(), gradient.cpu().numpy()

    x0 = torch.cat([part.detach().double().flatten() for part in start]).cpu().numpy()
    options = {"maxiter": n_iter, "gtol": SLOPE, "ftol": 1e-12}
    found = minimize(slope, x0, jac=True, method="L-BFGS-B", options=options)
    theta = torch.from_numpy(found.x).to(start[0])
    return theta[: shape.numel()].reshape(shape), theta[shape.numel() :]
