"""Numbers on relevance vectors, and the script that writes them."""

from __future__ import annotations

import importlib.util
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.metrics import silhouette_samples, silhouette_score

from helpers.project import PROJECT
from l2i.checks import InputError
from l2i.evaluation.coherence import (
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
from l2i.interpretation.explained import ExplainedClassifier
from l2i.networks.interpreter import Interpreter
from l2i.systems import loading as stored

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


def script(name):
    path = PROJECT / f"workflow/scripts/{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def written(tmp_path):
    """Run project_relevances on vectors and labels; give its three tables and its facts.

    Without `exchanged`, the vectors with activations exchanged are the vectors themselves.
    """
    module = script("project_relevances")

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
        facts = module.project_relevances(
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


# ---------------------------------------------------------------- the script before it

K, N_FRAMES = 4, 6
FEATURES = {
    **{"sample_rate": 44_100, "n_fft": 1024, "hop_length": 512, "n_mels": 128, "mel_power": 1},
    "waveform_scale": "absolute",
}


class Decider(torch.nn.Module):
    """A classifier that decides for each class by one column of the log-mel."""

    def hidden_maps(self, M, taps):
        return M[:, 0, K : K + 3], {"M": M}

    def decisions(self, logits):
        return logits > 0


class Reader(torch.nn.Module):
    """A Psi that finds its activations in the first columns of the log-mel."""

    taps = ()

    def forward(self, hidden, n_frames):
        return hidden["M"][:, :n_frames, :K].transpose(1, 2)


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """Run measure_relevances on random clips; give its two tables."""
    module = script("measure_relevances")

    def run(n_test=7, decided=None, pooling="class_attention", relevance_pooling="model", seed=0):
        rng = torch.Generator().manual_seed(1)
        M = torch.rand(n_test + 2, N_FRAMES, K + 3, generator=rng)
        if decided is not None:
            M[2:, 0, K:] = 2 * torch.as_tensor(decided) - 1.0
        np.save(tmp_path / "log_mel.npy", M.numpy())
        torch.manual_seed(2)
        interpreter = Interpreter(torch.rand(9, K), 3, pooling=pooling, dropout=0.5)
        interpreter.psi = Reader()
        networks = Decider(), interpreter.eval()
        explainer = SimpleNamespace(pair=lambda _, **how: ExplainedClassifier(*networks, **how))
        opened = stored.open_recordings
        monkeypatch.setattr(
            module,
            "open_system",
            lambda *paths, module, system, variant, run, **where: (
                opened(*paths[:-1], **where),
                explainer,
            ),
        )
        index = pd.DataFrame({"clip": [f"clip{i}" for i in range(n_test + 2)]})
        index["split"] = ["train"] * 2 + ["test"] * n_test
        index.to_csv(tmp_path / "index.csv", index=False)
        (tmp_path / "classes.json").write_text(json.dumps(CLASSES))
        inputs = {"index": "index.csv", "classes": "classes.json"}
        inputs |= {"log_mel": "log_mel.npy", "log_magnitude": "log_mel.npy"}
        outputs = {"relevances": "relevances.csv", "exchanged": "relevances_exchanged.csv"}
        facts = module.measure_relevances(
            **{f"path_to_{n}": str(tmp_path / p) for n, p in (inputs | outputs).items()},
            **{"path_to_classifier": [], "path_to_system": "", "device": "cpu"},
            **{"module": "posthoc", "clip_seconds": 1.0, "data": "nowhere"},
            **{"relevance_pooling": relevance_pooling, "relevance_scale": "absolute"},
            **{"dataset": "demo", "fold": "official", "system": "l2i_att", "variant": "default"},
            features=FEATURES,
            run="0",
            seed=seed,
        )
        own, exchanged = (pd.read_csv(tmp_path / path) for path in outputs.values())
        assert facts == {"n_clips": n_test, "n_decisions": len(own)}
        return own, exchanged

    return run


def partners(own, exchanged):
    """Clip -> the clip whose relevances of the same class its exchanged ones are."""
    values = [f"r_{k:03d}" for k in range(K)]
    found = {}
    for (clip, name), each in exchanged.set_index(["clip", "class"])[values].iterrows():
        of_class = own[own["class"] == name].set_index("clip")[values]
        same = of_class.index[np.isclose(of_class, each, atol=1e-5).all(1)]
        found.setdefault(clip, set()).update(same)
    return found


class TestMeasuring:
    @pytest.mark.parametrize("pooling", ["attention", "class_attention", "max"])
    @pytest.mark.parametrize("relevance_pooling", ["model", "max"])
    def test_every_clip_gets_the_activations_of_one_other(
        self, measured, pooling, relevance_pooling
    ):
        own, exchanged = measured(pooling=pooling, relevance_pooling=relevance_pooling)
        assert len(own) == 3 * 7 and list(own) == list(exchanged)
        found = partners(own, exchanged)
        assert [len(clips) for clips in found.values()] == [1] * 7, "the same for all classes"
        others = {clip: other for clip, (other,) in found.items()}
        assert all(clip != other for clip, other in others.items())
        assert set(others.values()) == set(others), "none is used twice"

    def test_largest_activations_are_pooled_where_asked_for(self, measured, tmp_path):
        own, _ = measured(relevance_pooling="max")
        H = np.load(tmp_path / "log_mel.npy")[2, :, :K]
        torch.manual_seed(2)
        w = Interpreter(torch.rand(9, K), 3, pooling="class_attention", dropout=0.5).linear.weight
        contributions = H.max(0) * w.detach().numpy()
        expected = contributions / np.abs(contributions).max(1, keepdims=True)
        assert own.iloc[:3, -K:].to_numpy() == pytest.approx(expected, rel=1e-4)

    def test_decisions_stay_with_their_clips(self, measured):
        decided = np.array([[1, 0, 0], [0, 0, 0], [1, 1, 0], [0, 0, 1]])
        own, exchanged = measured(4, decided)
        keys = ["clip", "class"]
        assert own[keys].to_numpy().tolist() == [
            ["clip2", "dog"],
            ["clip4", "dog"],
            ["clip4", "music"],
            ["clip5", "siren"],
        ]
        pd.testing.assert_frame_equal(own[keys], exchanged[keys])

    def test_a_seed_exchanges_the_same_and_another_anew(self, measured):
        tables = [measured(seed=seed) for seed in (0, 0, 1)]
        assert tables[0][1].equals(tables[1][1]) and not tables[0][1].equals(tables[2][1])
        assert tables[0][0].equals(tables[2][0]), "what the clips have themselves is not drawn"

    def test_two_test_clips_change_places(self, measured):
        own, exchanged = measured(2)
        assert partners(own, exchanged) == {"clip2": {"clip3"}, "clip3": {"clip2"}}

    def test_a_single_test_clip_has_no_numbers(self, measured):
        own, exchanged = measured(1)
        assert own.iloc[:, -K:].notna().all(axis=None)
        assert len(exchanged) == 3 and exchanged.iloc[:, -K:].isna().all(axis=None)

    def test_no_decision_at_all_is_legal(self, measured):
        own, exchanged = measured(3, np.zeros((3, 3)))
        assert own.empty and list(own) == list(exchanged) and len(exchanged) == 0
