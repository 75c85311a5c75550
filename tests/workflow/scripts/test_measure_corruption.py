"""Scores of an interpreter on clips in company, row by row."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from helpers.noise_corpus import recordings_of
from helpers.project import load_module
from helpers.small_networks import random_dictionary, small_classifier, small_interpreter
from l2i.interpretation.explained import ExplainedClassifier

pytestmark = pytest.mark.filterwarnings("ignore:At least one mel filterbank")
RATIOS = [-5, 0, 5.5]


@pytest.fixture
def measured(tmp_path, generator):
    """Measure a small interpreter on a corpus of noises; facts and rows."""
    classifier = small_classifier().eval().requires_grad_(False)
    interpreter = small_interpreter(random_dictionary(generator)).eval().requires_grad_(False)

    def run(predictor="classifier", threshold=0.1, seed=0, **corpus):
        def explained(of, **how):
            assert how == {"relevance_scale": "absolute"}
            return ExplainedClassifier(of, interpreter, predictor=predictor, **how)

        recordings, path = recordings_of(tmp_path, classifier, **corpus), tmp_path / "rows.csv"
        facts = load_module("measure_corruption").measure_corruption(
            recordings,
            SimpleNamespace(explained=explained),
            str(path),
            **{"threshold": threshold, "relevance_scale": "absolute", "snr_db": RATIOS},
            **{"seed": seed, "system": "l2i_att", "variant": "default", "run": "0"},
        )
        return facts, pd.read_csv(path, keep_default_na=False)

    return run


def test_there_is_a_row_for_each_test_clip_kind_of_company_and_ratio(measured):
    facts, rows = measured()
    assert facts == {"n_rows": 36, "n_empty": int(rows["empty"].sum())}
    assert len(rows) == len(rows[["clip", "kind", "snr_db"]].drop_duplicates()) == 36
    assert sorted(rows["snr_db"].unique()) == RATIOS
    assert {*rows["clip"]} == {f"clip {i}" for i in range(6)}, "no clip to train on"
    assert (rows["source"] == rows["clip"]).all() and set(rows["predictor"]) == {"classifier"}
    assert set(rows["system"]) == {"l2i_att"} and set(rows["run"]) == {0}
    of_noise = rows["kind"] == "noise"
    assert (rows["partner"][of_noise] == "").all()
    classes = rows.set_index("clip")["class"].to_dict()
    partners = rows[~of_noise]
    assert (partners["partner"].map(classes) != partners["class"]).all()


def test_decisions_are_those_of_who_decides(measured):
    (_, rows), (_, by_design) = measured(), measured("interpreter")
    assert set(by_design["predictor"]) == {"interpreter"}
    scores = ["interpretation_si_sdr", "remainder_si_sdr"]
    assert rows[scores].equals(by_design[scores])
    decided = ["right_when_clean", "survives"]
    # Both networks are untrained, and decide for one class whatever they hear.
    assert not rows[decided].equals(by_design[decided])


def test_a_threshold_that_nothing_exceeds_gives_silence_that_is_counted(measured):
    facts, rows = measured(threshold=1.0)
    assert facts["n_empty"] == len(rows) == rows["empty"].sum()
    assert set(rows["interpretation_si_sdr"]) == {-30} and not rows["n_selected"].any()
    improvement = rows["remainder_improvement"]
    assert np.abs(improvement).max() < 0.01


def test_a_silent_clip_is_left_out(measured):
    facts, rows = measured(silent=[2])
    assert facts["n_rows"] == 30 and "clip 2" not in set(rows["clip"])


def test_another_seed_draws_other_company(measured):
    (_, rows), (_, again), (_, other) = measured(), measured(), measured(seed=1)
    assert rows.equals(again)
    noise = rows["kind"] == "noise"
    assert not (rows["remainder_si_sdr"] == other["remainder_si_sdr"])[noise].any()
