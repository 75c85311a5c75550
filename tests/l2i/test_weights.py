"""l2i.weights: what is written comes back, and what does not fit is refused."""

import pickle

import pytest
import torch
from torch.testing import assert_close

from l2i.checks import InputError
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
        with pytest.raises(InputError, match=rf"made for something else: {key} is .*delete it"):
            load_weights(path, kind="dictionary", **{**IDENTITY, key: value})

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
