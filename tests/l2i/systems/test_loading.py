"""l2i.systems.loading: systems by name, and files that hold them."""

import pytest
import torch

from l2i.checks import InputError
from l2i.systems.loading import load_system, save_system, system_module
from l2i.systems.posthoc import PostHoc
from l2i.weights import classes_hash

IDENTITY = {"fold": "1", "classes_sha256": classes_hash(["dog", "rain"]), "sample_rate": 44_100}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.safetensors"


@pytest.mark.parametrize("pooling", ["attention", "max"])
def test_an_interpreter_comes_back_with_head_and_dictionary(path, pooling):
    W = torch.rand(5, 3)
    network = PostHoc(W, 2, pooling=pooling, dropout=0.2, width=0.125)
    save_system(path, network, module="posthoc", **IDENTITY)
    loaded = load_system(path, module="posthoc", device="cpu", **IDENTITY)
    assert type(loaded.pooling) is type(network.pooling)
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


def test_a_system_of_another_module(path):
    network = PostHoc(torch.rand(5, 3), 2, pooling="max", dropout=0.2, width=0.125)
    save_system(path, network, module="posthoc", **IDENTITY)
    with pytest.raises(InputError, match="module is 'posthoc', expected 'flint'"):
        load_system(path, module="flint", device="cpu", **IDENTITY)


@pytest.mark.parametrize(
    ("name", "message"),
    [("posthok", "no file workflow/l2i/systems/posthok.py"), ("loading", "is no system: it has")],
)
def test_a_module_that_is_no_system(name, message):
    with pytest.raises(InputError, match=message):
        system_module(name)
