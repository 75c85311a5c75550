"""l2i.evaluation.planted: what is found of sounds that were planted, where the answer is known."""

import logging

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from helpers.known_networks import FRONT_END, known_pair, tones
from helpers.noise_corpus import recordings_of
from helpers.small_networks import small_classifier, small_interpreter
from l2i.datasets.corruption import Pair
from l2i.evaluation.planted import Planted, Separation, found_by_interpreter, plant, scored
from l2i.interpretation.explained import ExplainedClassifier
from l2i.interpretation.synthesis import synthesise
from l2i.metrics import si_sdr

pytestmark = pytest.mark.filterwarnings("ignore:At least one mel filterbank")  # of few bins
RATIOS = [-10.0, 0.0, 10.0]
N_SAMPLES = 512 * 140


def two_tones(ratios=RATIOS, n_samples=N_SAMPLES):
    """A low tone that is planted beside a high one."""
    low, high = (tones(n_samples, *each).double().numpy() for each in ((1, 0), (0, 1)))
    pair = Pair(low, high, "a high tone", "absolute")
    return Planted(7, "a low tone", 0, "low", "class", {snr: pair.mixed(snr) for snr in ratios})


def find(planted, pair, target=0, threshold=0.1):
    how = {"target": target, "threshold": threshold}
    return found_by_interpreter(pair, planted.waveforms, FRONT_END, **how)


def rows_of(planted, pair, clean=0, **how):
    return scored(planted, *find(planted, pair, **how), decided_when_clean=clean)


class TestInterpreter:
    def test_one_that_knows_finds_what_was_planted_and_leaves_the_other(self):
        rows = rows_of(two_tones(), known_pair())
        assert rows["snr_db"].tolist() == RATIOS
        assert rows["mixture_si_sdr"].to_numpy() == pytest.approx(RATIOS, abs=0.05)
        assert rows["mixture_other_si_sdr"].to_numpy() == pytest.approx(RATIOS[::-1], abs=0.05)
        assert (rows["interpretation_si_sdr"] > 30).all()
        assert (rows["remainder_si_sdr"] > 29).all()
        for part, mixture in (("interpretation", "mixture"), ("remainder", "mixture_other")):
            gain = rows[f"{part}_si_sdr"] - rows[f"{mixture}_si_sdr"]
            assert rows[f"{part}_improvement"].tolist() == gain.tolist()
        assert rows["n_selected"].tolist() == [1, 1, 1] and not rows["empty"].any()
        assert rows["survives"].all() and rows["right_when_clean"].all()
        assert set(rows["clip"]) == {"a low tone"} and set(rows["class"]) == {"low"}
        assert set(rows["partner"]) == {"a high tone"}

    def test_a_class_without_relevant_components_is_silence_and_scores_lowest(self):
        rows = rows_of(two_tones(), known_pair(), target=2)
        assert rows["empty"].all() and not rows["n_selected"].any()
        assert set(rows["interpretation_si_sdr"]) == {-30.0}
        assert rows["interpretation_improvement"].to_numpy() == pytest.approx(
            -30 - rows["mixture_si_sdr"]
        )
        assert rows["remainder_improvement"].abs().max() < 0.01, "all of it is left"

    def test_decisions_are_those_on_the_mixture_and_on_the_clip(self):
        planted = two_tones()
        decided, found = find(planted, known_pair())
        rows = scored(planted, torch.tensor([1, 0, 2]), found, decided_when_clean=1)
        assert decided.tolist() == [0, 0, 0]
        assert rows["survives"].tolist() == [0, 1, 0] and not rows["right_when_clean"].any()

    @pytest.mark.parametrize(("n_more", "alike_db"), [(0, 100), (100, 15)])
    def test_it_is_heard_as_the_sounds_of_the_listening_page_are(self, generator, n_more, alike_db):
        # Those are decided on with silence behind, where a clip ends between two hops.
        W = torch.rand(513, 6, generator=generator)
        networks = small_classifier().eval(), small_interpreter(W / W.norm(dim=0)).eval()
        pair = ExplainedClassifier(*(network.requires_grad_(False) for network in networks))
        planted = two_tones([0.0], N_SAMPLES + n_more)
        _, (found,) = find(planted, pair)
        how = {"threshold": 0.1, "n_decided": N_SAMPLES + n_more, "target": 0}
        twin = synthesise(pair, planted.waveforms[0], FRONT_END, **how)
        assert 0 < found.n_selected == len(twin.components) < 6
        for name in ("interpretation", "remainder"):
            ours, theirs = (getattr(each, name).numpy() for each in (found, twin))
            assert si_sdr(ours, theirs) > alike_db

    def test_a_mixture_is_heard_alike_alone_and_among_others(self, generator):
        together, alone = find(two_tones(), known_pair()), find(two_tones([0.0]), known_pair())
        assert_close(together[1][1].interpretation, alone[1][0].interpretation)


class TestScores:
    def test_each_sound_is_held_against_its_own_truth(self):
        planted = two_tones()
        parts = [(x.source, x.other) for x in planted.mixtures.values()]
        right = [Separation(*each) for each in parts]
        turned = [Separation(*each[::-1]) for each in parts]
        rows, mistaken = (
            scored(planted, torch.zeros(3), found, decided_when_clean=0)
            for found in (right, turned)
        )
        for part in ("interpretation", "remainder"):
            assert set(rows[f"{part}_si_sdr"]) == {60.0}
            assert set(mistaken[f"{part}_si_sdr"]) == {-30.0}
        assert rows["n_selected"].isna().all()


class TestPlanting:
    def test_every_test_clip_is_planted_in_both_kinds_of_company(self, tmp_path):
        recordings = recordings_of(tmp_path)
        planted = [*plant(recordings, RATIOS, seed=0)]
        assert [(each.row, each.kind) for each in planted] == [
            (row, kind) for row in range(6) for kind in ("noise", "class")
        ]
        for each in planted:
            assert each.clip == f"clip {each.row}" and each.class_name == "aabbcc"[each.row]
            assert [*each.mixtures] == RATIOS and each.waveforms.shape == (3, 4096)
            ratios = [x.source.norm() / x.other.norm() for x in each.mixtures.values()]
            assert 20 * np.log10(ratios) == pytest.approx(RATIOS, abs=1e-4)

    def test_a_silent_clip_is_left_out_and_named(self, tmp_path, caplog):
        recordings = recordings_of(tmp_path, silent=[3])
        with caplog.at_level(logging.WARNING):
            planted = [*plant(recordings, [0.0], seed=0)]
        assert {each.row for each in planted} == {0, 1, 2, 4, 5}
        assert len(caplog.records) == 1 and "clip 3 is silent" in caplog.text
