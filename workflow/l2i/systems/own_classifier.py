"""An interpreter of one's own classifier, learned from one's own sounds, in memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from l2i.checks import InputError, naming, require_distinct
from l2i.dictionary.learning import learn_together
from l2i.features.audio import fit_length, scale_waveform
from l2i.features.spectral import FrontEnd, log_magnitude
from l2i.interpretation.explained import ExplainedClassifier
from l2i.interpretation.model import Model
from l2i.interpretation.reading import read_sound
from l2i.networks.explainable import Explainable
from l2i.networks.stored_classifier import frozen
from l2i.streams import stream_seed
from l2i.systems.posthoc import LossWeights, PostHoc, train_posthoc
from l2i.training.loop import Plan

SPARSITY, N_ITER = 0.8, 50  # of the dictionary (Sec. IV-B.3)
WEIGHTS = LossWeights(reconstruction=10.0, sparsity=0.8, fidelity=[(1, 1.0)])  # Table II

Sound = str | os.PathLike[str] | np.ndarray


def train_interpreter(
    classifier: Explainable,
    sounds: Sequence[Sound],
    classes: Sequence[str],
    front_end: FrontEnd,
    *,
    clip_seconds: float,
    waveform_scale: str = "absolute",
    taps: Sequence[str] | None = None,
    n_components: int = 40,
    pooling: str = "max",
    width: float = 0.25,
    n_epochs: int = 35,
    batch_size: int = 16,
    learning_rate: float = 1e-3,
    seed: int = 0,
    device: str = "cpu",
) -> Model:
    """Learn to explain a classifier: a dictionary of sounds, and an interpreter on top of it.

    No labels are needed: what the classifier says of the sounds is what is explained. All features
    are held in memory, about 0.2 MB a second of sound.

    Parameters
    ----------
    classifier : Explainable
        An `nn.Module`, such as :class:`l2i.Adapter`. It stays as it is, in evaluation mode.
    sounds : sequence of paths or of np.ndarray
        What to learn from: files that libsndfile reads, of any rate, or samples at the front end's,
        (n_samples,) or (n_samples, n_channels), integers of any full scale. Channels are averaged.
        The more they are like what will be explained, the better.
    classes : sequence of str
        Names of the classes, in the order of the classifier's logits.
    front_end : FrontEnd
        The spectrograms that dictionary and classifier see.
    clip_seconds : float
        Length that the classifier decides on; sounds are cropped or padded to it at their end.
    waveform_scale : {'absolute', 'signed', 'none'}
        See :func:`l2i.features.audio.scale_waveform`.
    taps : sequence of str, optional
        Hidden maps to listen to; by default all that the classifier has, at most its last three.
    n_components : int
        Components of the dictionary.
    pooling, width
        See :class:`l2i.networks.interpreter.Interpreter`.
    n_epochs, batch_size, learning_rate
        See :class:`l2i.training.loop.Plan`.
    seed : int
        Of all that is drawn at random.
    device : str
        'cpu' or 'cuda'.

    Returns
    -------
    Model

    Raises
    ------
    InputError
        If there are no sounds, one cannot be read or is silent as far as it is heard, or the
        classifier has other classes, or two of one name.
    """
    if isinstance(sounds, str | os.PathLike):
        raise InputError(f"sounds is one path, {os.fspath(sounds)}: hand over a list of them")
    if not len(sounds):
        raise InputError("sounds is empty: hand over some of the sounds to be explained")
    require_distinct(classes, "classes")
    heard = [
        _heard(each, number, front_end, waveform_scale, clip_seconds)
        for number, each in enumerate(sounds)
    ]
    log_mel, magnitudes = (np.concatenate(each) for each in zip(*heard, strict=True))
    network = cast(Explainable, frozen(cast(nn.Module, classifier), device))
    _require_classes(network, log_mel, classes, device)

    rows = np.arange(len(sounds))
    dictionary = learn_together(
        magnitudes,
        rows,
        n_components=n_components,
        sparsity=SPARSITY,
        n_iter=N_ITER,
        solver="hals",
        generator=torch.Generator().manual_seed(stream_seed(seed, "dictionary")),
        device=device,
    )
    torch.manual_seed(stream_seed(seed, "interpreter"))
    interpreter = PostHoc(
        dictionary.W,
        len(classes),
        pooling=pooling,
        dropout=0.0,
        width=width,
        taps=tuple(network.map_shapes)[-3:] if taps is None else taps,
        maps=network.map_shapes,
    ).to(device)
    with tempfile.TemporaryDirectory() as scratch:
        train_posthoc(
            interpreter,
            network,
            log_mel,
            magnitudes,
            rows,
            WEIGHTS,
            Plan(n_epochs, batch_size, learning_rate, "one_cycle"),
            precision=torch.float32,
            device=device,
            scratch=Path(scratch),
            checkpoint=None,
        )
    return Model(
        ExplainedClassifier(network, frozen(interpreter, device)),
        front_end,
        list(classes),
        waveform_scale,
        clip_seconds,
    )


def _heard(
    sound: Sound, number: int, front_end: FrontEnd, scale: str, clip_seconds: float
) -> tuple[np.ndarray, np.ndarray]:
    """What the classifier hears of a sound, and its log-magnitude; one row each."""
    rate = front_end.sample_rate
    n_samples = round(clip_seconds * rate)
    if isinstance(sound, str | os.PathLike):
        name, rate_of_samples = os.fspath(sound), None
    else:
        name, rate_of_samples = f"sounds[{number}]", rate
    with naming(name):
        waveform = read_sound(sound, rate_of_samples, rate).waveform
        if not waveform[:n_samples].any():
            raise InputError(
                f"is silent in its first {clip_seconds:g} s, which are learned from; leave it out"
            )
        x = fit_length(scale_waveform(waveform, scale), n_samples)
    S = front_end.stft(torch.from_numpy(x)[None])
    return front_end.log_mel(S).numpy(), log_magnitude(S).numpy()


@torch.no_grad()
def _require_classes(
    classifier: Explainable, log_mel: np.ndarray, classes: Sequence[str], device: str
) -> None:
    logits: Tensor = classifier(torch.from_numpy(log_mel[:1]).to(device))
    if logits.shape != (1, len(classes)):
        raise InputError(
            f"the classifier answers a clip with logits of shape {tuple(logits.shape)}, and "
            f"classes has {len(classes)} names: name as many as it has logits"
        )
