"""Numbers on relevance vectors, and the script that writes them."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.metrics import silhouette_samples, silhouette_score

from conftest import PROJECT
from l2i.checks import InputError
from l2i.coherence import (
    ALL,
    at_most,
    class_distances,
    class_tree,
    coherence,
    project,
    purities,
    silhouettes,
    usable,
)

CLASSES = ["dog", "music", "siren"]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def clusters(rng, sizes=(8, 6, 7), n_components=5, spread=0.05):
    """Vectors about one axis per class, and their labels."""
    labels = np.repeat(CLASSES[: len(sizes)], sizes)
    centres = np.eye(n_components)[np.repeat(np.arange(len(sizes)), sizes)]
    return centres + spread * rng.normal(size=(len(labels), n_components)), labels


def row(table, name):
    return table.set_index("class").loc[name]


class TestKnownAnswers:
    def test_rows_of_zeros_or_with_a_nan_or_an_infinity_have_no_direction(self):
        vectors = np.array([[0, 0], [0, 1e-9], [np.nan, 1], [-1, 0], [np.inf, 0], [1, -1]])
        assert usable(vectors).tolist() == [False, True, False, True, False, True]

    def test_tight_clusters_are_pure_and_have_a_high_silhouette(self, rng):
        table = coherence(*clusters(rng), CLASSES, n_neighbors=5)
        assert (table["purity"] == 1).all()
        assert (table["silhouette"] > 0.95).all()

    def test_shuffled_names_are_as_pure_as_chance(self, rng):
        vectors, labels = clusters(rng, (200, 100, 100))
        table = coherence(vectors, rng.permutation(labels), CLASSES, n_neighbors=5)
        for name in [*CLASSES, ALL]:
            assert row(table, name)["purity"] == pytest.approx(
                row(table, name)["purity_chance"], abs=0.06
            )
        assert abs(row(table, ALL)["silhouette"]) < 0.05

    def test_chance_is_the_share_of_the_class_among_the_others(self, rng):
        table = coherence(*clusters(rng, (3, 1, 7)), CLASSES, n_neighbors=2)
        assert row(table, "dog")["purity_chance"] == pytest.approx(2 / 10)
        assert row(table, "music")["purity_chance"] == 0
        assert row(table, "siren")["purity_chance"] == pytest.approx(6 / 10)
        assert row(table, ALL)["purity_chance"] == pytest.approx((3 * 2 + 0 + 7 * 6) / 11 / 10)

    def test_a_neighbour_among_strangers_has_the_share_of_its_class(self):
        angles = np.array([0, 1, 2, 50, 51, 3]) * np.pi / 180
        vectors = np.stack([np.cos(angles), np.sin(angles)], 1)
        labels = np.array(["a", "a", "a", "b", "b", "b"])
        assert purities(vectors, labels, 2).tolist() == [1, 1, 0.5, 1, 1, 0]

    def test_a_class_is_as_far_from_another_as_their_means_point_apart(self):
        vectors = np.array([[2.0, 0], [4, 0], [0, 1], [1, 1], [-1, -1]])
        labels = np.array(["dog", "dog", "music", "siren", "siren"])
        distances = class_distances(vectors, labels, [*CLASSES, "voice"])
        assert distances.loc["dog", "music"] == pytest.approx(1)
        assert distances.loc["dog", "dog"] == 0
        assert distances["siren"].isna().all(), "its mean is zero"
        assert distances["voice"].isna().all() and distances.loc["voice"].isna().all()

    def test_opposite_means_are_two_apart(self):
        distances = class_distances(
            np.array([[1.0, 2], [-1, -2]]), np.array(["dog", "music"]), ["dog", "music"]
        )
        assert distances.loc["music", "dog"] == pytest.approx(2)

    def test_the_tree_joins_near_classes_first_and_by_average_linkage(self):
        distances = pd.DataFrame(
            [[0, 0.1, 0.5], [0.1, 0, 0.7], [0.5, 0.7, 0]], index=CLASSES, columns=CLASSES
        )
        tree = class_tree(distances)
        heights = sorted(max(corners) for corners in tree["dcoord"])
        assert heights == pytest.approx([0.1, 0.6])
        assert set(tree["leaves"]) == set(CLASSES) and tree["leaves"][1] != "siren"

    def test_near_vectors_stay_together_on_the_map(self, rng):
        vectors, labels = clusters(rng, (15, 15, 15))
        points = project(vectors, perplexity=30, seed=0)
        nearest = np.argsort(cdist(points, points), axis=1)[:, 1]
        assert (labels[nearest] == labels).all()

    def test_the_map_knows_directions_alone(self, rng):
        vectors, _ = clusters(rng)
        scaled = vectors * 2.0 ** rng.integers(-3, 4, size=(len(vectors), 1))
        maps = [project(v, perplexity=5, seed=0) for v in (vectors, scaled)]
        assert np.array_equal(*maps)


class TestTwins:
    def test_purity_agrees_with_a_search_by_hand(self, rng):
        vectors, labels = rng.normal(size=(40, 6)), rng.choice(CLASSES, 40)
        for k in (1, 3, 39):
            expected = []
            for i, distances in enumerate(cdist(vectors, vectors, "cosine")):
                others = [j for j in np.argsort(distances) if j != i][:k]
                expected.append(np.mean([labels[j] == labels[i] for j in others]))
            assert purities(vectors, labels, k) == pytest.approx(expected)

    def test_silhouette_agrees_with_its_definition_and_with_scikit_learn(self, rng):
        vectors, labels = rng.normal(size=(30, 4)) + 1, rng.choice(CLASSES, 30)
        distances = cdist(vectors, vectors, "cosine")
        expected = []
        for i, own in enumerate(labels):
            to = {name: distances[i, labels == name] for name in CLASSES}
            a = to.pop(own).sum() / ((labels == own).sum() - 1)
            b = min(each.mean() for each in to.values())
            expected.append((b - a) / max(a, b))
        assert silhouettes(vectors, labels) == pytest.approx(expected)
        assert silhouettes(vectors, labels) == pytest.approx(
            silhouette_samples(vectors, labels, metric="cosine")
        )
        overall = row(coherence(vectors, labels, CLASSES, n_neighbors=3), ALL)["silhouette"]
        assert overall == pytest.approx(silhouette_score(vectors, labels, metric="cosine"))

    def test_distances_of_classes_agree_with_scipy(self, rng):
        vectors, labels = rng.normal(size=(30, 4)), rng.choice(CLASSES, 30)
        means = np.stack([vectors[labels == name].mean(0) for name in CLASSES])
        ours = class_distances(vectors, labels, CLASSES).to_numpy()
        assert ours == pytest.approx(cdist(means, means, "cosine"), abs=1e-12)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(2, 25), st.integers(1, 30))
def test_order_and_scale_of_rows_do_not_matter(seed, n, k):
    rng = np.random.default_rng(seed)
    vectors, labels = rng.normal(size=(n, 4)), rng.choice(CLASSES, n)
    order = rng.permutation(n)
    scaled = vectors[order] * rng.uniform(0.1, 9, size=(n, 1))
    ours, theirs = (
        coherence(v, names, CLASSES, n_neighbors=k).set_index("class")
        for v, names in ((vectors, labels), (scaled, labels[order]))
    )
    pd.testing.assert_frame_equal(ours, theirs)
    assert ours["purity"].dropna().between(0, 1).all()


class TestDegenerate:
    def test_no_vector_at_all(self):
        table = coherence(np.empty((0, 3)), np.empty(0, object), CLASSES, n_neighbors=5)
        assert list(table["class"]) == [*CLASSES, ALL]
        assert (table["n_vectors"] == 0).all()
        assert table[["silhouette", "purity", "purity_chance"]].isna().all(axis=None)
        assert project(np.empty((0, 3)), perplexity=5, seed=0).shape == (0, 2)
        nothing = class_distances(np.empty((0, 3)), np.empty(0, object), CLASSES)
        assert class_tree(nothing) == {"leaves": [], "icoord": [], "dcoord": []}

    def test_one_vector_has_no_neighbour(self):
        table = coherence(np.ones((1, 3)), np.array(["dog"]), CLASSES, n_neighbors=5)
        assert table[["silhouette", "purity", "purity_chance"]].isna().all(axis=None)

    def test_the_only_vector_of_a_class_has_no_silhouette_and_counts_as_zero_in_the_mean(self, rng):
        vectors, labels = clusters(rng, (8, 1, 7))
        table = coherence(vectors, labels, CLASSES, n_neighbors=3)
        assert np.isnan(row(table, "music")["silhouette"])
        expected = silhouette_score(vectors, labels, metric="cosine")
        assert row(table, ALL)["silhouette"] == pytest.approx(expected)

    def test_one_class_alone_has_no_silhouette_and_is_pure_by_chance(self, rng):
        table = coherence(*clusters(rng, (8,)), CLASSES, n_neighbors=3)
        assert table["silhouette"].isna().all()
        assert (row(table, "dog")["purity"], row(table, "dog")["purity_chance"]) == (1, 1)

    def test_a_class_of_one_does_not_hide_a_table_of_one_vector_per_class(self):
        table = coherence(np.eye(3), np.array(CLASSES), CLASSES, n_neighbors=5)
        assert table["silhouette"].isna().all()
        assert (table["purity"] == 0).all()

    def test_copies_of_one_vector_in_two_classes_have_a_silhouette_of_zero(self):
        vectors = np.tile([[0.1, 0.7, 0.3]], (6, 1))
        assert silhouettes(vectors, np.array(["dog", "music"] * 3)) == pytest.approx(0, abs=1e-3)

    @pytest.mark.parametrize("n", [2, 3])
    def test_two_or_three_vectors_make_no_map(self, n):
        assert np.isnan(project(np.eye(3)[:n], perplexity=5, seed=0)).all()

    def test_copies_of_one_vector_make_no_map(self):
        assert np.isnan(project(np.tile([[0.1, 0.7]], (20, 1)), perplexity=5, seed=0)).all()

    def test_four_different_vectors_among_copies_make_one(self):
        vectors = np.repeat([[1.0, 0], [0, 1], [1, 1], [-1, 1]], 3, axis=0)
        assert np.isfinite(project(vectors, perplexity=30, seed=0)).all()

    def test_one_component_makes_no_map(self):
        assert np.isnan(project(np.array([[1.0], [-1], [0.5]] * 4), perplexity=5, seed=0)).all()


class TestAtMost:
    labels = np.repeat(CLASSES, [30, 3, 10])
    clips = np.array([f"clip{i:02d}" for i in range(43)])

    def test_no_limit_takes_all(self):
        assert at_most(self.labels, self.clips, None, 0).all()

    def test_no_class_has_more_and_small_ones_stay_whole(self):
        chosen = self.labels[at_most(self.labels, self.clips, 5, 0)]
        assert {name: (chosen == name).sum() for name in CLASSES} == {
            "dog": 5,
            "music": 3,
            "siren": 5,
        }

    def test_a_seed_draws_the_same_and_another_draws_anew(self):
        draws = [at_most(self.labels, self.clips, 5, seed).tolist() for seed in (0, 0, 1)]
        assert draws[0] == draws[1] != draws[2]

    def test_classes_of_equal_size_are_not_drawn_alike(self):
        labels, clips = np.repeat(CLASSES[:2], 30), np.array([f"{i:02d}" for i in range(30)] * 2)
        drawn = at_most(labels, clips, 5, 0)
        assert set(clips[:30][drawn[:30]]) != set(clips[30:][drawn[30:]])

    def test_a_draw_depends_on_neither_other_classes_nor_the_order(self):
        whole = self.clips[at_most(self.labels, self.clips, 5, 0) & (self.labels == "siren")]
        part = np.flatnonzero(self.labels == "siren")[::-1]
        alone = self.clips[part][at_most(self.labels[part], self.clips[part], 5, 0)]
        assert sorted(whole) == sorted(alone)


def test_a_seed_gives_the_same_map_again_and_large_perplexities_are_capped(rng):
    vectors = rng.normal(size=(40, 30))
    first, again = (project(vectors, perplexity=5, seed=0) for _ in range(2))
    assert np.array_equal(first, again)
    assert project(vectors, perplexity=50, seed=0).shape == (40, 2)


class TestMisuse:
    @pytest.mark.parametrize("perplexity", [0, -3, float("nan")])
    def test_perplexity_must_be_positive(self, perplexity):
        with pytest.raises(InputError, match="perplexity must be positive"):
            project(np.eye(5), perplexity=perplexity, seed=0)

    def test_there_must_be_a_neighbour_to_look_at(self):
        with pytest.raises(InputError, match="n_neighbors must be at least 1, got 0"):
            purities(np.eye(5), np.array(["a"] * 5), 0)

    def test_a_limit_of_nothing_is_refused(self):
        with pytest.raises(InputError, match="shown_per_class must be at least 1, or null"):
            at_most(np.array(["a"]), np.array(["x"]), 0, 0)


# ---------------------------------------------------------------- the script


@pytest.fixture
def written(tmp_path):
    """Run project_relevances on vectors and labels; give its three tables and its facts."""
    path = PROJECT / "workflow/scripts/project_relevances.py"
    spec = importlib.util.spec_from_file_location("project_relevances", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def run(vectors, labels, clips=None, **changes):
        clips = [f"clip{i:03d}" for i in range(len(labels))] if clips is None else clips
        frame = pd.DataFrame({"dataset": "demo", "fold": "official", "clip": clips})
        frame["class"] = labels
        for k in range(np.shape(vectors)[1]):
            frame[f"r_{k:03d}"] = np.asarray(vectors)[:, k]
        frame.to_csv(tmp_path / "relevances.csv", index=False)
        (tmp_path / "classes.json").write_text(json.dumps(CLASSES))
        outputs = ("points", "classes_table", "distances")
        defaults = {"shown_per_class": None, "n_neighbors": 5, "perplexity": 30, "seed": 0}
        facts = module.project_relevances(
            path_to_relevances=str(tmp_path / "relevances.csv"),
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
        assert list(distances) == ["class", *CLASSES] and list(distances["class"]) == CLASSES
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
        assert distances[CLASSES].isna().all(axis=None)

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
        with pytest.raises(InputError, match=r"lacks a column of clip, class, r_000"):
            written(np.empty((2, 0)), ["dog", "dog"])
