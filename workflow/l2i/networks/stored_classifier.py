"""Classifiers on disk: built from what their file says, refused where they do not fit the job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from l2i.networks.classifier import Classifier
from l2i.runtime import Module, channels_last
from l2i.weights import fitting, load_weights, read_identity, save_weights


def save_classifier(path: str | Path, classifier: Classifier, **identity: Any) -> None:
    """Write a classifier's state dict, its architecture and its identity."""
    architecture = classifier.architecture
    save_weights(
        path, classifier.state_dict(), kind="classifier", architecture=architecture, **identity
    )


def load_classifier(path: str | Path, *, device: str, **identity: Any) -> Classifier:
    """A frozen classifier in evaluation mode; see :func:`l2i.weights.load_weights` for refusals."""
    state = load_weights(path, kind="classifier", **identity)
    with fitting(path):
        classifier = Classifier(**read_identity(path)["architecture"])
        classifier.load_state_dict(state)
    return frozen(classifier, device)


def fresh_classifier(
    n_classes: int,
    *,
    multi_label: bool,
    architecture: dict[str, Any],
    path_to_weights: str | Path | None,
    device: str,
) -> Classifier:
    """A classifier before training: published weights under a fresh head, or all of it fresh.

    Parameters
    ----------
    n_classes : int
    multi_label : bool
    architecture : dict
        Settings of :class:`Classifier`: width, head_units, dropout.
    path_to_weights : str, Path or None
        A trunk; None for random weights.
    device : str
    """
    network = Classifier(n_classes, multi_label=multi_label, **architecture)
    if path_to_weights is not None:
        load_trunk(network, path_to_weights)
    return channels_last(network.to(device))


def load_trunk(network: Classifier, path_to_weights: str | Path) -> None:
    """Put published weights under a fresh head."""
    trunk = load_weights(path_to_weights, kind="trunk")
    with fitting(path_to_weights):
        missing, unexpected = network.load_state_dict(trunk, strict=False)
        left = [name for name in missing if not name.endswith("num_batches_tracked")]
        if unexpected or any(not n.startswith(("head.", "output.", "thresholds")) for n in left):
            raise ValueError(f"too many or too few are {', '.join(unexpected or left)}")


def frozen(network: Module, device: str) -> Module:
    """The network on a device, for inference: no gradients, no dropout, batch norms still."""
    return channels_last(network.to(device)).eval().requires_grad_(False)
