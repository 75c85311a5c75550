"""l2i.reporting.comparisons: which clips two systems share, and ranks to compare them by."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers.tables import STATISTICS, classified, followed, tags
from l2i.reporting.comparisons import compared_pairs, difference_metric, in_common
from l2i.reporting.quantities import quantity
from l2i.reporting.scores import classification_scores, compared_by, fidelity_scores


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
        for metric in ("accuracy", "top_1_fidelity", "mean_average_precision", "avg_weighted_f1"):
            assert quantity(difference_metric(metric)).title.startswith("difference in")


def unlabelled(n):
    names = [f"{i:02d}" for i in range(n)]
    return pd.DataFrame({"fold": "official", "run": 0, "source": names, "clip": names})


class TestRanks:
    """Average precision depends on the order of scores, so systems are exchanged as ranks."""

    def test_being_less_sure_of_the_same_order_is_no_difference(self, rng):
        label = np.arange(60) % 2
        clips = unlabelled(60)
        sure = clips.assign(label_dog=label, probability_dog=rng.random(60) * 0.6 + 0.4 * label)
        unsure = sure.assign(probability_dog=sure["probability_dog"] ** 3 / 10 + 0.01)
        score = compared_by(classification_scores("auprc", ["dog"], []))
        pairs = compared_pairs({"a": sure, "b": unsure}, score, statistics=STATISTICS, seed=0)
        assert pairs[0]["p"] == 1.0

    def test_logits_that_are_larger_in_the_same_order_are_no_difference(self):
        """The areas of DCASE differ by 0.01: scores below 0.01 give them no point."""
        rng = np.random.default_rng(3)
        label = (rng.random(400) < 0.15).astype(float)
        logits = rng.normal(2 * label - 3.5, 1.2)
        mild, steep = (
            unlabelled(400).assign(label_dog=label, probability_dog=1 / (1 + np.exp(-logits * k)))
            for k in (1, 2.5)
        )
        scores = classification_scores("auprc", ["dog"], [])
        how = {"statistics": STATISTICS, "seed": 0}
        (pair,) = compared_pairs({"a": mild, "b": steep}, compared_by(scores), **how)
        assert pair["metric"] == "mean_average_precision"
        assert (pair["difference"], pair["p"]) == (0, 1)
        assert -0.01 < pair["low"] < 0 < pair["high"] < 0.01  # of 400 clips
        area = next(score for score in scores if score.metric == "macro_auprc")
        assert abs(area.difference(mild, steep, **how)["mean"]) > 0.005

    @pytest.mark.parametrize("metric", ["accuracy", "f1", "auprc"])
    def test_difference_interval_and_p_are_of_one_number(self, metric):
        """What the test finds without any exchange is the difference that is printed."""
        of_tags = metric != "accuracy"
        frames = [tags("sonyc_ust", "fidelity", n=40, system=s) for s in ("a", "b")]
        frames[1].loc[[1, 3, 9], "interpreter_dog"] = 0.05
        if not of_tags:
            frames = [followed([0] * 9).assign(rank=rank) for rank in ([1] * 9, [1, 1, 2] * 3)]
        scores = fidelity_scores(metric, ["dog", "music"] * of_tags, [])
        score = compared_by(scores)
        (pair,) = compared_pairs(
            dict(zip("ab", frames, strict=True)), score, statistics=STATISTICS, seed=0
        )
        numbers = [score.number(each, statistics=STATISTICS, seed=0) for each in frames]
        assert pair["difference"] == pytest.approx(numbers[0]["mean"] - numbers[1]["mean"])
        assert pair["low"] <= pair["difference"] <= pair["high"]
        assert pair["metric"] == score.metric and pair["difference"] > 0

    def test_how_sure_a_system_is_of_its_order_does_not_count(self):
        rng = np.random.default_rng(1)
        label = (np.arange(80) % 4 == 0).astype(float)
        clips = unlabelled(80)
        good, bad = (
            clips.assign(label_dog=label, probability_dog=(rng.random(80) * s + label) / (s + 1))
            for s in (2.5, 4.0)
        )
        unsure = good.assign(probability_dog=good["probability_dog"] ** 4 / 2 + 0.01)
        score = compared_by(classification_scores("auprc", ["dog"], []))
        first, second = (
            compared_pairs({"a": system, "b": bad}, score, statistics=STATISTICS, seed=0)[0]["p"]
            for system in (good, unsure)
        )
        assert first == second and 1 / 201 < first < 1
