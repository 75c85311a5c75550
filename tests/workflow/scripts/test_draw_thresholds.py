"""The figure of thresholds, drawn from rows of Table V made by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from l2i.tables import write_rows

ROWS = [
    ("l2i_att", "ff_median", "threshold=0.9", 0.1, "differs"),
    ("l2i_att", "ff_median", "threshold=0.1", 0.5, "agrees"),
    ("l2i_att", "ff_mean", "threshold=0.1", 0.7, ""),
    ("random_all", "ff_median", "of=l2i_att, threshold=0.1", 0.01, ""),
    ("random_all", "ff_median", "of=l2i_max, threshold=0.1", 0.02, ""),
    ("nothing", "ff_median", "of=l2i_att", 0.0, ""),
    ("slime", "ff_median", "threshold=0.1", 0.9, "reference"),
    ("l2i_max", "ff_median", "threshold=0.9", None, "missing"),
]


@pytest.fixture
def drawn(draw, tmp_path):
    table = pd.DataFrame(ROWS, columns=["system", "metric", "condition", "mean", "verdict"])
    table = table.assign(dataset="esc50", low=table["mean"] - 0.1, high=table["mean"] + 0.1)
    write_rows(table, tmp_path / "table_5.csv")
    given = {"path_to_numbers": str(tmp_path / "table_5.csv"), "confidence": 0.95}
    return draw("draw_thresholds", [], systems=["l2i_att", "l2i_max"], **given)


def test_it_shows_medians_that_were_measured_by_system_and_removal(drawn):
    table, svg = drawn
    shown = table[["system", "removal", "threshold", "mean"]].to_numpy().tolist()
    assert shown == [
        ["l2i_att", "relevant", 0.9, 0.1],
        ["l2i_att", "relevant", 0.1, 0.5],
        ["l2i_att", "random_all", 0.1, 0.01],
        ["l2i_max", "random_all", 0.1, 0.02],
    ]
    assert "95 % intervals" in svg and "slime" not in svg
