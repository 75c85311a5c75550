"""The map of relevance vectors, drawn from tables made by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from helpers.relevance_vectors import CLASSES, parts_of
from l2i.checks import InputError
from l2i.evaluation.class_tree import DISTANCE
from l2i.evaluation.coherence import ALL


class TestScript:
    def run(self, draw, tmp_path, *each_data_set):
        paths = {"points": [], "classes_tables": [], "distances": []}
        for i, (points, numbers, distances) in enumerate(each_data_set):
            tables = {
                "points": points.assign(clip="x")[["clip", "class", "x", "y"]],
                "classes_tables": numbers,
                "distances": distances.add_prefix(DISTANCE).rename_axis("class").reset_index(),
            }
            for name, table in tables.items():
                paths[name].append(str(tmp_path / f"{name}{i}.csv"))
                table.to_csv(paths[name][-1], index=False)
        named = {f"path_to_{name}": value for name, value in paths.items()}
        return draw("draw_relevance_map", [], **named)

    def test_it_draws_all_data_sets_and_writes_their_numbers(self, draw, tmp_path):
        parts = [parts_of(), parts_of(["cello", "viola $x$"], (0, 9), dataset="openmic")]
        table, svg = self.run(draw, tmp_path, *parts)
        assert list(table["class"]) == [*CLASSES, ALL, "cello", "viola $x$", ALL]
        assert list(table["dataset"].unique()) == ["sonyc_ust", "openmic"]
        expected = pd.concat([numbers["purity"] for _, numbers, _ in parts])
        assert table["purity"].to_numpy() == pytest.approx(expected.to_numpy(), nan_ok=True)
        for name in [*CLASSES, "cello", "viola $x$", "sonyc_ust", "openmic"]:
            assert f">{name}" in svg

    def test_a_data_set_without_a_vector_is_legal(self, draw, tmp_path):
        _, svg = self.run(draw, tmp_path, parts_of(sizes=(0, 0, 0)))
        assert "too few relevance vectors to compare" in svg

    @pytest.mark.parametrize("place", range(3))
    def test_files_of_different_data_sets_are_refused(self, place, draw, tmp_path):
        mixed = list(parts_of())
        mixed[place] = parts_of(["cello", "violin"], (5, 9))[place]
        with pytest.raises(InputError, match="hold different classes"):
            self.run(draw, tmp_path, mixed)

    def test_no_data_set_is_refused(self, draw, tmp_path):
        with pytest.raises(InputError, match="names no multi-label data set"):
            self.run(draw, tmp_path)
