"""Everything from a waveform to what is heard of it as one module, which can be traced.

It computes what :meth:`l2i.interpretation.model.Model.explain` does with a sound that is one
window: it is scaled by its peak, decided on at the length of training, and masked as a whole.
Sounds of any length go through, as one window each.

Names and shapes
----------------
waveform  : (B, n_samples)   mono, at the rate of the front end, of any level
threshold : ()               relevance above which a component belongs to the interpretation
target    : ()               number of the class that is explained; below 0 each one's most probable
"""

from __future__ import annotations

import copy
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot, pad

from l2i.checks import InputError
from l2i.export.fourier import Fourier
from l2i.features.spectral import MAGNITUDE_FLOOR, FrontEnd
from l2i.interpretation.explained import ExplainedClassifier
from l2i.interpretation.model import Model
from l2i.interpretation.relevance import soft_masked
from l2i.networks.classifier import MIN_FRAMES, Classifier


class Explained(NamedTuple):
    """What comes out, for each waveform of a batch."""

    logits: Tensor  # (B, C) of the predictor: the classifier or, by design, the interpreter
    probabilities: Tensor  # (B, C)
    decided: Tensor  # (B, C) bool, the classes that are decided for
    relevances: Tensor  # (B, C, K)
    activations: Tensor  # (B, K, n_frames), of the whole waveform
    interpretation: Tensor  # (B, n_samples), at the level of the waveform
    remainder: Tensor  # (B, n_samples)


class Graph(nn.Module):
    """A model as a function of waveforms alone.

    Parameters
    ----------
    model : Model
        It is copied.

    Raises
    ------
    InputError
        If it has parts that no graph can be promised of: a classifier or a front end of one's own.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        _require_own(model)
        self.front_end, self.n_decided = model.front_end, model.hearing.n_samples
        self.waveform_scale = model.waveform_scale
        explained = model.explained
        # Channels last is a matter of speed on CPUs here, and nails sizes down when it is traced.
        self.classifier, self.interpreter = (
            copy.deepcopy(cast(Any, each)).cpu().to(memory_format=torch.contiguous_format)
            for each in (explained.classifier, explained.interpreter)
        )
        self.explained = ExplainedClassifier(
            self.classifier,
            self.interpreter,
            explained.relevance_pooling,
            explained.relevance_scale,
            explained.predictor,
        )
        self.fourier = Fourier(model.front_end)

    def forward(self, waveform: Tensor, threshold: Tensor, target: Tensor) -> Explained:
        """Decision and interpretation of each waveform."""
        n_samples, W = waveform.shape[1], self.interpreter.W
        gain = gains(waveform, self.waveform_scale)
        x = waveform / gain
        logits, decided = self.explained.explain(*self._heard(self._as_decided(x)))
        whole = self.fourier.stft(self._as_inverted(x))
        magnitude = magnitude_of(whole)
        M = self.front_end.log_mel(magnitude)
        H = self.explained.explain(M, magnitude.shape[-1])[1].H
        relevances = self.explained.relevances(decided)
        explained = torch.where(target < 0, logits.argmax(-1), target)
        r = (relevances * one_hot(explained, logits.shape[-1])[:, :, None]).sum(1)
        X = magnitude.log1p()
        share = soft_masked(X, W, H, r > threshold)
        phase = whole / magnitude.clamp(min=MAGNITUDE_FLOOR)[:, None]
        both = torch.cat([share, X - share]).expm1()[:, None] * torch.cat([phase, phase])
        sounds, n_clips = self.fourier.istft(both, n_samples), waveform.shape[0]
        return Explained(
            logits,
            self.classifier.probabilities(logits),
            self.classifier.decisions(logits),
            relevances,
            H,
            sounds[:n_clips] * gain,
            sounds[n_clips:] * gain,
        )

    def _as_decided(self, x: Tensor) -> Tensor:
        """Waveforms cropped or padded as for training, see :class:`Hearing`."""
        return pad(x, (0, self.n_decided))[:, : self.n_decided]

    def _as_inverted(self, x: Tensor) -> Tensor:
        """Waveforms padded as :func:`l2i.interpretation.synthesis.inverted` does."""
        hop, n = self.front_end.hop_length, x.shape[1]
        n_hops = torch.sym_max(MIN_FRAMES - 1, (n + hop - 1) // hop)
        return pad(x, (0, n_hops * hop - n))

    def _heard(self, x: Tensor) -> tuple[Tensor, int]:
        """Log-mels of waveforms, and the number of their frames."""
        M = self.front_end.log_mel(magnitude_of(self.fourier.stft(x)))
        return M, M.shape[1]


def gains(waveform: Tensor, scale: str) -> Tensor:
    """What each waveform is divided by, (B, 1), see :func:`l2i.features.audio.scale_waveform`.

    Where there is nothing to divide by, 1: nothing can be refused here.
    """
    if scale == "none":
        return torch.ones_like(waveform[:, :1])
    peaks = (waveform.abs() if scale == "absolute" else waveform).amax(1, keepdim=True)
    return torch.where(peaks == 0, 1.0, peaks)


def magnitude_of(S: Tensor) -> Tensor:
    """|S| of real and imaginary parts, (B, 2, ...) to (B, ...)."""
    return S.square().sum(1).sqrt()


def _require_own(model: Model) -> None:
    if type(model.front_end) is not FrontEnd:
        raise InputError(
            f"a model whose front end is a {type(model.front_end).__name__} has no form in ONNX: "
            "only spectrograms that FrontEnd makes can be put into the graph"
        )
    if not isinstance(model.explained.classifier, Classifier):
        raise InputError(
            f"a model that explains a {type(model.explained.classifier).__name__} has no form in "
            "ONNX: only classifiers of this library can be put into the graph"
        )
