"""l2i.evaluation.planted_references: the best of masks reaches its bound; segments of SLIME."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from helpers.known_networks import FRONT_END, tones
from l2i.evaluation.planted_references import found_by_oracle, found_by_slime, oracle_mask
from l2i.interpretation.slime import Explanation, segment_borders
from l2i.metrics import si_sdr

N_SAMPLES = 512 * 60


def spectra(seed, shape=(9, 7)):
    """A mixture and a source in it, bin by bin, some of which hold nothing of either."""
    draws = torch.Generator().manual_seed(seed)
    S, N = torch.randn(2, *shape, generator=draws, dtype=torch.complex128)
    S[0], N[:2] = 0, 0
    return S + N, S


def missed(m, Y, S):
    return (S - m * Y).abs().square()


class TestOracle:
    @given(seed=st.integers(0, 10_000))
    def test_no_other_mask_comes_nearer_in_any_bin(self, seed):
        Y, S = spectra(seed)
        m, draws = oracle_mask(Y, S), torch.Generator().manual_seed(seed + 1)
        assert ((m >= 0) & (m <= 1)).all()
        others = [torch.rand(m.shape, generator=draws, dtype=m.dtype) for _ in range(20)]
        others += [(m + step).clamp(0, 1) for step in (-1e-3, 1e-3)] + [m * 0, m * 0 + 1]
        others += [(S.abs() / (S.abs() + (Y - S).abs())).nan_to_num()]  # the usual ratio mask
        best = missed(m, Y, S)
        assert all((missed(other, Y, S) >= best - 1e-12).all() for other in others)

    @given(seed=st.integers(0, 10_000))
    def test_what_it_misses_is_what_its_bound_says(self, seed):
        Y, S = spectra(seed)
        m, angle = oracle_mask(Y, S), torch.angle(S * Y.conj())
        along = S.abs() * angle.cos() / Y.abs()  # where the best mask would be without bounds
        left = S.abs().square() * angle.sin().square()
        left = torch.where(along > 1, (S - Y).abs().square(), left)
        left = torch.where((along < 0) | (Y == 0), S.abs().square(), left)
        assert_close(missed(m, Y, S), left, atol=1e-10, rtol=1e-10)

    @given(seed=st.integers(0, 10_000))
    def test_what_it_leaves_is_the_best_mask_for_the_other(self, seed):
        Y, S = spectra(seed)
        sounds = Y.abs() > 0
        assert_close(oracle_mask(Y, Y - S)[sounds], 1 - oracle_mask(Y, S)[sounds])

    def test_sounds_that_share_no_bin_are_told_apart(self):
        source, other = tones(N_SAMPLES, 0.5, 0), tones(N_SAMPLES, 0, 0.5)
        found = found_by_oracle(source + other, source, FRONT_END)
        assert si_sdr(found.interpretation.numpy(), source.numpy()) > 40
        assert si_sdr(found.remainder.numpy(), other.numpy()) > 40
        assert found.n_selected is None

    def test_as_a_sound_it_is_at_least_as_near_as_its_bins_are(self, generator):
        edges = torch.hann_window(N_SAMPLES).sqrt()  # so that nothing is reflected
        source = tones(N_SAMPLES, 0.5, 0.3) * edges
        mixture = source + 0.2 * torch.randn(N_SAMPLES, generator=generator) * edges
        Y, S = (FRONT_END.stft(x) for x in (mixture, source))
        sound = found_by_oracle(mixture, source, FRONT_END).interpretation
        reached = (FRONT_END.stft(sound) - S).abs().square().sum()
        bound = missed(oracle_mask(Y, S), Y, S).sum()
        assert 0.3 * bound < reached <= bound
        gain = si_sdr(sound.numpy(), source.numpy()) - si_sdr(mixture.numpy(), source.numpy())
        assert gain > 10


class TestSlime:
    def explanation(self, kept, n_segments=4):
        borders = segment_borders(FRONT_END.n_frames(N_SAMPLES), n_segments)
        return Explanation(borders, np.zeros(n_segments), kept, 1.0)

    def test_the_segments_that_are_kept_are_what_is_found(self, generator):
        source, other = torch.zeros(2, N_SAMPLES)
        quarter = N_SAMPLES // 4
        source[quarter : 2 * quarter] = torch.randn(quarter, generator=generator)
        other[: quarter - 2000] = torch.randn(quarter - 2000, generator=generator)
        mixture = source + other
        found = found_by_slime(mixture, self.explanation([1]), FRONT_END)
        assert torch.equal(found.interpretation + found.remainder, mixture)
        assert si_sdr(found.interpretation.numpy(), source.numpy()) > 12
        assert si_sdr(found.remainder.numpy(), other.numpy()) > 12
        assert found.n_selected == 1

    @pytest.mark.parametrize(("kept", "share"), [([], 0), ([0, 1, 2, 3], 1)])
    def test_none_is_silence_and_all_is_the_mixture(self, generator, kept, share):
        mixture = torch.randn(N_SAMPLES, generator=generator)
        found = found_by_slime(mixture, self.explanation(kept), FRONT_END)
        assert_close(found.interpretation, share * mixture)
        assert found.n_selected == len(kept)
