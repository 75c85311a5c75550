"""Whether measures notice: planted ones must, and those that hang on nothing must be told."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from helpers.sanity_scores import clips_of, sanity_scores
from helpers.tables import one, page_of
from l2i.reporting.markdown import to_markdown
from l2i.reporting.quantities import quantity
from l2i.reporting.sanity import (
    CHECKS,
    COLUMNS,
    DOES_NOT,
    EXCHANGED,
    INTACT,
    NOTICES,
    cascade_of,
    sanity_numbers,
    sanity_page,
    verdict,
)

HOW = {"statistics": {"n_bootstrap": 200, "confidence": 0.95}, "seed": 0}


def numbers(intact, **broken):
    return pd.DataFrame([*sanity_numbers(intact, broken, **HOW)])


@pytest.fixture
def scores(rng):
    rows = sanity_scores(rng)
    return {name: part for name, part in rows.groupby("shuffled", sort=False)}


class TestVerdict:
    @pytest.mark.parametrize(
        ("low", "high", "falls", "said"),
        [
            (-0.4, -0.1, True, NOTICES),
            (-0.4, 0.0, True, DOES_NOT),
            (0.1, 0.4, True, DOES_NOT),  # the wrong way
            (0.1, 0.4, False, NOTICES),
            (-0.4, -0.1, False, DOES_NOT),
            (0.0, 0.0, True, DOES_NOT),
            (math.nan, math.nan, True, ""),
        ],
    )
    def test_it_is_whether_the_interval_leaves_out_0_on_the_right_side(
        self, low, high, falls, said
    ):
        assert verdict(low, high, falls=falls) == said


class TestNumbers:
    def test_what_is_worse_on_every_clip_is_noticed(self, scores):
        table = numbers(scores["nothing"], broken=scores["head"])
        assert list(table["metric"].unique()) == [*CHECKS]
        for metric in CHECKS:
            row = one(table, metric=metric, condition="broken")
            before = one(table, metric=metric, condition=INTACT)
            assert row["noticed"] == NOTICES, metric
            if metric != "ff_median":  # of which differences are taken clip by clip
                assert row["difference"] == pytest.approx(row["mean"] - before["mean"])
            assert row["difference_low"] <= row["difference"] <= row["difference_high"]

    def test_what_does_not_hang_on_the_network_is_told(self, scores):
        same = scores["nothing"].assign(shuffled="head")
        table = numbers(scores["nothing"], broken=same)
        broken = table[table["condition"] == "broken"]
        assert (broken["noticed"] == DOES_NOT).all() and len(broken) == len(CHECKS)
        assert broken["difference"].eq(0).all()

    def test_noise_alone_is_not_noticed(self, rng):
        drops = rng.uniform(0.2, 0.6, 12)
        intact = clips_of(probability_drop=drops, **dict.fromkeys(others(), 1))
        other = intact.assign(probability_drop=drops + np.tile([0.05, -0.05], 6))
        row = one(numbers(intact, broken=other), metric="ff_median", condition="broken")
        assert row["noticed"] == DOES_NOT

    def test_numbers_are_those_of_the_definitions(self, scores):
        head = scores["head"]
        table = numbers(scores["nothing"], broken=head)
        by_draw = head.groupby("draw")
        expected = {
            "relevance_correlation": head["correlation"].mean(),
            "selection_overlap": head["overlap"].mean(),
            "top_component_same": 100 * head["top_same"].mean(),
            "top_1_fidelity": 0.0,
            "ff_median": by_draw["probability_drop"].median().mean(),
            "empty_selection": 100 * (head["n_selected"] == 0).mean(),
        }
        for metric, value in expected.items():
            row = one(table, metric=metric, condition="broken")
            assert row["mean"] == pytest.approx(value), metric
        of_clips = head.groupby("clip")["probability_drop"].mean()
        before = scores["nothing"].set_index("clip")["probability_drop"]
        row = one(table, metric="ff_median", condition="broken")
        assert row["difference"] == pytest.approx((of_clips - before).median())

    def test_of_exchanged_activations_nothing_is_said_to_notice(self, scores):
        relevances = scores["head"][["fold", "run", "draw", "source", "clip", "correlation"]]
        table = pd.DataFrame([*sanity_numbers(scores["nothing"], {EXCHANGED: relevances}, **HOW)])
        row = one(table, condition=EXCHANGED)
        assert row["metric"] == "relevance_correlation" and row["noticed"] == ""

    def test_clips_of_one_recording_count_as_one(self):
        """Three recordings, each of which falls in its own way, say less than twelve."""
        clips = clips_of(probability_drop=0.9, **dict.fromkeys(others(), 1.0))
        of_recording = clips["clip"].str[-2:].astype(int) % 3
        fallen = clips.assign(correlation=0.8 - 0.3 * of_recording)
        widths = []
        for sources in (clips["clip"], of_recording.astype(str)):
            intact, broken = (each.assign(source=sources) for each in (clips, fallen))
            table = numbers(intact, broken=broken)
            row = one(table, metric="relevance_correlation", condition="broken")
            widths.append(row["difference_high"] - row["difference_low"])
        assert widths[1] > widths[0]


def others():
    return [c.column for c in CHECKS.values() if c.column != "probability_drop"]


class TestPage:
    def test_it_says_first_what_is_not_noticed(self, scores):
        same = scores["nothing"].assign(shuffled="head")
        rows = [
            {"dataset": "esc50", "system": "l2i_att", **number}
            for number in sanity_numbers(
                scores["nothing"],
                {"shuffled=head": same, "shuffled=head+B6": scores["head+B6"]},
                **HOW,
            )
        ]
        table = pd.DataFrame(rows, columns=COLUMNS)
        titles = {"l2i_att": "L2I w/ ATT", "esc50": "ESC-50"}
        shown = sanity_page(table, "sanity", page_of(titles), threshold=0.1, confidence=0.95)
        page = to_markdown(shown)
        assert page.startswith("# Table S9: numbers")
        first, *sections = page.split("\n## ")[1:]
        assert first.startswith("What is not noticed")
        for metric in CHECKS:
            shown = quantity(metric)
            assert f"| ESC-50 | L2I w/ ATT | {shown.title} | 1 of 2 | shuffled: head |" in first
        assert [each.splitlines()[0] for each in sections] == [
            quantity(metric).heading for metric in CHECKS
        ]
        assert f"**{DOES_NOT}** |" in sections[0] and f"| {NOTICES} |" in sections[0]
        assert "95 % interval" in page and "above 0.1" in page


class TestCascade:
    @pytest.mark.parametrize(
        ("condition", "stages"),
        [
            ("shuffled=nothing", []),
            ("shuffled=head", ["head"]),
            ("shuffled=head+B6", ["head", "B6"]),
            ("targets=shuffled", None),
            (EXCHANGED, None),
        ],
    )
    def test_stages_are_read_from_the_condition(self, condition, stages):
        assert cascade_of(condition) == stages


def test_no_value_of_an_interval_is_missing_where_there_are_sources(scores):
    table = numbers(scores["nothing"], broken=scores["head"])
    assert np.isfinite(table[["mean", "low", "high"]].to_numpy(float)).all()
