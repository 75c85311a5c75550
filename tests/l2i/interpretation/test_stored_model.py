"""l2i.interpretation.stored_model: a model in one file."""

import dataclasses

import numpy as np
import pytest
import torch

from helpers.small_networks import random_dictionary, small_classifier, small_interpreter
from l2i.checks import InputError
from l2i.features.spectral import FrontEnd
from l2i.interpretation.explained import ExplainedClassifier
from l2i.interpretation.model import Model
from l2i.interpretation.stored_model import load_model, save_model
from l2i.networks.stored_classifier import frozen
from l2i.weights import read_identity, save_weights

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
    del said[lacking], said["kind"]
    save_weights(path, {"W": torch.zeros(1)}, kind="model", **said)
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


def test_numbers_that_are_none_are_refused(model, path):
    with torch.no_grad():
        model.explained.interpreter.linear.weight[0, 0] = torch.nan
    save_model(path, model)
    with pytest.raises(InputError, match="is damaged, interpreter.linear.weight holds NaN"):
        load_model(path)
