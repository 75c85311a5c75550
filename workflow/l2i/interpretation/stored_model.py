"""A model in one file: classifier, interpreter, and all that it takes to explain a sound with them.

What is stored are tensors and plain values, never code: a classifier that is not of this library is
left out of its file, and handed over again where the file is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from l2i.checks import InputError, naming
from l2i.features.spectral import FrontEnd
from l2i.features.waveforms import WaveformFrontEnd
from l2i.interpretation.explained import ExplainedClassifier
from l2i.interpretation.model import Model
from l2i.networks.classifier import Classifier
from l2i.networks.explainable import Explainable
from l2i.networks.interpreter import Interpreter
from l2i.networks.stored_classifier import frozen
from l2i.weights import contents_hash, fitting, load_weights, read_identity, save_weights

KIND = "model"
SHA256 = "contents_sha256"  # of all the rest that the file holds and says
HANDED_ON = "fetch it again, or export it anew by l2i export"  # no command here makes it
HEARS = {"log_mel": FrontEnd, "waveform": WaveformFrontEnd}


def save_model(path: str | Path, model: Model, *, precision: torch.dtype = torch.float32) -> None:
    """Write a model as one safetensors file.

    Parameters
    ----------
    path : str or Path
    model : Model
        A classifier that is not of this library is left out: see :func:`load_model`.
        Its front end is one of this library.
    precision : torch.dtype
        Of what has two dimensions or more, such as torch.float16. Vectors stay as they are: they
        weigh little, and variances among them may be too small for half precision.
    """
    explained, parts = model.explained, dict[str, nn.Module]()
    parts["interpreter"] = explained.interpreter
    own = explained.classifier if isinstance(explained.classifier, Classifier) else None
    if own is not None:
        parts["classifier"] = own
    tensors = {
        f"{part}.{name}": _lowered(value, precision)
        for part, network in parts.items()
        for name, value in network.state_dict().items()
    }
    said = {
        "classifier": None if own is None else own.architecture,
        "interpreter": explained.interpreter.architecture,
        "explained": {
            "relevance_pooling": explained.relevance_pooling,
            "relevance_scale": explained.relevance_scale,
            "predictor": explained.predictor,
        },
        "front_end": {"hears": _hears(model.front_end), **asdict(model.front_end)},
        "waveform_scale": model.waveform_scale,
        "classes": list(model.classes),
        "clip_seconds": model.clip_seconds,
        "threshold": model.threshold,
        "card": model.card,
    }
    save_weights(path, tensors, kind=KIND, **{SHA256: contents_hash(tensors, said)}, **said)
    Path(path).chmod(0o644)  # it is to be handed on; safetensors leaves it to its owner alone


def load_model(
    path: str | Path,
    *,
    classifier: Explainable | None = None,
    device: str = "cpu",
    remedy: str = HANDED_ON,
) -> Model:
    """Read a model that :func:`save_model` wrote, in evaluation mode and float32.

    Parameters
    ----------
    path : str or Path
    classifier : Explainable, optional
        The one that was explained, where the file does not hold it.
    device : str
    remedy : str
        What to do about a damaged file, for the message.

    Raises
    ------
    InputError
        If the file is no model, is damaged, or holds no classifier and none is given.
    """
    tensors = load_weights(path, kind=KIND, remedy=remedy)
    stored = read_identity(path, remedy)
    _require_whole(path, tensors, stored, remedy)
    for name, values in tensors.items():
        if not values.isfinite().all():
            raise InputError(f"{path} is damaged, {name} holds NaN or infinity; {remedy}")
    with fitting(path, remedy), naming(str(path)):
        interpreter = _interpreter(stored["interpreter"])
        interpreter.load_state_dict(_part("interpreter", tensors))
        if stored["classifier"] is not None:
            classifier = Classifier(**stored["classifier"])
            classifier.load_state_dict(_part("classifier", tensors))
        elif classifier is None:
            raise InputError(
                f"{path} explains a classifier that it does not hold: hand it over, as in "
                "load_model(path, classifier=mine)"
            )
        return Model(
            explained=ExplainedClassifier(
                frozen(cast(Any, classifier), device),
                frozen(interpreter, device),
                **stored["explained"],
            ),
            front_end=HEARS[stored["front_end"].pop("hears")](**stored["front_end"]),
            classes=stored["classes"],
            waveform_scale=stored["waveform_scale"],
            clip_seconds=stored["clip_seconds"],
            threshold=stored["threshold"],
            card=stored["card"],
        )


def _require_whole(
    path: str | Path, tensors: Mapping[str, Tensor], stored: Mapping[str, Any], remedy: str
) -> None:
    """Refuse a file that holds something else than was written: bits flip on disks and on ways."""
    said = {key: value for key, value in stored.items() if key not in ("kind", SHA256)}
    if stored.get(SHA256) != contents_hash(tensors, said):
        raise InputError(
            f"{path} is damaged, what it holds does not have the sha256 that it names; {remedy}"
        )


def _hears(front_end: FrontEnd) -> str:
    for name, kind in HEARS.items():
        if type(front_end) is kind:
            return name
    raise InputError(
        f"a model whose front end is a {type(front_end).__name__} cannot be stored: its file could "
        "not say what that does"
    )


def _lowered(value: Tensor, precision: torch.dtype) -> Tensor:
    return value.to(precision) if value.is_floating_point() and value.ndim > 1 else value


def _interpreter(architecture: Mapping[str, Any]) -> Interpreter:
    """The network before its weights are put into it."""
    settings = dict(architecture)
    W = torch.zeros(settings.pop("n_bins"), settings.pop("n_components"))
    return Interpreter(W, **settings)


def _part(name: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """State dict of one of the networks; parameters take its numbers as float32."""
    start = f"{name}."
    return {key.removeprefix(start): t for key, t in tensors.items() if key.startswith(start)}
