"""The figure of training, drawn from histories made by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from l2i.tables import write_rows


@pytest.fixture
def drawn(draw, tmp_path):
    def run(*histories):
        paths = [str(tmp_path / f"history-{i}.csv") for i in range(len(histories))]
        for path, (_, history) in zip(paths, histories, strict=True):
            write_rows(pd.DataFrame(history), path)
        rows = [{"dataset": "esc50", "system": system} for system, _ in histories]
        return draw("draw_training", [], path_to_histories=paths, rows=rows)

    return run


def history(total, **parts):
    epochs = {"epoch": range(1, len(total) + 1), "total": total}
    return epochs | parts | {"seconds": 9.0, "seconds_waiting": 1.0}


def test_it_takes_mean_and_range_over_folds_and_runs(drawn):
    table, svg = drawn(
        ("l2i_att", history([3.0, 1.0], fidelity=[2.0, 0.5])),
        ("l2i_att", history([5.0, 2.0], fidelity=[4.0, 1.5])),
        ("vibi", history([7.0])),
    )
    assert list(table) == ["dataset", "system", "loss", "epoch", "n", "mean", "least", "largest"]
    numbers = table.set_index(["system", "loss", "epoch"])[["n", "mean", "least", "largest"]]
    assert numbers.loc[("l2i_att", "total", 1)].tolist() == [2, 4, 3, 5]
    assert numbers.loc[("l2i_att", "fidelity", 2)].tolist() == [2, 1, 0.5, 1.5]
    assert numbers.loc[("vibi", "total", 1)].tolist() == [1, 7, 7, 7]
    assert len(table) == 5, "seconds are no loss, and vibi has no fidelity"
    assert ">l2i_att<" in svg and ">fidelity<" in svg
