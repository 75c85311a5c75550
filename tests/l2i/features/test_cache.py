"""l2i.features.cache: rows of clips, and the files behind them."""

import numpy as np
import pytest
import soundfile
import torch
from torch.testing import assert_close

from l2i.checks import InputError
from l2i.features import cache
from l2i.features.audio import Span
from l2i.features.cache import (
    BATCH,
    cache_features,
    compute_features,
    load_waveform,
    open_features,
    rows_of,
)
from l2i.features.spectral import FrontEnd
from l2i.hashing import file_sha256

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

    def test_pieces_of_files_are_rows_of_their_own(self, paths, tmp_path, monkeypatch):
        opened = []
        begun = cache.Pieces
        monkeypatch.setattr(cache, "Pieces", lambda path: opened.append(path) or begun(path))
        spans = [Span(i * 1500, 1500) for i in range(7)]
        X, _ = write(
            [paths[0], *[paths[1]] * 7, paths[2]],
            tmp_path,
            n_samples=2000,
            spans=[None, *spans, Span(10, 1000)],
        )
        assert opened == [paths[1], paths[2]]  # a file that is cut, once
        for row, path, span in [
            (0, paths[0], None),
            (3, paths[1], spans[2]),
            (7, paths[1], spans[6]),
        ]:
            x = load_waveform(path, sample_rate=RATE, scale="absolute", n_samples=2000, span=span)
            assert np.abs(x).max() == pytest.approx(1)  # scaled by itself
            assert_close(
                rows_of(X, [row]), compute_features(FRONT_END, torch.from_numpy(x)[None])[0]
            )

    def test_a_cut_file_that_is_not_the_indexed_one_is_refused(self, paths, tmp_path):
        with pytest.raises(InputError, match=r"0\.wav is not the file that was indexed"):
            write(paths[:1], tmp_path, sha256=["0" * 64], spans=[Span(0, 100)])

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
