"""l2i.systems.apnet: prototypes, their losses, and learning with them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import l2i.training.cached_rows
import l2i.training.checkpoints
from helpers.apnet_tasks import SETTINGS, TINY, network, task, trained
from helpers.ending import ended_in_step
from l2i.checks import InputError
from l2i.networks.stored_classifier import frozen
from l2i.systems import apnet
from l2i.training.losses import classification


class TestDistances:
    @settings(max_examples=20, deadline=None)
    @given(seed=st.integers(0, 2**16), B=st.integers(1, 3))
    def test_they_are_the_squared_differences_of_each_row_of_frequency(self, seed, B):
        net = network().double()
        features = torch.randn(B, 3, 2, 4, generator=torch.Generator().manual_seed(seed)).double()
        difference = features[:, None] - net.prototypes[None]
        torch.testing.assert_close(net.distances(features), difference.square().sum((2, 3)))

    def test_a_clip_that_equals_a_prototype_is_no_distance_away(self):
        net = network()
        D = net.distances(net.prototypes)
        assert (D >= 0).all() and D.diagonal().max() < 1e-6

    def test_a_clip_that_equals_a_prototype_gets_its_class_weights(self):
        net = network()
        D = torch.full((4, 4, 4), torch.inf)
        D[range(4), range(4)] = 0.0
        torch.testing.assert_close(net.logits(D), net.class_weights().T)

    def test_logits_are_sums_of_weighted_similarities(self, generator):
        net = network()
        D = torch.rand(2, 4, 4, generator=generator)
        s = torch.einsum("bkf,kf->bk", torch.exp(-D), net.row_weights)
        torch.testing.assert_close(net.logits(D), s @ net.linear.weight.T)


class TestFreshNetwork:
    def test_each_class_has_prototypes_of_its_own(self):
        torch.manual_seed(0)
        head = apnet.fresh_head(2, 7)  # three each, and one left over for the first class
        own = torch.tensor([[1, 1, 1, -1, -1, -1, 1], [-1, -1, -1, 1, 1, 1, -1]]) / 3
        assert (head - own).abs().max() <= 0.05 and (head - own).abs().max() > 0.02

    def test_every_class_gets_prototypes_however_they_divide(self):
        for K in range(3, 12):
            assert ((apnet.fresh_head(3, K) > 0.0).sum(1) >= K // 3).all()

    def test_rows_of_frequency_weigh_the_same(self):
        assert torch.equal(network().row_weights, torch.full((4, 4), 1 / 4))

    def test_prototypes_are_small(self):
        assert 0.04 < network().prototypes.abs().max() <= 0.05


class TestConstraint:
    @settings(max_examples=20, deadline=None)
    @given(seed=st.integers(0, 2**16))
    def test_each_row_of_frequency_has_unit_length_over_prototypes(self, seed):
        net = network()
        start = torch.randn(4, 4, generator=torch.Generator().manual_seed(seed))
        net.row_weights.data = start.clone()
        net.normalise()
        torch.testing.assert_close(net.row_weights.square().sum(0), torch.ones(4))
        assert torch.equal(net.row_weights.sign(), start.sign())

    def test_training_ends_on_it(self, tmp_path):
        weights = trained(task(tmp_path), n_epochs=1).network.row_weights
        torch.testing.assert_close(weights.norm(dim=0), torch.ones(4))


class TestLosses:
    def test_known_values(self):
        net = network(n_prototypes=2)
        D = torch.tensor(
            [[[1.0, 3.0], [6.0, 6.0]], [[4.0, 4.0], [2.0, 4.0]], [[8.0, 8.0], [9.0, 9.0]]]
        )
        net.row_weights.data = torch.zeros(2, 2)  # so that both classes are as probable
        x, targets = torch.zeros(3, 8, 16), torch.eye(2)[[0, 1, 1]]
        parts = apnet.parts_of_loss(net, x, x + 0.5, D, targets, classification(False))
        # Nearest clips of the prototypes 2 and 3; nearest prototypes of the clips 2, 3 and 8.
        assert parts["prototype"].item() == pytest.approx((2 + 3) / 2 + (2 + 3 + 8) / 3)
        assert parts["reconstruction"].item() == pytest.approx(0.25)
        assert parts["classification"].item() == pytest.approx(torch.tensor(2.0).log().item())

    def test_the_total_weighs_them_as_asked(self, tmp_path):
        row = trained(task(tmp_path), n_epochs=1).history.iloc[0]
        total = 10 * row.classification + 5 * row.reconstruction + 5 * row.prototype
        assert row.total == pytest.approx(total, rel=1e-5)


class TestWarmUp:
    def test_without_similarity_the_third_and_fourth_epoch_do_without_classification(
        self, tmp_path, monkeypatch
    ):
        monkeypatch.setattr(apnet, "LEAST_SIMILARITY", 2.0)  # more than any similarity
        result = trained(task(tmp_path), n_epochs=5)
        rest = result.history.eval("total - 5 * reconstruction - 5 * prototype")
        share = (rest / result.history["classification"]).round(3).tolist()
        assert share == pytest.approx([10, 10, 0, 0, 10], abs=0.01)
        assert result.facts == {"warmed_up": True}

    def test_with_similarity_there_is_none(self, tmp_path):
        assert trained(task(tmp_path), n_epochs=4).facts == {"warmed_up": False}


class TestLearning:
    @pytest.mark.parametrize("multi_label", [False, True])
    def test_tones_are_told_apart(self, tmp_path, multi_label):
        problem = task(tmp_path, multi_label=multi_label)
        result = trained(problem, n_epochs=30)
        test = problem.clips(problem.fold.test_rows)
        logits, losses = result.network.predict(test)
        assert logits.dtype == torch.float32 and logits.argmax(1).tolist() == [0, 1, 0, 1]
        assert losses["reconstruction_loss"].shape == (4,)
        assert losses["reconstruction_loss"].max() < 0.1
        assert result.history["total"].iloc[-1] < result.history["total"].iloc[0]

    @pytest.mark.parametrize("step", [3, 5, 6, 7])  # of two an epoch
    def test_it_can_go_on_from_where_it_was_ended(self, tmp_path, monkeypatch, step):
        monkeypatch.setattr(apnet, "LEAST_SIMILARITY", 2.0)  # the warm-up must be remembered
        folders = [tmp_path / name for name in ("whole", "parts")]
        for folder in folders:
            folder.mkdir()
        whole = trained(task(folders[0]), n_epochs=5)
        with ended_in_step(step):
            trained(task(folders[1]), n_epochs=5)
        parts = trained(task(folders[1]), n_epochs=5)
        assert len(parts.history) == 5
        for name, value in whole.network.state_dict().items():
            assert torch.equal(value, parts.network.state_dict()[name]), name

    def test_bfloat16_gives_nearly_the_same_first_losses(self, tmp_path):
        exact, fast = (
            trained(task(tmp_path, precision=precision), n_epochs=1).history["total"].iloc[0]
            for precision in (torch.float32, torch.bfloat16)
        )
        assert fast == pytest.approx(exact, rel=0.03) and fast != exact

    def test_log_mels_are_kept_clip_by_clip_with_their_extremes(self, tmp_path, monkeypatch):
        monkeypatch.setattr(l2i.training.cached_rows, "BATCH", 5)
        problem = task(tmp_path)
        kept, extremes = apnet.resident_log_mel(problem, apnet.LogMel(**TINY))
        M = apnet.whole_cells(problem.clips(problem.rows), apnet.LogMel(**TINY))
        torch.testing.assert_close(kept[torch.arange(12)], M)
        torch.testing.assert_close(extremes, torch.stack([M.min(), M.max()]))

    def test_the_training_clips_fill_the_range(self, tmp_path):
        problem = task(tmp_path)
        net = trained(problem, n_epochs=1).network
        x = net.inputs(problem.clips(problem.rows))
        assert (x.min().item(), x.max().item()) == pytest.approx((-1.0, 1.0), abs=1e-5)
        M = apnet.whole_cells(problem.clips(problem.rows), net.front_end)
        torch.testing.assert_close(net.unscale(x), M)


class TestFace:
    def test_a_network_built_anew_scores_the_same(self, tmp_path):
        problem = task(tmp_path)
        net = trained(problem, n_epochs=1).network
        other = apnet.build(**net.architecture)
        other.load_state_dict(net.state_dict())
        clips = problem.clips(problem.fold.test_rows)
        assert torch.equal(net.predict(clips).logits, frozen(other, "cpu").predict(clips).logits)

    def test_frames_are_cropped_to_whole_cells(self, tmp_path):
        # 0.6 s are 17 frames of 256 samples at 4000 Hz, each 128 further.
        problem = task(tmp_path)
        clips = problem.clips(problem.rows)
        assert apnet.whole_cells(clips, apnet.LogMel(**TINY)).shape == (12, 16, 16)

    def test_settings_are_read_and_described(self, tmp_path):
        class Watched(dict):
            asked = set()

            def __getitem__(self, key):
                self.asked.add(key)
                return super().__getitem__(key)

        apnet.train(task(tmp_path), Watched(SETTINGS | {"n_epochs": 1}))
        assert Watched.asked == set(apnet.SETTINGS)


class TestMisuse:
    def test_clips_of_another_length_are_refused(self, tmp_path):
        net = trained(task(tmp_path), n_epochs=1).network
        longer = task(tmp_path, seconds=0.9)
        with pytest.raises(InputError, match="24 frames.*16.*clip_seconds"):
            net.predict(longer.clips(longer.rows))

    def test_bands_that_fill_no_whole_cells_are_refused(self, tmp_path):
        with pytest.raises(InputError, match="n_mels a multiple of 4"):
            trained(task(tmp_path), n_mels=18)

    def test_fewer_prototypes_than_classes_are_refused(self, tmp_path):
        with pytest.raises(InputError, match="n_prototypes: 1 .* 2 classes"):
            trained(task(tmp_path), n_prototypes=1)
