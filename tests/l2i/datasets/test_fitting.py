from __future__ import annotations

import pandas as pd
import pytest

from l2i.datasets.fitting import misfits

CLASSES = ["dog", "rain"]
ASKED = {
    "listening": ["a", "c"],
    "excluded_classes": ["rain"],
    "positive_weight": [1.0, 2.0],
    "n_components": [4, 6],
    "clips_per_class": 5,
    "waveform_scale": "signed",
    "folds": [1, 2],
}


@pytest.fixture
def folds():
    return pd.DataFrame(
        {
            **{"clip": [*"abcd"], "path": [f"audio/{c}.wav" for c in "abcd"]},
            **{"fold": [1, 1, 2, 2], "label": [0, 1, 0, 1], "maximum": [0.5, -0.1, 1.0, 0.1]},
        }
    )


@pytest.fixture
def official(folds):
    labels = {
        "split": ["train", "train", "test", "test"],
        "label_dog": 1,
        "label_rain": [1, 0, 0, 1],
    }
    return folds.drop(columns=["fold", "label"]).assign(**labels)


def found(index, **changes):
    return misfits(index, CLASSES, ASKED | changes, "farm")


def test_what_fits_is_no_problem(folds, official):
    assert found(folds) == []
    assert found(official, listening=["c", "d"], folds=[1, 2, 3, 4, 5]) == []
    assert found(folds, listening=3, positive_weight=None) == []
    assert found(folds, clips_per_class=None, n_components=[5]) == []


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"listening": ["a", "1-100032-A-0"]}, "farm.listening names 1-100032-A-0: the corpus has"),
        ({"excluded_classes": ["dgo"]}, "excluded_classes names dgo.*did you mean dog"),
        ({"excluded_classes": CLASSES}, "names all classes"),
        ({"positive_weight": [1.0]}, "positive_weight has 1 entries, but the corpus has 2"),
        ({"n_components": [4, 5]}, "is 5: with clips_per_class it must be a multiple of the 2"),
        ({"folds": [1, 3]}, "run.folds names 3, but farm has the folds 1, 2"),
    ],
)
def test_each_misfit_is_one_line_with_its_key(folds, changes, match):
    (problem,) = found(folds, **changes)
    assert pd.Series([problem]).str.contains(match).all(), problem


def test_a_class_of_one_fold_cannot_be_learned_where_that_is_tested(folds):
    folds["label"] = [0, 1, 0, 0]
    (problem,) = found(folds)
    assert problem.startswith("class rain of farm has clips in fold 1 alone")
    assert found(folds, folds=[2]) == []


def test_a_class_without_training_clip_cannot_be_learned(official):
    official["label_rain"] = [0, 0, 1, 1]
    assert found(official, listening=0) == [
        "no training clip of farm is labelled with rain; it cannot be learned"
    ]


def test_only_test_clips_are_listened_to(official):
    (problem,) = found(official, listening=["a"])
    assert "a, which is no test clip" in problem


def test_a_clip_without_signed_scale_is_named(folds):
    folds["maximum"] = [0.5, 0.0, 1.0, 0.1]
    assert found(folds)[0].startswith("audio/b.wav: a waveform with maximum 0 has no signed scale")
    assert found(folds, waveform_scale="absolute") == []
    assert found(folds.drop(columns="maximum")) == []
