"""Figure S1: curves are what the table says, on an axis that has place for all of them."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.drawn import losses, words
from l2i.reporting.figures.training_curves import _plain, training_curves


def lines_of(ax):
    return {line.get_label(): line for line in ax.lines}


def test_means_are_lines_and_ranges_are_shades():
    table = losses(systems=("base_f",))
    (ax,) = training_curves(table, titles={}).axes
    total = table[table["loss"] == "total"]
    line = lines_of(ax)["total"]
    assert line.get_xdata().tolist() == [1, 2, 3, 4, 5, 6]
    assert line.get_ydata() == pytest.approx(total["mean"].to_numpy())
    bounds = [shade.get_paths()[0].get_extents() for shade in ax.collections]
    assert len(bounds) == 2 and ax.get_yscale() == "log"
    assert bounds[0].y0 == pytest.approx(total["least"].min())
    assert bounds[0].y1 == pytest.approx(total["largest"].max())


def test_each_system_of_each_data_set_has_a_panel_and_all_share_a_legend():
    table = losses(("esc50", "openmic"), ("base_f", "l2i_att", "vibi"))
    figure = training_curves(table, titles={"l2i_att": "L2I w/ ATT", "esc50": "ESC-50"})
    titles = [ax.get_title() for ax in figure.axes if ax.axison]
    assert titles == ["classifier f", "L2I w/ ATT", "vibi"] * 2
    shown = words(figure)
    assert shown.count("ESC-50") == shown.count("openmic") == shown.count("epoch") == 1
    assert shown.count("total") == shown.count("fidelity") == 1


def test_what_is_not_above_zero_is_left_out():
    table = losses(systems=("flint",))
    table.loc[(table["loss"] == "fidelity") & (table["epoch"] > 2), ["mean", "least"]] = -1.0
    (ax,) = training_curves(table, titles={}).axes
    assert lines_of(ax)["fidelity"].get_xdata().tolist() == [1, 2]
    assert "no loss\nabove 0" in words(training_curves(table.assign(mean=0.0), titles={}))


@pytest.mark.parametrize("spread", [1.01, 3, 30, 1e3, 1e8])
def test_axes_of_any_width_have_few_ticks_and_two_at_least(spread):
    table = losses(systems=("flint",), parts=("total",), n=2)
    table["mean"] = table["least"] = table["largest"] = np.array([0.2 * spread, 0.2])
    figure = training_curves(table, titles={})
    figure.draw_without_rendering()
    (ax,) = figure.axes
    low, high = ax.get_ylim()
    ticks = [tick for tick in ax.get_yticks() if low <= tick <= high]
    assert 2 <= len(ticks) <= 5


@pytest.mark.parametrize(
    ("value", "shown"), [(0.2, "0.2"), (30, "30"), (1e-4, "10⁻⁴"), (1e5, "10⁵"), (0.01, "0.01")]
)
def test_powers_of_ten_are_written_as_such(value, shown):
    assert _plain(value) == shown
