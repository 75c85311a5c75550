"""l2i.systems.vibi: the explainer finds the chunks that matter, and what it learns from."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from torch.testing import assert_close

from helpers.ending import ended_in_step
from l2i.checks import InputError
from l2i.datasets.fold import Fold
from l2i.features.spectral import FrontEnd
from l2i.networks.bottleneck import (
    masked,
)
from l2i.networks.stored_classifier import frozen
from l2i.systems import vibi
from l2i.training import losses
from l2i.training.task import Task

FRONT_END = FrontEnd(sample_rate=44_100, n_fft=1024, hop_length=512, n_mels=64, mel_power=1)
FRAMES, MELS = 65, 64  # 4 x 4 chunks of 16 x 16, and a frame too many
SETTINGS = {
    "n_kept": 1,
    "information_weight": 0.01,
    "temperature": 0.5,
    "n_draws": 2,
    "chunk_mels": 16,
    "chunk_frames": 16,
    "ema_decay": 0.9,
    "published_sampling": False,
    "n_epochs": 2,
    "batch_size": 8,
    "learning_rate": 2e-3,
    "schedule": "constant",
}


class Loudest(torch.nn.Module):
    """A classifier that hears whether anything rises above the noise."""

    def __init__(self, multi_label=False):
        super().__init__()
        self.multi_label = multi_label

    def forward(self, M):
        loudest = M.amax((1, 2)) + 50
        return torch.stack([loudest, torch.full_like(loudest, 35)], 1) / 10

    def probabilities(self, logits):
        return logits.sigmoid() if self.multi_label else logits.softmax(-1)


def events(n_clips, seed=0):
    """Log-mel of noise around -50 dB, one chunk 40 dB above it or none; which chunk; the label."""
    rng = np.random.default_rng(seed)
    M = rng.normal(-50, 5, (n_clips, FRAMES, MELS)).astype(np.float32)
    where, label = rng.integers(16, size=n_clips), rng.integers(2, size=n_clips)
    for clip, chunk, change in zip(M, where, np.array([40, 0])[label], strict=True):
        t, f = divmod(chunk, 4)
        clip[16 * t : 16 * t + 16, 16 * f : 16 * f + 16] += change
    return M, where, label


@pytest.fixture
def task(tmp_path):
    """The first 24 of 32 clips, to be learned from."""
    M, _, label = events(32)
    index = pd.DataFrame({"label": label, "fold": 2})
    fold = Fold("toy", "1", index, ["event", "none"], FRONT_END, "absolute")
    return Task(
        fold=fold,
        log_mel=M,
        log_magnitude=M,
        data="",
        clip_seconds=1.0,
        device="cpu",
        classifier=Loudest(),
        rows=np.arange(24),
        loss=losses.classification(False),
        start=None,
        W=None,
        precision=torch.float32,
        scratch=tmp_path,
        checkpoints=tmp_path / "checkpoints",
    )


def train(task, seed=0, **changed):
    torch.manual_seed(seed)
    return vibi.train(task, SETTINGS | changed)


@pytest.mark.parametrize(
    "n_frames, frames, expected", [(431, 43, 40), (862, 86, 40), (173, 43, 16), (50, 43, 4)]
)
def test_clips_of_any_length_have_as_many_chunks_as_fit(n_frames, frames, expected):
    network = vibi.Vibi(3, n_kept=2, chunk_frames=frames, chunk_mels=32).eval()
    x = network.standardised(torch.randn(1, n_frames, 128))
    assert x.shape[2:] == (n_frames // frames * frames, 128)
    logits, mask, estimate = network.explain(x)
    assert (logits.shape, estimate.shape) == ((1, expected), (1, 3))


class TestTraining:
    def test_the_explainer_finds_the_only_chunk_that_matters(self, task):
        M, where, label = events(144, seed=1)
        task = dataclasses.replace(task, log_mel=M, rows=np.arange(96))

        def finds(seed):
            plan = {"n_epochs": 8, "temperature": 0.2, "learning_rate": 4e-3}
            network = train(task, seed=seed, **plan).network
            clips = task.clips(np.arange(120, 144))
            _, mask, estimate = network.explain(network.standardised(clips.log_mel))
            found = mask.argmax(-1).numpy() == where[120:]
            right = estimate.argmax(-1).numpy() == label[120:]
            return found[label[120:] == 0].mean() > 0.9 and right.mean() > 0.9

        # Not from every start: with some, the choice of chunks comes to give the class away.
        assert any(finds(seed) for seed in (1, 2, 3, 4))

    def test_what_an_untaught_explainer_keeps_says_little_and_the_published_one_is_no_better(
        self, task
    ):
        M, _, label = events(144, seed=1)
        task = dataclasses.replace(task, log_mel=M, rows=np.arange(96))

        def best_fidelity(**changed):
            return max(self.fidelity(task, label, seed, **changed) for seed in (1, 2))

        assert best_fidelity() > 0.9
        assert best_fidelity(published_sampling=True) < 0.7
        # Without the information loss, nothing at all teaches the explainer of published sampling.
        assert best_fidelity(published_sampling=True, information_weight=0.0) < 0.7

    @staticmethod
    def fidelity(task, label, seed, **changed):
        """Share of clips that were not learned from and are decided as f decides."""
        plan = {"n_epochs": 8, "temperature": 0.2, "learning_rate": 4e-3}
        network = train(task, seed=seed, **plan | changed).network
        unseen = np.arange(96, 144)
        return (network.predict(task.clips(unseen)).logits.argmax(-1).numpy() == label[96:]).mean()

    @pytest.mark.parametrize("published", [False, True])
    def test_by_published_sampling_the_prediction_teaches_the_explainer_nothing(
        self, task, published
    ):
        torch.manual_seed(0)
        start = vibi.Vibi(2, n_kept=1, chunk_frames=16, chunk_mels=16).learned
        learned = train(task, published_sampling=published, information_weight=0.0).network.learned

        def stayed(part):
            pairs = zip(start[part].parameters(), learned[part].parameters(), strict=True)
            return all(torch.equal(a, b) for a, b in pairs)

        assert stayed("explainer") == published
        assert not stayed("approximator")

    def test_total_is_prediction_plus_beta_k_information(self, task):
        row = train(task, n_kept=3, information_weight=0.5).history.iloc[0]
        assert row["total"] == pytest.approx(row["prediction"] + 1.5 * row["information"])

    def test_each_draw_of_a_clip_is_compared_with_that_clips_own_target(self, task, monkeypatch):
        heard, compared = [], []

        def all_of_it(x, masks, grid):
            heard.append(masked(x, torch.ones_like(masks), grid))
            return heard[-1]

        def fidelity(targets, estimate, **options):
            compared.append(targets)
            return losses.cross_entropy(estimate, targets, reduction="none")

        monkeypatch.setattr(vibi, "masked", all_of_it)
        monkeypatch.setattr(vibi.losses, "fidelity", fidelity)
        train(task, n_epochs=1, n_draws=3)
        for clips, targets in zip(heard, compared, strict=True):
            assert len(clips) == 8 * 3
            assert torch.equal(clips.amax((1, 2, 3)) > 4, targets[:, 0] == 1)

    def test_a_heavy_information_loss_keeps_p_uniform(self, task):
        light, heavy = (
            train(task, n_epochs=4, information_weight=w).history["information"].iloc[-1]
            for w in (0.0, 10.0)
        )
        assert heavy < light / 3

    def test_one_right_class_is_predicted_as_decided_and_any_number_as_probable(self, task):
        network = vibi.Vibi(2, n_kept=1, chunk_frames=16, chunk_mels=16)
        logits = task.classifier(torch.from_numpy(task.log_mel[:24]))
        x, targets = vibi.prepare(task, network)
        assert torch.equal(targets.argmax(-1), logits.argmax(-1))
        assert targets.sum(-1).unique().tolist() == targets.amax(-1).unique().tolist() == [1]
        assert_close(x[torch.tensor([13, 2])][:, 0], torch.from_numpy(task.log_mel[[13, 2], :64]))

        index = pd.DataFrame({f"label_{name}": np.zeros(32) for name in task.fold.classes})
        fold = dataclasses.replace(task.fold, index=index)
        task = dataclasses.replace(task, fold=fold, classifier=Loudest(multi_label=True))
        assert_close(vibi.prepare(task, network)[1], logits.sigmoid())
        history = train(task, n_epochs=4).history
        assert history["prediction"].iloc[-1] < history["prediction"].iloc[0]

    def test_inputs_have_mean_0_and_deviation_1_over_the_training_clips(self, task):
        mean, std = vibi.level(task)
        assert mean.item() == pytest.approx(task.log_mel[:24].mean(dtype=float), rel=1e-5)
        assert std.item() == pytest.approx(task.log_mel[:24].std(dtype=float), rel=1e-5)
        network = train(task, n_epochs=1).network
        assert_close((network.mean, network.std), (mean, std))

    @pytest.mark.parametrize("changed", [{"n_kept": 17}, {"chunk_frames": 80}, {"n_kept": 0}])
    def test_more_chunks_than_there_are_cannot_be_kept(self, task, changed):
        with pytest.raises(InputError, match="n_kept is .*whole chunks"):
            train(task, **changed)


class TestRunningMeans:
    def test_they_start_fast_and_end_at_the_decay(self):
        network = vibi.Vibi(2, n_kept=1, chunk_frames=16, chunk_mels=16)
        weight, mean = network.learned["approximator"].output.bias, 0.0
        norm = network.learned["explainer"].blocks[1]
        for t in range(30):
            torch.nn.init.constant_(weight, t + 1)
            norm.running_mean.fill_(t)
            network.average(0.6)
            decay = min(0.6, (1 + t) / (10 + t))
            mean = decay * mean + (1 - decay) * (t + 1)
        assert_close(network.averaged["approximator"].output.bias, torch.full((2,), mean))
        assert (network.averaged["explainer"].blocks[1].running_mean == 29).all()

    def test_they_learn_by_averaging_alone_and_stay_in_evaluation(self, task):
        network = train(task).network
        learned, averaged = (
            dict(net.named_parameters()) for net in (network.learned, network.averaged)
        )
        assert learned.keys() == averaged.keys()
        assert not any(p.requires_grad for p in averaged.values())
        assert not torch.equal(*(net["approximator.output.weight"] for net in (learned, averaged)))
        assert not any(layer.training for layer in network.train().averaged.modules())


class TestScores:
    def test_they_are_those_of_a_network_built_anew(self, task):
        network = train(task).network
        again = vibi.build(**network.architecture)
        again.load_state_dict(network.state_dict())
        again = frozen(again, "cpu")
        clips = task.clips(np.arange(24, 32))
        ours, theirs = network.predict(clips), again.predict(clips)
        assert torch.equal(ours.logits, theirs.logits)
        assert ours.logits.dtype == torch.float32 and not ours.logits.requires_grad
        assert ours.losses.keys() == {"fidelity_loss", "information_loss"}
        assert all(values.shape == (8,) for values in ours.losses.values())

    def test_they_hear_nothing_of_what_is_not_kept(self, task):
        network = train(task).network
        x = network.standardised(task.clips(np.arange(8)).log_mel)
        _, mask, estimate = network.explain(x)
        alone = network.averaged["approximator"](masked(x, mask, network.grid))
        assert_close(estimate, alone)
        assert (masked(x, mask, network.grid) != 0).float().mean().item() == 1 / 16


class TestResumption:
    @pytest.mark.parametrize("step", [4, 6, 8])  # of three an epoch
    def test_a_run_that_was_ended_gives_the_weights_of_one_that_was_not(self, task, tmp_path, step):
        whole = train(dataclasses.replace(task, checkpoints=tmp_path / "other"), n_epochs=4)
        with ended_in_step(step):
            train(task, n_epochs=4)
        resumed = train(task, seed=5, n_epochs=4)
        assert len(resumed.history) == 4
        state, expected = resumed.network.state_dict(), whole.network.state_dict()
        assert state["n_steps"] == 12
        assert all(torch.equal(state[name], expected[name]) for name in expected)
