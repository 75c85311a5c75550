"""l2i.interpretation.stored_model: a model in one file."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from helpers.small_networks import random_dictionary, small_classifier, small_interpreter
from l2i.checks import InputError
from l2i.features.spectral import FrontEnd
from l2i.interpretation.explained import ExplainedClassifier
from l2i.interpretation.model import Model
from l2i.interpretation.stored_model import load_model, save_model
from l2i.networks.stored_classifier import frozen
from l2i.weights import contents_hash, read_identity, save_weights

FRONT_END = FrontEnd(sample_rate=8000, n_fft=64, hop_length=32, n_mels=128, mel_power=1)
SOUND = np.random.default_rng(0).standard_normal(8000).astype(np.float32)


@pytest.fixture
def model(generator):
    networks = small_classifier(), small_interpreter(random_dictionary(generator), "attention")
    explained = ExplainedClassifier(
        *(frozen(each, "cpu") for each in networks), "max", "signed", "interpreter"
    )
    return Model(explained, FRONT_END, ["a", "b", "c"], "none", 1.0, 0.3, {"fold": "1"})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def test_all_of_it_comes_back(model, path):
    save_model(path, model)
    loaded = load_model(path)
    for field in dataclasses.fields(Model)[1:]:
        assert getattr(loaded, field.name) == getattr(model, field.name)
    for field in dataclasses.fields(ExplainedClassifier)[2:]:
        assert getattr(loaded.explained, field.name) == getattr(model.explained, field.name)
    then, now = (each.explain(SOUND, sample_rate=8000) for each in (model, loaded))
    assert then.probabilities == now.probabilities
    assert np.array_equal(then.class_relevances, now.class_relevances)
    assert np.array_equal(then.interpretation, now.interpretation)


def test_in_half_precision_it_takes_half_the_space_and_keeps_its_vectors(model, path):
    save_model(path, model)
    whole = path.stat().st_size
    save_model(path, model, precision=torch.float16)
    assert path.stat().st_size < 0.65 * whole
    stored, given = load_model(path).explained.classifier, model.explained.classifier
    for name, value in given.state_dict().items():
        kept = stored.state_dict()[name]
        assert kept.dtype == value.dtype
        assert torch.equal(kept, value.half().float() if value.ndim > 1 else value)


def test_the_file_may_be_read_by_whoever_it_is_handed_to(model, path):
    save_model(path, model)
    assert path.stat().st_mode & 0o777 == 0o644


def test_the_file_says_what_it_holds(model, path):
    save_model(path, model)
    said = read_identity(path)
    assert (said["kind"], said["classes"], said["card"]) == ("model", model.classes, {"fold": "1"})


def test_a_front_end_of_ones_own_cannot_be_stored(model, path):
    class Other(FrontEnd):
        pass

    other = dataclasses.replace(model, front_end=Other(**dataclasses.asdict(FRONT_END)))
    with pytest.raises(InputError, match="front end is a Other cannot be stored"):
        save_model(path, other)
    assert not path.exists()


@pytest.mark.parametrize("lacking", ["classes", "interpreter", "front_end", "card"])
def test_a_file_that_says_too_little(model, path, lacking):
    save_model(path, model)
    said = read_identity(path)
    del said[lacking], said["kind"], said["contents_sha256"]
    sha256 = contents_hash({"W": torch.zeros(1)}, said)
    save_weights(path, {"W": torch.zeros(1)}, kind="model", contents_sha256=sha256, **said)
    with pytest.raises(InputError, match="does not hold what its network consists of"):
        load_model(path)


def test_classes_of_one_name_are_refused_in_memory_and_in_a_file(model, path):
    with pytest.raises(InputError, match="classes names 'a' more than once: give each a name"):
        dataclasses.replace(model, classes=["a", "b", "a"])
    model.classes[2] = "a"
    save_model(path, model)
    with pytest.raises(InputError, match=r"model.safetensors: classes names 'a' more than once"):
        load_model(path)


def test_a_file_of_another_kind(path):
    save_weights(path, {"W": torch.zeros(1)}, kind="dictionary")
    with pytest.raises(InputError, match="kind is 'dictionary', expected 'model'"):
        load_model(path)


def flipped(content, place):
    """The bytes with the lowest bit of one turned over."""
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def test_a_bit_that_is_flipped_is_noticed_in_every_tensor_and_in_words(model, path):
    save_model(path, model)
    content = path.read_bytes()
    begin = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:begin])
    places = [begin + header[name]["data_offsets"][0] for name in header.keys() - {"__metadata__"}]
    assert len(places) > 20
    for place in [*places, content.index(b"clip_seconds") + len(b'clip_seconds\\": ')]:
        path.write_bytes(flipped(content, place))
        with pytest.raises(InputError, match="is damaged, .* sha256 .*; fetch it again, or export"):
            load_model(path)
    path.write_bytes(content)
    load_model(path)


def test_a_file_without_its_sha256_is_refused(model, path):
    save_model(path, model)
    said = {key: value for key, value in read_identity(path).items() if "sha256" not in key}
    save_weights(path, load_file(path), **said)
    with pytest.raises(InputError, match="is damaged, .* sha256"):
        load_model(path)


def test_what_is_stored_is_what_is_hashed_in_any_order_and_type(tmp_path):
    said = {"card": {10: (1, 2), 9: 0.1}, "classes": ["a", "é"]}
    tensors = {
        "b": torch.tensor(3),
        "a": torch.rand(3, 2).T,
        "c": torch.rand(2).bfloat16(),
        "none": torch.zeros(0, 2),
    }
    save_weights(tmp_path / "w", tensors, kind="model", **said)
    read = read_identity(tmp_path / "w")
    del read["kind"]
    assert contents_hash(load_file(tmp_path / "w"), read) == contents_hash(tensors, said)
    assert contents_hash(tensors, said) != contents_hash(tensors | {"b": torch.tensor(3.0)}, said)
    assert contents_hash(tensors, said) != contents_hash(tensors, said | {"classes": ["a"]})


def test_numbers_that_are_none_are_refused(model, path):
    with torch.no_grad():
        model.explained.interpreter.linear.weight[0, 0] = torch.nan
    save_model(path, model)
    with pytest.raises(InputError, match="is damaged, interpreter.linear.weight holds NaN"):
        load_model(path)
