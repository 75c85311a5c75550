"""Which clips of a fold are listened to."""

import json

import pandas as pd
import pytest

from helpers.project import load_script
from l2i.checks import InputError

FEATURES = {"sample_rate": 44_100, "n_fft": 1024, "hop_length": 512, "n_mels": 128}
FEATURES |= {"mel_power": 1, "waveform_scale": "none"}


@pytest.fixture
def choose(tmp_path):
    """Names that the script writes for a fold of a corpus with five clips in each of two folds."""
    rows = [{"clip": f"{n}-{fold}", "fold": fold, "label": 0} for fold in (1, 2) for n in "abcde"]
    pd.DataFrame(rows).to_csv(tmp_path / "index.csv", index=False)
    (tmp_path / "classes.json").write_text('["dog"]')

    def run(fold, listening, seed=0):
        facts = load_script("choose_clips")(
            path_to_index=str(tmp_path / "index.csv"),
            path_to_classes=str(tmp_path / "classes.json"),
            path_to_clips=str(tmp_path / "clips.json"),
            listening=listening,
            seed=seed,
            features=FEATURES,
            dataset="farm",
            fold=fold,
        )
        entries = json.loads((tmp_path / "clips.json").read_text())
        assert all(entry.keys() == {"clip"} for entry in entries)
        names = [entry["clip"] for entry in entries]
        assert facts == {"n_clips": len(names)}
        return names

    return run


def test_of_named_clips_a_fold_has_those_that_it_tests(choose):
    assert choose("1", ["d-1", "a-2", "b-1"]) == ["b-1", "d-1"]
    assert choose("2", ["d-1", "a-2", "b-1"]) == ["a-2"]


def test_one_more_clip_changes_nothing_in_the_other_folds(choose):
    assert choose("2", ["d-1"]) == choose("2", ["d-1", "e-1"]) == []


def test_so_many_are_drawn_by_the_seed_from_what_is_tested(choose):
    drawn = choose("1", 3)
    assert len(set(drawn)) == 3 and all(name.endswith("-1") for name in drawn)
    assert drawn == choose("1", 3) and {tuple(choose("1", 3, seed)) for seed in range(9)} != {
        tuple(drawn)
    }
    assert choose("1", 9) == [f"{n}-1" for n in "abcde"]


def test_a_name_that_the_corpus_lacks_is_refused(choose):
    with pytest.raises(InputError, match=r"datasets.farm.listening names cat"):
        choose("1", ["cat"])
