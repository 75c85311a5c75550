"""The figure of the sanity checks, drawn from a table made by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from helpers.drawn import CAPTION
from helpers.project import load_script
from l2i.reporting.sanity import COLUMNS

STEPS = ["nothing", "head", "head+B6"]


@pytest.fixture
def drawn(tmp_path):
    def run(rows, titles=None):
        table = pd.DataFrame(rows).reindex(columns=COLUMNS)
        table.to_csv(tmp_path / "sanity.csv", index=False)
        paths = {name: str(tmp_path / f"figure.{name}") for name in ("svg", "png")}
        load_script("draw_sanity")(
            path_to_numbers=str(tmp_path / "sanity.csv"),
            path_to_table=str(tmp_path / "figure.csv"),
            **{f"path_to_{name}": path for name, path in paths.items()},
            **{"confidence": 0.95, "titles": titles or {}, "caption": CAPTION},
        )
        assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
        return pd.read_csv(tmp_path / "figure.csv"), (tmp_path / "figure.svg").read_text()

    return run


def rows(system="l2i_att", dataset="esc50", more=("targets=shuffled", "activations=exchanged")):
    conditions = [f"shuffled={step}" for step in STEPS] + [*more]
    return [
        {"dataset": dataset, "system": system, "metric": metric, "condition": condition}
        | {"mean": 1 - 0.2 * i, "low": 0.9 - 0.2 * i, "high": 1.1 - 0.2 * i, "n": 1}
        for metric in ("relevance_correlation", "ff_median", "top_1_fidelity")
        for i, condition in enumerate(conditions)
        if metric == "relevance_correlation" or condition != "activations=exchanged"
    ]


def test_it_shows_two_measures_over_the_cascade(drawn):
    table, svg = drawn(rows(), {"l2i_att": "L2I w/ ATT", "esc50": "ESC-50"})
    assert set(table["metric"]) == {"relevance_correlation", "ff_median"}
    assert list(table) == COLUMNS and len(table) == 5 + 4
    for text in ("nothing", "head", "+ B6", "targets", "L2I w/ ATT", "ESC-50", "95 % intervals"):
        assert text in svg, text
    assert svg.count("weights alone") == 1


def test_several_systems_and_data_sets_have_lines_and_rows(drawn):
    one, _ = drawn(rows())
    more, svg = drawn([*rows(), *rows("l2i_max"), *rows(dataset="esc10", more=())])
    assert len(more) == 9 + 9 + 6 and len(one) == 9
    assert svg.count("weights alone") == 1 and "l2i_max" in svg and "esc10" in svg


def test_the_same_table_gives_the_same_bytes(drawn):
    assert drawn(rows())[1] == drawn(rows())[1]
