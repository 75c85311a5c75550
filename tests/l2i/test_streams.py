"""Streams of random numbers: the same everywhere, and nothing in common."""

import itertools

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from l2i.networks.classifier import Classifier
from l2i.networks.interpreter import Interpreter
from l2i.streams import random_stream, stream_seed, torch_stream

PURPOSES = st.lists(st.one_of(st.text(max_size=5), st.integers(0, 9)), max_size=3)


def test_it_is_the_same_on_every_machine():
    # The first eight bytes of sha256 of "[0]", halved: sha256sum says so, too.
    assert stream_seed(0) == 0x685E5088FC31409B
    assert stream_seed(3, "training") == 8771055992424702181


@given(st.integers(0, 99), PURPOSES, st.integers(0, 99), PURPOSES)
def test_other_seeds_and_purposes_are_other_streams(one, purpose, other, another):
    same = (one, purpose) == (other, another)
    assert (stream_seed(one, *purpose) == stream_seed(other, *another)) == same


def test_purposes_do_not_run_into_each_other():
    seeds = [stream_seed(*each) for each in [(1, "a", 2), (1, "a2"), (12, "a"), (1, 2, "a")]]
    assert len(set(seeds)) == len(seeds)


def test_streams_are_not_correlated():
    draws = [random_stream(0, name).standard_normal(4000) for name in "abcdef"]
    for one, other in itertools.combinations(draws, 2):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.08  # five standard deviations
    a, b = (torch.randn(4000, generator=torch_stream(0, name)) for name in "ab")
    assert abs(torch.corrcoef(torch.stack([a, b]))[0, 1]) < 0.08


def test_interpreter_and_classifier_of_one_seed_do_not_begin_alike():
    torch.manual_seed(stream_seed(0, "start"))
    classifier = Classifier(3, multi_label=False, width=0.25, head_units=8, dropout=0.0)
    torch.manual_seed(stream_seed(0, "training"))
    interpreter = Interpreter(torch.rand(9, 4), 3, width=0.25, pooling="max", dropout=0.0)
    first = next(p for p in classifier.parameters() if p.dim() == 4).flatten()
    for parameter in interpreter.parameters():
        n = min(parameter.numel(), first.numel())
        if parameter.dim() == 4 and n > 30:
            pair = torch.stack([parameter.flatten()[:n], first[:n]])
            assert abs(torch.corrcoef(pair)[0, 1]) < 0.6
