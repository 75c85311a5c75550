"""l2i.interpretation.opened_clips: a clip of an occasion, and what was planted in it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

from helpers.known_networks import CLASSES, FRONT_END, RATE, Listener
from l2i.checks import InputError
from l2i.datasets.corruption import corrupted
from l2i.datasets.fold import Fold
from l2i.hashing import file_sha256
from l2i.interpretation.occasions import Corruption, Entry
from l2i.interpretation.opened_clips import Opened, open_entry

NOISE, OTHER = (Corruption(kind, 6.0, 0) for kind in ("noise", "class"))


@pytest.fixture(scope="module", params=["absolute", "none"])
def corpus(request, tmp_path_factory):
    """A fold with a test clip of each of two classes, which peak below full scale; its data."""
    data = tmp_path_factory.mktemp("data")
    (data / "farm").mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for i, (name, peak, label) in enumerate([("a", 0.2, 0), ("b", 0.6, 1), ("c", 0.5, 1)]):
        x = rng.uniform(-peak, peak, RATE // 4).astype(np.float32)
        soundfile.write(data / f"farm/{name}.wav", x, RATE, subtype="FLOAT")
        sha256 = file_sha256(data / f"farm/{name}.wav")
        rows.append({"clip": name, "path": f"{name}.wav", "label": label, "sha256": sha256})
        rows[-1]["fold"] = 1 + (i == 2)
    fold = Fold("farm", "1", pd.DataFrame(rows), CLASSES, FRONT_END, request.param)
    return fold, str(data)


@pytest.fixture
def opened(corpus):
    """Open an entry."""
    fold, data = corpus
    return lambda *entry: open_entry(fold, Entry(*entry), data)


def recorded(corpus, name):
    return soundfile.read(f"{corpus[1]}/farm/{name}.wav", dtype="float32")[0]


def test_a_clip_as_it_was_recorded_has_nothing_planted(opened, corpus):
    clip = opened("a").clip
    assert clip.name == "a" and clip.labels == ["low"] and not clip.planted
    assert clip.corruption is None
    assert clip.as_read == pytest.approx(recorded(corpus, "a"), abs=1e-6)


@pytest.mark.parametrize("company", [NOISE, OTHER])
def test_what_was_planted_adds_up_to_the_clip_at_the_level_of_its_file(opened, corpus, company):
    clip = opened("a", ("low",), company).clip
    source, other = (each.waveform for each in clip.planted)
    assert [each.name for each in clip.planted] == ["source", "other"]
    assert source == pytest.approx(recorded(corpus, "a"), abs=1e-6)
    assert source + other == pytest.approx(clip.as_read, abs=1e-6)
    ratio = 20 * np.log10(np.linalg.norm(source) / np.linalg.norm(other))
    assert ratio == pytest.approx(6.0, abs=1e-3)


def test_networks_hear_the_mixture_that_scores_are_taken_of(opened, corpus):
    fold, data = corpus
    mixture = corrupted(fold, 0, data, kind="class", snr_db=6.0, seed=0)
    assert torch.equal(opened("a", (), OTHER).clip.waveform, mixture.waveform)


def test_a_mixture_has_the_classes_of_both_and_noise_has_none(opened):
    noisy, mixed = (opened("a", (), company).clip for company in (NOISE, OTHER))
    assert noisy.labels == ["low"] and noisy.absent == ["not low", "never"]
    assert mixed.labels == ["low", "not low"] and mixed.absent == ["never"]
    assert [(each.clip, each.labels) for each in mixed.planted] == [
        ("a", ["low"]),
        ("b", ["not low"]),
    ]
    assert [(each.clip, each.labels) for each in noisy.planted] == [("a", ["low"]), ("", [])]
    assert noisy.corruption == {"kind": "noise", "snr_db": 6.0, "seed": 0}


def test_a_corrupted_clip_is_called_by_its_company(opened):
    assert opened("a", (), NOISE).clip.name == "a with white noise at 6 dB"
    assert opened("a", (), OTHER).clip.name == "a with b at 6 dB"
    half = Corruption("noise", -2.5, 0)
    assert opened("a", (), half).clip.name == "a with white noise at -2.5 dB"


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (("d",), "d is no test clip of farm, fold 1"),
        (("c",), "c is no test clip of farm, fold 1"),  # it is trained on
        (("a", ("cat",)), "a is to be interpreted for cat, which farm has not among its classes"),
    ],
)
def test_what_the_fold_has_not_is_refused(opened, entry, told):
    with pytest.raises(InputError, match=told):
        opened(*entry)


class TestTargets:
    """A clip that is decided to be `not low`, and just that."""

    logits = torch.tensor([[-3.0, 2.0, 1.0]])

    def test_what_an_occasion_names_is_interpreted_whatever_is_decided(self):
        opened = Opened(None, (2, 1))
        assert opened.targets_of(Listener(), self.logits) == {2: False, 1: True}

    def test_else_what_is_decided_for(self):
        assert Opened(None, ()).targets_of(Listener(), self.logits) == {1: True}

    def test_else_the_most_probable_class(self):
        logits = self.logits - 9
        assert Opened(None, ()).targets_of(Listener(multi_label=True), logits) == {1: False}
