"""l2i.evaluation.removal_operators: what is left, where it is known."""

import pytest
import torch

from helpers.known_networks import FRONT_END, tones
from l2i.evaluation.removal_operators import OPERATORS, background_noise, operators_of
from l2i.features.spectral import magnitude
from l2i.streams import torch_stream

N = 40 * FRONT_END.hop_length


def stft(x):
    return FRONT_END.stft(x.double())


def operators(S, names=OPERATORS, key="a-clip"):
    return operators_of(names, S, FRONT_END, torch_stream(0, "noise_fill", key))


@pytest.fixture
def S():
    x = tones(N) + 0.01 * torch.randn(N, generator=torch.Generator().manual_seed(1))
    return stft(x)


class TestAll:
    @pytest.mark.parametrize("name", OPERATORS)
    def test_nothing_removed_gives_the_very_samples_back(self, S, name):
        left = operators(S)[name](S, torch.zeros(S.shape, dtype=torch.float64))
        torch.testing.assert_close(left, S, rtol=1e-10, atol=1e-10)
        x, back = FRONT_END.istft(S, N), FRONT_END.istft(left, N)
        assert (x - back).abs().max() < 1e-12

    @pytest.mark.parametrize("name", OPERATORS)
    def test_several_shares_are_removed_as_each_alone(self, S, name, generator):
        shares = torch.rand(3, *S.shape, generator=generator, dtype=torch.float64)
        operator = operators(S)[name]
        each = torch.stack([operator(S, share) for share in shares])
        torch.testing.assert_close(operator(S, shares), each)

    def test_those_that_are_asked_for_come_in_their_order(self, S):
        names = ["noise_fill", "log_magnitude"]
        assert [*operators(S, names)] == names


class TestMagnitudes:
    def test_the_log_magnitude_loses_its_share_and_the_phase_stays(self, S):
        share = torch.full(S.shape, 0.25, dtype=torch.float64)
        left = operators(S)["log_magnitude"](S, share)
        torch.testing.assert_close(left.abs(), (1 + S.abs()) ** 0.75 - 1)
        loud = S.abs() > 1e-6
        torch.testing.assert_close(left.angle()[loud], S.angle()[loud])

    def test_the_linear_magnitude_loses_its_share(self, S):
        share = torch.full(S.shape, 0.25, dtype=torch.float64)
        torch.testing.assert_close(operators(S)["linear_magnitude"](S, share), 0.75 * S)

    @pytest.mark.parametrize("name", ["log_magnitude", "linear_magnitude"])
    def test_everything_removed_leaves_silence(self, S, name):
        left = operators(S)[name](S, torch.ones(S.shape, dtype=torch.float64))
        assert left.abs().max() == 0


class TestNoise:
    def noise(self, S, key="a-clip"):
        return background_noise(S, FRONT_END, torch_stream(0, "noise_fill", key))

    def test_everything_removed_leaves_the_background(self, S):
        left = operators(S)["noise_fill"](S, torch.ones(S.shape, dtype=torch.float64))
        torch.testing.assert_close(left, self.noise(S))

    def test_each_bin_has_the_median_magnitude_of_the_clip(self, S):
        medians = [magnitude(each).median(1).values for each in (self.noise(S), S)]
        torch.testing.assert_close(*medians)

    def test_an_event_in_less_than_half_of_the_clip_is_no_background(self, S):
        event = S.clone()
        event[:, : S.shape[1] // 3] *= 100
        ratio = magnitude(self.noise(event)).mean() / magnitude(self.noise(S)).mean()
        assert 1 <= ratio < 1.5

    def test_stationary_noise_keeps_its_level_through_the_waveform(self):
        n = 400 * FRONT_END.hop_length
        S = stft(torch.randn(n, generator=torch.Generator().manual_seed(5)))
        x = FRONT_END.istft(self.noise(S), n)
        assert abs(20 * x.square().mean().sqrt().log10()) < 0.5  # dB

    def test_it_is_drawn_for_the_clip_and_for_nothing_else(self, S):
        torch.testing.assert_close(self.noise(S), self.noise(S), rtol=0, atol=0)
        assert (self.noise(S) - self.noise(S, "another")).abs().max() > 0

    def test_a_clip_that_is_mostly_silent_has_a_silent_background(self, S):
        silent = S.clone()
        silent[:, : 2 * S.shape[1] // 3] = 0
        assert self.noise(silent).abs().max() == 0
        share = torch.full(S.shape, 0.5, dtype=torch.float64)
        both = operators(silent)
        fill, linear = (both[name](silent, share) for name in ("noise_fill", "linear_magnitude"))
        torch.testing.assert_close(fill, linear)
