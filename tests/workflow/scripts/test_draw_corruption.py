"""The figure of clips in company, from a table made by hand."""

import re

import pandas as pd
import pytest

from helpers.drawn import CAPTION
from helpers.project import load_script

TITLES = {"l2i_att": "L2I w/ ATT", "oracle_mask": "oracle mask", "esc50": "ESC-50"}


def table_of(dataset="esc50", ratios=(-10, 0, 10)):
    numbers = [
        ("l2i_att", "interpretation_improvement", -4.0),
        ("oracle_mask", "interpretation_improvement", 20.0),
        ("l2i_att", "remainder_improvement", 2.0),
        ("base_f", "class_survives_of_right", 40.0),
        ("l2i_att", "empty_interpretation", 3.0),
    ]
    return pd.DataFrame(
        {"table": "corruption", "system": system, "dataset": dataset, "metric": metric}
        | {"condition": f"kind={kind}, snr_db={snr_db:g}", "mean": mean + snr_db / 10}
        | {"spread": None, "n": 1, "low": mean - 3, "high": mean + 3}
        for system, metric, mean in numbers
        for kind in ("class", "noise")
        for snr_db in ratios
    )


@pytest.fixture
def drawn(tmp_path):
    """Draw a table; the numbers beside the figure, and its svg."""

    def run(table):
        table.to_csv(tmp_path / "corruption.csv", index=False)
        outputs = {f"path_to_{s}": str(tmp_path / f"figure.{s}") for s in ("svg", "png")}
        load_script("draw_corruption")(
            path_to_numbers=str(tmp_path / "corruption.csv"),
            path_to_table=str(tmp_path / "numbers.csv"),
            **outputs,
            confidence=0.95,
            titles=TITLES,
            caption=CAPTION,
        )
        assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
        return pd.read_csv(tmp_path / "numbers.csv"), (tmp_path / "figure.svg").read_text()

    return run


def test_the_numbers_beside_it_are_those_of_the_table_that_it_shows(drawn):
    table = table_of()
    numbers, _ = drawn(table)
    shown = table[table["metric"] != "empty_interpretation"].reset_index(drop=True)
    pd.testing.assert_frame_equal(numbers, shown[list(numbers)], check_dtype=False)


def test_it_names_each_system_once_and_has_true_minus_signs(drawn):
    _, svg = drawn(table_of())
    texts = re.findall(r">([^<>]+)</text>", svg)
    for name in ("L2I w/ ATT", "oracle mask", "classifier f"):
        assert texts.count(name) == 1
    assert "\u221210" in texts and "-10" not in texts
    assert "mixed with white noise" in texts and "mixed with a clip of another class" in texts
    assert "means with 95 % intervals over recordings" in texts
    assert texts.count("ESC-50") == 1


def test_each_data_set_has_a_block_of_its_own(drawn):
    both = pd.concat([table_of(), table_of("esc10", ratios=[0])])
    _, svg = drawn(both)
    texts = re.findall(r">([^<>]+)</text>", svg)
    assert texts.count("ESC-50") == texts.count("esc10") == 1
    assert texts.count("mixed with white noise") == 2 and texts.count("L2I w/ ATT") == 1
