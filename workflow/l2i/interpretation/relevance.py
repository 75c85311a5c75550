"""Which components explain a decision, and what the input is without them (Sec. III-E, IV-C).

Names and shapes
----------------
r : (K,)     relevance; the largest |r| is 1 (the largest r, on the scale of the code)
X : (F, T)   log-magnitude spectrogram of the clip
W : (F, K)   dictionary
H : (K, T)   activations of the clip
L : (K,)     bool, the selected components
"""

from __future__ import annotations

import torch
from torch import Tensor

EPS = 1e-12  # below every activation that could be heard; keeps silence at 0 / EPS = 0


def relevance(contribution: Tensor, *, scale: str = "absolute") -> Tensor:
    """Contribution of each component to a class logit, normalised.

    Parameters
    ----------
    contribution : Tensor, shape (..., K)
        z_k w_k of every component: pooled activation times weight in the linear layer.
    scale : {'absolute', 'signed'}
        Divide by the largest magnitude (the paper), or by the largest value (the authors' code,
        which turns all signs around where every contribution is negative).
    """
    if scale == "signed":
        largest = contribution.amax(-1, keepdim=True)
        return contribution / torch.where(largest == 0, 1.0, largest)
    return contribution / contribution.abs().amax(-1, keepdim=True).clamp(min=EPS)


def select(r: Tensor, threshold: float) -> Tensor:
    """L = components whose relevance exceeds the threshold, as a bool mask."""
    return r > threshold


def soft_masked(X: Tensor, W: Tensor, H: Tensor, L: Tensor) -> Tensor:
    """Share of the spectrogram that belongs to the selected components: soft masking.

    The masks of all components add up to 1 wherever the model has energy. Where it has none, no
    component owns anything and the input stays with the remainder.

    Parameters
    ----------
    L : Tensor of bool, shape (K,) or (M, K)
        One selection, or several at once.

    Returns
    -------
    Tensor, shape (F, T) or (M, F, T)
        Sum of X_k over L (Algorithm 1), between 0 and X.
    """
    chosen = (W * L.to(W.dtype).unsqueeze(-2)) @ H
    return X * chosen / (W @ H).clamp(min=EPS)


def component_energies(X: Tensor, W: Tensor, H: Tensor) -> Tensor:
    """Energy ||X_k||^2 of every component's share, shape (K,), without forming any X_k."""
    ratio = X / (W @ H).clamp(min=EPS)
    return ((W.square().T @ ratio.square()) * H.square()).sum(-1)
