"""The figure of one interpretation, drawn from sounds made by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from l2i.features.audio import write_wav

RATE, N_FFT, HOP, SECONDS = 8000, 256, 128, 1.0


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
        return draw(
            "draw_interpretation",
            [],
            path_to_clips=str(tmp_path / "clips.json"),
            path_to_sounds=str(tmp_path / "run0"),
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
