"""Test clips explained with shuffled classifiers: what hears them notices, what does not cannot."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

from helpers.known_networks import FRONT_END
from helpers.project import load_module
from helpers.small_networks import WIDTH, small_classifier
from l2i.hashing import file_sha256
from l2i.networks.shuffled_weights import CASCADE, name_of
from l2i.networks.stored_classifier import frozen, save_classifier
from l2i.reporting.sanity import DOES_NOT, NOTICES, sanity_numbers
from l2i.systems.posthoc import PostHoc
from l2i.training.opening import open_recordings

N_CLIPS, N_SAMPLES, K = 12, 72_000, 12
STEPS = [name_of(stages) for stages in CASCADE]
FEATURES = {**vars(FRONT_END), "waveform_scale": "absolute"}
CLASSES = ["dog", "rain", "siren"]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Two folds of random sounds of three colours, and a classifier that tells some apart."""
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    (folder / "demo").mkdir()
    rows, heard = [], []
    for i in range(N_CLIPS):
        noise = rng.normal(size=N_SAMPLES)
        coloured = np.convolve(noise, np.ones(1 + 8 * (i % 3)), "same") * rng.uniform(0.2, 1)
        x = (coloured / np.abs(coloured).max()).astype(np.float32)
        path = folder / f"demo/clip{i:02d}.wav"
        soundfile.write(path, x, FRONT_END.sample_rate, subtype="FLOAT")
        key = {"clip": path.stem, "source": path.stem, "path": path.name, "label": i % 3}
        rows.append(key | {"fold": 1 + i % 2, "sha256": file_sha256(path)})
        heard.append(FRONT_END.log_mel(FRONT_END.stft(torch.from_numpy(x)[None])))
    pd.DataFrame(rows).to_csv(folder / "index.csv", index=False)
    (folder / "classes.json").write_text(json.dumps(CLASSES))
    np.save(folder / "log_mel.npy", torch.cat(heard).numpy())
    opened = {
        **{"path_to_index": folder / "index.csv", "path_to_classes": folder / "classes.json"},
        **{f"path_to_{name}": folder / "log_mel.npy" for name in ("log_mel", "log_magnitude")},
        **{"dataset": "demo", "fold": "1", "features": FEATURES, "data": str(folder)},
        **{"clip_seconds": N_SAMPLES / FRONT_END.sample_rate, "device": "cpu"},
    }
    without = open_recordings(path_to_classifier=[], **opened)
    network = small_classifier()
    with torch.no_grad():  # statistics of these sounds, as training would have left them
        network.train()(without.clips(without.fold.train_rows).log_mel)
    save_classifier(folder / "classifier", frozen(network, "cpu"), **without.fold.identity)
    return open_recordings(path_to_classifier=[str(folder / "classifier")], **opened)


@pytest.fixture(scope="module")
def measured(recordings, tmp_path_factory):
    """Measure an interpreter with some taps; its rows."""
    path = tmp_path_factory.mktemp("measured") / "sanity.csv"

    def run(taps, n_draws=1, seed=0):
        torch.manual_seed(1)
        W = torch.rand(FRONT_END.n_bins, K)
        network = PostHoc(W, 3, pooling="max", dropout=0.0, width=WIDTH, taps=taps)
        for parameter in network.psi.parameters():  # a Psi that tells maps apart, untrained
            torch.nn.init.normal_(parameter, std=0.5)
        facts = load_module("measure_sanity").measure_sanity(
            recordings,
            frozen(network, "cpu"),
            str(path),
            **{"threshold": 0.1, "n_draws": n_draws, "seed": seed, "run": "0"},
            **{"relevance_pooling": "model", "relevance_scale": "absolute"},
            **{"system": "l2i_max", "variant": "default"},
        )
        assert facts == {"n_clips": 6, "n_networks": 1 + 7 * n_draws}
        return pd.read_csv(path)

    return run


@pytest.fixture(scope="module")
def of_b6(measured):
    return measured(["B6"], n_draws=2)


def verdicts(rows):
    """Measure to step of the cascade to what is said of it there."""
    steps = {name: part for name, part in rows.groupby("shuffled", sort=False)}
    intact = steps.pop("nothing")
    how = {"statistics": {"n_bootstrap": 50, "confidence": 0.95}, "seed": 0}
    numbers = sanity_numbers(intact, steps, **how)
    said = {}
    for number in numbers:
        if number["noticed"]:
            said.setdefault(number["metric"], {})[number["condition"]] = number["noticed"]
    return said


def test_every_test_clip_has_a_row_of_every_step_and_draw(of_b6, recordings):
    assert list(of_b6["shuffled"].unique()) == STEPS
    expected = {(step, draw) for step in STEPS for draw in range(1 if step == "nothing" else 2)}
    assert set(of_b6.groupby(["shuffled", "draw"]).groups) == expected
    fold = recordings.fold
    names = set(fold.index["clip"].iloc[fold.test_rows])
    for _, part in of_b6.groupby(["shuffled", "draw"]):
        assert set(part["clip"]) == names and len(part) == 6
    assert of_b6.groupby("clip")["class"].nunique().eq(1).all()
    assert set(of_b6["class"]) <= set(CLASSES) and (of_b6["source"] == of_b6["clip"]).all()


def test_the_intact_network_agrees_with_itself(of_b6):
    intact = of_b6[of_b6["shuffled"] == "nothing"]
    assert intact[["correlation", "overlap", "top_same"]].eq(1).all(axis=None)


def test_relevances_notice_what_the_interpreter_hears_and_nothing_after_it(of_b6):
    """The head comes after B6: relevances cannot hang on it, and it is told."""
    said = verdicts(of_b6)["relevance_correlation"]
    assert list(said) == STEPS[1:]
    assert said["head"] == DOES_NOT
    assert {said[step] for step in STEPS[2:]} == {NOTICES}
    head = of_b6[of_b6["shuffled"] == "head"]
    assert head[["correlation", "overlap", "top_same"]].eq(1).all(axis=None)


def test_a_relevance_that_does_not_hang_on_the_network_is_told(measured):
    """Psi reads the input itself, past the network."""
    said = verdicts(measured(["input"]))
    for metric in ("relevance_correlation", "selection_overlap", "top_component_same"):
        assert said[metric] == dict.fromkeys(STEPS[1:], DOES_NOT)


def test_a_seed_shuffles_the_same_and_another_anew(of_b6, measured):
    again, other = (measured(["B6"], n_draws=2, seed=seed) for seed in (0, 1))
    assert of_b6.equals(again) and not of_b6["correlation"].equals(other["correlation"])
    first, second = (of_b6.loc[of_b6["draw"] == draw, "correlation"].iloc[-6:] for draw in (0, 1))
    assert not np.allclose(first, second)


def test_no_test_clip_gives_statistics(recordings, monkeypatch):
    """What batch norms are taken of, by row."""
    asked, module = [], load_module("measure_sanity")

    class Noting(type(recordings)):
        def clips(self, rows):
            asked.extend(int(row) for row in rows)
            return super().clips(rows)

    noting = Noting(**vars(recordings))
    for _ in module._classifiers(noting, 1, 0):
        pass
    assert asked and set(asked) <= set(recordings.fold.train_rows)
