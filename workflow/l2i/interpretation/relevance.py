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


def component_products(X: Tensor, W: Tensor, H: Tensor, *, n_frames: int = 32) -> Tensor:
    """Products <X_k, X_j> of the shares of all pairs of components, (K, K), float64.

    The energy of what a set of components takes away together is the sum over all pairs of the set.
    The energies ||X_k||^2 alone miss what the shares have in common: no share is negative, so that
    all products add to the energy.

    Parameters
    ----------
    n_frames : int
        Frames that are visited at a time: the shares of that many are held, (K, F, n_frames).
    """
    ratio = X / (W @ H).clamp(min=EPS)
    products = torch.zeros(len(H), len(H), dtype=torch.float64, device=X.device)
    for some, active in zip(ratio.split(n_frames, 1), H.split(n_frames, 1), strict=True):
        shares = W.T[:, :, None] * active[:, None] * some
        products += shares.flatten(1) @ shares.flatten(1).T
    return products
