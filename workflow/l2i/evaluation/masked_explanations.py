"""Explanations of any kind as masks on a clip's STFT, so that one measure can judge them all.

Names and shapes
----------------
X : (F, T)       log-magnitude log(1 + |S|) of the clip, S being what masks act on
mask : (F, T)    share of every cell that an explanation claims, 0 to 1
growing : (n_steps + 1, F, T)
                 masks from nothing to everything, in falling order of relevance

What has an order (components, segments, single cells) is taken in steps that hold as equal shares
of the energy ||X||^2 as can be: curves over that share are then as well resolved for one kind of
explanation as for another, whether its pieces are many or few, loud or faint.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from l2i.features.spectral import up_to_frames
from l2i.interpretation.relevance import component_products, select, soft_masked

EPS = 1e-12  # keeps shares of a silent clip at 0 / EPS = 0


@dataclass(frozen=True)
class MaskedExplanation:
    """One explained decision on the cells of the clip's STFT; float64, values from 0 to 1.

    `growing` begins with no cell and ends with all of them, and no cell shrinks on the way. Steps
    may repeat a mask, where a piece holds more energy than a step.
    """

    mask: Tensor  # (F, T)
    growing: Tensor  # (n_steps + 1, F, T)


def of_components(
    X: Tensor, W: Tensor, H: Tensor, r: Tensor, *, threshold: float, n_steps: int
) -> MaskedExplanation:
    """What the components of a dictionary own: their soft masks (Sec. III-E).

    Parameters
    ----------
    X : Tensor, shape (F, T), float64
    W, H : Tensor, shape (F, K) and (K, n_frames)
        Dictionary and activations; where `X` has more frames, the last one is repeated.
    r : Tensor, shape (K,)
        Relevances to one class.
    threshold : float
        The mask is of the components whose relevance exceeds it.
    n_steps : int
    """
    H = up_to_frames(H, X.shape[1])
    order = torch.argsort(r, descending=True, stable=True)
    G = component_products(X.to(W.dtype), W, H)[order][:, order].cpu()  # as below
    energy = torch.cat([G.new_zeros(1), G.cumsum(0).cumsum(1).diagonal()])
    rank = torch.argsort(order)
    firsts = torch.stack([rank < n for n in cuts(energy, n_steps)])
    L = torch.cat([select(r, threshold)[None], firsts])
    masks = soft_masked(torch.ones_like(X), W.double(), H.double(), L).clamp(max=1)
    return MaskedExplanation(masks[0], _complete(masks[1:]))


def of_segments(
    X: Tensor, borders: np.ndarray, weights: np.ndarray, kept: list[int], *, n_steps: int
) -> MaskedExplanation:
    """Stretches of time, all their frequencies: what SLIME finds.

    Parameters
    ----------
    X : Tensor, shape (F, T), float64
    borders : np.ndarray, shape (n + 1,)
        First frame of each segment, and the number of frames; where `X` has more, the last segment
        takes them.
    weights : np.ndarray, shape (n,)
        How much a segment speaks for the class.
    kept : list of int
        The segments of the explanation.
    n_steps : int
    """
    starts = torch.as_tensor(borders[1:-1], device=X.device)
    segment = torch.searchsorted(starts, torch.arange(X.shape[1], device=X.device), right=True)
    energy = X.new_zeros(len(weights)).index_add(0, segment, X.square().sum(0))
    order = np.argsort(-weights, kind="stable")
    rank = torch.as_tensor(np.argsort(order), device=X.device)
    places = cuts(_accumulated(energy[torch.as_tensor(order, device=X.device)]), n_steps)
    chosen = torch.zeros(len(weights), dtype=torch.bool, device=X.device)
    chosen[kept] = True
    frames = torch.stack([chosen, *(rank < n for n in places)])[:, segment]
    masks = frames[:, None].to(X.dtype).expand(-1, len(X), -1)
    return MaskedExplanation(masks[0], _complete(masks[1:]))


def of_cells(X: Tensor, attribution: Tensor, *, n_steps: int) -> MaskedExplanation:
    """Cell by cell: what each claims; cells in falling attribution.

    Parameters
    ----------
    X : Tensor, shape (F, T), float64
    attribution : Tensor, shape (F, n_frames)
        How much each cell speaks for the class; where `X` has more frames, the last one is
        repeated. Where none speaks for it, the mask is empty.
    n_steps : int
    """
    attribution = up_to_frames(attribution, X.shape[1])
    order = torch.argsort(attribution.flatten(), descending=True, stable=True)
    places = cuts(_accumulated(X.square().flatten()[order]), n_steps)
    rank = torch.argsort(order).reshape(X.shape)
    growing = torch.stack([rank < n for n in places]).to(X.dtype)
    return MaskedExplanation(claimed(attribution.to(X.dtype)), _complete(growing))


def claimed(attribution: Tensor) -> Tensor:
    """What single cells claim: positive attribution over the largest one.

    Empty where nothing speaks for the class.
    """
    positive = attribution.clamp(min=0)
    return positive / positive.max().clamp(min=EPS)


def cuts(energy: Tensor, n_steps: int) -> list[int]:
    """How many of the first n pieces each step takes, (n_steps + 1,), from 0 to n.

    Parameters
    ----------
    energy : Tensor, shape (n + 1,)
        What the first 0, 1, ... n pieces hold together, never falling.
    n_steps : int
        Step k takes the pieces whose energy is nearest to k / n_steps of the whole.
    """
    shares = energy / energy[-1].clamp(min=EPS)
    middles = (shares[1:] + shares[:-1]) / 2
    goals = torch.arange(1, n_steps, dtype=shares.dtype, device=shares.device) / n_steps
    return [0, *torch.searchsorted(middles, goals).tolist(), len(shares) - 1]


def energy_share(X: Tensor, masks: Tensor) -> Tensor:
    """Share of ||X||^2 that masks take, ||m X||^2 / ||X||^2: (M,) of masks (M, F, T).

    0 for all masks of a silent clip.
    """
    return (masks * X).square().sum((-2, -1)) / X.square().sum().clamp(min=EPS)


def _accumulated(energy: Tensor) -> Tensor:
    energy = energy.cpu()  # a GPU adds up in any order
    return torch.cat([energy.new_zeros(1), energy.cumsum(0)])


def _complete(growing: Tensor) -> Tensor:
    """The masks, the last of all cells: a model has no energy in some, and owns nothing there."""
    return torch.cat([growing[:-1], torch.ones_like(growing[:1])])
