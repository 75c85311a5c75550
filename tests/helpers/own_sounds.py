"""Models that explain sounds: one whose answers are known, and small ones on disk."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import torch

from helpers.known_networks import CLASSES, FRONT_END, RATE, known_pair, tones
from helpers.small_networks import small_classifier, small_interpreter
from l2i.features.audio import write_wav
from l2i.features.spectral import FrontEnd
from l2i.hashing import file_sha256
from l2i.interpretation.explained import ExplainedClassifier
from l2i.interpretation.model import Model
from l2i.networks.stored_classifier import frozen, save_classifier
from l2i.systems.loading import save_system
from l2i.systems.posthoc import PostHoc
from l2i.weights import classes_hash

SECONDS = 1.6  # of the clips that the networks decide on
SMALL = FrontEnd(sample_rate=8000, n_fft=256, hop_length=64, n_mels=128, mel_power=1)


def known_model(multi_label=False, **changes):
    """A model that hears a low tone, and explains it by component 0."""
    settings = {"waveform_scale": "absolute", "clip_seconds": SECONDS, "card": {"system": "Oracle"}}
    return Model(known_pair(multi_label), FRONT_END, CLASSES, **{**settings, **changes})


def small_model(**changes):
    """A model that has learned nothing, which is enough to see what is done with it."""
    torch.manual_seed(2)
    W = torch.rand(SMALL.n_bins, 6)
    interpreter = small_interpreter(W / W.norm(dim=0))
    interpreter.psi.activations.bias.data += 0.3  # every component is heard
    interpreter.linear.weight.data[2].abs_()  # and speaks for the last class
    pair = ExplainedClassifier(frozen(small_classifier(), "cpu"), frozen(interpreter, "cpu"))
    settings = {"waveform_scale": "absolute", "clip_seconds": SECONDS, "card": {"system": "Small"}}
    return Model(pair, SMALL, ["knock", "rain", "dog"], **{**settings, **changes})


def heard_tones(seconds, **amplitudes):
    """Both tones, at half of full scale or as loud as is said, as samples."""
    return 0.5 * tones(round(seconds * RATE), **amplitudes).numpy()


def write_noise(path, seconds=0.5, seed=0, rate=8000):
    """A wav file of faint noise; its path."""
    x = 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * rate))
    write_wav(path, x.astype(np.float32), sample_rate=rate)
    return path


def make_run(folder, folds=("1",), systems=("l2i_att",), *, multi_label=False, thresholds=0.5):
    """The folder of a run with trained interpreters, as the workflow leaves it, without records."""
    classes = ["knock", "rain", "dog"]
    write_json(folder / "datasets/esc50/classes.json", classes)
    settings = {
        "name": "small",
        "listening": {"threshold": 0.2},
        "datasets": {"esc50": {"title": "ESC-50", "clip_seconds": SECONDS}},
        "systems": {"l2i_att": {"title": "L2I w/ ATT"}},
    }
    write_json(folder / ".run/configuration.json", settings)
    for fold in folds:
        identity = {
            "dataset": "esc50",
            "fold": fold,
            "classes_sha256": classes_hash(classes),
            "train_clips_sha256": fold,
            "waveform_scale": "absolute",
            **asdict(SMALL),
        }
        path = folder / f"classifier/esc50/fold{fold}/model.safetensors"
        path.parent.mkdir(parents=True)
        classifier = small_classifier(multi_label=multi_label)
        if multi_label:
            classifier.thresholds[:] = thresholds
        save_classifier(path, classifier, **identity)
        for system in systems:
            write_system(folder, path, identity, system)
    return folder


def write_system(folder, path_to_classifier, identity, system, module="posthoc", variant="default"):
    """An interpreter of a classifier, in the folder of its run; its path."""
    torch.manual_seed(3)
    network = PostHoc(torch.rand(SMALL.n_bins, 6), 3, pooling="max", dropout=0.0, width=0.125)
    place = folder / f"systems/esc50/fold{identity['fold']}/{system}/{variant}/run0"
    place.mkdir(parents=True)
    origin = {"module": module, "system": system, "variant": variant, "run": "0"}
    origin |= {"classifier_sha256": file_sha256(path_to_classifier)}
    save_system(place / "model.safetensors", network, **origin, **identity)
    return place / "model.safetensors"


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
