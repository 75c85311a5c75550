"""l2i.interpretation.synthesis: sounds of networks whose answers are known."""

import pytest
import torch

from helpers.known_networks import FRONT_END, HIGH, LOW, RATE, known_pair, tones
from l2i.interpretation.synthesis import synthesise


@pytest.fixture
def pair():
    return known_pair()


class TestSounds:
    @pytest.mark.parametrize("n_samples", [30_000, 80_123, 88_200, 5 * RATE + 511])
    def test_sounds_have_the_length_of_the_clip_whatever_it_is(self, pair, n_samples):
        heard = synthesise(pair, tones(n_samples), FRONT_END, threshold=0.1)
        sounds = [heard.interpretation, heard.remainder, *heard.components.values()]
        assert {len(sound) for sound in sounds} == {n_samples}
        assert all(sound.abs().max() < 1.5 for sound in sounds)  # no click at the end

    def test_the_interpretation_is_the_low_tone_and_the_remainder_the_high_one(self, pair):
        heard = synthesise(pair, tones(80_000), FRONT_END, threshold=0.1)
        assert list(heard.components) == [0]

        def levels(sound):
            S = FRONT_END.stft(sound).abs()[:, 20:-20].mean(1)
            return 20 * torch.log10(S[LOW] / S[HIGH])

        assert levels(heard.interpretation) > 40
        assert levels(heard.remainder) < -40

    def test_components_come_most_relevant_first(self, pair):
        heard = synthesise(pair, tones(80_000), FRONT_END, threshold=0.01)
        assert list(heard.components) == [0, 1]

    def test_the_decision_can_rest_on_a_part_of_what_is_heard(self, pair):
        x = torch.cat([0.5 * tones(80_000, low=0.0), tones(80_000)])
        on_all = synthesise(pair, x, FRONT_END, threshold=0.1)
        on_start = synthesise(pair, x, FRONT_END, threshold=0.1, n_decided=70_000)
        assert (on_all.target, on_start.target) == (0, 1)
        assert len(on_start.interpretation) == len(x)
        padded = synthesise(pair, tones(70_000), FRONT_END, threshold=0.1, n_decided=80_000)
        assert padded.target == 0 and len(padded.remainder) == 70_000

    def test_another_class_can_be_interpreted(self, pair):
        heard = synthesise(pair, tones(80_000), FRONT_END, threshold=0.1, target=1)
        assert heard.target == 1 and not heard.components
        assert heard.interpretation.abs().max() < 1e-6
