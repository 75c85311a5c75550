"""A folder of sounds, from its files to what is heard of a piece; and what a new file reruns."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
from torch.testing import assert_close

from helpers.project import PROJECT, load_script
from helpers.tiny_project import Project, overlay_for
from l2i.datasets.fold import open_fold
from l2i.features.cache import compute_features, open_features, rows_of
from l2i.interpretation.opened_clips import open_clip
from l2i.provenance.records import record_path

RATE = 44_100
SECONDS = 1.6
CORPUS = {"layout": "folders", "n_folds": 2, "clip_seconds": SECONDS, "seed": 0}
FEATURES = {"sample_rate": RATE, "n_fft": 1024, "hop_length": 512, "n_mels": 128}
FEATURES |= {"mel_power": 1, "waveform_scale": "absolute"}


def make_sounds(folder):
    """Two classes of two sounds; one of them is four clips of rising level, at half the rate."""
    for i, name in enumerate(["chirp/a.wav", "chirp/b.wav", "knock/a.wav", "knock/long.wav"]):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        levels = np.arange(1, 5 if "long" in name else 2)[:, None]
        x = 0.1 * levels * np.sin(0.1 * (1 + i) * np.arange(35_280))
        soundfile.write(path, x.ravel(), RATE // 2)


@pytest.fixture
def indexed(tmp_path):
    """A data folder and the paths of index and classes."""
    make_sounds(tmp_path / "sounds")
    paths = [str(tmp_path / name) for name in ("index.csv", "classes.json")]

    def index(**corpus):
        load_script("index_dataset")(
            path_to_fetched=[],
            path_to_index=paths[0],
            path_to_classes=paths[1],
            path_to_files=str(tmp_path / "files.json"),
            corpus=CORPUS | corpus,
            dataset="sounds",
            data=str(tmp_path),
        )
        return tmp_path, paths

    return index


def fold_of(paths, number):
    return open_fold(*paths, dataset="sounds", fold=str(number), features=FEATURES)


def test_features_waveform_and_what_is_listened_to_are_the_same_piece(indexed):
    data, paths = indexed()
    load_script("cache_features")(
        path_to_index=paths[0],
        path_to_log_magnitude=str(data / "X.npy"),
        path_to_log_mel=str(data / "M.npy"),
        features=FEATURES,
        clip_seconds=SECONDS,
        dataset="sounds",
        data=str(data),
        device="cpu",
    )
    fold = fold_of(paths, 1)
    rows = fold.index[fold.index["path"] == "knock/long.wav"].index
    assert fold.index["clip"][rows].tolist() == [f"knock_long_00{i}" for i in (1, 2, 3, 4)]
    for i, row in enumerate(rows):
        clip = open_clip(fold, row, str(data))
        assert len(clip.waveform) == round(SECONDS * RATE)
        assert np.abs(clip.as_read).max() == pytest.approx(0.1 * (i + 1), rel=0.2)
        X, M = compute_features(fold.front_end, clip.waveform[None])
        assert_close(rows_of(open_features(data / "X.npy"), [row]), X)
        assert_close(rows_of(open_features(data / "M.npy"), [row]), M)


def test_what_learned_from_other_pieces_of_the_same_files_is_told_apart(indexed):
    _, paths = indexed()
    before = [fold_of(paths, number) for number in (1, 2)]
    indexed(clip_seconds=SECONDS - 0.1)
    after = [fold_of(paths, number) for number in (1, 2)]
    for one, other in zip(before, after, strict=True):
        assert one.index["clip"].tolist() == other.index["clip"].tolist()
        assert one.identity != other.identity


@pytest.mark.slow
def test_a_new_file_is_noticed_and_nothing_else(tmp_path):
    overlay = overlay_for()
    corpus = {"layout": "folders", "n_folds": 2}
    overlay["datasets"]["esc50"]["source"] = "local"  # and not looked at
    overlay["datasets"]["sounds"] = {"like": "esc50", "title": "Sounds", "corpus": corpus}
    overlay["run"]["datasets"] = ["sounds"]
    overlay["ablations"] = {"table_6": [], "table_7": [], "figure_6": [], "sanity": []}
    project = Project(tmp_path / "project", PROJECT, overlay)
    corpus = project.folder / "data/sounds"
    make_sounds(corpus)
    index = "results/tiny/datasets/sounds/index.csv"
    project.run(index)
    settings = json.loads(record_path(project.folder / index).read_text())["settings"]
    assert settings["corpus"] == CORPUS
    soundfile.write(corpus / "chirp/new.wav", np.random.default_rng(9).uniform(-1, 1, 999), RATE)
    _, text = project.snakemake("-np", index)
    assert "index_dataset" in text and "chirp/new.wav is new" in text
