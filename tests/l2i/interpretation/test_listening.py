"""l2i.interpretation.listening: what is written beside sounds."""

import numpy as np
import pytest
import torch

from l2i.interpretation.listening import Clip, Planted, Sound, beside_truth, level_dbfs


def test_levels_are_in_decibel_re_full_scale():
    assert level_dbfs(torch.full((10,), 0.1)) == pytest.approx(-20)
    assert level_dbfs(np.zeros(10)) is None


def mixture(source, other, *, of_other=("rain",)):
    """A clip of a dog with another sound."""
    planted = (Planted("source", source, ["dog"], "a"), Planted("other", other, of_other, "b"))
    waveform = torch.from_numpy((source + other).astype(np.float32))
    return Clip("a with b", ["dog", *of_other], waveform, 1.0, 8000, planted=planted)


class TestBesideTruth:
    """A source and another sound that have nothing in common: SI-SDR is a ratio of energies."""

    source, other = np.eye(2)[0] * 3.0, np.eye(2)[1] * 1.0

    @pytest.mark.parametrize(
        ("target", "kind", "planted", "x", "before"),
        [
            ("dog", "interpretation", "source", [2.0, 0.2], 9.542),
            ("dog", "remainder", "other", [0.2, 2.0], -9.542),
            ("rain", "interpretation", "other", [0.2, 2.0], -9.542),
            ("rain", "remainder", "source", [2.0, 0.2], 9.542),
        ],
    )
    def test_a_sound_stands_beside_what_it_should_be(self, target, kind, planted, x, before):
        sound = Sound(kind, np.array(x))
        (told,) = beside_truth(mixture(self.source, self.other), target, sound).values()
        assert told["planted"] == planted
        assert told["si_sdr_db"] == pytest.approx(20, abs=1e-6)
        assert told["input_si_sdr_db"] == pytest.approx(before, abs=1e-3)

    def test_what_remains_without_the_class_is_the_noise(self):
        clip = mixture(self.source, self.other, of_other=())
        told = beside_truth(clip, "dog", Sound("remainder", np.array([0.2, 2.0])))
        assert told["truth"]["planted"] == "other"

    @pytest.mark.parametrize(("target", "kind"), [("cat", "interpretation"), ("cat", "remainder")])
    def test_of_a_class_that_was_not_planted_there_is_no_truth(self, target, kind):
        clip = mixture(self.source, self.other)
        assert beside_truth(clip, target, Sound(kind, self.source)) == {}

    def test_nor_of_a_component_nor_of_a_clip_as_it_was_recorded(self):
        clip = mixture(self.source, self.other)
        assert beside_truth(clip, "dog", Sound("component", self.source)) == {}
        alone = Clip("a", ["dog"], torch.ones(2), 1.0, 8000)
        assert beside_truth(alone, "dog", Sound("interpretation", self.source)) == {}

    def test_silence_is_near_to_nothing(self):
        sound = Sound("interpretation", np.zeros(2))
        (told,) = beside_truth(mixture(self.source, self.other), "dog", sound).values()
        assert told["si_sdr_db"] is None and told["input_si_sdr_db"] is not None
