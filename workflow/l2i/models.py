"""Networks on disk: built from what their file says, refused where they do not fit the job."""

from __future__ import annotations

from pathlib import Path

import torch

from l2i.classifier import Classifier
from l2i.fingerprints import file_sha256
from l2i.interpreter import Interpreter
from l2i.weights import load_weights, read_identity, save_weights


def save_classifier(path: str | Path, classifier: Classifier, **identity) -> None:
    """Write a classifier's state dict, its architecture and its identity."""
    architecture = classifier.architecture
    save_weights(
        path, classifier.state_dict(), kind="classifier", architecture=architecture, **identity
    )


def load_classifier(path: str | Path, *, device: str, **identity) -> Classifier:
    """A frozen classifier in evaluation mode; see :func:`l2i.weights.load_weights` for refusals."""
    state = load_weights(path, kind="classifier", **identity)
    classifier = Classifier(**read_identity(path)["architecture"])
    classifier.load_state_dict(state)
    return frozen(classifier, device)


def save_interpreter(path: str | Path, interpreter: Interpreter, **identity) -> None:
    """Write Psi, Theta and W together, the architecture and the identity."""
    architecture = interpreter.architecture
    save_weights(
        path, interpreter.state_dict(), kind="interpreter", architecture=architecture, **identity
    )


def load_interpreter(path: str | Path, *, device: str, **identity) -> Interpreter:
    """A frozen interpreter in evaluation mode, dictionary included."""
    state = load_weights(path, kind="interpreter", **identity)
    interpreter = Interpreter(state["W"], **read_identity(path)["architecture"])
    interpreter.load_state_dict(state)
    return frozen(interpreter, device)


def load_pair(
    path_to_classifier: str | Path,
    path_to_interpreter: str | Path,
    *,
    system: str,
    variant: str,
    run: str,
    device: str,
    identity: dict[str, object],
) -> tuple[Classifier, Interpreter]:
    """A classifier and the interpreter that was trained on exactly this one."""
    origin = {"system": system, "variant": variant, "run": run}
    origin |= {"classifier_sha256": file_sha256(path_to_classifier)}
    classifier = load_classifier(path_to_classifier, device=device, **identity)
    return classifier, load_interpreter(path_to_interpreter, device=device, **origin, **identity)


def frozen(network: torch.nn.Module, device: str) -> torch.nn.Module:
    """The network on a device, for inference: no gradients, no dropout, batch norms still."""
    network = network.to(device).to(memory_format=torch.channels_last)
    return network.eval().requires_grad_(False)
