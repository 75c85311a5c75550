"""l2i.synthetic.esc50: an archive that the genuine code takes for ESC-50."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pandas as pd
import pytest
import soundfile

from helpers.synthetic import share_in_band
from l2i.datasets.esc50 import COLUMNS
from l2i.datasets.esc50 import index_corpus as index_esc50
from l2i.datasets.installation import install
from l2i.synthetic.esc50 import KINDS, write_esc50_archive

SMALL = {
    "n_folds": 2,
    "classes": list(KINDS),
    "n_clips_per_fold_and_class": 3,
    "clip_seconds": 1.0,
    "sample_rate": 44_100,
    "seed": 0,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("corpus") / "esc50.zip"
    return path, write_esc50_archive(path, **SMALL)


@pytest.fixture(scope="module")
def clips(made):
    """Name -> samples, of the clips in the archive."""
    with zipfile.ZipFile(made[0]) as file:
        return {
            name.split("/")[-1]: soundfile.read(io.BytesIO(file.read(name)))[0]
            for name in file.namelist()
            if name.endswith(".wav")
        }


class TestEsc50:
    def test_equal_arguments_give_equal_bytes(self, made, tmp_path):
        path, facts = made
        assert write_esc50_archive(tmp_path / "esc50.zip", **SMALL) == facts
        assert (tmp_path / "esc50.zip").read_bytes() == path.read_bytes()

    def test_another_seed_gives_other_sounds(self, made, tmp_path):
        facts = write_esc50_archive(tmp_path / "esc50.zip", **{**SMALL, "seed": 1})
        assert facts["files"] != made[1]["files"]
        assert facts["csv_sha256"] == made[1]["csv_sha256"]

    def test_the_genuine_code_installs_and_indexes_it(self, made, tmp_path):
        path, facts = made
        install(tmp_path / "esc50", facts["files"], url=path.as_uri())
        index, classes, _ = index_esc50(tmp_path / "esc50", subset="all", expect=facts)
        assert len(index) == facts["n_clips"] == 30
        assert classes == list(KINDS)
        assert set(index.n_samples) == {44_100}
        assert index.sha256.is_unique
        assert index["source"].value_counts().max() == 2
        few, some, _ = index_esc50(tmp_path / "esc50", subset="esc10", expect=facts)
        assert (len(few), some) == (18, list(KINDS)[:3])

    def test_the_top_folder_and_the_table_look_genuine(self, made):
        with zipfile.ZipFile(made[0]) as file:
            tops = {name.split("/")[0] for name in file.namelist()}
            (top,) = tops
            table = pd.read_csv(file.open(f"{top}/meta/esc50.csv"))
        assert top.startswith("ESC-50-")
        assert len(top) == len("ESC-50-") + 40
        assert tuple(table) == COLUMNS
        assert table.filename.is_monotonic_increasing

    def test_one_clip_ends_in_exact_zeros_and_one_is_very_quiet(self, clips):
        tails = [name for name, x in clips.items() if not x[-len(x) // 3 :].any()]
        quiet = [name for name, x in clips.items() if np.abs(x).max() < 0.03]
        assert len(tails) == len(quiet) == 1

    def test_every_clip_is_audible_and_none_is_clipped(self, clips):
        peaks = np.array([np.abs(x).max() for x in clips.values()])
        assert peaks.min() > 0.02
        assert peaks.max() < 0.91

    def test_clips_of_one_kind_differ(self, clips):
        spectra = {name: np.abs(np.fft.rfft(x)) for name, x in clips.items()}
        for kind, (target, _, _) in KINDS.items():
            own = [
                s / np.linalg.norm(s) for n, s in spectra.items() if n.endswith(f"-{target}.wav")
            ]
            likeness = np.array(own) @ np.array(own).T
            assert likeness[np.triu_indices(len(own), 1)].max() < 0.99, kind

    def test_the_kinds_are_where_their_descriptions_say(self, clips):
        bands = {
            1: (500, 1200),
            10: (400, 6000),
            12: (50, 500),
            30: (1500, 13_000),
            46: (100, 4000),
        }
        for name, x in clips.items():
            low, high = bands[int(name[:-4].split("-")[-1])]
            assert share_in_band(x, 44_100, low * 0.9, high * 1.1) > 0.8, name
