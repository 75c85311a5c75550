"""l2i.dictionary and its script: only training clips, and a file that knows its fold."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch

from l2i.checks import InputError
from l2i.dictionary import load_dictionary, save_dictionary, training_columns
from scripts.learn_dictionary import learn_dictionary

N_BINS, N_FRAMES, FOLDS = 9, 40, [1, 2, 1, 3, 2, 3, 3]
FEATURES = {
    "sample_rate": 8000,
    "n_fft": 16,
    "hop_length": 8,
    "n_mels": 4,
    "mel_power": 2,
    "waveform_scale": "absolute",
}
DICTIONARY = {"solver": "hals", "n_components": 3, "sparsity": 0.1, "n_iter": 4}


@pytest.fixture
def clips(rng):
    """One spectrogram for each entry of FOLDS."""
    shape = (len(FOLDS), N_BINS, N_FRAMES)
    return torch.rand(shape, generator=rng).numpy()


def learn(folder, clips, **changes):
    """Run the script in `folder` as the job of fold 2; paths by name, and its facts."""
    paths = {
        "path_to_index": folder / "index.csv",
        "path_to_classes": folder / "classes.json",
        "path_to_log_magnitude": folder / "log_magnitude.npy",
        "path_to_dictionary": folder / "dictionary.safetensors",
        "path_to_history": folder / "objective.csv",
    }
    index = {"clip": [f"clip{i}" for i in range(len(FOLDS))], "fold": FOLDS, "label": 0}
    pd.DataFrame(index).to_csv(paths["path_to_index"], index=False)
    paths["path_to_classes"].write_text(json.dumps(["dog", "rain"]))
    np.save(paths["path_to_log_magnitude"], clips)
    values = {
        "dictionary": DICTIONARY,
        "features": FEATURES,
        "seed": 0,
        "dataset": "esc50",
        "fold": "2",
        "device": "cpu",
    }
    return paths, learn_dictionary(*map(str, paths.values()), **(values | changes))


def learned(folder, clips, **changes):
    """The dictionary that the script writes."""
    paths, _ = learn(folder, clips, **changes)
    return load_dictionary(paths["path_to_dictionary"])


class TestTrainingColumns:
    def test_they_are_the_frames_of_the_training_clips(self, clips):
        X = training_columns(clips, [0, 2, 5])
        assert X.shape == (N_BINS, 3 * N_FRAMES)
        read = torch.cat([X[i][1] for i in range(len(X))], dim=1)
        assert torch.equal(read, torch.from_numpy(np.concatenate(clips[[0, 2, 5]], axis=1)))


class TestScript:
    def test_test_clips_have_no_influence(self, clips, tmp_path):
        first = learned(tmp_path, clips)
        clips[np.array(FOLDS) == 2] = np.nan
        assert torch.equal(learned(tmp_path, clips), first)

    def test_training_clips_have(self, clips, tmp_path):
        first = learned(tmp_path, clips)
        clips[0, 0] += 1
        assert not torch.equal(learned(tmp_path, clips), first)

    def test_history_has_a_row_for_the_start_and_each_iteration(self, clips, tmp_path):
        paths, facts = learn(tmp_path, clips)
        history = pd.read_csv(paths["path_to_history"])
        assert list(history) == ["iteration", "objective", "seconds"]
        assert list(history["iteration"]) == list(range(5))
        assert history["objective"].is_monotonic_decreasing
        assert history["seconds"].is_monotonic_increasing
        assert facts["n_columns"] == 5 * N_FRAMES
        assert 0 < facts["relative_error"] < 1
        assert facts["seconds"] == history["seconds"].iloc[-1]

    def test_the_seed_and_every_setting_matter(self, clips, tmp_path):
        changes = [{}, {"seed": 1}] + [
            {"dictionary": DICTIONARY | change}
            for change in ({"solver": "multiplicative"}, {"sparsity": 0.2}, {"n_iter": 5})
        ]
        results = [learned(tmp_path, clips, **change) for change in changes]
        assert len({W.numpy().tobytes() for W in results}) == len(changes)

    def test_each_iteration_is_one_line_of_the_log(self, clips, tmp_path, caplog):
        caplog.set_level("INFO", "l2i.nmf")
        learn(tmp_path, clips)
        assert [m.split(":")[0] for m in caplog.messages] == [
            f"iteration {i} of 4" for i in range(1, 5)
        ]

    def test_the_file_knows_what_it_was_made_for(self, clips, tmp_path):
        paths, _ = learn(tmp_path, clips)
        W = load_dictionary(paths["path_to_dictionary"], fold="2", n_fft=16, sample_rate=8000)
        assert W.shape == (N_BINS, 3) and W.dtype == torch.float32
        torch.testing.assert_close(W.norm(dim=0), torch.ones(3))
        for wrong in ({"fold": "1"}, {"hop_length": 4}, {"classes_sha256": "0"}):
            (key,) = wrong
            with pytest.raises(InputError, match=f"made for something else: {key} is"):
                load_dictionary(paths["path_to_dictionary"], **wrong)


def test_saved_is_loaded(tmp_path, rng):
    W = torch.rand(4, 3, generator=rng)
    save_dictionary(tmp_path / "W.safetensors", W, fold="1")
    assert torch.equal(load_dictionary(tmp_path / "W.safetensors", fold="1"), W)
