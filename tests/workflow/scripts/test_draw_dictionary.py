"""The figure of dictionaries, drawn from two columns made by hand."""

from __future__ import annotations

import json

import pytest
import torch

from l2i.dictionary.stored_dictionary import save_dictionary

RATE, N_FFT = 8000, 256


@pytest.fixture
def drawn(draw, tmp_path):
    W = torch.zeros(N_FFT // 2 + 1, 3)
    W[96, 0] = 2.0  # 3000 Hz
    W[16, 1], W[32, 1] = 1.0, 0.1  # 500 Hz and, 20 dB below, 1000 Hz
    identity = {"sample_rate": RATE, "n_fft": N_FFT, "hop_length": 128}
    save_dictionary(tmp_path / "dictionary.safetensors", W, **identity)
    (tmp_path / "run0.json").write_text(json.dumps({"dead": [0]}))
    return draw(
        "draw_dictionary",
        [],
        path_to_dictionaries=[str(tmp_path / "dictionary.safetensors")],
        path_to_summaries=[str(tmp_path / "run0.json")],
        datasets=["esc50"],
        titles={"esc50": "ESC-50"},
    )


def test_columns_stand_by_their_centroids_and_dead_ones_are_marked(drawn):
    table, svg = drawn
    columns = table.drop_duplicates("place").set_index("component")
    assert columns.index.tolist() == [1, 0, 2], "the column of zeros comes last"
    assert columns.loc[0, "centroid_hz"] == pytest.approx(3000)
    assert columns.loc[1, "centroid_hz"] == pytest.approx((500 + 1000 * 0.01) / 1.01, rel=1e-4)
    assert columns["centroid_hz"].isna().tolist() == [False, False, True]
    assert columns["active"].to_dict() == {1: 1, 0: 0, 2: 1}
    assert "active in no test clip" in svg and "ESC-50" in svg


def test_levels_are_in_db_re_the_largest_band(drawn):
    table, _ = drawn
    for component, hertz in ((0, 3000), (1, 500)):
        levels = table[table["component"] == component].set_index("frequency_hz")["level_db"]
        assert levels.max() == 0 and levels.min() == -60
        assert levels.idxmax() == pytest.approx(hertz, rel=0.08)
    levels = table[table["component"] == 1].set_index("frequency_hz")["level_db"]
    near = levels[(levels.index > 920) & (levels.index < 1080)]
    assert near.max() == pytest.approx(-20, abs=4), "bands that hold more bins than one are means"
