"""l2i.export.graph: one function of waveforms, held to what explains them step by step."""

import dataclasses
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.own_sounds import SMALL, small_model
from helpers.small_networks import small_classifier, small_interpreter
from l2i.checks import InputError
from l2i.export.graph import Graph, gains
from l2i.features.audio import scale_waveform
from l2i.features.waveforms import WaveformFrontEnd
from l2i.interpretation.explained import ExplainedClassifier
from l2i.interpretation.model import gain_of
from l2i.interpretation.synthesis import synthesise
from l2i.networks.stored_classifier import frozen

DECIDED = torch.tensor(-1)
N_DECIDED = small_model().hearing.n_samples


def noise(n_samples, seed=0):
    return 0.3 * np.random.default_rng(seed).standard_normal(n_samples).astype(np.float32)


def other_model(pooling="attention", multi_label=False, **changes):
    """The small model with other networks: another pooling, several labels, by design."""
    of_model = {key: changes.pop(key) for key in ("waveform_scale",) if key in changes}
    interpreter = small_interpreter(small_model().dictionary, pooling)
    interpreter.psi.activations.bias.data += 0.3
    classifier = frozen(small_classifier(multi_label=multi_label), "cpu")
    if multi_label:
        classifier.thresholds[:] = torch.tensor([0.0, 0.5, 1.0])
    pair = ExplainedClassifier(classifier, frozen(interpreter, "cpu"), **changes)
    return dataclasses.replace(small_model(), explained=pair, **of_model)


def eager(model, x, *, target=None, threshold=0.1):
    gain = gain_of(x, model.waveform_scale)
    scaled = torch.from_numpy(x / np.float32(gain))
    heard = synthesise(
        model.explained,
        scaled,
        model.front_end,
        threshold=threshold,
        n_decided=model.hearing.n_samples,
        target=target,
    )
    return heard, gain


def assert_alike(model, x, *, target=None, threshold=0.1):
    heard, gain = eager(model, x, target=target, threshold=threshold)
    given_target = DECIDED if target is None else torch.tensor(target)
    out = Graph(model).eval()(torch.from_numpy(x)[None], torch.tensor(threshold), given_target)
    peak = float(np.abs(x).max())
    assert torch.allclose(out.probabilities[0], heard.probabilities, atol=1e-5)
    assert torch.allclose(out.relevances[0, heard.target], heard.relevance, atol=1e-4)
    assert torch.allclose(out.activations[0], heard.activations, rtol=1e-4, atol=1e-5)
    assert torch.allclose(out.interpretation[0], heard.interpretation * gain, atol=1e-4 * peak)
    assert torch.allclose(out.remainder[0], heard.remainder * gain, atol=1e-4 * peak)
    return out


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"pooling": "max"},
        {"pooling": "class_attention"},
        {"predictor": "interpreter"},  # by design
        {"relevance_pooling": "max", "relevance_scale": "signed"},
        {"multi_label": True},
        {"waveform_scale": "none"},
        {"waveform_scale": "signed"},
    ],
    ids=str,
)
def test_every_kind_of_interpreter_says_the_same_as_step_by_step(options):
    assert_alike(other_model(**options), noise(N_DECIDED + 777))


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 3 * N_DECIDED))
def test_sounds_of_any_length(n_samples):
    assert_alike(small_model(), noise(n_samples))


@pytest.mark.parametrize("n_samples", [1, 127 * 64, 127 * 64 + 1, N_DECIDED, N_DECIDED + 1])
def test_where_padding_begins_and_ends(n_samples):
    out = assert_alike(small_model(), noise(n_samples))
    assert out.activations.shape[-1] == max(128, 1 + -(-n_samples // SMALL.hop_length))


def test_class_and_threshold_are_the_users():
    x = noise(9000)
    most = int(eager(small_model(), x)[0].target)
    outs = [assert_alike(small_model(), x, target=each) for each in range(3)]
    decided = assert_alike(small_model(), x)
    nothing = assert_alike(small_model(), x, target=2, threshold=1.0)
    assert outs[2].interpretation.any() and not nothing.interpretation.any()
    assert torch.equal(decided.interpretation, outs[most].interpretation)
    others = [out.interpretation for out in outs if out is not outs[most]]
    assert any(not torch.equal(decided.interpretation, other) for other in others)


def test_decisions_of_several_labels_are_held_to_their_own_thresholds():
    out = assert_alike(other_model(multi_label=True), noise(9000))
    assert out.decided[0, 0] and not out.decided[0, 2]


def test_clips_of_a_batch_know_nothing_of_each_other():
    graph, x = (
        Graph(small_model()).eval(),
        torch.from_numpy(np.stack([noise(9000), noise(9000, 1)])),
    )
    x[1] *= 0.01
    both = graph(x, torch.tensor(0.1), DECIDED)
    for row in range(2):
        alone = graph(x[row : row + 1], torch.tensor(0.1), DECIDED)
        for one, of_both in zip(alone, both, strict=True):
            assert torch.allclose(one[0].float(), of_both[row].float(), atol=1e-5)


def test_silence_comes_out_as_silence():
    out = Graph(small_model()).eval()(torch.zeros(1, 5000), torch.tensor(0.1), DECIDED)
    assert not out.interpretation.any() and not out.remainder.any()
    assert all(part.isfinite().all() for part in out)


@pytest.mark.parametrize("scale", ["none", "absolute", "signed"])
def test_waveforms_are_scaled_as_for_training(scale):
    x = noise(100)
    x[7] = -2
    scaled = torch.from_numpy(x)[None] / gains(torch.from_numpy(x)[None], scale)
    assert np.allclose(scaled[0], scale_waveform(x, scale), rtol=1e-6)


def test_the_model_stays_what_it_was():
    model = small_model()
    graph = Graph(model)
    graph.classifier.output.weight.data.zero_()
    assert model.explained.classifier.output.weight.any()


def test_what_has_no_such_form_is_refused():
    waveforms = WaveformFrontEnd(**dataclasses.asdict(SMALL))
    with pytest.raises(InputError, match="front end is a WaveformFrontEnd has no form in ONNX"):
        Graph(dataclasses.replace(small_model(), front_end=waveforms))
    model = small_model()
    of_others = dataclasses.replace(model.explained, classifier=mock.MagicMock())
    with pytest.raises(InputError, match="explains a MagicMock has no form in ONNX"):
        Graph(dataclasses.replace(model, explained=of_others))
