"""l2i.systems.by_design: classifier and interpreter that learn together."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch.testing import assert_close

from l2i.datasets.fold import LABEL, OFFICIAL, Fold
from l2i.features.spectral import FrontEnd
from l2i.networks.classifier import Classifier
from l2i.systems import by_design
from l2i.systems.loading import load_system, save_system
from l2i.training import checkpoints, losses
from l2i.training.task import Task

FRONT_END = FrontEnd(sample_rate=44_100, n_fft=1024, hop_length=512, n_mels=128, mel_power=1)
N, N_BINS, N_FRAMES = 12, 33, 140
SETTINGS = {
    "predictor": "classifier",
    "prediction_weight": 1.0,
    "fidelity_weight": 1.0,
    "reconstruction_weight": 3.0,
    "sparsity_weight": 0.2,
    "taps": ["B4", "B5", "B6"],
    "pooling": "attention",
    "attention": "shared",
    "dropout": 0.0,
    "n_epochs": 2,
    "batch_size": 4,
    "learning_rate": 1e-3,
    "schedule": "constant",
    "crop": None,
}


def task(tmp_path, *, multi_label=False, seed=0):
    """Loud clips of one class, soft ones of the other: two clips in three train."""
    rng = np.random.default_rng(0)
    loud = np.arange(N) % 2
    index = pd.DataFrame({"clip": [f"clip{i}" for i in range(N)]})
    if multi_label:
        index["split"] = ["train", "train", "test"] * (N // 3)
        index[LABEL + "soft"], index[LABEL + "loud"] = 1.0 - loud, loud.astype(float)
        index.loc[3, LABEL + "loud"] = np.nan
    else:
        index["fold"], index["label"] = 1 + np.arange(N) // 2 % 3, loud
    split = Fold(
        "toys", OFFICIAL if multi_label else "1", index, ["soft", "loud"], FRONT_END, "absolute"
    )
    log_mel = rng.normal(-40, 3, (N, N_FRAMES, 128)) + 30 * loud[:, None, None]
    magnitude = rng.random((N, N_BINS, N_FRAMES)) * (0.1 + loud[:, None, None])
    W = torch.rand(N_BINS, 6, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(seed)
    start = Classifier(2, width=0.125, head_units=8, dropout=0.0, multi_label=multi_label)
    return Task(
        fold=split,
        log_mel=log_mel.astype(np.float32),
        log_magnitude=magnitude.astype(np.float32),
        data="nowhere",
        clip_seconds=1.6,
        device="cpu",
        classifier=None,
        rows=split.train_rows,
        loss=losses.classification(multi_label),
        start=start,
        W=W / W.norm(dim=0),
        precision=torch.float32,
        scratch=tmp_path,
        checkpoints=tmp_path / "checkpoints",
    )


def trained(task, seed=1, **changes):
    torch.manual_seed(seed)
    return by_design.train(task, SETTINGS | changes)


class TestTraining:
    @pytest.mark.parametrize("multi_label", [False, True])
    def test_a_separable_problem_is_learned_by_both_parts(self, tmp_path, multi_label):
        of = task(tmp_path, multi_label=multi_label, seed=3)  # from some starts Psi falls silent
        plan = {"n_epochs": 60, "learning_rate": 5e-3, "schedule": "one_cycle"}
        network, history, _ = trained(of, seed=4, **plan)
        network.eval()
        clips = of.clips(of.rows)
        estimate = network.predict(clips).logits
        logits = network(clips.log_mel)[0]
        for scores in (estimate, logits):
            assert (scores.argmax(1) == torch.from_numpy(of.rows) % 2).float().mean() > 0.8
        assert history["total"].iloc[-1] < history["total"].iloc[0]
        assert np.isfinite(history.to_numpy(float)).all()

    def test_every_layer_learns_and_the_dictionary_does_not(self, tmp_path):
        of = task(tmp_path)
        before = {name: value.clone() for name, value in of.start.state_dict().items()}
        network, _, _ = trained(of)
        after = network.classifier.state_dict()
        assert all(not after[k].equal(v) for k, v in before.items() if k.endswith("weight"))
        assert_close(network.interpreter.W, of.W)

    def test_the_total_is_the_weighted_sum_of_the_parts(self, tmp_path):
        _, history, _ = trained(task(tmp_path), prediction_weight=0.7, fidelity_weight=0.4)
        parts = history["prediction"] * 0.7 + history["fidelity"] * 0.4
        parts += history["reconstruction"] * 3.0 + history["sparsity"] * 0.2
        assert_close(torch.tensor(history["total"]), torch.tensor(parts), rtol=1e-5, atol=1e-6)

    def test_without_prediction_by_the_classifier_its_head_learns_nothing(self, tmp_path):
        of = task(tmp_path)
        head = of.start.output.weight.detach().clone()
        network, _, _ = trained(of, predictor="interpreter", fidelity_weight=0.0)
        assert network.classifier.output.weight.equal(head)
        kept, _, _ = trained(task(tmp_path), predictor="interpreter", fidelity_weight=1.0)
        # L_FID leads g, never f: its target is detached.
        assert kept.classifier.output.weight.equal(head)
        assert not kept.interpreter.linear.weight.equal(network.interpreter.linear.weight)

    def test_no_clip_beside_the_rows_is_read(self, tmp_path):
        clean = trained(task(tmp_path))[0].state_dict()
        poisoned = task(tmp_path)
        for array in (poisoned.log_mel, poisoned.log_magnitude):
            array[np.setdiff1d(np.arange(N), poisoned.rows)] = np.nan
        of = trained(poisoned)[0].state_dict()
        assert all(of[name].equal(value) for name, value in clean.items())

    def test_crops_are_cut_alike_from_both_spectrograms(self, tmp_path, monkeypatch):
        of = task(tmp_path)
        number = np.arange(N_FRAMES, dtype=np.float32)
        of.log_mel[:] = number[None, :, None]
        of.log_magnitude[:] = number[None, None, :]
        seen = []
        forward = by_design.ByDesign.forward
        square = by_design.losses.reconstruction
        monkeypatch.setattr(
            by_design.ByDesign, "forward", lambda self, M: (seen.append(M), forward(self, M))[1]
        )
        monkeypatch.setattr(
            by_design.losses, "reconstruction", lambda X, Y: (seen.append(X), square(X, Y))[1]
        )
        trained(of, n_epochs=1, crop=0.95)
        for M, X in zip(seen[::2], seen[1::2], strict=True):
            assert M.shape[1] == X.shape[2] == round(0.95 * N_FRAMES)
            assert_close(M[:, :, 0], X[:, 0])
        assert len({float(M[0, 0, 0]) for M in seen[::2]}) > 1

    def test_a_run_that_was_ended_goes_on_to_the_same_weights(self, tmp_path, monkeypatch):
        monkeypatch.setattr(checkpoints, "INTERVAL_SECONDS", 0.0)
        changes = {"n_epochs": 3, "crop": 0.95, "dropout": 0.3}
        whole, _, _ = trained(replace(task(tmp_path), checkpoints=tmp_path / "whole"), **changes)
        draw, calls = by_design.random_crop, []

        def ended(*arguments):
            calls.append(1)
            if len(calls) == 6:  # in the third epoch of two steps each
                raise KeyboardInterrupt
            return draw(*arguments)

        monkeypatch.setattr(by_design, "random_crop", ended)
        with pytest.raises(KeyboardInterrupt):
            trained(task(tmp_path), **changes)
        monkeypatch.setattr(by_design, "random_crop", draw)
        resumed, history, _ = trained(task(tmp_path, seed=7), seed=9, **changes)
        for name, value in whole.state_dict().items():
            assert resumed.state_dict()[name].equal(value), name
        assert len(history) == 3

    def test_bfloat16_begins_where_float32_does(self, tmp_path):
        exact, fast = (
            trained(replace(task(tmp_path), precision=precision), n_epochs=1)[1]["total"].iloc[0]
            for precision in (torch.float32, torch.bfloat16)
        )
        assert fast == pytest.approx(exact, rel=0.03) and fast != exact


class TestNetwork:
    def test_the_interpreter_predicts_and_decides(self, tmp_path):
        of = task(tmp_path)
        network, _, _ = trained(of)
        network.eval()
        clips = of.clips(of.rows[:3])
        logits, interpretation = network(clips.log_mel)
        assert_close(network.predict(clips).logits, interpretation.logits)
        pair = network.explained()
        assert_close(pair.predict(clips.log_mel), interpretation.logits)
        assert_close(pair.explain(clips.log_mel, N_FRAMES)[0], interpretation.logits)
        assert not logits.equal(interpretation.logits)

    def test_losses_of_clips_are_those_by_hand(self, tmp_path):
        of = task(tmp_path)
        network, _, _ = trained(of)
        network.eval()
        clips = of.clips(of.rows[:3])
        f, (H, _, g) = network(clips.log_mel)
        found = network.predict(clips).losses
        by_hand = -(f.softmax(1) * g.log_softmax(1)).sum(1)
        assert_close(found["fidelity_loss"], by_hand)
        error = (clips.log_magnitude - network.interpreter.W @ H).square().mean((1, 2))
        assert_close(found["reconstruction_loss"], error)
        assert_close(found["sparsity_loss"], H.mean((1, 2)))

    @pytest.mark.parametrize("multi_label", [False, True])
    def test_it_is_rebuilt_equal_from_its_file(self, tmp_path, multi_label):
        of = task(tmp_path, multi_label=multi_label)
        network, _, _ = trained(of)
        save_system(tmp_path / "model", network, module="by_design", fold="1")
        loaded = load_system(tmp_path / "model", module="by_design", device="cpu", fold="1")
        clips = of.clips(of.rows[:3])
        assert_close(loaded.predict(clips).logits, network.eval().predict(clips).logits)
