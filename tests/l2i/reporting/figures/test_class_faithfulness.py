"""Figures 2 and 3: what they show is what the table says."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.drawn import faithfulness, medians, segments, texts, words


class TestClassFaithfulness:
    def test_dots_and_intervals_stand_where_the_table_says(self):
        table = medians()
        (ax,) = faithfulness(table).axes
        dots = {line.get_label(): line for line in ax.lines}
        names = {"relevant": "relevant components", "random_all": "random, among all"}
        for removal, ends in zip(names, segments(ax), strict=True):
            part = table[table["removal"] == removal]
            dot = dots[names[removal]]
            assert dot.get_xdata() == pytest.approx(part["median"].to_numpy())
            assert dot.get_ydata().round().tolist() == [0, 1, 2]
            assert ends[:, :, 0] == pytest.approx(part[["low", "high"]].to_numpy())
            assert ends[:, 0, 1] == pytest.approx(dot.get_ydata())

    def test_the_axis_names_its_unit_and_labels_their_counts(self):
        table = medians()
        shown = [text for text, _ in texts(faithfulness(table))]
        assert "median drop in probability, 95 % interval" in shown and "clips" in shown
        for name, n in table[["class", "n_clips"]].drop_duplicates().itertuples(index=False):
            assert name in shown and f"{n}" in shown
        assert "matched" not in shown, "nothing is matched in energy here"

    def test_classes_that_are_left_out_are_marked_and_the_mark_explained(self):
        shown = " ".join(text for text, _ in texts(faithfulness(excluded_classes=["music"])))
        assert "music*" in shown and "dog*" not in shown
        assert "* left out of means over classes" in shown
        assert "*" not in " ".join(text for text, _ in texts(faithfulness()))

    def test_titles_stand_for_names(self):
        titles = {"sonyc_ust": "SONYC-UST", "l2i_att": "L2I"}
        shown = [text for text, _ in texts(faithfulness(titles=titles))]
        assert "SONYC-UST, L2I, threshold 0.1" in shown and "random, among all" in shown

    def test_a_bar_across_each_class_marks_what_removing_nothing_does(self):
        table = medians(removals=("relevant", "random_all", "nothing"))
        (ax,) = faithfulness(table).axes
        floor, *_ = segments(ax)
        part = table[table["removal"] == "nothing"]
        assert floor[:, :, 0] == pytest.approx(part[["median", "median"]].to_numpy())
        assert floor[:, :, 1].mean(1) == pytest.approx([0, 1, 2])
        assert "nothing (round trip alone)" in [text for text, _ in texts(faithfulness(table))]

    def test_clips_that_a_baseline_lacks_are_counted_beside_the_name(self):
        table = medians(removals=("relevant", "random_energy")).assign(n_clips=9)
        table.loc[(table["class"] == "dog") & (table["removal"] == "random_energy"), "n_clips"] = 4
        shown = [text for text, _ in texts(faithfulness(table))]
        assert {"clips", "matched"} <= set(shown)
        assert shown.count("9") == 5 and shown.count("4") == 1

    def test_a_baseline_with_fewer_clips_does_not_lower_what_is_counted(self):
        table = medians().assign(n_clips=9)
        table.loc[table["removal"] == "random_all", "n_clips"] = 4
        shown = [text for text, _ in texts(faithfulness(table))]
        assert shown.count("9") == 3 and "4" not in shown

    def test_a_row_without_a_dot_says_why(self):
        table = medians()
        numbers = ["median", "low", "high"]
        table.loc[table["class"] == "dog", [*numbers, "n_clips"]] = [np.nan] * 3 + [0]
        table.loc[(table["class"] == "siren") & (table["removal"] == "relevant"), numbers] = np.nan
        shown = [text for text, _ in texts(faithfulness(table))]
        assert shown.count("no decision for it") == 1 and shown.count("diverged") == 1
        assert "0" in shown

    def test_nothing_but_empty_classes_is_legal(self):
        table = medians().assign(median=np.nan, low=np.nan, high=np.nan, n_clips=0)
        assert [t for t, _ in texts(faithfulness(table))].count("no decision for it") == 3

    def test_random_removals_are_hollow_and_no_dot_of_a_class_hides_another(self):
        removals = ("relevant", "random_unselected", "random_all", "random_energy")
        figure = faithfulness(medians(removals=removals))
        (ax,) = figure.axes
        figure.draw_without_rendering()
        dots = [line for line in ax.lines if len(line.get_xdata()) == 3]
        assert [line.get_markerfacecolor() == "white" for line in dots] == [False, True, True, True]
        heights = sorted(ax.transData.transform((0, line.get_ydata()[0]))[1] for line in dots)
        points = np.diff(heights) * 72 / figure.dpi
        assert points.min() > dots[0].get_markersize()

    def test_underscores_of_names_are_not_shown(self):
        shown = words(faithfulness(medians(["mallet_percussion", "dog"])))
        assert "mallet percussion" in shown and "mallet_percussion" not in shown
