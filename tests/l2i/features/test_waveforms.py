"""l2i.features.waveforms: what a classifier of waveforms hears."""

import torch
from torch.testing import assert_close

from helpers.foreign_networks import WAVEFORMS


def test_a_classifier_hears_the_waveform_that_the_spectrogram_was_made_of():
    x = torch.randn(2, 8000)
    assert_close(WAVEFORMS.log_mel(WAVEFORMS.stft(x)), x, atol=1e-4, rtol=0)


def test_it_hears_less_where_less_is_left():
    S = WAVEFORMS.stft(torch.randn(1, 8000))
    heard = WAVEFORMS.log_mel(torch.where(torch.arange(129)[:, None] < 40, S, 0))
    assert_close(WAVEFORMS.stft(heard)[:, 60:].abs().mean(), torch.tensor(0.0), atol=0.02, rtol=0)
