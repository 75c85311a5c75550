"""What a table says first, held against numbers taken from its rows by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from l2i.pages.highlights import cost_text, highlight_of, number_text
from l2i.reporting.costs import Spent

TITLES = {"l2i_att": "L2I w/ ATT", "esc50": "ESC-50"}
ROW = {"table": 4, "system": "l2i_att", "dataset": "esc50", "metric": "accuracy"}
ROW |= {"condition": None, "mean": 86.25, "n": 5, "bound": None, "paper_mean": 65.7}


def rows(*changes, **shared):
    return pd.DataFrame([ROW | shared | change for change in changes or [{}]])


def test_the_first_measured_number_stands_beside_the_papers():
    text = highlight_of(rows({"mean": None}, {"mean": -1.5}, {"mean": 3.0}), TITLES)
    text = text.replace("\N{NO-BREAK SPACE}", " ")
    assert text == "L2I w/ ATT on ESC-50, accuracy: −1.5 %, the paper’s 65.7 %"


def test_a_bound_and_a_condition_are_said():
    text = highlight_of(rows(condition="threshold=0.1", bound="<", metric="macro_auprc"), TITLES)
    assert ", τ = 0.1: 86.250, the paper’s < 65.700" in text


def test_without_a_number_of_the_paper_ours_stands_alone():
    assert "paper" not in highlight_of(rows(paper_mean=float("nan")), TITLES)
    assert "paper" not in highlight_of(rows().drop(columns="paper_mean"), TITLES)


def test_settings_are_counted():
    settings = rows({"mean": 1.0, "paper_mean": 1.0}, {"mean": 2.0}, {"mean": None}, n=None)
    assert highlight_of(settings, TITLES) == "1 of 2 settings are the paper's"


def test_pairs_and_comparisons_and_classes_are_counted():
    pairs = pd.DataFrame({"p_holm": [0.05, 0.051, None, 0.0]})
    assert highlight_of(pairs, TITLES).startswith("2 of 4 pairs")
    checks = pd.DataFrame({"noticed": ["notices", "does not notice", None, "notices"]})
    assert highlight_of(checks, TITLES) == "2 of 3 comparisons notice the other network"
    classes = rows({"class": "a"}, {"class": "a"}, {"class": "b"}, {"class": "a", "dataset": "x"})
    classes["quantity"] = "labels"
    assert highlight_of(classes, TITLES) == "3 classes"


@pytest.mark.parametrize("simulated", [True, False])
def test_answers_that_no_listener_gave_are_called_so(simulated):
    ratings = rows({"class": "music", "simulated": simulated}).drop(columns="paper_mean")
    text = highlight_of(ratings, TITLES)
    assert text.startswith("SIMULATED ANSWERS: L2I") == simulated and ", music: 86" in text


def test_nothing_is_said_of_nothing():
    assert highlight_of(pd.DataFrame(columns=[*ROW]), TITLES) == ""
    assert highlight_of(rows(mean=float("nan")), TITLES) == ""


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (Spent(3, 0.0, 0.126), "Training 3 models took 0.13 core hours on CPUs"),
        (Spent(9, 12.4, 0.0), "Training 9 models took 12 GPU hours"),
        (Spent(9, 2.0, 30.0), "Training 9 models took 2.00 GPU hours and 30 core hours on CPUs"),
        (Spent(0, 0.0, 0.0), "Training 0 models took 0.00 core hours on CPUs"),
    ],
)
def test_costs_in_a_sentence(cost, text):
    assert cost_text(cost) == text


def test_a_gap_has_a_sign_and_no_negative_zero():
    assert number_text("macro_auprc", 0.02, signed=True) == "+0.020"
    assert number_text("macro_auprc", -0.0000001) == "0.0000"
