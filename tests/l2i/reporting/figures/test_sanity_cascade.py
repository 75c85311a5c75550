"""Figure S6: the cascade, and what stands beside it."""

from __future__ import annotations

import pytest

from helpers.drawn import cascade, segments, words
from l2i.reporting.figures.sanity_cascade import CASCADE_PANELS, sanity_cascade


def test_steps_are_lines_and_what_is_beside_them_is_marked_otherwise():
    table = cascade()
    for ax, metric in zip(
        sanity_cascade(table, confidence=0.9, titles={}).axes, CASCADE_PANELS, strict=True
    ):
        part = table[table["metric"] == metric].set_index("condition")
        steps = part[part.index.str.startswith("shuffled=")]
        line = next(line for line in ax.lines if line.get_label() == "l2i_att")
        assert line.get_ydata() == pytest.approx(steps["mean"].to_numpy())
        assert segments(ax)[0][:, :, 1] == pytest.approx(steps[["low", "high"]].to_numpy())
        (hollow,) = [each for each in ax.lines if each.get_markerfacecolor() == "white"]
        assert hollow.get_ydata() == pytest.approx(
            part.loc[["targets=shuffled"], "mean"].to_numpy()
        )
        dashed = [each for each in ax.lines if each.get_linestyle() == "--"]
        assert dashed[0].get_ydata()[0] == part.loc["activations=exchanged", "mean"]
        ticks = [label.get_text() for label in ax.get_xticklabels()]
        assert ticks == ["nothing", "head", "+ B6", "+ B5", "targets"]


def test_one_legend_says_what_lines_and_marks_are():
    shown = words(sanity_cascade(cascade(("a", "b")), confidence=0.9, titles={"a": "A"}))
    for text in ("A", "b", "likeness by the interpreter's weights alone"):
        assert shown.count(text) == 1
    assert shown.count("interpreter trained on shuffled targets") == 1
    table = cascade()
    plain = table[table["condition"].str.startswith("shuffled=")]
    assert "targets" not in " ".join(words(sanity_cascade(plain, confidence=0.9, titles={})))
