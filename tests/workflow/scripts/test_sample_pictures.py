"""What is pictured: of sounds and of a dictionary made by hand, as far as their figures."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from helpers.project import load_script
from l2i.dictionary.stored_dictionary import save_dictionary
from l2i.features.audio import write_wav

RATE, N_FFT, HOP, SECONDS = 8000, 256, 128, 1.0


def dictionary_of(folder):
    """Three columns, of which the first is never active, and the last is empty."""
    W = torch.zeros(N_FFT // 2 + 1, 3)
    W[96, 0] = 2.0  # 3000 Hz
    W[16, 1], W[32, 1] = 1.0, 0.1  # 500 Hz and, 20 dB below, 1000 Hz
    identity = {"sample_rate": RATE, "n_fft": N_FFT, "hop_length": HOP}
    save_dictionary(folder / "dictionary.safetensors", W, **identity)
    (folder / "run0.json").write_text(json.dumps({"dead": [0]}))
    return {
        "path_to_dictionaries": [str(folder / "dictionary.safetensors")],
        "path_to_summaries": [str(folder / "run0.json")],
        "datasets": ["esc50"],
    }


@pytest.fixture
def columns(draw, drawn, tmp_path):
    """Numbers and svg of the figure of that dictionary."""
    drawn(clips=())
    given = {"path_to_columns": str(tmp_path / "columns.csv"), "titles": {"esc50": "ESC-50"}}
    return draw("draw_dictionary", [], **given)


@pytest.fixture
def drawn(draw, tmp_path):
    """A low tone, then a high one; two components, of which the first owns the low tone."""

    def run(clips=("a clip",)):
        t = np.arange(int(RATE * SECONDS)) / RATE
        low, high = (np.sin(2 * np.pi * f * t).astype(np.float32) / 2 for f in (500, 3000))
        low[t >= 0.5], high[t < 0.5] = 0, 0
        folder = tmp_path / "run0" / "clip"
        for name in clips:
            (tmp_path / "clips.json").write_text(json.dumps([{"clip": "clip"}]))
            (folder / "dog_bark").mkdir(parents=True)
            write_wav(folder / "input.wav", low + high, sample_rate=RATE)
            parts = {"interpretation": low, "remainder": high, "component_000": low}
            for part, x in parts.items():
                write_wav(folder / "dog_bark" / f"{part}.wav", x, sample_rate=RATE)
            sounds = {part: {"file": f"{part}.wav", "kind": part.split("_")[0]} for part in parts}
            about = {"clip": name, "labels": ["dog_bark"], "interpreted_class": "dog_bark"}
            about |= {"predictor": "classifier", "classifier_probabilities": {"dog_bark": 0.875}}
            front_end = {"sample_rate": RATE, "n_fft": N_FFT, "hop_length": HOP}
            about |= {"front_end": front_end, "sounds": sounds}
            (folder / "dog_bark/interpretation.json").write_text(json.dumps(about))
            n_frames = 1 + len(t) // HOP
            H = np.zeros((2, n_frames), np.float32)
            H[0, : n_frames // 2], H[1, n_frames // 2 :] = 1, 1
            np.save(folder / "activations.npy", H)
            np.save(tmp_path / "run0/dictionary.npy", np.ones((N_FFT // 2 + 1, 2), np.float32))
        if not clips:
            (tmp_path / "run0").mkdir()
            (tmp_path / "clips.json").write_text("[]")
        outputs = {name: str(tmp_path / f"{name}.csv") for name in ("cells", "clip", "columns")}
        load_script("sample_pictures")(
            path_to_clips=str(tmp_path / "clips.json"),
            path_to_sounds=str(tmp_path / "run0"),
            **dictionary_of(tmp_path),
            **{f"path_to_{name}": path for name, path in outputs.items()},
        )
        return draw(
            "draw_interpretation",
            [],
            path_to_cells=outputs["cells"],
            path_to_clip=outputs["clip"],
            of={"dataset": "esc50", "system": "l2i_att"},
            titles={"esc50": "ESC-50", "l2i_att": "L2I w/ ATT"},
        )

    return run


def test_levels_and_mask_are_those_of_the_sounds(drawn):
    table, svg = drawn()
    first, second = table["time_s"] < 0.45, table["time_s"] > 0.55
    assert table.loc[first, "mask"].min() == 1 and table.loc[second, "mask"].max() == 0
    loudest = table.loc[first].set_index("frequency_hz")["input_db"]
    assert loudest.idxmax() == pytest.approx(500, rel=0.1)
    assert table["input_db"].max() == 0 and table["input_db"].min() == -80
    assert (table.loc[first, "remainder_db"] == -80).all()
    assert (table.loc[second, "interpretation_db"] == -80).all()
    same = table.loc[first, "interpretation_db"] - table.loc[first, "input_db"]
    assert same.abs().max() < 0.1
    assert "ESC-50, clip a clip; L2I w/ ATT: dog bark, probability 0.88" in svg


def test_times_and_frequencies_are_those_of_the_middles_of_cells(drawn):
    table, _ = drawn()
    times = np.unique(table["time_s"])
    assert times[0] == pytest.approx(np.diff(times)[0] / 2, rel=1e-3)
    assert times[-1] == pytest.approx(SECONDS - times[0], rel=1e-3)
    steps = np.diff(np.log(np.unique(table["frequency_hz"])))
    assert steps == pytest.approx(steps[0], rel=1e-3) and table["frequency_hz"].max() < RATE / 2


def test_without_a_clip_there_is_a_picture_that_says_so(drawn):
    table, svg = drawn(clips=())
    assert table.empty and "no clip of this fold is listened to" in svg


def test_columns_stand_by_their_centroids_and_dead_ones_are_marked(columns):
    table, svg = columns
    shown = table.drop_duplicates("place").set_index("component")
    assert shown.index.tolist() == [1, 0, 2], "the column of zeros comes last"
    assert shown.loc[0, "centroid_hz"] == pytest.approx(3000)
    assert shown.loc[1, "centroid_hz"] == pytest.approx((500 + 1000 * 0.01) / 1.01, rel=1e-4)
    assert shown["centroid_hz"].isna().tolist() == [False, False, True]
    assert shown["active"].to_dict() == {1: 1, 0: 0, 2: 1}
    assert "active in no test clip" in svg and "ESC-50" in svg


def test_levels_are_in_db_re_the_largest_band(columns):
    table, _ = columns
    for component, hertz in ((0, 3000), (1, 500)):
        levels = table[table["component"] == component].set_index("frequency_hz")["level_db"]
        assert levels.max() == 0 and levels.min() == -80
        assert levels.idxmax() == pytest.approx(hertz, rel=0.08)
    levels = table[table["component"] == 1].set_index("frequency_hz")["level_db"]
    near = levels[(levels.index > 920) & (levels.index < 1080)]
    assert near.max() == pytest.approx(-20, abs=4), "bands that hold more bins than one are means"
