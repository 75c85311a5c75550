"""l2i.reporting.comparisons: which clips two systems share, and ranks to compare them by."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.tables import STATISTICS, classified
from l2i.reporting.comparisons import compared_pairs, difference_metric, in_common
from l2i.reporting.quantities import quantity
from l2i.reporting.scores import classification_scores


class TestInCommon:
    def frame(self, *repeats):
        return pd.concat([classified([1, 0], fold=fold, run=run) for fold, run in repeats])

    def repeats(self, frame):
        return sorted(set(zip(frame["fold"], frame["run"], strict=True)))

    def test_only_folds_and_runs_of_both_stay(self):
        clips = self.frame((1, 0), (1, 1), (2, 0))
        other = self.frame((2, 0), (1, 1), (3, 0), (2, 1))
        for both in in_common(clips, other):
            assert self.repeats(both) == [("1", 1), ("2", 0)]
            assert len(both) == 4

    def test_a_side_without_runs_stands_beside_every_run_of_its_fold(self):
        clips = self.frame((1, 0), (1, 1), (2, 0))
        classifier = pd.concat([classified([1, 1], None, fold=fold) for fold in (1, 3)])
        for sides in (in_common(clips, classifier), in_common(classifier, clips)[::-1]):
            for both in sides:
                assert self.repeats(both) == [("1", 0), ("1", 1)]
            assert list(sides[1]["correct"]) == [1] * 4
        assert "run" not in classifier

    def test_nothing_in_common_is_nothing(self):
        assert [len(side) for side in in_common(self.frame((1, 0)), self.frame((2, 0)))] == [0, 0]

    def test_clips_are_left_alone(self):
        clips, other = classified([1, 0]), classified([1])
        assert [len(side) for side in in_common(clips, other)] == [2, 1]

    def test_differences_have_names_that_the_paper_section_knows(self):
        for metric in ("accuracy", "top_1_fidelity", "macro_auprc", "avg_weighted_f1"):
            assert quantity(difference_metric(metric)).title.startswith("difference in")


class TestRanks:
    """Areas depend on the order of scores, so systems are exchanged as ranks."""

    def test_being_less_sure_of_the_same_order_is_no_difference(self, rng):
        label = np.arange(60) % 2
        clips = pd.DataFrame(
            {"fold": "official", "run": 0, "clip": [f"{i:02d}" for i in range(60)]}
        )
        sure = clips.assign(label_dog=label, probability_dog=rng.random(60) * 0.6 + 0.4 * label)
        unsure = sure.assign(probability_dog=sure["probability_dog"] ** 3 / 10 + 0.01)
        (score, *_) = classification_scores("auprc", ["dog"], [])
        pairs = compared_pairs({"a": sure, "b": unsure}, score, statistics=STATISTICS, seed=0)
        assert pairs[0]["p"] == 1.0

    def test_how_sure_a_system_is_of_its_order_does_not_count(self):
        rng = np.random.default_rng(1)
        label = (np.arange(80) % 4 == 0).astype(float)
        clips = pd.DataFrame(
            {"fold": "official", "run": 0, "clip": [f"{i:02d}" for i in range(80)]}
        )
        good, bad = (
            clips.assign(label_dog=label, probability_dog=(rng.random(80) * s + label) / (s + 1))
            for s in (2.5, 4.0)
        )
        unsure = good.assign(probability_dog=good["probability_dog"] ** 4 / 2 + 0.01)
        (score, *_) = classification_scores("auprc", ["dog"], [])
        first, second = (
            compared_pairs({"a": system, "b": bad}, score, statistics=STATISTICS, seed=0)[0]["p"]
            for system in (good, unsure)
        )
        assert first == second and 1 / 201 < first < 1
