"""l2i.reporting.scores: interpreters read as classifiers, and ranks of scores."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from helpers.tables import followed, tags
from l2i.reporting.scores import as_classification, ranked


class TestAsClassification:
    def test_the_interpreter_is_right_where_it_says_the_label(self):
        rows = as_classification(followed([2, 1, 2], label=[2, 2, 2]))
        assert list(rows["correct"]) == [1, 0, 1]
        assert list(rows["predicted"]) == [2, 1, 2]
        assert list(rows["fold"]) == ["1"] * 3 and list(rows["run"]) == [0] * 3
        assert list(rows["source"]) == list(rows["clip"])

    def test_of_several_labels_it_decides_from_a_half_on(self):
        frame = tags("openmic", "fidelity", n=3, interpreter_dog=[0.5, 0.49, math.nan])
        rows = as_classification(frame.assign(label_dog=[1, math.nan, 0]))
        assert list(rows["decided_dog"]) == [1, 0, 0]
        np.testing.assert_array_equal(rows["probability_dog"], [0.5, 0.49, math.nan])
        np.testing.assert_array_equal(rows["label_dog"], [1, math.nan, 0])
        assert "decided_music" in rows and "interpreter_dog" not in rows


def test_ranks_lie_between_0_and_1_by_run_and_class_and_ties_share_theirs():
    clips = pd.DataFrame(
        {
            **{"fold": "official", "run": [0, 0, 0, 1, 1, 1], "clip": [*"abcabc"]},
            **{"label_dog": 1.0, "interpreter_dog": [0.1, 0.9, 0.9, 5.0, 6.0, np.nan]},
        }
    )
    found = ranked(clips)
    expected = [0.25, 0.625, 0.625, 0.25, 0.5, np.nan]
    assert found["interpreter_dog"].tolist() == pytest.approx(expected, nan_ok=True)
    assert (found["label_dog"] == 1).all() and found["clip"].tolist() == [*"abcabc"]
