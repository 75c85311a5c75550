"""Weights and stored classifiers: what is written comes back, what does not fit is refused."""

import pickle

import pytest
import torch
from torch.testing import assert_close

from l2i.checks import InputError
from l2i.networks.classifier import Classifier
from l2i.networks.stored_classifier import load_classifier, save_classifier
from l2i.systems.loading import load_system, save_system, system_module
from l2i.systems.posthoc import PostHoc
from l2i.weights import classes_hash, load_published, load_weights, read_identity, save_weights

IDENTITY = {"fold": "1", "classes_sha256": classes_hash(["dog", "rain"]), "sample_rate": 44_100}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.safetensors"


class TestRoundTrip:
    def test_tensors_and_identity_come_back(self, path):
        save_weights(path, {"W": torch.arange(4.0)}, kind="dictionary", **IDENTITY)
        assert_close(load_weights(path, kind="dictionary", **IDENTITY)["W"], torch.arange(4.0))
        assert read_identity(path) == {"kind": "dictionary", **IDENTITY}

    def test_a_classifier_comes_back_whole_and_frozen(self, path):
        network = Classifier(2, width=0.125, head_units=8, dropout=0.5).eval()
        save_classifier(path, network, **IDENTITY)
        loaded = load_classifier(path, device="cpu", **IDENTITY)
        M = torch.randn(2, 128, 128)
        assert_close(loaded(M), network(M))
        assert not any(p.requires_grad for p in loaded.parameters())

    @pytest.mark.parametrize("pooling", ["attention", "max"])
    def test_an_interpreter_comes_back_with_head_and_dictionary(self, path, pooling):
        W = torch.rand(5, 3)
        network = PostHoc(W, 2, pooling=pooling, dropout=0.2, width=0.125)
        save_system(path, network, module="posthoc", **IDENTITY)
        loaded = load_system(path, module="posthoc", device="cpu", **IDENTITY)
        assert type(loaded.pooling) is type(network.pooling)
        for name, value in network.state_dict().items():
            assert torch.equal(loaded.state_dict()[name], value)

    def test_equal_tensors_make_equal_files(self, tmp_path):
        for name in ("a", "b"):
            save_weights(tmp_path / name, {"W": torch.ones(3)}, kind="dictionary", **IDENTITY)
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


class TestRefusals:
    @pytest.mark.parametrize(
        ("key", "value"),
        [("fold", "2"), ("classes_sha256", classes_hash(["rain", "dog"])), ("sample_rate", 16_000)],
    )
    def test_weights_of_another_origin(self, path, key, value):
        save_weights(path, {"W": torch.ones(2)}, kind="dictionary", **IDENTITY)
        with pytest.raises(InputError, match=rf"made for something else: {key} is .*Delete it"):
            load_weights(path, kind="dictionary", **{**IDENTITY, key: value})

    def test_weights_of_another_kind(self, path):
        save_weights(path, {"W": torch.ones(2)}, kind="dictionary", **IDENTITY)
        with pytest.raises(InputError, match="kind is 'dictionary', expected 'classifier'"):
            load_classifier(path, device="cpu", **IDENTITY)

    def test_a_system_of_another_module(self, path):
        network = PostHoc(torch.rand(5, 3), 2, pooling="max", dropout=0.2, width=0.125)
        save_system(path, network, module="posthoc", **IDENTITY)
        with pytest.raises(InputError, match="module is 'posthoc', expected 'flint'"):
            load_system(path, module="flint", device="cpu", **IDENTITY)

    @pytest.mark.parametrize(
        ("name", "message"),
        [("posthok", "no file workflow/l2i/systems/posthok.py"), ("task", "is no system: it has")],
    )
    def test_a_module_that_is_no_system(self, name, message):
        with pytest.raises(InputError, match=message):
            system_module(name)

    def test_a_web_page_instead_of_weights(self, path):
        path.write_text("<html>Not found</html>")
        with pytest.raises(InputError, match="not a readable safetensors file .* delete it"):
            load_weights(path, kind="dictionary")
        with pytest.raises(InputError, match="cannot be read safely|can be read safely"):
            load_published(path)

    def test_a_pickle_with_code_in_it_is_not_executed(self, path, tmp_path):
        class Attack:
            def __reduce__(self):
                return (open, (str(tmp_path / "executed"), "w"))

        path.write_bytes(pickle.dumps(Attack()))
        with pytest.raises(InputError, match="never executed"):
            load_published(path)
        torch.save({"a": Attack()}, path)
        with pytest.raises(InputError, match="never executed"):
            load_published(path)
        assert not (tmp_path / "executed").exists()

    def test_a_published_file_that_holds_no_state_dict(self, path):
        torch.save([1, 2], path)
        with pytest.raises(InputError, match="something else than a state dict"):
            load_published(path)

    @pytest.mark.parametrize("zipped", [False, True])
    def test_old_and_new_published_files_are_read(self, path, zipped):
        state = {"module.layer1.0.weight": torch.ones(2)}
        torch.save(state, path, _use_new_zipfile_serialization=zipped)
        assert_close(load_published(path), state)
