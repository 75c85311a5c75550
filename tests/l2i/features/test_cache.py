"""l2i.features.cache and l2i.datasets.fold: rows, splits and the files behind them."""

import json

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from torch.testing import assert_close

from l2i.checks import InputError
from l2i.datasets.fold import open_fold
from l2i.features.cache import (
    BATCH,
    cache_features,
    compute_features,
    load_waveform,
    open_features,
    rows_of,
)
from l2i.features.spectral import FrontEnd
from l2i.provenance.fingerprints import file_sha256

RATE = 44_100
FRONT_END = FrontEnd(RATE, 1024, 512, 128, 1)
SETTINGS = {
    "sample_rate": RATE,
    "n_fft": 1024,
    "hop_length": 512,
    "n_mels": 128,
    "mel_power": 1,
    "waveform_scale": "absolute",
}


@pytest.fixture
def paths(tmp_path):
    """More clips than a batch, each a tone of its own pitch."""
    time = np.arange(RATE // 4) / RATE
    found = []
    for i in range(BATCH + 3):
        path = tmp_path / f"{i}.wav"
        soundfile.write(path, 0.5 * np.sin(2 * np.pi * (300 + 200 * i) * time), RATE)
        found.append(path)
    return found


def write(paths, folder, n_samples=RATE // 4, **changes):
    options = {"sha256": [file_sha256(path) for path in paths], "scale": "absolute"} | changes
    arrays = folder / "X.npy", folder / "M.npy"
    cache_features(paths, *arrays, front_end=FRONT_END, n_samples=n_samples, **options)
    return [open_features(array) for array in arrays]


class TestCache:
    def test_row_i_is_clip_i_across_batches(self, paths, tmp_path):
        X, M = write(paths, tmp_path)
        assert X.shape == (len(paths), 513, FRONT_END.n_frames(RATE // 4))
        assert M.shape == (len(paths), FRONT_END.n_frames(RATE // 4), 128)
        for i in (0, BATCH - 1, BATCH, BATCH + 2):
            x = load_waveform(paths[i], sample_rate=RATE, scale="absolute")
            X_alone, M_alone = compute_features(FRONT_END, torch.from_numpy(x)[None])
            assert_close(rows_of(X, [i]), X_alone)
            assert_close(rows_of(M, [i]), M_alone)

    def test_clips_are_cropped_and_padded_to_one_length(self, paths, tmp_path):
        longer, _ = write(paths[:2], tmp_path, n_samples=RATE)
        assert longer.shape[2] == FRONT_END.n_frames(RATE)
        assert (longer[:, :, -20:] < 1e-6).all()

    def test_rows_come_in_the_order_asked_for(self, paths, tmp_path):
        X, _ = write(paths[:5], tmp_path)
        assert_close(rows_of(X, [4, 0, 4]), torch.from_numpy(X[[4, 0, 4]]))

    def test_arrays_are_read_only(self, paths, tmp_path):
        X, _ = write(paths[:1], tmp_path)
        with pytest.raises(ValueError, match="read-only"):
            X[0] = 0

    def test_a_file_that_is_not_the_indexed_one_is_refused(self, paths, tmp_path):
        hashes = [file_sha256(path) for path in paths]
        samples, _ = soundfile.read(paths[3])
        soundfile.write(paths[3], samples[::-1], RATE)
        with pytest.raises(InputError, match=r"3\.wav is not the file that was indexed.*forcerun"):
            write(paths, tmp_path, sha256=hashes)

    def test_features_that_are_not_finite_are_refused(self, paths, tmp_path, monkeypatch):
        from l2i.features import cache as features

        def broken(front_end, waveforms, *, device):
            X, M = compute_features(front_end, waveforms, device=device)
            M[1, 3, 5] = torch.nan
            return X, M

        monkeypatch.setattr(features, "compute_features", broken)
        with pytest.raises(InputError, match=r"1\.wav are not finite.*Repair or replace"):
            write(paths[:4], tmp_path)


class TestFold:
    @pytest.fixture
    def files(self, tmp_path):
        index = pd.DataFrame(
            {"clip": list("abcdef"), "fold": [1, 2, 2, 3, 1, 3], "label": range(6)}
        )
        index.to_csv(tmp_path / "index.csv", index=False)
        (tmp_path / "classes.json").write_text(json.dumps(["dog", "rain"]))
        return str(tmp_path / "index.csv"), str(tmp_path / "classes.json")

    @pytest.mark.parametrize("number", ["1", "2", "3"])
    def test_a_clip_is_either_trained_on_or_tested(self, files, number):
        fold = open_fold(*files, dataset="esc50", fold=number, features=SETTINGS)
        assert sorted([*fold.train_rows, *fold.test_rows]) == list(range(6))
        assert set(fold.index["fold"].iloc[fold.test_rows]) == {int(number)}
        assert int(number) not in set(fold.index["fold"].iloc[fold.train_rows])

    def test_every_test_clip_is_tested_exactly_once_over_all_folds(self, files):
        rows = [
            row
            for number in "123"
            for row in open_fold(*files, dataset="esc50", fold=number, features=SETTINGS).test_rows
        ]
        assert sorted(rows) == list(range(6))

    def test_labels_are_those_of_the_rows(self, files):
        fold = open_fold(*files, dataset="esc50", fold="2", features=SETTINGS)
        assert fold.labels(fold.test_rows).tolist() == [1, 2]

    @pytest.mark.parametrize(
        ("key", "value"), [("mel_power", 2), ("hop_length", 256), ("waveform_scale", "signed")]
    )
    def test_another_front_end_is_another_identity(self, files, key, value):
        one, other = (
            open_fold(*files, dataset="esc50", fold="1", features=settings).identity
            for settings in (SETTINGS, {**SETTINGS, key: value})
        )
        assert one != other

    def test_a_fold_that_the_corpus_lacks_is_refused(self, files):
        with pytest.raises(InputError, match=r"fold 9 of esc50 .* folds 1, 2, 3\. Correct run.fo"):
            open_fold(*files, dataset="esc50", fold="9", features=SETTINGS)
