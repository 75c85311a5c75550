"""l2i.export.fourier: the STFT and its inverse without complex numbers."""

import pytest
import torch

from l2i.export.fourier import Fourier
from l2i.features.spectral import FrontEnd

SIZES = [(64, 32), (64, 16), (100, 33), (94, 40), (1024, 512)]  # 94 is twice a prime


@pytest.fixture(params=SIZES, ids=str)
def front_end(request):
    n_fft, hop_length = request.param
    return FrontEnd(8000, n_fft, hop_length, n_mels=16, mel_power=1)


@pytest.fixture
def x(front_end, generator):
    return torch.randn(2, 50 * front_end.hop_length, generator=generator)


def test_it_is_the_stft_of_the_front_end(front_end, x):
    S, expected = Fourier(front_end).stft(x), front_end.stft(x.double())
    assert torch.allclose(torch.complex(S[:, 0], S[:, 1]).to(expected), expected, atol=2e-6)


def test_the_inverse_of_what_was_masked_is_that_of_the_front_end(front_end, x, generator):
    S = front_end.stft(x.double())
    S = S * torch.rand(S.shape, generator=generator)
    n_samples = x.shape[1] - 3
    y = Fourier(front_end).istft(torch.stack([S.real, S.imag], 1).float(), n_samples)
    assert y.shape == (2, n_samples)
    assert torch.allclose(y.double(), front_end.istft(S, n_samples), atol=2e-6)


def test_a_line_of_the_dft_by_hand():
    # A cosine of 3 turns in a frame of 64: half of 64, through a Hann window half of that. Frame 11
    # begins at sample 320, where the cosine begins anew.
    front_end = FrontEnd(8000, 64, 32, n_mels=16, mel_power=1)
    x = torch.cos(2 * torch.pi * 3 * torch.arange(640) / 64)[None]
    middle = Fourier(front_end).stft(x)[0, :, :, 11]
    assert middle[0, 3] == pytest.approx(16, abs=1e-4)
    assert middle[0, 2] == pytest.approx(-8, abs=1e-4)  # the window's own two lines
    assert middle[:, 6:].abs().max() < 1e-4
