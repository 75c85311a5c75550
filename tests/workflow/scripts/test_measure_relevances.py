"""Relevance vectors of decisions, and those with activations exchanged between clips."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from helpers.project import load_module
from helpers.relevance_vectors import CLASSES
from l2i.interpretation.explained import ExplainedClassifier
from l2i.networks.interpreter import Interpreter
from l2i.training.opening import open_recordings

K, N_FRAMES = 4, 6
FEATURES = {
    **{"sample_rate": 44_100, "n_fft": 1024, "hop_length": 512, "n_mels": 128, "mel_power": 1},
    "waveform_scale": "absolute",
}


class Decider(torch.nn.Module):
    """A classifier that decides for each class by one column of the log-mel."""

    def hidden_maps(self, M, taps):
        return M[:, 0, K : K + 3], {"M": M}

    def decisions(self, logits):
        return logits > 0


class Reader(torch.nn.Module):
    """A Psi that finds its activations in the first columns of the log-mel."""

    taps = ()

    def forward(self, hidden, n_frames):
        return hidden["M"][:, :n_frames, :K].transpose(1, 2)


@pytest.fixture
def measured(tmp_path):
    """Run measure_relevances on random clips; give its two tables."""
    measure_relevances = load_module("measure_relevances").measure_relevances

    def run(n_test=7, decided=None, pooling="class_attention", relevance_pooling="model", seed=0):
        generator = torch.Generator().manual_seed(1)
        M = torch.rand(n_test + 2, N_FRAMES, K + 3, generator=generator)
        if decided is not None:
            M[2:, 0, K:] = 2 * torch.as_tensor(decided) - 1.0
        np.save(tmp_path / "log_mel.npy", M.numpy())
        torch.manual_seed(2)
        interpreter = Interpreter(torch.rand(9, K), 3, pooling=pooling, dropout=0.5)
        interpreter.psi = Reader()
        networks = Decider(), interpreter.eval()

        def explained(_, **how):
            return ExplainedClassifier(*networks, **how)

        index = pd.DataFrame({"clip": [f"clip{i}" for i in range(n_test + 2)]})
        index["split"] = ["train"] * 2 + ["test"] * n_test
        index["source"] = index["clip"]
        index.to_csv(tmp_path / "index.csv", index=False)
        (tmp_path / "classes.json").write_text(json.dumps(CLASSES))
        inputs = {"index": "index.csv", "classes": "classes.json"}
        inputs |= {"log_mel": "log_mel.npy", "log_magnitude": "log_mel.npy"}
        outputs = {"relevances": "relevances.csv", "exchanged": "relevances_exchanged.csv"}
        recordings = open_recordings(
            **{f"path_to_{n}": tmp_path / path for n, path in inputs.items()},
            **{"path_to_classifier": [], "features": FEATURES, "clip_seconds": 1.0},
            **{"dataset": "demo", "fold": "official", "data": "nowhere", "device": "cpu"},
        )
        facts = measure_relevances(
            recordings,
            SimpleNamespace(explained=explained),
            **{f"path_to_{n}": str(tmp_path / path) for n, path in outputs.items()},
            **{"relevance_pooling": relevance_pooling, "relevance_scale": "absolute"},
            **{"system": "l2i_att", "variant": "default", "run": "0"},
            seed=seed,
        )
        own, exchanged = (pd.read_csv(tmp_path / path) for path in outputs.values())
        assert facts == {"n_clips": n_test, "n_decisions": len(own)}
        return own, exchanged

    return run


def partners(own, exchanged):
    """Clip -> the clip whose relevances of the same class its exchanged ones are."""
    values = [f"r_{k:03d}" for k in range(K)]
    found = {}
    for (clip, name), each in exchanged.set_index(["clip", "class"])[values].iterrows():
        of_class = own[own["class"] == name].set_index("clip")[values]
        same = of_class.index[np.isclose(of_class, each, atol=1e-5).all(1)]
        found.setdefault(clip, set()).update(same)
    return found


class TestMeasuring:
    @pytest.mark.parametrize("pooling", ["attention", "class_attention", "max"])
    @pytest.mark.parametrize("relevance_pooling", ["model", "max"])
    def test_every_clip_gets_the_activations_of_one_other(
        self, measured, pooling, relevance_pooling
    ):
        own, exchanged = measured(pooling=pooling, relevance_pooling=relevance_pooling)
        assert len(own) == 3 * 7 and list(own) == list(exchanged)
        found = partners(own, exchanged)
        assert [len(clips) for clips in found.values()] == [1] * 7, "the same for all classes"
        others = {clip: other for clip, (other,) in found.items()}
        assert all(clip != other for clip, other in others.items())
        assert set(others.values()) == set(others), "none is used twice"

    def test_largest_activations_are_pooled_where_asked_for(self, measured, tmp_path):
        own, _ = measured(relevance_pooling="max")
        H = np.load(tmp_path / "log_mel.npy")[2, :, :K]
        torch.manual_seed(2)
        w = Interpreter(torch.rand(9, K), 3, pooling="class_attention", dropout=0.5).linear.weight
        contributions = H.max(0) * w.detach().numpy()
        expected = contributions / np.abs(contributions).max(1, keepdims=True)
        assert own.iloc[:3, -K:].to_numpy() == pytest.approx(expected, rel=1e-4)

    def test_decisions_stay_with_their_clips(self, measured):
        decided = np.array([[1, 0, 0], [0, 0, 0], [1, 1, 0], [0, 0, 1]])
        own, exchanged = measured(4, decided)
        keys = ["clip", "class"]
        assert own[keys].to_numpy().tolist() == [
            ["clip2", "dog"],
            ["clip4", "dog"],
            ["clip4", "music"],
            ["clip5", "siren"],
        ]
        pd.testing.assert_frame_equal(own[keys], exchanged[keys])

    def test_a_seed_exchanges_the_same_and_another_anew(self, measured):
        tables = [measured(seed=seed) for seed in (0, 0, 1)]
        assert tables[0][1].equals(tables[1][1]) and not tables[0][1].equals(tables[2][1])
        assert tables[0][0].equals(tables[2][0]), "what the clips have themselves is not drawn"

    def test_two_test_clips_change_places(self, measured):
        own, exchanged = measured(2)
        assert partners(own, exchanged) == {"clip2": {"clip3"}, "clip3": {"clip2"}}

    def test_a_single_test_clip_has_no_numbers(self, measured):
        own, exchanged = measured(1)
        assert own.iloc[:, -K:].notna().all(axis=None)
        assert len(exchanged) == 3 and exchanged.iloc[:, -K:].isna().all(axis=None)

    def test_no_decision_at_all_is_legal(self, measured):
        own, exchanged = measured(3, np.zeros((3, 3)))
        assert own.empty and list(own) == list(exchanged) and len(exchanged) == 0
