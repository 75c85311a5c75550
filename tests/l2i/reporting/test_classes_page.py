"""The page of classes: what they are called in print."""

from __future__ import annotations

import pandas as pd

from l2i.reporting.classes_page import classes_page
from l2i.reporting.markdown import to_markdown

PAGE = {"title": "Table S3: class by class", "caption": [], "titles": {}}


def test_classes_are_called_as_in_figures():
    counts = {"dataset": "openmic", "quantity": "labels", "system": "base_f", "condition": ""}
    row = {"class": "mallet_percussion", **counts, "metric": "n_positive", "mean": 4.0}
    rows = pd.DataFrame([row]).assign(spread=float("nan"), n=1, low=float("nan"))
    shown = to_markdown(classes_page(rows, PAGE, threshold=0.1, confidence=0.95))
    assert "| mallet percussion | 4 |" in shown and "mallet_percussion" not in shown
