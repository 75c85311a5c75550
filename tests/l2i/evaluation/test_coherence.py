"""l2i.evaluation.coherence: purity, silhouette, distances and maps of relevance vectors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.metrics import silhouette_samples, silhouette_score

from helpers.relevance_vectors import CLASSES, clusters, row
from l2i.checks import InputError
from l2i.evaluation.class_tree import class_tree
from l2i.evaluation.coherence import (
    ALL,
    at_most,
    class_distances,
    coherence,
    project,
    purities,
    silhouettes,
    usable,
)


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
