"""l2i.datasets.fold: who trains, who tests, and with which labels."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest
import torch
from torch.testing import assert_close

from l2i.checks import InputError
from l2i.datasets.fold import open_fold
from l2i.weights import load_weights, save_weights

FEATURES = {
    "sample_rate": 44_100,
    "n_fft": 1024,
    "hop_length": 512,
    "n_mels": 128,
    "mel_power": 1,
    "waveform_scale": "absolute",
}


@pytest.fixture
def opened(tmp_path):
    """Open a fold of a table, through the files that the workflow keeps."""

    def open_table(table, classes, fold):
        table.to_csv(tmp_path / "index.csv", index=False)
        (tmp_path / "classes.json").write_text(json.dumps(classes))
        return open_fold(
            tmp_path / "index.csv",
            tmp_path / "classes.json",
            dataset="corpus",
            fold=fold,
            features=FEATURES,
        )

    return open_table


FOLDED = pd.DataFrame({"clip": list("abcd"), "fold": [1, 2, 1, 3], "label": [0, 2, 1, 0]})
FOLDED["sha256"] = list("wxyz")
SPLIT = pd.DataFrame(
    {
        "clip": list("abcd"),
        "split": ["train", "validate", "test", "train"],
        "sha256": list("wxyz"),
        "label_dog": [1, 0, 1, np.nan],
        "label_human-voice": [0, 1, np.nan, np.nan],
    }
)


class TestFolds:
    def test_the_fold_is_tested_and_all_others_train(self, opened):
        fold = opened(FOLDED, ["x", "y", "z"], "1")
        assert (fold.test_rows.tolist(), fold.train_rows.tolist()) == ([0, 2], [1, 3])
        assert len(fold.validate_rows) == 0
        assert not fold.multi_label

    def test_targets_of_one_class_are_one_hot(self, opened):
        fold = opened(FOLDED, ["x", "y", "z"], "1")
        assert_close(fold.targets(np.array([1, 0])), torch.tensor([[0.0, 0, 1], [1, 0, 0]]))

    @pytest.mark.parametrize("fold", ["4", "official"])
    def test_a_fold_that_the_corpus_does_not_have_is_refused(self, opened, fold):
        with pytest.raises(InputError, match=f"fold {fold} of"):
            opened(FOLDED, ["x", "y", "z"], fold)

    def test_rows_of_clips_say_where_they_belong_and_what_they_come_from(self, opened):
        fold = opened(FOLDED.assign(source=["01", "02", "01", "03"]), ["x", "y", "z"], "1")
        rows = pd.DataFrame({"clip": ["c", "a"], "correct": [1, 0]}, index=[5, 7])
        rows = fold.label_rows(rows, system="l2i", run="0")
        assert list(rows) == ["dataset", "fold", "source", "system", "run", "clip", "correct"]
        assert rows["source"].tolist() == ["01", "01"] and rows["clip"].tolist() == ["c", "a"]


class TestOfficialSplit:
    def test_each_part_is_what_the_corpus_says(self, opened):
        fold = opened(SPLIT, ["dog", "human-voice"], "official")
        rows = fold.train_rows, fold.validate_rows, fold.test_rows
        assert [part.tolist() for part in rows] == [[0, 3], [1], [2]]
        assert fold.multi_label

    def test_targets_come_in_the_order_of_classes_and_unknown_ones_stay_unknown(self, opened):
        fold = opened(SPLIT, ["human-voice", "dog"], "official")
        unknown = float("nan")
        wanted = torch.tensor([[0.0, 1], [unknown, 1], [unknown, unknown]])
        assert_close(fold.targets(np.array([0, 2, 3])), wanted, equal_nan=True)

    def test_a_numbered_fold_is_refused(self, opened):
        with pytest.raises(InputError, match="corpus has no folds, so fold 1 of it means nothing"):
            opened(SPLIT, ["dog", "human-voice"], "1")

    def test_a_corpus_without_test_clips_is_refused(self, opened):
        table = SPLIT[SPLIT["split"] != "test"]
        with pytest.raises(InputError, match="has the splits train, validate"):
            opened(table, ["dog", "human-voice"], "official")


def test_the_identity_tells_folds_and_front_ends_apart(opened):
    one, two = (opened(FOLDED, ["x", "y", "z"], fold).identity for fold in "12")
    assert {key for key in one if one[key] != two[key]} == {"fold", "train_clips_sha256"}
    assert {"dataset", "classes_sha256", "sample_rate", "mel_power", "waveform_scale"} <= one.keys()


class TestTrainingClips:
    def test_they_are_known_by_the_content_of_their_files_in_any_order(self, opened):
        one = opened(FOLDED, ["x", "y", "z"], "1").train_clips_sha256
        turned = FOLDED.iloc[::-1].assign(clip=list("ihgf"))
        assert opened(turned, ["x", "y", "z"], "1").train_clips_sha256 == one
        assert one == hashlib.sha256(b"x\nz").hexdigest()

    def test_weights_that_have_seen_a_test_clip_are_refused(self, opened, tmp_path):
        # Folds renumbered: what is called fold 1 now was trained on before.
        before = opened(FOLDED, ["x", "y", "z"], "1")
        save_weights(tmp_path / "weights", {"w": torch.zeros(1)}, kind="test", **before.identity)
        load_weights(tmp_path / "weights", kind="test", **before.identity)
        after = opened(FOLDED.assign(fold=[2, 1, 2, 3]), ["x", "y", "z"], "1")
        assert after.name == before.name
        with pytest.raises(InputError, match="some of those to be tested may be among them"):
            load_weights(tmp_path / "weights", kind="test", **after.identity)


class TestFoldsOfOneCorpus:
    @pytest.fixture
    def files(self, tmp_path):
        index = pd.DataFrame(
            {"clip": list("abcdef"), "fold": [1, 2, 2, 3, 1, 3], "label": range(6)}
        )
        index["sha256"] = list("uvwxyz")
        index.to_csv(tmp_path / "index.csv", index=False)
        (tmp_path / "classes.json").write_text(json.dumps(["dog", "rain"]))
        return str(tmp_path / "index.csv"), str(tmp_path / "classes.json")

    @pytest.mark.parametrize("number", ["1", "2", "3"])
    def test_a_clip_is_either_trained_on_or_tested(self, files, number):
        fold = open_fold(*files, dataset="esc50", fold=number, features=FEATURES)
        assert sorted([*fold.train_rows, *fold.test_rows]) == list(range(6))
        assert set(fold.index["fold"].iloc[fold.test_rows]) == {int(number)}
        assert int(number) not in set(fold.index["fold"].iloc[fold.train_rows])

    def test_every_test_clip_is_tested_exactly_once_over_all_folds(self, files):
        rows = [
            row
            for number in "123"
            for row in open_fold(*files, dataset="esc50", fold=number, features=FEATURES).test_rows
        ]
        assert sorted(rows) == list(range(6))

    def test_labels_are_those_of_the_rows(self, files):
        fold = open_fold(*files, dataset="esc50", fold="2", features=FEATURES)
        assert fold.labels(fold.test_rows).tolist() == [1, 2]

    @pytest.mark.parametrize(
        ("key", "value"), [("mel_power", 2), ("hop_length", 256), ("waveform_scale", "signed")]
    )
    def test_another_front_end_is_another_identity(self, files, key, value):
        one, other = (
            open_fold(*files, dataset="esc50", fold="1", features=settings).identity
            for settings in (FEATURES, {**FEATURES, key: value})
        )
        assert one != other

    def test_a_fold_that_the_corpus_lacks_is_refused(self, files):
        with pytest.raises(InputError, match=r"fold 9 of esc50 .* folds 1, 2, 3\. Correct run.fo"):
            open_fold(*files, dataset="esc50", fold="9", features=FEATURES)
