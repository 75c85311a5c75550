"""Psi: the published network, and the rule by which any other set of hidden maps is joined."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import avg_pool2d, relu
from torch.testing import assert_close

from l2i.checks import InputError
from l2i.networks.classifier import BLOCKS, DEPTHS, Classifier, map_shapes, scaled
from l2i.networks.psi import (
    TAPS,
    Psi,
    channel_shares,
    in_network_order,
    stretch,
    stretch_conv,
)

WIDTH = 0.0625
TABLE_6 = {  # sets of maps, and the parameters of the network that sees them, K = 100
    ("B3",): 2_145_304,
    ("B6",): 3_980_312,
    ("B2", "B3"): 2_407_448,
    ("B5", "B6"): 3_390_488,
    ("B4", "B5", "B6"): 2_866_200,
    ("input",): 2_293_656,
}
SUBSETS = st.sets(st.sampled_from(list(DEPTHS)), min_size=1).map(
    lambda taps: in_network_order(taps, map_shapes(1.0))
)


def hidden_maps(taps, n_frames, n_clips=2, width=WIDTH, requires_grad=False):
    """Random maps of the shapes that the classifier gives."""
    channels = {"input": 1} | {name: scaled(c[-1], width) for name, c in BLOCKS.items()}
    return {
        tap: torch.randn(
            n_clips,
            channels[tap],
            n_frames >> DEPTHS[tap],
            128 >> DEPTHS[tap],
            requires_grad=requires_grad,
        )
        for tap in taps
    }


def psi(taps, n_components=5, width=WIDTH):
    torch.manual_seed(0)
    return Psi(n_components, width=width, taps=taps)


def published(network, hidden, n_frames):
    """Layer by layer what the authors' code does with B4, B5 and B6 (taps h0, h1, h2)."""
    b4, b5, b6 = (hidden[tap].transpose(2, 3) for tap in TAPS)
    n = b6.shape[-1]
    a = avg_pool2d(relu(network.from_b5(stretch(b5[..., : 2 * n], 4 * n))), (2, 1))
    b = stretch(relu(network.from_b6(stretch(b6, 2 * n))), 4 * n)
    c = relu(network.from_b4(b4[..., : 4 * n]))
    h = stretch(torch.cat([a, b, c], dim=1), 8 * n)
    h = stretch(relu(network.joint(h)), 16 * n)
    h = stretch(relu(network.collapse(h)), n_frames)
    return relu(network.activations(relu(network.temporal(h)))).squeeze(2)


class TestPublishedNetwork:
    @pytest.mark.parametrize(("K", "n_parameters"), [(100, 2_866_200), (80, 2_822_560)])
    def test_it_has_the_published_number_of_parameters(self, K, n_parameters):
        assert sum(p.numel() for p in Psi(K).parameters()) == n_parameters

    def test_its_channels_are_the_published_ones(self):
        shapes = {name: tuple(w.shape) for name, w in Psi(100).named_parameters() if w.dim() == 4}
        assert shapes == {
            "from_b4.weight": (128, 128, 4, 1),
            "from_b5.weight": (256, 256, 3, 3),
            "from_b6.weight": (128, 512, 3, 3),
            "joint.weight": (256, 512, 3, 3),
            "collapse.weight": (256, 256, 4, 1),
            "temporal.weight": (100, 256, 1, 5),
            "activations.weight": (100, 100, 1, 5),
        }

    @pytest.mark.parametrize("n_frames", [128, 173, 431, 862])
    def test_it_computes_what_the_published_one_does(self, n_frames):
        network, hidden = psi(TAPS), hidden_maps(TAPS, n_frames)
        H = network(hidden, n_frames)
        assert H.shape == (2, 5, n_frames) and H.max() > 0
        assert_close(H, published(network, hidden, n_frames))


class TestSubsets:
    @pytest.mark.parametrize(("taps", "n_parameters"), TABLE_6.items(), ids=lambda v: str(v))
    def test_networks_of_table_6_are_of_comparable_size(self, taps, n_parameters):
        assert sum(p.numel() for p in Psi(100, taps=taps).parameters()) == n_parameters
        assert 0.7 < n_parameters / TABLE_6[TAPS] < 1.4

    @settings(deadline=None, max_examples=25)
    @given(taps=SUBSETS, n_frames=st.integers(128, 330))
    def test_any_set_of_maps_gives_activations_at_the_frames_of_the_spectrogram(
        self, taps, n_frames
    ):
        H = psi(taps)(hidden_maps(taps, n_frames), n_frames)
        assert H.shape == (2, 5, n_frames)
        assert (H >= 0).all()

    @settings(deadline=None, max_examples=15)
    @given(taps=SUBSETS)
    def test_every_map_and_every_parameter_has_an_influence(self, taps):
        network = psi(taps).double()
        with torch.no_grad():  # no ReLU may be silent throughout
            for name, parameter in network.named_parameters():
                if name.endswith("bias"):
                    parameter.fill_(3.0)
        hidden = {tap: h.double() for tap, h in hidden_maps(taps, 135).items()}
        for h in hidden.values():
            h.requires_grad_()
        network(hidden, 135).square().sum().backward()
        assert all(h.grad.abs().sum() > 0 for h in hidden.values())
        assert all(p.grad.abs().sum() > 0 for p in network.parameters())

    def test_the_two_maps_of_the_authors_code_get_256_channels_each(self):
        network = Psi(4, taps=("B5", "B6"))
        assert network.from_b5.weight.shape == (256, 256, 3, 3)
        assert network.from_b6.weight.shape == (256, 512, 3, 3)

    @pytest.mark.parametrize("tap", ["B1", "B2", "B3", "B4"])
    def test_a_cell_of_the_grid_sees_its_patch_of_a_fine_map_and_no_more(self, tap):
        network, n = psi((tap,)), 5
        (h,) = hidden_maps((tap,), 32 * n + 20, n_clips=1, requires_grad=True).values()
        cells = network._on_grid(tap, h, n)  # (1, share, 4, 4n)
        assert cells.shape[2:] == (4, 4 * n)
        cells[0, :, 2, 7].sum().backward()
        seen = h.grad[0].abs().sum(0) > 0  # (time, mel)
        length, height = 8 >> DEPTHS[tap], 32 >> DEPTHS[tap]
        expected = torch.zeros_like(seen)
        expected[7 * length : 8 * length, 2 * height : 3 * height] = True
        assert torch.equal(seen, expected)

    @pytest.mark.parametrize("tap", list(DEPTHS))
    def test_maps_line_up_in_time_and_mel(self, tap):
        """A spot on one side of a map ends up on that side of the grid."""
        network, n = psi((tap,)), 8
        (h,) = hidden_maps((tap,), 32 * n, n_clips=1).values()
        spot = torch.zeros_like(h)
        time, mel = h.shape[2:]
        spot[..., : time // 4, : mel // 4] = 1
        cells = [network._on_grid(tap, m, n)[0] for m in (h, h + spot)]
        changed = (cells[1] - cells[0]).abs().sum(0)  # (4, 4n)
        assert changed[:2, : 2 * n].sum() > 0
        assert changed[:, int(2.5 * n) :].sum() == 0 and changed[3].sum() == 0

    def test_the_log_mel_goes_through_two_averaged_convolutions_before_patches_are_cut(self):
        network = psi(("input",))
        M = hidden_maps(("input",), 150)["input"]
        first, second, patches = (m for m in network.from_input if isinstance(m, torch.nn.Conv2d))
        assert first.out_channels == 4 and second.out_channels == 16  # 64 and 256, scaled
        h = M[:, :, : 32 * 4].transpose(2, 3)
        for convolution in (first, second):
            h = avg_pool2d(relu(convolution(h)), (4, 2))
        assert_close(network._on_grid("input", M, 4), relu(patches(h)))

    def test_frames_beyond_the_grid_are_left_out(self):
        """Pooling floors, so finer maps may be longer than the grid; the rest has no influence."""
        taps = ("input", "B2", "B4", "B6")
        hidden = hidden_maps(taps, 175)
        H = psi(taps)(hidden, 175)
        n = 175 // 32
        cropped = {tap: h[:, :, : 32 * n >> DEPTHS[tap]] for tap, h in hidden.items()}
        assert torch.equal(psi(taps)(cropped, 175), H)

    def test_the_order_in_which_maps_are_named_does_not_matter(self):
        hidden = hidden_maps(TAPS, 150)
        assert torch.equal(psi(("B6", "B4", "B5"))(hidden, 150), psi(TAPS)(hidden, 150))
        assert psi(["B6", "input", "B1"]).taps == ("input", "B1", "B6")

    def test_maps_that_are_not_named_are_not_needed_and_not_read(self):
        hidden = hidden_maps(("B5", "B6"), 150)
        more = hidden | {"B4": torch.full((2, 8, 18, 16), torch.nan)}
        network = psi(("B5", "B6"))
        assert torch.equal(network(hidden, 150), network(more, 150))

    @pytest.mark.parametrize("taps", [("input",), ("B2", "B3"), TAPS])
    def test_the_layout_in_memory_does_not_matter(self, taps):
        hidden = hidden_maps(taps, 150)
        last = {tap: h.to(memory_format=torch.channels_last) for tap, h in hidden.items()}
        network = psi(taps)
        plain = network(hidden, 150)
        assert_close(network.to(memory_format=torch.channels_last)(last, 150), plain)

    @pytest.mark.parametrize("taps", [("B3",), ("input", "B6")])
    def test_shapes_are_those_of_the_classifier(self, taps):
        torch.manual_seed(0)
        blocks = tuple(tap for tap in taps if tap != "input")
        M = torch.randn(2, 190, 128)
        _, hidden = Classifier(3, width=WIDTH, head_units=4).eval().hidden_maps(M, blocks)
        H = psi(taps)(hidden | {"input": M.unsqueeze(1)}, 190)
        assert H.shape == (2, 5, 190)

    @pytest.mark.parametrize("taps", [(), ("B7",), ("B4", "B4"), "B4", ("B4", "log_mel")])
    def test_maps_that_do_not_exist_or_are_named_twice_are_refused(self, taps):
        with pytest.raises(InputError, match="taps must be one or more of input, B1, .* got"):
            Psi(4, taps=taps)


class TestChannelShares:
    @pytest.mark.parametrize("n_taps", range(1, 8))
    def test_they_sum_to_512_and_only_one_differs(self, n_taps):
        shares = channel_shares(n_taps)
        assert sum(shares) == 512 and len(shares) == n_taps
        assert len({share for i, share in enumerate(shares) if i != n_taps // 2}) <= 1
        assert max(shares) == shares[n_taps // 2]

    def test_known_answers(self):
        shares = [channel_shares(n) for n in (1, 2, 3, 4)]
        assert shares == [[512], [256, 256], [128, 256, 128], [128] * 4]


class TestStretchedConvolution:
    @settings(deadline=None)
    @given(
        n=st.integers(1, 9),
        n_frames=st.integers(1, 20),
        n_bands=st.integers(1, 5),
        kernel=st.sampled_from([(3, 3), (1, 5), (3, 1), (5, 3)]),
        seed=st.integers(0, 2**16),
    )
    def test_it_is_the_convolution_of_the_stretched_map(self, n, n_frames, n_bands, kernel, seed):
        torch.manual_seed(seed)
        conv = torch.nn.Conv2d(3, 2, kernel, padding=(kernel[0] // 2, kernel[1] // 2)).double()
        h = torch.randn(2, 3, n_bands, n, dtype=torch.float64, requires_grad=True)
        plain = conv(stretch(h, n_frames))
        early = stretch_conv(h, n_frames, conv)
        assert_close(early, plain)
        probe = torch.randn_like(plain)
        for given_to in (h, conv.weight, conv.bias):
            gradients = [
                torch.autograd.grad(y, given_to, probe, retain_graph=True) for y in (early, plain)
            ]
            assert_close(*gradients)
