"""l2i.systems.own_classifier: interpreters of networks that are not ours."""

import functools

import numpy as np
import pytest
import torch

from helpers.foreign_networks import (
    CLASSES,
    RATE,
    SECONDS,
    SPECTROGRAMS,
    WAVEFORMS,
    on_spectrograms,
    on_waveforms,
    tone,
    tones,
)
from l2i.checks import InputError
from l2i.features.audio import write_wav
from l2i.interpretation.stored_model import load_model, save_model
from l2i.systems.own_classifier import train_interpreter

KINDS = {"spectrograms": (on_spectrograms, SPECTROGRAMS), "waveforms": (on_waveforms, WAVEFORMS)}


def learned(classifier, sounds, front_end, **over):
    settings = {"clip_seconds": SECONDS, "n_components": 8, "n_epochs": 60, "learning_rate": 3e-3}
    return train_interpreter(classifier, sounds, CLASSES, front_end, **settings | over)


@functools.cache
def classifier_of(kind):
    return KINDS[kind][0]()


@functools.cache
def model_of(kind):
    return learned(classifier_of(kind), tones(range(16)), KINDS[kind][1])


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def test_the_interpreter_decides_as_the_network_on_sounds_that_neither_has_heard(kind):
    explained = [model_of(kind).explain(x, sample_rate=RATE) for x in tones(range(50, 58))]
    assert [e.most_probable for e in explained] == CLASSES * 8
    same = [max(e.estimates, key=e.estimates.get) == e.most_probable for e in explained]
    assert np.mean(same) >= 0.9


def loudest_hertz(x):
    spectrum = np.abs(np.fft.rfft(x))
    return np.fft.rfftfreq(len(x), 1 / RATE)[spectrum.argmax()]


def test_an_interpretation_holds_what_the_network_decides_by(kind):
    model = model_of(kind)
    for number, name in enumerate(CLASSES):
        explained = model.explain(tone(number, 60), sample_rate=RATE)
        assert explained.target == name and explained.relevant
        assert (loudest_hertz(explained.interpretation) > 1000) == (name == "high")


def test_the_network_stays_as_it_is():
    classifier = on_waveforms()
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    learned(classifier, tones(range(2)), WAVEFORMS, n_epochs=1)
    assert all(torch.equal(before[name], value) for name, value in classifier.state_dict().items())


def test_the_same_seed_gives_the_same_interpreter():
    def weights(seed):
        model = learned(
            classifier_of("waveforms"), tones(range(3)), WAVEFORMS, n_epochs=2, seed=seed
        )
        return model.explained.interpreter.state_dict()

    first, again, other = weights(0), weights(0), weights(1)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_sounds_may_be_files_of_any_rate(tmp_path):
    for number, x in enumerate(tones(range(2))):
        write_wav(tmp_path / f"{number}.wav", x, sample_rate=11_025)
    model = learned(
        classifier_of("spectrograms"), sorted(tmp_path.iterdir()), SPECTROGRAMS, n_epochs=1
    )
    assert model.explain(tone(0, 1), sample_rate=RATE).classes == CLASSES


def heard_as(sounds):
    """What an interpreter learned from these sounds says of one."""
    model = learned(classifier_of("waveforms"), sounds, WAVEFORMS, n_epochs=1)
    return model.explain(tone(0, 1), sample_rate=RATE).class_relevances


def test_samples_of_any_kind_are_learned_from_as_they_are_explained():
    sounds = [np.round(each * 2**15).astype(np.int16) for each in tones(range(2))]
    floats = [each.astype(np.float32) / 2**15 for each in sounds]
    unsigned = [(each.astype(np.int32) + 2**15).astype(np.uint16) for each in sounds]
    wanted = heard_as(floats)
    assert np.array_equal(heard_as(sounds), wanted)
    assert np.array_equal(heard_as(unsigned), wanted)
    assert np.array_equal(heard_as([np.stack([each, each], 1) for each in floats]), wanted)


LATE = np.concatenate([np.zeros(int(RATE * SECONDS)), np.ones(9)])


@pytest.mark.parametrize(
    ("sound", "said"),
    [
        (np.full(RATE, np.nan), r"sounds\[1\]: the samples hold NaN.*: repair them"),
        (np.zeros((2, RATE)), r"sounds\[1\]: samples of shape .* turn them to"),
        (np.array(["a"]), r"sounds\[1\]: an array of <U1 .* is no sound: give numbers"),
        (0 * tone(0, 0), r"sounds\[1\]: is silent in its first 1 s.*; leave it out"),
        (LATE, r"sounds\[1\]: is silent in its first 1 s"),
        ("lost.wav", "^lost.wav: no such file; check its name"),
    ],
    ids=["nan", "turned", "text", "silent", "silent_at_first", "lost"],
)
@pytest.mark.parametrize("scale", ["absolute", "signed"])
def test_what_is_no_sound_to_learn_from_is_named(sound, said, scale):
    with pytest.raises(InputError, match=said):
        learned(classifier_of("waveforms"), [tone(0, 0), sound], WAVEFORMS, waveform_scale=scale)


def test_a_file_that_is_no_sound_to_learn_from_is_named_once(tmp_path):
    write_wav(tmp_path / "none.wav", np.zeros(RATE, np.float32), sample_rate=RATE)
    (tmp_path / "page.wav").write_text("<html>")
    for name, said in {"none": "is silent in its first", "page": "is a web page"}.items():
        path = tmp_path / f"{name}.wav"
        with pytest.raises(InputError, match=f": {said}") as raised:
            learned(classifier_of("waveforms"), [tone(0, 0), path], WAVEFORMS)
        assert str(raised.value).count(str(path)) == 1


def test_it_is_kept_without_the_network_which_is_handed_over_again(tmp_path, kind):
    model, path = model_of(kind), tmp_path / "mine.safetensors"
    save_model(path, model)
    x = tone(1, 77)
    loaded = load_model(path, classifier=classifier_of(kind))
    then, now = (each.explain(x, sample_rate=RATE) for each in (model, loaded))
    assert np.array_equal(then.class_relevances, now.class_relevances)
    with pytest.raises(InputError, match="explains a classifier that it does not hold"):
        load_model(path)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"sounds": []}, "sounds is empty"),
        ({"sounds": "dog.wav"}, "sounds is one path, dog.wav: hand over a list"),
        ({"classes": ["low"]}, r"logits of shape \(1, 2\), and classes has 1 names"),
        ({"classes": ["low", "low"], "n_epochs": 1}, "classes names 'low' more than once"),
        ({"taps": ["head"]}, "taps must be one or more of filters, features"),
    ],
)
def test_what_does_not_fit_is_named(how, message):
    given = {"sounds": tones(range(1)), "classes": CLASSES} | how
    sounds, classes = given.pop("sounds"), given.pop("classes")
    with pytest.raises(InputError, match=message):
        train_interpreter(
            classifier_of("waveforms"), sounds, classes, WAVEFORMS, clip_seconds=SECONDS, **given
        )
