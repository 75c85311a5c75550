"""Scores of what stands beside interpreters, on the same mixtures."""

import numpy as np
import pandas as pd
import pytest
import torch

from helpers.noise_corpus import recordings_of
from helpers.project import load_module
from helpers.small_networks import random_dictionary, small_classifier
from l2i.checks import InputError
from l2i.dictionary.stored_dictionary import save_dictionary
from l2i.evaluation.nmf_alone import activations, class_shares, relevances
from l2i.evaluation.planted import plant

pytestmark = pytest.mark.filterwarnings("ignore:At least one mel filterbank")
SLIME = {"segment_seconds": 0.128, "max_segments": 2, "n_samples": 12}
SLIME |= {"kernel_width": 0.25, "ridge": 1.0}
METHODS = ["oracle_mask", "nmf_alone", "slime"]


@pytest.fixture
def measured(tmp_path, generator):
    """Measure the references on a corpus of noises; recordings, dictionary and rows."""
    W = random_dictionary(generator)

    def run(threshold=0.1, **identity):
        recordings = recordings_of(tmp_path, small_classifier().eval().requires_grad_(False))
        dictionary, path = tmp_path / "dictionary.safetensors", tmp_path / "rows.csv"
        save_dictionary(dictionary, W, **recordings.fold.identity | identity)
        facts = load_module("measure_corruption_references").measure_corruption_references(
            recordings,
            str(dictionary),
            str(path),
            **{"threshold": threshold, "slime": SLIME, "sparsity": 0.1},
            **{"snr_db": [0, 10], "seed": 0},
        )
        rows = pd.read_csv(path, keep_default_na=False)
        assert facts == {"n_rows": len(rows), "n_empty": rows["empty"].sum()}
        return recordings, W, rows

    return run


def test_every_method_is_held_against_the_same_mixtures(measured):
    _, _, rows = measured()
    assert sorted(rows["system"].unique()) == sorted(METHODS) and len(rows) == 3 * 6 * 2 * 2
    of_mixture = ["clip", "class", "kind", "snr_db", "partner", "right_when_clean", "survives"]
    of_mixture += ["mixture_si_sdr", "mixture_other_si_sdr"]
    said = [rows.loc[rows["system"] == name, of_mixture].reset_index() for name in METHODS]
    assert all(each.drop(columns="index").equals(said[0].drop(columns="index")) for each in said)


def test_the_oracle_comes_nearer_than_all_others_to_both_sounds(measured):
    _, _, rows = measured()
    for score in ("interpretation_si_sdr", "remainder_si_sdr"):
        by_method = rows.pivot(index=["clip", "kind", "snr_db"], columns="system", values=score)
        others = by_method.drop(columns="oracle_mask").max(axis=1)
        assert (by_method["oracle_mask"] > others + 2).all()
    oracle = rows[rows["system"] == "oracle_mask"]
    assert (oracle["n_selected"] == "").all(), "it selects nothing"


def test_the_components_of_nmf_are_those_of_the_class_by_training_clips(measured):
    recordings, W, rows = measured()
    fold = recordings.fold
    pooled = [
        activations(torch.from_numpy(recordings.log_magnitude[row]), W, sparsity=0.1).mean(1)
        for row in fold.train_rows
    ]
    shares = class_shares(pooled, fold.labels(fold.train_rows), 3)
    planted = next(plant(recordings, [0, 10], seed=0))
    Y = fold.front_end.stft(planted.waveforms[1])
    H = activations(Y.abs().log1p(), W, sparsity=0.1)
    n_selected = int((relevances(H, shares[planted.label]) > 0.1).sum())
    of_nmf = rows[(rows["system"] == "nmf_alone") & (rows["snr_db"] == 10)]
    assert int(float(of_nmf["n_selected"].iloc[0])) == n_selected > 0
    # No clip to train on is of the third class: nothing speaks for it.
    third = rows[(rows["system"] == "nmf_alone") & (rows["class"] == "c")]
    assert len(third) and third["empty"].all()
    assert set(third["interpretation_si_sdr"]) == {-30}


def test_slime_keeps_no_more_segments_than_it_may(measured):
    _, _, rows = measured()
    kept = rows.loc[rows["system"] == "slime", "n_selected"].astype(float)
    assert kept.max() <= 2 and np.ptp(kept) > 0


def test_the_dictionary_of_another_fold_is_refused(measured):
    with pytest.raises(InputError, match="fold"):
        measured(fold="2")
