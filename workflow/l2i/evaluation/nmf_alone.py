"""A dictionary without a network: components explain a class by how often clips of it need them.

What L2I adds to NMF is an interpreter that says when components are active, and what they mean to a
classifier. Here both come from the dictionary and the labels of the training clips alone. The
activations are sparse codes; a component means as much to a class as the share of its activations
that the class has.

Names and shapes
----------------
X : (F, T)  log-magnitude of a clip
W : (F, K)  dictionary, unit-norm columns
H : (K, T)  activations
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from l2i.dictionary.sparse_coding import codes
from l2i.interpretation.relevance import EPS, relevance

RIDGE = 1e-6  # so that the code of a frame is unique where columns are alike


def activations(X: Tensor, W: Tensor, *, sparsity: float) -> Tensor:
    """Activations H (K, T) of the objective that the dictionary was learned with."""
    # On the CPU: the frames of one clip are too few for the many small steps that a GPU would take.
    H = codes(X.T.contiguous().cpu(), W.cpu(), l1=sparsity, l2=RIDGE).T
    return H.to(X.device)


def class_shares(pooled: Iterable[Tensor], labels: Tensor, n_classes: int) -> Tensor:
    """Share of each class in the activations of each component, (C, K); columns sum to 1, or 0.

    Parameters
    ----------
    pooled : iterable of Tensor, shape (K,)
        Mean activations over time, of the training clips.
    labels : Tensor of int64, shape (n_clips,)
        Their classes. Each has one part in the whole, however many clips it has.
    n_classes : int
    """
    members = torch.nn.functional.one_hot(labels, n_classes).double()
    means = members.T @ torch.stack([*pooled]).double().cpu() / members.sum(0)[:, None].clamp(min=1)
    return means / means.sum(0).clamp(min=EPS)


def relevances(H: Tensor, shares: Tensor) -> Tensor:
    """Relevance of each component to a class with these shares (K,), the largest being 1."""
    return relevance(H.mean(1) * shares.to(H))
