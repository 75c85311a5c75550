"""Relevance vectors on a map and in numbers, as the script writes them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from helpers.project import load_script
from helpers.relevance_vectors import CLASSES, clusters, row
from l2i.checks import InputError
from l2i.evaluation.class_tree import DISTANCE
from l2i.evaluation.coherence import ALL, coherence, usable


@pytest.fixture
def written(tmp_path):
    """Run project_relevances on vectors and labels; give its three tables and its facts.

    Without `exchanged`, the vectors with activations exchanged are the vectors themselves.
    """
    project_relevances = load_script("project_relevances")

    def run(vectors, labels, clips=None, exchanged=None, exchanged_labels=None, **changes):
        clips = [f"clip{i:03d}" for i in range(len(labels))] if clips is None else clips
        exchanged = vectors if exchanged is None else exchanged
        other = labels if exchanged_labels is None else exchanged_labels
        for stem, values, names in (
            ("relevances", vectors, labels),
            ("exchanged", exchanged, other),
        ):
            frame = pd.DataFrame({"dataset": "demo", "fold": "official", "clip": clips})
            frame["class"] = names
            for k in range(np.shape(values)[1]):
                frame[f"r_{k:03d}"] = np.asarray(values)[:, k]
            frame.to_csv(tmp_path / f"{stem}.csv", index=False)
        (tmp_path / "classes.json").write_text(json.dumps(CLASSES))
        outputs = ("points", "classes_table", "distances")
        defaults = {"shown_per_class": None, "n_neighbors": 5, "perplexity": 30, "seed": 0}
        facts = project_relevances(
            path_to_relevances=str(tmp_path / "relevances.csv"),
            path_to_exchanged=str(tmp_path / "exchanged.csv"),
            path_to_classes=str(tmp_path / "classes.json"),
            **{f"path_to_{name}": str(tmp_path / name) for name in outputs},
            dataset="demo",
            **(defaults | changes),
        )
        return *(pd.read_csv(tmp_path / name) for name in outputs), facts

    return run


class TestScript:
    def test_it_writes_points_numbers_and_distances(self, written, rng):
        points, table, distances, facts = written(*clusters(rng))
        assert list(points) == ["clip", "class", "x", "y"]
        assert len(points) == 21 and points[["x", "y"]].notna().all(axis=None)
        assert list(table["class"]) == [*CLASSES, ALL]
        assert list(table["n_vectors"]) == [8, 6, 7, 21]
        assert (table["dataset"] == "demo").all() and (table["n_neighbors"] == 5).all()
        assert list(distances) == ["class", *(DISTANCE + name for name in CLASSES)]
        assert list(distances["class"]) == CLASSES
        assert facts == {"n_vectors": 21, "n_drawn": 21, "n_left_out": 0}

    def test_the_map_is_thinned_out_and_the_numbers_are_of_all(self, written, rng):
        vectors, labels = clusters(rng, spread=0.8)
        points, table, distances, _ = written(vectors, labels, shown_per_class=4)
        _, all_table, all_distances, _ = written(vectors, labels)
        assert list(table["n_drawn"]) == [4, 4, 4, 12]
        assert points["class"].value_counts().to_dict() == dict.fromkeys(CLASSES, 4)
        pd.testing.assert_frame_equal(
            table.drop(columns="n_drawn"), all_table.drop(columns="n_drawn")
        )
        pd.testing.assert_frame_equal(distances, all_distances)

    def test_rows_without_direction_are_left_out_and_counted(self, written, rng):
        vectors, labels = clusters(rng)
        clean, *_ = written(vectors[1:-1], labels[1:-1], [f"clip{i:03d}" for i in range(1, 20)])
        vectors[0], vectors[-1, 2] = 0, np.nan
        points, table, _, facts = written(vectors, labels)
        assert list(table["n_left_out"]) == [1, 0, 1, 2]
        assert list(table["n_vectors"]) == [7, 6, 6, 19]
        assert facts["n_left_out"] == 2
        pd.testing.assert_frame_equal(points, clean)

    def test_an_interpreter_that_diverged_leaves_empty_tables(self, written):
        points, table, distances, _ = written(np.full((6, 3), np.nan), ["dog"] * 6)
        assert points.empty and (table["n_vectors"] == 0).all()
        assert distances.drop(columns="class").isna().all(axis=None)

    def test_a_file_without_a_row_is_legal(self, written):
        points, table, _, facts = written(np.empty((0, 3)), [])
        assert points.empty and list(table["n_left_out"]) == [0] * 4
        assert facts == {"n_vectors": 0, "n_drawn": 0, "n_left_out": 0}

    def test_the_order_of_rows_does_not_matter(self, written, rng):
        vectors, labels = clusters(rng)
        clips = np.array([f"clip{i:03d}" for i in range(21)])
        order = rng.permutation(21)
        first = written(vectors, labels, clips, shown_per_class=5)
        again = written(vectors[order], labels[order], clips[order], shown_per_class=5)
        for ours, theirs in zip(first[:3], again[:3], strict=True):
            pd.testing.assert_frame_equal(ours, theirs)

    def test_a_class_that_the_data_set_has_not_is_refused(self, written):
        with pytest.raises(InputError, match="holds the class 'cat'"):
            written(np.eye(2), ["dog", "cat"])

    def test_two_runs_in_one_file_are_refused(self, written):
        with pytest.raises(InputError, match="clip 'x' with class 'dog' more than once"):
            written(np.eye(2), ["dog", "dog"], ["x", "x"])

    def test_a_file_without_relevances_is_refused(self, written):
        with pytest.raises(InputError, match=r"lacks the column\(s\) r_000"):
            written(np.empty((2, 0)), ["dog", "dog"])


def weighed(z, weights, labels):
    """Relevance vectors of decisions: activations z (N, K) times the weights of their classes."""
    contributions = z * weights[[CLASSES.index(name) for name in labels]]
    return contributions / np.abs(contributions).max(1, keepdims=True)


class TestExchangedActivations:
    """The same numbers where the weights of the class are left and what they weigh is taken."""

    labels = np.repeat(CLASSES, 40)

    def overall(self, written, z, weights, rng):
        vectors = weighed(z, weights, self.labels)
        exchanged = weighed(rng.permutation(z), weights, self.labels)
        _, table, _, _ = written(vectors, self.labels, exchanged=exchanged)
        return row(table, ALL)

    def test_activations_that_know_nothing_of_the_class_gain_nothing(self, written, rng):
        z, weights = rng.uniform(0.2, 1, size=(120, 30)), rng.normal(size=(3, 30))
        number = self.overall(written, z, weights, rng)
        assert number["purity"] > 0.95 > 0.5 > number["purity_chance"]
        assert number["purity"] == pytest.approx(number["purity_exchanged"], abs=0.02)
        assert number["silhouette"] == pytest.approx(number["silhouette_exchanged"], abs=0.02)

    def test_one_activation_for_all_gives_equal_numbers(self, written, rng):
        z = np.tile(rng.uniform(0.2, 1, size=30), (120, 1))
        number = self.overall(written, z, rng.normal(size=(3, 30)), rng)
        assert number["purity"] == number["purity_exchanged"] == 1
        assert number["silhouette"] == number["silhouette_exchanged"]

    def test_activations_that_hold_all_there_is_lose_all_down_to_chance(self, written, rng):
        z, _ = clusters(rng, (40, 40, 40))
        number = self.overall(written, z, np.ones((3, 5)), rng)
        assert number["purity"] == 1
        assert number["purity_exchanged"] == pytest.approx(number["purity_chance"], abs=0.1)
        assert number["silhouette"] > 0.9
        assert number["silhouette_exchanged"] < 0.05

    def test_every_class_has_the_numbers_of_its_exchanged_vectors(self, written, rng):
        (vectors, labels), exchanged = clusters(rng), rng.normal(size=(21, 5))
        exchanged[3] = 0
        _, table, _, _ = written(vectors, labels, exchanged=exchanged, n_neighbors=3)
        kept = usable(exchanged)
        expected = coherence(exchanged[kept], labels[kept], CLASSES, n_neighbors=3)
        for name in ("silhouette", "purity"):
            assert table[f"{name}_exchanged"].to_numpy() == pytest.approx(
                expected[name].to_numpy(), rel=1e-4
            )
        assert list(table["n_left_out"]) == [0] * 4, "of the clips' own vectors"

    def test_a_single_test_clip_has_no_other_to_exchange_with(self, written, rng):
        _, table, _, _ = written(np.eye(3), CLASSES, ["x"] * 3, exchanged=np.full((3, 3), np.nan))
        assert (table["purity"] == 0).all()
        assert table[["silhouette_exchanged", "purity_exchanged"]].isna().all(axis=None)

    def test_other_decisions_are_refused(self, written, rng):
        vectors, labels = clusters(rng)
        with pytest.raises(InputError, match="exchanged.csv holds other decisions than"):
            written(vectors, labels, exchanged_labels=labels[::-1])
