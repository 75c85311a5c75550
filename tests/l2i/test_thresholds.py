"""l2i.thresholds: a threshold per class, chosen on clips that are neither learned nor tested."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from l2i.thresholds import GRID, best_thresholds


def test_it_separates_what_can_be_separated():
    targets = np.array([[1.0], [1.0], [0.0], [0.0]])
    probabilities = np.array([[0.92], [0.81], [0.78], [0.1]])
    assert best_thresholds(targets, probabilities) == pytest.approx([0.8])


def test_among_equals_it_takes_the_one_nearest_to_a_half():
    targets = np.array([[1.0], [0.0]])
    assert best_thresholds(targets, np.array([[0.99], [0.01]])) == pytest.approx([0.5])
    assert best_thresholds(targets, np.array([[0.3], [0.01]])) == pytest.approx([0.25])


def test_a_class_without_a_known_positive_keeps_a_half():
    targets = np.array([[0.0, np.nan], [0.0, np.nan]])
    assert best_thresholds(targets, np.full((2, 2), 0.9)) == pytest.approx([0.5, 0.5])


def test_labels_that_nobody_has_given_do_not_count():
    targets = np.array([[1.0], [np.nan], [0.0]])
    probabilities = np.array([[0.3], [0.6], [0.1]])
    assert best_thresholds(targets, probabilities) == pytest.approx([0.25])


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**16))
def test_no_other_threshold_of_the_grid_is_better(seed):
    rng = np.random.default_rng(seed)
    targets, probabilities = (rng.random((30, 2)) > 0.6).astype(float), rng.random((30, 2))
    targets[0] = 1
    chosen = best_thresholds(targets, probabilities)
    for c in range(2):
        scores = [f1_score(targets[:, c], probabilities[:, c] > t, zero_division=0) for t in GRID]
        own = f1_score(targets[:, c], probabilities[:, c] > chosen[c], zero_division=0)
        assert own == pytest.approx(max(scores))
