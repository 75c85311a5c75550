"""SLIME and listening clips on classifiers whose answers are known, and the script over them."""

from __future__ import annotations

import importlib
import json
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cosine
from torch.testing import assert_close

from l2i.checks import InputError
from l2i.datasets.fold import Fold
from l2i.features.spectral import FrontEnd
from l2i.interpretation.slime import (
    Slime,
    border_samples,
    divide,
    draw_vectors,
    explain,
    fit,
    gate,
    generator,
    kernel_weights,
    positive_segments,
    query,
    segment_borders,
)
from l2i.networks.classifier import Classifier
from l2i.networks.stored_classifier import save_classifier
from l2i.provenance.fingerprints import file_sha256

RATE = 44_100
FRONT_END = FrontEnd(sample_rate=RATE, n_fft=1024, hop_length=512, n_mels=128, mel_power=1)
SETTINGS = Slime(segment_seconds=0.5, max_segments=5, n_samples=1000, kernel_width=0.25, ridge=1.0)
LOUD, SOFT = -20.0, -60.0


class Toy(torch.nn.Module):
    """Says of each class a weighted sum of which of its segments are louder than the fill."""

    def __init__(self, borders, weights, bias=0.1):
        super().__init__()
        self.borders, self.bias = borders, bias
        self.weights = torch.tensor(weights)  # (C, n_segments)
        self.n_heard = 0

    def forward(self, M):
        self.n_heard += len(M)
        parts = [M[:, a:b].mean((1, 2)) for a, b in pairwise(self.borders)]
        return (torch.stack(parts, 1) > -30).float() @ self.weights.T + self.bias

    def probabilities(self, logits):
        return logits


class Conjunction(Toy):
    """Hears its class where all the segments of weight 1 are there, nothing otherwise."""

    def forward(self, M):
        return (super().forward(M) > self.weights.sum(1)).float()


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def borders():
    return segment_borders(431, 10)


@pytest.fixture
def M(borders):
    """A log-mel that is loud in every segment but the last four, so that all differ from its mean.

    The mean is -36 dB, below where the toys begin to hear.
    """
    M = torch.full((431, 4), LOUD)
    M[borders[6] :] = SOFT
    return M


def weights_of(n, **values):
    weights = [0.0] * n
    for name, value in values.items():
        weights[int(name[1:])] = value
    return weights


class TestExplaining:
    def explain(self, classifier, M, targets, rng, **changes):
        changed = Slime(**{**vars(SETTINGS), **changes})
        return explain(classifier, M, targets, changed, rng, clip_seconds=5.0)

    def test_the_one_segment_that_a_class_needs_is_found(self, M, borders, rng):
        toy = Toy(borders, [weights_of(10, s2=0.8), weights_of(10, s5=0.5)])
        found = self.explain(toy, M, [0, 1], rng)
        for target, segment, size in [(0, 2, 0.8), (1, 5, 0.5)]:
            weights, kept = found[target].weights, found[target].kept
            assert kept[0] == segment and weights.argmax() == segment
            assert weights[segment] == pytest.approx(size, rel=0.03)  # the ridge shrinks it a bit
            assert np.abs(np.delete(weights, segment)).max() < 0.005
            assert found[target].r2 > 0.99

    def test_segments_come_by_weight_and_what_speaks_against_the_class_is_left_out(
        self, M, borders, rng
    ):
        toy = Toy(borders, [weights_of(10, s0=0.2, s1=-0.4, s3=0.3, s4=0.1)])
        found = self.explain(toy, M, [0], rng, max_segments=3)[0]
        assert found.kept == [3, 0, 4]
        assert found.weights[1] == pytest.approx(-0.4, rel=0.05)

    def test_what_is_needed_together_is_found_together(self, M, borders, rng):
        found = self.explain(Conjunction(borders, [weights_of(10, s1=1.0, s4=1.0)]), M, [0], rng)[0]
        assert set(found.kept[:2]) == {1, 4}
        assert found.weights[1] == pytest.approx(found.weights[4], abs=0.06)
        assert found.weights[[1, 4]].min() > 5 * np.abs(np.delete(found.weights, [1, 4])).max()

    def test_a_class_that_hears_nothing_in_particular_has_no_explanation(self, M, borders, rng):
        found = self.explain(Toy(borders, [weights_of(10)]), M, [0], rng)[0]
        assert found.kept == [] or found.weights.max() < 1e-9

    def test_classes_are_explained_alike_alone_and_together(self, M, borders):
        toy = Toy(borders, [weights_of(10, s2=0.8), weights_of(10, s5=0.5), weights_of(10, s1=1.0)])
        together = self.explain(toy, M, [2, 0], np.random.default_rng(1))
        alone = self.explain(toy, M, [0], np.random.default_rng(1))
        assert list(together) == [2, 0]
        assert np.array_equal(together[0].weights, alone[0].weights)

    def test_a_seed_gives_one_explanation_and_another_clip_other_draws(self, M, borders):
        network = Conjunction(borders, [weights_of(10, s1=1.0, s4=1.0)])
        settings = {"n_samples": 40}
        first, again, other_clip, other_run = (
            self.explain(network, M, [0], generator(*key), **settings)[0].weights
            for key in [(0, 0, "a"), (0, 0, "a"), (0, 0, "b"), (0, 1, "a")]
        )
        assert np.array_equal(first, again)
        assert not np.allclose(first, other_clip) and not np.allclose(first, other_run)
        assert not np.allclose(other_clip, other_run)

    @pytest.mark.parametrize("segment_seconds", [5.0, 4.0, 0.01])
    def test_one_segment_or_more_than_frames_are_refused(self, M, rng, segment_seconds):
        with pytest.raises(InputError, match="segment_seconds cuts a clip of 431 frames into"):
            self.explain(None, M, [0], rng, segment_seconds=segment_seconds)


class TestSegments:
    def test_those_of_the_paper(self):
        assert np.diff(segment_borders(862, 20)).tolist() == [43] * 19 + [45]
        assert np.diff(segment_borders(431, 10)).tolist() == [43] * 9 + [44]

    @given(st.integers(2, 900), st.data())
    def test_they_cover_every_frame_once_and_only_the_last_is_longer(self, n_frames, data):
        n = data.draw(st.integers(2, n_frames))
        borders = segment_borders(n_frames, n)
        frames = [f for a, b in pairwise(borders) for f in range(a, b)]
        assert len(borders) == n + 1 and frames == list(range(n_frames))
        *lengths, last = np.diff(borders)
        assert set(lengths) == {n_frames // n} and last - n_frames // n == n_frames % n

    def test_they_meet_halfway_between_two_frames(self):
        met = border_samples(segment_borders(431, 10), FRONT_END, 220_500)
        assert met[0] == 0 and met[-1] == 220_500
        assert met[1] == (42 * 512 + 43 * 512) / 2


class TestCopies:
    def test_the_first_keeps_everything_and_the_others_toss_a_coin(self, rng):
        vectors = draw_vectors(4001, 20, rng)
        assert vectors.dtype == bool and vectors.shape == (4001, 20)
        assert vectors[0].all()
        kept = vectors[1:].mean(0)
        assert np.abs(kept - 0.5).max() < 4 * 0.5 / np.sqrt(4000)
        together = np.corrcoef(vectors[1:].T)
        assert np.abs(together - np.eye(20)).max() < 0.08

    def test_each_is_the_clip_with_its_mean_where_segments_are_dropped(self, borders, rng):
        M = torch.randn(431, 4, generator=torch.Generator().manual_seed(0))

        class Recorder(torch.nn.Module):
            heard = ()

            def forward(self, batch):
                self.heard = [*self.heard, *batch.clone()]
                return batch.mean((1, 2))[:, None]

            def probabilities(self, logits):
                return logits

        vectors = draw_vectors(70, 10, rng)
        vectors[1] = False
        vectors[2] = vectors[5]
        answers = query(recorder := Recorder(), M, borders, vectors)
        for vector, answer in zip(vectors, answers, strict=True):
            copy = M.clone()
            for i, kept in enumerate(vector):
                if not kept:
                    copy[borders[i] : borders[i + 1]] = M.mean()
            assert answer[0] == pytest.approx(copy.mean().item(), abs=1e-6)
            assert any(torch.equal(copy, heard) for heard in recorder.heard)
        assert answers.dtype == np.float64 and answers[0, 0] == pytest.approx(M.mean().item())

    def test_copies_that_repeat_are_heard_once(self, rng):
        borders = segment_borders(173, 4)
        toy = Toy(borders, [weights_of(4, s1=1.0)])
        answers = query(toy, torch.full((173, 4), LOUD), borders, draw_vectors(1000, 4, rng))
        assert toy.n_heard == 2**4 and answers.shape == (1000, 1)

    def test_weights_are_those_of_the_cosine_kernel(self):
        vectors = np.arange(20) < np.array([[20], [19], [15], [10], [5], [0]])
        weights = kernel_weights(vectors, 0.25)
        assert weights.round(2).tolist() == [1.0, 0.99, 0.87, 0.50, 0.14, 0.0]
        assert weights[-1] == pytest.approx(np.exp(-8))  # nothing kept: at distance 1

    @given(arrays(bool, (5, 7)), st.floats(0.1, 2))
    def test_weights_agree_with_the_distance_of_each_pair(self, vectors, width):
        vectors[:, 0] = True
        distances = [cosine(v.astype(float), np.ones(7)) for v in vectors]
        expected = np.exp(-np.square(distances) / (2 * width**2))
        np.testing.assert_allclose(kernel_weights(vectors, width), expected, rtol=1e-9)


class TestRegression:
    def test_it_is_the_closed_form_of_weighted_ridge(self, rng):
        vectors = draw_vectors(60, 8, rng)
        answers, sample_weights = rng.random(60), rng.random(60)
        X = np.hstack([vectors, np.ones((60, 1))])
        penalty = np.diag([0.7] * 8 + [0.0])  # the intercept is free
        solved = np.linalg.solve(
            X.T @ (sample_weights[:, None] * X) + penalty, X.T @ (sample_weights * answers)
        )
        weights, r2 = fit(vectors, answers, sample_weights, 0.7)
        np.testing.assert_allclose(weights, solved[:-1], atol=1e-10)
        mean = np.average(answers, weights=sample_weights)
        left = np.average(np.square(answers - X @ solved), weights=sample_weights)
        assert r2 == pytest.approx(
            1 - left / np.average((answers - mean) ** 2, weights=sample_weights)
        )

    def test_without_a_penalty_a_linear_answer_is_found_exactly(self, rng):
        vectors, weights = draw_vectors(100, 6, rng), rng.normal(size=6)
        found, r2 = fit(vectors, vectors @ weights + 3, kernel_weights(vectors, 0.25), 0.0)
        np.testing.assert_allclose(found, weights, atol=1e-9)
        assert r2 == pytest.approx(1)

    def test_copies_without_weight_count_for_nothing(self, rng):
        vectors, answers = draw_vectors(50, 5, rng), rng.random(50)
        sample_weights = np.where(np.arange(50) < 30, 1.0, 0.0)
        answers_2 = np.where(sample_weights > 0, answers, 100.0)
        some, _ = fit(vectors, answers_2, sample_weights, 1.0)
        only, _ = fit(vectors[:30], answers[:30], np.ones(30), 1.0)
        np.testing.assert_allclose(some, only, atol=1e-10)

    @given(arrays(float, 9, elements=st.floats(-1, 1)), st.integers(1, 9))
    def test_no_more_than_asked_for_are_kept_all_positive_and_none_better_left(self, weights, n):
        kept = positive_segments(weights, n)
        assert len(kept) == len(set(kept)) == min(n, (weights > 0).sum())
        assert all(weights[i] > 0 for i in kept)
        assert [weights[i] for i in kept] == sorted(weights, reverse=True)[: len(kept)]


class TestGate:
    N = 220_500

    @pytest.fixture
    def met(self, borders):
        return border_samples(borders, FRONT_END, self.N)

    def test_those_of_all_segments_add_up_to_one(self, met):
        gates = [gate([i], met, self.N, RATE) for i in range(10)]
        assert all(g.min() >= 0 and g.max() <= 1 for g in gates)
        np.testing.assert_allclose(sum(gates), 1, atol=1e-12)

    def test_a_segment_is_open_within_and_closed_outside_its_edges_of_10_ms(self, met):
        g = gate([3], met, self.N, RATE)
        start, end, half = met[3], met[4], 0.005 * RATE
        t = np.arange(self.N)
        assert (g[(t > start + half) & (t < end - half)] == 1).all()
        assert (g[(t < start - half) | (t > end + half)] == 0).all()
        assert g[int(start)] == pytest.approx(0.5) and g[int(end)] == pytest.approx(0.5)
        rising = (g[: int(start + 2 * half)] > 0) & (g[: int(start + 2 * half)] < 1)
        assert rising.sum() == pytest.approx(441, abs=2)

    def test_nothing_jumps(self, met):
        steepest = np.pi / 2 / (0.01 * RATE)
        for segments in ([0], [4], [9], [2, 3, 7], []):
            assert np.abs(np.diff(gate(segments, met, self.N, RATE))).max() <= steepest

    def test_there_is_no_gap_between_neighbours_and_no_fade_at_the_ends(self, met):
        g = gate([1, 0, 2], met, self.N, RATE)
        np.testing.assert_allclose(g[: int(met[3]) - 221], 1, atol=1e-12)
        assert gate([9], met, self.N, RATE)[-1] == gate([0], met, self.N, RATE)[0] == 1

    def test_what_was_not_decided_on_belongs_to_no_segment(self, met):
        every = gate(range(10), met, self.N + 50_000, RATE)
        assert (every[self.N + 221 :] == 0).all() and (every[: self.N - 221] == 1).all()

    def test_a_clip_shorter_than_what_was_decided_on_ends_without_a_fade(self, met):
        n = int(met[6]) + 10_000
        assert gate([6], met, n, RATE)[-1] == 1
        assert not gate([8], met, n, RATE).any()
        n = int(met[7])
        assert gate([6], met, n, RATE)[-1] == 1

    @given(
        arrays(np.float32, 50, elements=st.floats(-3, 3, width=32)),
        arrays(float, 50, elements=st.floats(0, 1)),
    )
    @settings(max_examples=300)
    def test_both_parts_add_up_to_the_sound_exactly(self, x, g):
        kept, left = divide(x, g)
        assert kept.dtype == left.dtype == np.float32
        assert np.array_equal(kept + left, x)
        np.testing.assert_allclose(kept, x * g, atol=4e-7)

    def test_an_open_gate_gives_the_sound_and_a_closed_one_nothing(self):
        x = np.float32([0.3, -1e-3, 0.0, 2.0])
        for g, expected in [(np.ones(4), (x, 0 * x)), (np.zeros(4), (0 * x, x))]:
            assert np.array_equal(divide(x, g), expected)


# ---------------------------------------------------------------- the script

FEATURES = {**vars(FRONT_END), "waveform_scale": "absolute"}
LENGTHS = {"train": 1.6, "short": 1.2, "exact": 1.6, "long": 2.0}


@pytest.fixture
def corpus(tmp_path):
    """Three test clips below full scale, one shorter and one longer than what is decided on."""
    noise = np.random.default_rng(3)
    folder = tmp_path / "data/esc50"
    folder.mkdir(parents=True)
    rows = []
    for i, (name, seconds) in enumerate(LENGTHS.items()):
        x = noise.uniform(-0.3, 0.3, round(seconds * RATE)).astype(np.float32)
        soundfile.write(folder / f"{name}.wav", x, RATE, subtype="FLOAT")
        rows.append({"clip": name, "path": f"{name}.wav", "fold": 2 - (i > 0), "label": i % 2})
        rows[-1]["sha256"] = file_sha256(folder / f"{name}.wav")
    pd.DataFrame(rows).to_csv(tmp_path / "index.csv", index=False)
    return tmp_path


@pytest.fixture
def run(corpus, project, monkeypatch):
    """Run the script; gives its facts and the folder that it wrote."""
    monkeypatch.syspath_prepend(project / "workflow/scripts")
    script = importlib.import_module("explain_by_slime").explain_by_slime
    sys.modules.pop("explain_by_slime")
    n_written = 0

    def run(listening=("short", "exact", "long"), *, multi_label=False, **changes):
        nonlocal n_written
        n_written += 1
        split = Fold("esc50", "1", None, ["dog", "rain"], FRONT_END, "absolute")
        if multi_label:
            split = Fold("esc50", "official", None, ["dog", "rain"], FRONT_END, "absolute")
            index = pd.read_csv(corpus / "index.csv")
            index["split"] = np.where(index["fold"] == 1, "test", "train")
            index = index.assign(label_dog=[1, 0, 1, 0], label_rain=[1, 1, 1, np.nan])
            index.drop(columns=["fold", "label"]).to_csv(corpus / "index.csv", index=False)
        torch.manual_seed(0)
        network = Classifier(2, width=0.125, head_units=8, multi_label=multi_label).eval()
        with torch.no_grad():
            network.output.weight.mul_(1000)  # a fresh network hardly hears a difference
            network.output.bias.copy_(-network(torch.full((1, 138, 128), -40.0))[0])
        if multi_label:
            network.thresholds.fill_(0.0)  # decides for both classes
        save_classifier(corpus / "classifier", network, **split.identity)
        (corpus / "classes.json").write_text(json.dumps(split.classes))
        given = {"n_samples": 60, "segment_seconds": 0.2, "max_segments": 3}
        facts = script(
            **{
                f"path_to_{n}": str(corpus / p)
                for n, p in {
                    "index": "index.csv",
                    "classes": "classes.json",
                    "classifier": "classifier",
                    "sounds": f"sounds{n_written}",
                }.items()
            },
            features=FEATURES,
            clip_seconds=1.6,
            slime={**vars(SETTINGS), **given, **changes.pop("slime", {})},
            listening=list(listening),
            dataset="esc50",
            fold=split.name,
            data=str(corpus / "data"),
            device="cpu",
            **{"seed": 0, "run": "0"} | changes,
        )
        return facts, corpus / f"sounds{n_written}"

    return run


class TestScript:
    def test_a_clip_has_its_input_and_a_folder_with_sounds_that_add_up_to_it(self, run, corpus):
        facts, folder = run()
        assert facts == {"n_clips": 3, "n_interpretations": 3}
        assert {path.name for path in folder.iterdir()} == {"short", "exact", "long"}
        for about in folder.glob("*/*/interpretation.json"):
            description = json.loads(about.read_text())
            name = about.parent.parent.name
            original = soundfile.read(corpus / f"data/esc50/{name}.wav", dtype="float32")[0]
            sounds = {
                path.stem: soundfile.read(path, dtype="float32")[0]
                for path in [*about.parent.glob("*.wav"), about.parent.parent / "input.wav"]
            }
            assert {len(x) for x in sounds.values()} == {round(LENGTHS[name] * RATE)}
            assert np.abs(sounds["input"] - original).max() < 1e-7
            assert np.array_equal(sounds["interpretation"] + sounds["remainder"], sounds["input"])
            alone = [x for stem, x in sounds.items() if stem.startswith("segment_")]
            assert_close(sum(alone, 0 * original), sounds["interpretation"], atol=1e-6, rtol=0)
            assert set(description["sounds"]) == set(sounds) - {"input"}
            for sound in description["sounds"].values():
                assert (about.parent / sound["file"]).is_file()

    def test_the_description_tells_segments_in_seconds_and_which_are_heard(self, run):
        _, folder = run()
        (about,) = (folder / "exact").glob("*/interpretation.json")
        description = json.loads(about.read_text())
        assert description["interpreted_class"] == about.parent.name
        probabilities = description["classifier_probabilities"]
        assert max(probabilities, key=probabilities.get) == about.parent.name
        segments = description["segments"]
        assert len(segments) == 8 and max(abs(s["weight"]) for s in segments) > 1e-4
        assert segments[0]["start_seconds"] == 0 and segments[-1]["end_seconds"] == 1.6
        for one, following in pairwise(segments):
            assert one["end_seconds"] == following["start_seconds"]
            assert one["end_seconds"] - one["start_seconds"] == pytest.approx(0.2, abs=0.01)
        kept = {i for i, segment in enumerate(segments) if segment["kept"]}
        best = sorted(range(8), key=lambda i: -segments[i]["weight"])[:3]
        assert kept == {i for i in best if segments[i]["weight"] > 0}
        assert {f"segment_{i:02d}" for i in kept} == {
            name for name in description["sounds"] if name.startswith("segment_")
        }

    def test_every_class_that_is_decided_for_has_a_folder(self, run):
        facts, folder = run(["exact"], multi_label=True)
        assert facts["n_interpretations"] == 2
        assert {path.name for path in (folder / "exact").iterdir()} == {"input.wav", "dog", "rain"}
        description = json.loads((folder / "exact/dog/interpretation.json").read_text())
        assert description["labels"] == ["dog", "rain"]

    def test_a_clip_is_explained_alike_in_any_company_and_otherwise_by_another_run(self, run):
        def explained(folder):
            (about,) = (folder / "long").glob("*/interpretation.json")
            return about.read_bytes()

        among_three, alone = explained(run()[1]), explained(run(["long"])[1])
        assert among_three == alone != explained(run(["long"], run="1")[1])
        assert alone != explained(run(["long"], seed=1)[1])

    def test_a_name_that_the_corpus_lacks_is_refused(self, run):
        with pytest.raises(InputError, match=r"datasets.esc50.listening names cat"):
            run(["cat"])
