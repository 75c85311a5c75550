"""Explanations of clips by gradients, as the script writes them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from torch import nn
from torch.nn.functional import pad
from torch.testing import assert_close

from helpers.project import load_script
from l2i.datasets.fold import Fold
from l2i.features.spectral import FrontEnd, log_magnitude, phase_of
from l2i.hashing import file_sha256
from l2i.interpretation.attributions import METHODS, grad_cam
from l2i.networks.classifier import Classifier
from l2i.networks.stored_classifier import save_classifier

RATE = 44_100
FRONT_END = FrontEnd(sample_rate=RATE, n_fft=1024, hop_length=512, n_mels=128, mel_power=1)
FEATURES = {**vars(FRONT_END), "waveform_scale": "absolute"}
LENGTHS = {"train": 1.6, "short": 1.2, "exact": 1.6, "long": 2.0}


@pytest.fixture
def corpus(tmp_path):
    """Three test clips below full scale, one shorter and one longer than what is decided on."""
    noise = np.random.default_rng(3)
    folder = tmp_path / "data/esc50"
    folder.mkdir(parents=True)
    rows = []
    for i, (name, seconds) in enumerate(LENGTHS.items()):
        x = noise.uniform(-0.3, 0.3, round(seconds * RATE)).astype(np.float32)
        soundfile.write(folder / f"{name}.wav", x, RATE, subtype="FLOAT")
        rows.append({"clip": name, "path": f"{name}.wav", "fold": 2 - (i > 0), "label": i % 2})
        rows[-1]["sha256"] = file_sha256(folder / f"{name}.wav")
    pd.DataFrame(rows).to_csv(tmp_path / "index.csv", index=False)
    return tmp_path


@pytest.fixture
def run(corpus):
    """Run the script; gives its facts, the folders that it wrote and the classifier."""
    script = load_script("explain_by_attribution")
    n_written = 0

    def run(clips=("short", "exact", "long"), *, deaf=False, multi_label=False):
        nonlocal n_written
        n_written += 1
        index, name = pd.read_csv(corpus / "index.csv"), "1"
        if multi_label:
            name = "official"
            index["split"] = np.where(index["fold"] == 1, "test", "train")
            index = index.assign(label_dog=[1, 0, 1, 0], label_rain=[1, 1, 1, np.nan])
            index.drop(columns=["fold", "label"]).to_csv(corpus / "index.csv", index=False)
        fold = Fold("esc50", name, index, ["dog", "rain"], FRONT_END, "absolute")
        torch.manual_seed(0)
        network = Classifier(2, width=0.125, head_units=8, multi_label=multi_label).eval()
        if deaf:
            nn.init.zeros_(network.output.weight)
        if multi_label:
            network.thresholds.fill_(0.0)  # decides for both classes
        save_classifier(corpus / "classifier", network, **fold.identity)
        (corpus / "classes.json").write_text(json.dumps(fold.classes))
        (corpus / "clips.json").write_text(json.dumps([{"clip": each} for each in clips]))
        files = {"index": "index.csv", "classes": "classes.json", "clips": "clips.json"}
        folders = {method: corpus / f"{method}{n_written}" for method in METHODS}
        facts = script(
            **{f"path_to_{each}": str(corpus / path) for each, path in files.items()},
            path_to_sounds=[*map(str, folders.values())],
            path_to_classifier=str(corpus / "classifier"),
            features=FEATURES,
            dataset="esc50",
            fold=name,
            clip_seconds=1.6,
            attributions={"n_steps": 4, "layer": "B5"},
            data=str(corpus / "data"),
            device="cpu",
        )
        return facts, folders, network

    return run


def read(path):
    return soundfile.read(path, dtype="float32")[0]


def test_each_method_has_a_folder_of_every_clip_with_sounds_as_long_as_it(run, corpus):
    facts, folders, _ = run()
    assert facts == {"n_clips": 3, "n_interpretations": 6, "n_silent": 0}
    for folder in folders.values():
        assert {path.name for path in folder.iterdir()} == {"short", "exact", "long"}
        for path in folder.glob("*/*/interpretation.json"):
            about, name = json.loads(path.read_text()), path.parent.parent.name
            x = read(corpus / f"data/esc50/{name}.wav")
            assert np.abs(read(path.parent.parent / "input.wav") - x).max() < 1e-7
            assert [*about["sounds"]] == ["interpretation", "remainder"]
            for kind, said in about["sounds"].items():
                sound = read(path.parent / said["file"])
                assert said["kind"] == kind and len(sound) == len(x)
                assert 0 < sound.std() < 1.01 * x.std()
                assert set(said["probabilities"]) == {"dog", "rain"}
            assert (about["predictor"], about["decided"]) == ("classifier", True)
            assert about["interpreted_class"] == path.parent.name


@pytest.mark.parametrize("name", ["short", "exact", "long"])
def test_sounds_are_what_the_mask_keeps_of_the_log_magnitude_and_what_it_leaves(run, corpus, name):
    _, folders, network = run([name])
    (path,) = folders["grad_cam"].glob("*/*/interpretation.json")
    about = json.loads(path.read_text())
    mask = np.load(path.parent / about["mask"])
    assert mask.dtype == "<f2" and mask.min() >= 0 and mask.max() == 1

    x = torch.from_numpy(read(corpus / f"data/esc50/{name}.wav"))
    peak = x.abs().max().item()
    decided = pad(x / peak, (0, round(1.6 * RATE) - len(x)))
    target = ["dog", "rain"].index(path.parent.name)
    A = grad_cam(network, log_magnitude(FRONT_END.stft(decided)), target, FRONT_END, layer="B5")
    expected = (A.clamp(min=0) / A.max()).numpy()
    n_heard = expected.shape[1]
    n = min(n_heard, mask.shape[1])
    assert np.abs(mask[:, :n] - expected[:, :n]).max() < 1e-3
    assert not mask[:, n_heard + 1 :].any(), "nothing of what was not heard"

    whole = pad(x / peak, (0, 512 * (mask.shape[1] - 1) - len(x)))
    S, m = FRONT_END.stft(whole.double()), torch.from_numpy(mask.astype(np.float64))
    X, phase = log_magnitude(S), phase_of(S)
    for kind, part in {"interpretation": m * X, "remainder": X - m * X}.items():
        by_hand = peak * FRONT_END.inverse(part, phase, len(x)).float()
        sound = torch.from_numpy(read(path.parent / f"{kind}.wav"))
        assert_close(sound, by_hand, atol=1e-3 * peak, rtol=0)
    share = float((m * X).square().sum() / X.square().sum())
    assert about["energy_kept"] == pytest.approx(share, rel=1e-2)


def test_where_nothing_speaks_for_a_class_the_mask_is_empty_and_that_is_counted(run):
    facts, folders, _ = run(["exact"], deaf=True)
    assert facts["n_silent"] == facts["n_interpretations"] == 2
    for folder in folders.values():
        (path,) = folder.glob("*/*/interpretation.json")
        about = json.loads(path.read_text())
        assert about["energy_kept"] == 0 and not np.load(path.parent / about["mask"]).any()
        assert about["sounds"]["interpretation"]["probabilities"] is None


def test_every_class_that_is_decided_for_has_a_folder(run):
    facts, folders, _ = run(["exact"], multi_label=True)
    assert facts["n_interpretations"] == 4
    for folder in folders.values():
        assert {path.name for path in (folder / "exact").iterdir()} == {"input.wav", "dog", "rain"}
        masks = [np.load(folder / "exact" / name / "mask.npy") for name in ("dog", "rain")]
        assert not np.array_equal(*masks)


def test_a_clip_is_explained_alike_in_any_company(run):
    def explained(folders):
        return [
            path.read_bytes()
            for folder in folders.values()
            for path in sorted((folder / "long").rglob("*.*"))
        ]

    assert explained(run()[1]) == explained(run(["long"])[1])
