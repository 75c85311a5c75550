"""What gradients say a classifier listens to: integrated gradients and Grad-CAM, on the STFT.

Both are what one would otherwise take to explain a network, computed by captum, and both end as a
map over the cells of the log-magnitude spectrogram, the very one that components are masks on. As
a mask its positive part is taken, over the largest value.

Integrated gradients follow the gradient of a class logit along the straight way from silence to
the clip, through expm1, mel filters and decibels: A = X times the mean gradient of f(a X) over a
from 0 to 1. They add up to f(X) - f(0), but for what points of the way miss, which on real clips is
up to a third of it: see `integrated_gradients` in workflow/reference/deviations.yaml. Silence is
-100 dB in every mel band, since the front end has a floor below which it knows no difference; so
the way starts at a point that exists, and where it is steepest, right behind silence, the nodes of
the Gauss-Legendre rule are densest.

Grad-CAM weighs the channels of a hidden map by the mean gradient of the class logit and adds them
up. A cell of that map covers some frames by some mel bands: it is interpolated to all frames and
bands, and brought to frequency bins by the mel filters themselves.

The logit is explained, not the probability, whose gradient is nothing where the network is sure.

Names and shapes
----------------
X : (F, T)     log-magnitude log(1 + |S|) of what the classifier hears
A : (F, T)     attribution of a class: what speaks for it is positive, what speaks against negative

References
----------
M. Sundararajan, A. Taly, Q. Yan, "Axiomatic attribution for deep networks", ICML 2017.
R. R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh, D. Batra, "Grad-CAM: visual
explanations from deep networks via gradient-based localization", ICCV 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

from l2i.features.spectral import FrontEnd, mel_filters
from l2i.networks.classifier import Classifier

METHODS = INTEGRATED_GRADIENTS, GRAD_CAM = "integrated_gradients", "grad_cam"
STEPS = 8  # points of the way that the classifier hears together, each with its gradient


@dataclass(frozen=True)
class Attributions:
    """Settings: points `n_steps` of integrated gradients, hidden map `layer` of Grad-CAM."""

    n_steps: int
    layer: str


def attributions_of(
    method: str,
    classifier: Classifier,
    X: Tensor,
    targets: Sequence[int],
    front_end: FrontEnd,
    settings: Attributions,
) -> dict[int, Tensor]:
    """Attributions (F, T) of some classes, in float64.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    classifier : Classifier
        In evaluation mode, on the device of `X`.
    X : Tensor, shape (F, T)
        Log-magnitude of a clip.
    targets : sequence of int
        Classes to explain.
    front_end : FrontEnd
        How the classifier hears.
    settings : Attributions
    """
    if method == INTEGRATED_GRADIENTS:
        return {
            c: integrated_gradients(classifier, X, c, front_end, n_steps=settings.n_steps)
            for c in targets
        }
    return {c: grad_cam(classifier, X, c, front_end, layer=settings.layer) for c in targets}


def fitted(A: Tensor, n_frames: int) -> Tensor:
    """An attribution (F, T) over another number of frames of the same sound, (F, n_frames).

    One frame more is like the last: it is there where the sound ends between two hops. Nothing is
    attributed to what lies behind, which was not heard.
    """
    frame = torch.arange(n_frames, device=A.device)
    return A[:, frame.clamp(max=A.shape[1] - 1)] * (frame <= A.shape[1])


class Hearing(nn.Module):
    """From log-magnitudes (B, F, T) to class logits (B, C): front end and classifier in one."""

    def __init__(self, classifier: Classifier, front_end: FrontEnd) -> None:
        super().__init__()
        self.classifier, self.front_end = classifier, front_end

    def forward(self, X: Tensor) -> Tensor:
        """Class logits."""
        return self.classifier(self.front_end.log_mel(torch.expm1(X)))


def integrated_gradients(
    classifier: Classifier, X: Tensor, target: int, front_end: FrontEnd, *, n_steps: int
) -> Tensor:
    """Integrated gradients of a class logit from silence, (F, T) in float64.

    Parameters
    ----------
    classifier, X, front_end
        See :func:`attributions_of`.
    target : int
        The class.
    n_steps : int
        Points of the Gauss-Legendre rule, 2 or more. Memory is that of `STEPS` of them.
    """
    from captum.attr import IntegratedGradients

    found = IntegratedGradients(Hearing(classifier, front_end)).attribute(
        X.detach()[None].clone().requires_grad_(),
        baselines=0.0,
        target=target,
        n_steps=n_steps,
        method="gausslegendre",
        internal_batch_size=STEPS,
    )
    return found[0].detach().double()


def grad_cam(
    classifier: Classifier, X: Tensor, target: int, front_end: FrontEnd, *, layer: str
) -> Tensor:
    """Grad-CAM of a class logit, brought to the cells of the spectrogram, (F, T) in float64.

    It is not rectified yet, so that cells that speak against the class keep their order; as a mask
    it is, see :func:`l2i.evaluation.masked_explanations.claimed`.

    Parameters
    ----------
    classifier, X, front_end
        See :func:`attributions_of`.
    target : int
        The class.
    layer : str
        A block of the classifier, whose output is heard before it is pooled.
    """
    from captum.attr import LayerGradCam

    M = front_end.log_mel(torch.expm1(X.detach()))[None].requires_grad_()
    cells = LayerGradCam(classifier, classifier.blocks[layer]).attribute(M, target=target)
    stride = classifier.map_shapes[layer].stride
    return on_spectrogram(cells[0, 0].detach().double(), stride, X.shape[1], front_end)


def on_spectrogram(cells: Tensor, stride: float, n_frames: int, front_end: FrontEnd) -> Tensor:
    """A hidden map (time, bands) over the cells of the spectrogram, (F, n_frames).

    Parameters
    ----------
    cells : Tensor, shape (time, bands)
        Each covers `stride` frames and `stride` mel bands, from the first on.
    stride : float
    n_frames : int
    front_end : FrontEnd
    """
    over_frames = interpolation(cells.shape[0], stride, n_frames).to(cells.device)
    over_bands = interpolation(cells.shape[1], stride, front_end.n_mels).to(cells.device)
    return bins_of_bands(front_end).to(cells.device) @ over_bands @ cells.T @ over_frames.T


def interpolation(n_cells: int, stride: float, n: int) -> Tensor:
    """Linear interpolation between the centres of cells, (n, n_cells) in float64; rows add up to 1.

    A point before the first centre, or behind the last, takes the value there: poolings leave over
    a few frames at the end.
    """
    at = ((torch.arange(n, dtype=torch.float64) + 0.5) / stride - 0.5).clamp(0, n_cells - 1)
    return (1 - (at[:, None] - torch.arange(n_cells)).abs()).clamp(min=0)


@lru_cache(maxsize=8)
def bins_of_bands(front_end: FrontEnd) -> Tensor:
    """The mel filters turned around, (F, n_mels) in float64: each bin a mean of bands.

    The bands weigh as much as they take of the bin. A bin that none takes, as 0 Hz and half the
    sample rate are, is like the nearest one that is taken.
    """
    filters = mel_filters(front_end.n_bins, front_end.n_mels, front_end.sample_rate, "slaney")
    taken = filters.sum(1).nonzero()[:, 0]
    bins = torch.arange(front_end.n_bins)
    nearest = taken[(bins[:, None] - taken).abs().argmin(1)]
    return filters[nearest] / filters[nearest].sum(1, keepdim=True)
