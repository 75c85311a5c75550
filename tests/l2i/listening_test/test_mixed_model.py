"""The mixed model: planted effects, none, another way to fit it, and fits that fail."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.regression import mixed_linear_model

from l2i.listening_test.mixed_model import fit_difference


def trials(effect, seed, *, slopes=(6.0, 6.0), n_people=12, n_stimuli=16, per_person=6):
    """Two ratings of each trial, which people and stimuli agree in; x is -0.5 and 0.5."""
    random = np.random.default_rng(seed)
    person = np.repeat(np.arange(n_people), per_person)
    stimulus = np.concatenate(
        [random.choice(n_stimuli, per_person, replace=False) for _ in range(n_people)]
    )
    common = random.normal(50, 10, n_people)[person] + random.normal(0, 10, n_stimuli)[stimulus]
    slope = random.normal(0, slopes[0], n_people)[person]
    slope += random.normal(0, slopes[1], n_stimuli)[stimulus]
    both = [common + x * (effect + slope) + random.normal(0, 8, len(person)) for x in (-0.5, 0.5)]
    return pd.DataFrame(
        {"participant": person, "stimulus": stimulus, "slime": both[0], "l2i": both[1]}
    )


def fit(rows):
    return fit_difference(rows["l2i"] - rows["slime"], rows, confidence=0.95)


def test_it_is_the_model_of_single_ratings_with_all_slopes():
    """By statsmodels' formula, on ratings, with a class that changes nothing."""
    rows = trials(8.0, seed=1)
    long = rows.melt(["participant", "stimulus"], ["slime", "l2i"], "system", "rating")
    long["x"] = np.where(long["system"] == "l2i", 0.5, -0.5)
    long["kind"] = long["stimulus"] % 3
    long["trial"] = long["participant"] * 100 + long["stimulus"]
    parts = {
        **{"p": "0 + C(participant)", "s": "0 + C(stimulus)", "t": "0 + C(trial)"},
        **{"px": "0 + C(participant):x", "sx": "0 + C(stimulus):x"},
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = mixed_linear_model.MixedLM.from_formula(
            "rating ~ x + C(kind)",
            long.assign(one=1),
            groups="one",
            re_formula="0",
            vc_formula=parts,
        )
        full = model.fit()
    found = fit(rows)
    assert full.converged
    assert found.mean == pytest.approx(full.fe_params["x"], abs=0.05)
    half = stats.t.ppf(0.975, 11) * full.bse_fe["x"]
    assert found.high - found.mean == pytest.approx(half, rel=0.02)
    assert found.p == pytest.approx(2 * stats.t.sf(full.tvalues["x"], 11), rel=0.1)


def test_a_balanced_design_without_slopes_has_students_interval():
    """Where variances of participants and stimuli come out as 0, it is the mean of differences."""
    rows = trials(5.0, seed=0, slopes=(0.0, 0.0))
    difference = rows["l2i"] - rows["slime"]
    for _ in range(20):  # leave nothing that participants or stimuli have in common
        for name in ("participant", "stimulus"):
            difference -= difference.groupby(rows[name]).transform("mean") - 5.0
    found = fit_difference(difference, rows, confidence=0.95)
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    assert found.mean == pytest.approx(5.0, abs=1e-3)
    assert found.high - found.mean == pytest.approx(stats.t.ppf(0.975, 11) * error, rel=0.02)


def test_planted_effects_are_found_and_none_where_there_is_none():
    planted = [fit(trials(12.0, seed)) for seed in range(12)]
    none = [fit(trials(0.0, seed)) for seed in range(12)]
    assert np.mean([each.mean for each in planted]) == pytest.approx(12, abs=1.5)
    assert sum(each.p < 0.05 for each in planted) >= 10
    assert sum(each.low <= 12 <= each.high for each in planted) >= 10
    assert sum(each.p < 0.05 for each in none) <= 2
    assert not any(each.note for each in [*planted, *none])


def test_a_person_alone_moves_the_interval_as_people_do():
    """Answers that differ between people alone tell no more than there are people."""
    wide = fit(trials(0.0, seed=5, slopes=(20.0, 0.0)))
    narrow = fit(trials(0.0, seed=5, slopes=(0.0, 0.0)))
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


class TestWithoutANumber:
    @pytest.mark.parametrize("fault", ["unconverged", "singular", "no error"])
    def test_a_fit_that_fails_says_so(self, monkeypatch, fault):
        class Failed:
            converged = fault != "unconverged"
            fe_params, bse_fe = np.array([3.0]), np.array([np.nan if fault == "no error" else 1.0])

        def failing(self, **options):
            if fault == "singular":
                raise np.linalg.LinAlgError("Singular matrix")
            return Failed()

        monkeypatch.setattr(mixed_linear_model.MixedLM, "fit", failing)
        found = fit(trials(5.0, seed=0))
        assert found.note == "not converged"
        assert np.isnan([found.mean, found.low, found.high, found.p]).all()

    def test_one_participant_and_one_answer_each_are_not_fitted(self):
        rows = trials(5.0, seed=0)
        assert "do not cross" in fit(rows[rows["participant"] == 0]).note
        assert "do not cross" in fit(rows.groupby("participant").head(1)).note

    def test_the_same_difference_throughout_is_not_fitted(self):
        rows = trials(5.0, seed=0)
        found = fit_difference(pd.Series(3.0, rows.index), rows, confidence=0.95)
        assert "the same in all trials" in found.note and np.isnan(found.mean)
