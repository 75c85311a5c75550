"""l2i.networks.autoencoder: pooling with masks, and the way back."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import leaky_relu

from l2i.networks.autoencoder import SLOPE, Decoder, Encoder, convolution, pool, repeat, unpool

small = st.integers(1, 3)


@given(seed=st.integers(0, 2**16), B=small, c=small, T=small, M=small)
def test_masks_mark_every_largest_entry_and_nothing_else(seed, B, c, T, M):
    # Few different values, so that ties are common.
    random = torch.Generator().manual_seed(seed)
    h = torch.randint(-2, 3, (B, c, 2 * T, 2 * M), generator=random).float()
    pooled, mask = pool(h)
    for b, k, t, m in torch.cartesian_prod(*map(torch.arange, (B, c, T, M))).view(-1, 4):
        cell = (b, k, slice(2 * t, 2 * t + 2), slice(2 * m, 2 * m + 2))
        assert pooled[b, k, t, m] == h[cell].max()
        assert torch.equal(mask[cell] == 1, h[cell] == h[cell].max())
    assert torch.equal(mask, mask.bool().float()) and not mask.requires_grad


def test_all_places_of_a_tied_cell_are_marked():
    assert torch.equal(pool(torch.zeros(1, 1, 2, 2))[1], torch.ones(1, 1, 2, 2))


@given(seed=st.integers(0, 2**16))
def test_unpooling_puts_the_largest_entries_back_and_zeros_elsewhere(seed):
    h = torch.randn(2, 3, 4, 6, generator=torch.Generator().manual_seed(seed))
    pooled, mask = pool(h)
    back = unpool(pooled, mask)
    assert torch.equal(back, h * mask)
    assert torch.equal(pool(back.abs())[0], pooled.abs())


def test_entries_are_repeated_over_cells():
    h = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    expected = [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    assert repeat(h)[0, 0].tolist() == expected


class TestAsTheReferenceOrdersIt:
    """Activation before pooling and after unpooling: the same numbers as ours."""

    def test_encoder(self, generator):
        torch.manual_seed(0)
        encoder, x = Encoder(4).double(), torch.randn(2, 8, 12, generator=generator).double()
        h, mask_1 = pool(leaky_relu(encoder.first(x[:, None]), SLOPE))
        h, mask_2 = pool(leaky_relu(encoder.second(h), SLOPE))
        h = leaky_relu(encoder.third(h), SLOPE)
        features, masks = encoder(x)
        assert features.shape == (2, 4, 2, 3)
        torch.testing.assert_close(features, h)
        assert torch.equal(masks[0], mask_1) and torch.equal(masks[1], mask_2)

    def test_decoder(self, generator):
        torch.manual_seed(0)
        decoder = Decoder(4).double()
        h = features = torch.randn(2, 4, 2, 3, generator=generator).double()
        masks = [
            (torch.rand(2, 4, n, m, generator=generator) > 0.5).double()
            for n, m in [(8, 12), (4, 6)]
        ]
        h = leaky_relu(repeat(decoder.first(h)) * masks[1], SLOPE)
        h = leaky_relu(repeat(decoder.second(h)) * masks[0], SLOPE)
        torch.testing.assert_close(decoder(features, tuple(masks)), decoder.third(h)[:, 0].tanh())


def test_a_transposed_convolution_is_a_convolution_with_its_kernel_flipped(generator):
    layer, h = convolution(3, 2), torch.randn(1, 3, 6, 7, generator=generator)
    kernel = layer.weight.flip(2, 3).transpose(0, 1)
    transposed = torch.nn.functional.conv_transpose2d(h, kernel, layer.bias, padding=2)
    torch.testing.assert_close(layer(h), transposed)


@pytest.mark.parametrize(("n_in", "n_out"), [(1, 32), (32, 32)])
def test_layers_start_as_keras_starts_them(n_in, n_out):
    torch.manual_seed(0)
    layer = convolution(n_in, n_out)
    bound = (6 / (25 * (n_in + n_out))) ** 0.5
    assert 0.98 * bound < layer.weight.abs().max() <= bound
    assert not layer.bias.any()
