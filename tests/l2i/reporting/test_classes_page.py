"""l2i.reporting.classes_page: a line per class, a group of columns per system."""

from __future__ import annotations

import math

import pandas as pd

from l2i.reporting.classes_page import classes_page
from l2i.reporting.markdown import to_markdown

MISSING = {"spread": math.nan, "low": math.nan, "high": math.nan, "condition": ""}
PAGE = {"title": "Table S9: classes", "caption": [], "titles": {"l2i_att": "L2I", "flint": "FLINT"}}


def test_columns_of_a_system_stand_together_whichever_class_has_them():
    rows = [
        {"class": name, "system": system, "metric": metric, "mean": mean, **MISSING}
        for name, system, metric, mean in [
            ("dog", "l2i_att", "auprc", 0.5),
            ("dog", "flint", "auprc", 0.25),
            ("music", "l2i_att", "average_precision", 0.75),
        ]
    ]
    table = pd.DataFrame(rows).assign(dataset="openmic", quantity="fidelity")
    (section,) = classes_page(table, PAGE, threshold=0.1, confidence=0.95).sections
    (grid,) = section.grids
    assert [column.group for column in grid.columns] == ["", "L2I", "L2I", "FLINT"]
    assert [[line.text for (line,) in row] for row in grid.rows] == [
        ["dog", "0.500", "", "0.250"],
        ["music", "", "0.750", ""],
    ]


def test_classes_are_called_as_in_figures():
    counted = {"dataset": "openmic", "quantity": "labels", "system": "base_f", "n": 1}
    row = {"class": "mallet_percussion", "metric": "n_positive", "mean": 4.0}
    rows = pd.DataFrame([{**row, **counted, **MISSING}])
    shown = to_markdown(classes_page(rows, PAGE, threshold=0.1, confidence=0.95))
    assert "| mallet percussion | 4 |" in shown and "mallet_percussion" not in shown
