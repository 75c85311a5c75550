"""Classifiers with shuffled weights: the same values in other places, and no other network hurt."""

import pytest
import torch

from helpers.small_networks import banded_log_mel, small_classifier
from l2i.networks.classifier import BLOCKS
from l2i.networks.shuffled_weights import CASCADE, STAGES, name_of, shuffled
from l2i.networks.stored_classifier import frozen


@pytest.fixture
def M(generator):
    return torch.from_numpy(banded_log_mel(generator))


@pytest.fixture
def classifier(M):
    """As training would have left it: batch norms are no ones and zeros, and have seen clips."""
    network = small_classifier()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    with torch.no_grad():
        for clips in (M[:6] + 3, M[6:] - 5):
            network.train()(clips)
    return frozen(network, "cpu")


def of_stage(name, stage):
    """Whether a parameter belongs to a stage, told by what the network is made of."""
    return name.startswith(f"blocks.{stage}.") or (
        stage == "head" and name.startswith(("embedding.", "head.", "output."))
    )


class TestCascade:
    def test_it_goes_from_nothing_through_the_head_down_to_the_first_block(self):
        assert [name_of(stages) for stages in CASCADE][:3] == ["nothing", "head", "head+B6"]
        assert name_of(CASCADE[-1]) == "head+B6+B5+B4+B3+B2+B1"
        assert len(CASCADE) == len(BLOCKS) + 2

    @pytest.mark.parametrize("stages", CASCADE[1:], ids=name_of)
    def test_every_tensor_of_its_stages_is_shuffled_and_no_other(self, classifier, M, stages):
        network = shuffled(classifier, stages, M, seed=0, draw=0)
        before, after = dict(classifier.named_parameters()), dict(network.named_parameters())
        for name, parameter in before.items():
            shuffled_there = any(of_stage(name, stage) for stage in stages)
            # Two values may well come out as they were.
            if parameter.numel() > 4 or not shuffled_there:
                assert torch.equal(parameter, after[name]) != shuffled_there, name

    def test_every_parameter_belongs_to_one_stage(self, classifier):
        for name, _ in classifier.named_parameters():
            assert sum(of_stage(name, stage) for stage in STAGES) == 1


class TestShuffling:
    def test_each_tensor_keeps_its_values(self, classifier, M):
        network = shuffled(classifier, STAGES, M, seed=0, draw=0)
        pairs = zip(classifier.parameters(), network.parameters(), strict=True)
        for ours, theirs in pairs:
            assert ours.shape == theirs.shape
            assert torch.equal(ours.flatten().sort()[0], theirs.flatten().sort()[0])

    def test_the_intact_network_stays_as_it_is(self, classifier, M):
        before = {name: value.clone() for name, value in classifier.state_dict().items()}
        said = classifier(M)
        shuffled(classifier, STAGES, M, seed=0, draw=0)
        after = classifier.state_dict()
        assert all(torch.equal(value, after[name]) for name, value in before.items())
        assert not classifier.training and torch.equal(classifier(M), said)

    def test_draws_and_seeds_differ_and_the_same_is_the_same(self, classifier, M):
        def first(**of):
            network = shuffled(classifier, ("head",), M, **of)
            return network.head.weight

        assert torch.equal(first(seed=0, draw=0), first(seed=0, draw=0))
        assert not torch.equal(first(seed=0, draw=0), first(seed=0, draw=1))
        assert not torch.equal(first(seed=0, draw=0), first(seed=1, draw=0))

    def test_a_parameter_is_shuffled_alike_at_all_steps_of_a_draw(self, classifier, M):
        networks = [shuffled(classifier, stages, M, seed=0, draw=0) for stages in CASCADE[2:]]
        weights = [network.blocks["B6"][0].weight for network in networks]
        assert all(torch.equal(each, weights[0]) for each in weights)

    def test_nothing_shuffled_is_the_same_network(self, classifier, M):
        network = shuffled(classifier, (), M, seed=0, draw=0)
        assert network is not classifier and torch.equal(network(M), classifier(M))

    def test_maps_that_are_not_shuffled_stay_to_the_bit(self, classifier, M):
        network = shuffled(classifier, ("head", "B6"), M, seed=0, draw=0)
        _, before = classifier.hidden_maps(M, ("B5", "B6"))
        _, after = network.hidden_maps(M, ("B5", "B6"))
        assert torch.equal(before["B5"], after["B5"])
        assert not torch.allclose(before["B6"], after["B6"])


class TestBatchNorm:
    def test_shuffled_stages_have_the_statistics_of_the_clips(self, classifier, M):
        """What a norm gives before scale and shift has mean 0 and variance 1 on these clips."""
        network = shuffled(classifier, STAGES, M, seed=0, draw=0)
        seen = {}

        def note(name):
            def hook(module, inputs, output):
                seen[name] = (module, inputs[0])

            return hook

        for name, module in network.named_modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.register_forward_hook(note(name))
        network(M)
        assert len(seen) == 12
        for module, maps in seen.values():
            assert torch.allclose(module.running_mean, maps.mean((0, 2, 3)), rtol=0.01, atol=0.01)
            assert torch.allclose(module.running_var, maps.var((0, 2, 3)), rtol=0.02)

    def test_those_of_other_stages_stay(self, classifier, M):
        network = shuffled(classifier, ("head",), M, seed=0, draw=0)
        before, after = classifier.state_dict(), network.state_dict()
        for name in before:
            if "running" in name:
                assert torch.equal(before[name], after[name]) != name.startswith("embedding.")

    def test_the_network_is_still_and_the_same_at_every_call(self, classifier, M):
        network = shuffled(classifier, STAGES, M, seed=0, draw=0)
        assert not any(module.training for module in network.modules())
        assert torch.equal(network(M), network(M))
        assert torch.allclose(network(M[:1]), network(M)[:1], atol=1e-5)
        assert not any(parameter.requires_grad for parameter in network.parameters())
