"""Learning dictionaries: which clips columns come from, and a file that knows its fold."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch

from helpers.project import load_script
from l2i.checks import InputError
from l2i.dictionary.columns import ClipColumns
from l2i.dictionary.learning import learn_per_class, learn_together, training_columns
from l2i.dictionary.nmf import sparse_nmf
from l2i.dictionary.stored_dictionary import load_dictionary, save_dictionary
from l2i.progress import NowAndThen
from l2i.streams import torch_stream
from l2i.weights import read_identity

learn_dictionary = load_script("learn_dictionary")

N_BINS, N_FRAMES, FOLDS = 9, 40, [1, 2, 1, 3, 2, 3, 3]
FEATURES = {
    "sample_rate": 8000,
    "n_fft": 16,
    "hop_length": 8,
    "n_mels": 4,
    "mel_power": 2,
    "waveform_scale": "absolute",
}
DICTIONARY = {
    "solver": "hals",
    "n_components": 3,
    "n_noise_components": 0,
    "clips_per_class": None,
    "sparsity": 0.1,
    "n_iter": 4,
}


@pytest.fixture
def clips(generator):
    """One spectrogram for each entry of FOLDS."""
    shape = (len(FOLDS), N_BINS, N_FRAMES)
    return torch.rand(shape, generator=generator).numpy()


def learn(folder, clips, **changes):
    """Run the script in `folder` as the job of fold 2; paths by name, and its facts."""
    paths = {
        "path_to_index": folder / "index.csv",
        "path_to_classes": folder / "classes.json",
        "path_to_log_magnitude": folder / "log_magnitude.npy",
        "path_to_dictionary": folder / "dictionary.safetensors",
        "path_to_history": folder / "objective.csv",
    }
    index = {"clip": [f"clip{i}" for i in range(len(FOLDS))], "fold": FOLDS, "label": 0}
    index["sha256"] = index["clip"]
    pd.DataFrame(index).to_csv(paths["path_to_index"], index=False)
    paths["path_to_classes"].write_text(json.dumps(["dog", "rain"]))
    np.save(paths["path_to_log_magnitude"], clips)
    values = {
        "dictionary": DICTIONARY,
        "features": FEATURES,
        "seed": 0,
        "dataset": "esc50",
        "fold": "2",
        "device": "cpu",
        "checkpoints": str(folder / "checkpoints"),
    }
    return paths, learn_dictionary(
        **{key: str(path) for key, path in paths.items()}, **(values | changes)
    )


def learned(folder, clips, **changes):
    """The dictionary that the script writes."""
    paths, _ = learn(folder, clips, **changes)
    return load_dictionary(paths["path_to_dictionary"])


class TestTrainingColumns:
    def test_they_are_the_frames_of_the_training_clips(self, clips):
        X = training_columns(clips, [0, 2, 5])
        assert X.shape == (N_BINS, 3 * N_FRAMES)
        read = torch.cat([X[i][1] for i in range(len(X))], dim=1)
        assert torch.equal(read, torch.from_numpy(np.concatenate(clips[[0, 2, 5]], axis=1)))


class TestScript:
    def test_test_clips_have_no_influence(self, clips, tmp_path):
        first = learned(tmp_path, clips)
        clips[np.array(FOLDS) == 2] = np.nan
        assert torch.equal(learned(tmp_path, clips), first)

    def test_training_clips_have(self, clips, tmp_path):
        first = learned(tmp_path, clips)
        clips[0, 0] += 1
        assert not torch.equal(learned(tmp_path, clips), first)

    def test_history_has_a_row_for_the_start_and_each_iteration(self, clips, tmp_path):
        paths, facts = learn(tmp_path, clips)
        history = pd.read_csv(paths["path_to_history"])
        assert list(history) == ["iteration", "objective", "seconds"]
        assert list(history["iteration"]) == list(range(5))
        assert history["objective"].is_monotonic_decreasing
        assert history["seconds"].is_monotonic_increasing
        assert facts["n_columns"] == 5 * N_FRAMES
        assert 0 < facts["relative_error"] < 1
        assert facts["seconds"] == history["seconds"].iloc[-1]

    def test_the_seed_and_every_setting_matter(self, clips, tmp_path):
        changes = [{}, {"seed": 1}] + [
            {"dictionary": DICTIONARY | change}
            for change in ({"solver": "multiplicative"}, {"sparsity": 0.2}, {"n_iter": 5})
        ]
        results = [learned(tmp_path, clips, **change) for change in changes]
        assert len({W.numpy().tobytes() for W in results}) == len(changes)

    def test_each_iteration_is_one_line_of_the_log_where_iterations_take_long(
        self, clips, tmp_path, caplog, monkeypatch
    ):
        monkeypatch.setattr(NowAndThen.__init__, "__defaults__", (0.0,))
        caplog.set_level("INFO", "l2i.dictionary.nmf")
        learn(tmp_path, clips)
        lines = [r.getMessage() for r in caplog.records if r.name == "l2i.dictionary.nmf"]
        assert [line.split(":")[0] for line in lines] == [
            f"iteration {i} of 4" for i in range(1, 5)
        ]

    def test_the_file_knows_what_it_was_made_for(self, clips, tmp_path):
        paths, _ = learn(tmp_path, clips)
        W = load_dictionary(paths["path_to_dictionary"], fold="2", n_fft=16, sample_rate=8000)
        assert W.shape == (N_BINS, 3) and W.dtype == torch.float32
        torch.testing.assert_close(W.norm(dim=0), torch.ones(3))
        for wrong in ({"fold": "1"}, {"hop_length": 4}, {"classes_sha256": "0"}):
            (key,) = wrong
            with pytest.raises(InputError, match=f"made for something else: {key} is"):
                load_dictionary(paths["path_to_dictionary"], **wrong)


# ------------------------------------------------------------------ class by class

CLASSES = ["music", "dog", "siren"]
# One row per training clip; _ is a label that nobody has observed. Clips 3 and 7 have no positive.
LABELS = ["10_", "011", "1_0", "000", "_10", "111", "_01", "_0_", "100"]
NAN = float("nan")
TARGETS = torch.tensor([[NAN if x == "_" else float(x) for x in row] for row in LABELS])
POSITIVE = {"music": [0, 2, 5, 8], "dog": [1, 4, 5], "siren": [1, 5, 6]}  # rows of TARGETS
TRAIN_ROWS = np.array([1, 2, 4, 5, 6, 8, 9, 10, 12])
N_CLIPS = 13
PER_CLASS = {
    "dataset": "street",
    "classes": CLASSES,
    "n_components": 6,
    "n_noise_components": 2,
    "clips_per_class": 9,
    "sparsity": 0.1,
    "n_iter": 5,
    "solver": "hals",
    "device": "cpu",
}


@pytest.fixture
def corpus(generator):
    """Spectrograms of thirteen clips, of which TRAIN_ROWS are to be learned from."""
    clips = torch.rand((N_CLIPS, N_BINS, N_FRAMES), generator=generator).square().numpy()
    clips[np.setdiff1d(np.arange(N_CLIPS), TRAIN_ROWS)] = np.nan  # test clips
    return clips


def per_class(clips, targets=TARGETS, seed=0, **changes):
    options = PER_CLASS | {"generator": torch.Generator().manual_seed(seed)} | changes
    return learn_per_class(clips, TRAIN_ROWS, targets, **options)


class TestGoingOn:
    @pytest.mark.parametrize("n_done", [1, 2, 3])
    def test_parts_that_are_finished_are_not_learned_again(
        self, corpus, tmp_path, monkeypatch, n_done
    ):
        whole, path, learned_here = per_class(corpus), tmp_path / "parts.pt", []

        def counted(*arguments, **options):
            if len(learned_here) == n_done:
                raise KeyboardInterrupt
            learned_here.append(options)
            return sparse_nmf(*arguments, **options)

        monkeypatch.setattr("l2i.dictionary.learning.sparse_nmf", counted)
        with pytest.raises(KeyboardInterrupt):
            per_class(corpus, checkpoint=path)
        monkeypatch.setattr("l2i.dictionary.learning.sparse_nmf", sparse_nmf)
        resumed = per_class(corpus, checkpoint=path)
        assert torch.equal(resumed.W, whole.W)
        assert resumed.component_classes == whole.component_classes
        assert [*resumed.parts] == [*whole.parts]
        for name, part in whole.parts.items():
            again = resumed.parts[name]
            assert again.history["objective"].equals(part.history["objective"])
            assert (again.relative_error, again.n_clips) == (part.relative_error, part.n_clips)

    def test_a_finished_dictionary_is_not_learned_again(self, corpus, tmp_path, monkeypatch):
        first = per_class(corpus, checkpoint=tmp_path / "parts.pt")
        monkeypatch.setattr("l2i.dictionary.learning.sparse_nmf", None)
        assert torch.equal(per_class(corpus, checkpoint=tmp_path / "parts.pt").W, first.W)


def stacked(clips, rows):
    """Clips of TRAIN_ROWS[rows] side by side, (F, n)."""
    return torch.from_numpy(np.concatenate([clips[TRAIN_ROWS[row]] for row in rows], axis=1))


class TestPerClass:
    @pytest.mark.parametrize("solver", ["hals", "multiplicative"])
    @pytest.mark.parametrize("n_noise", [0, 2])
    def test_it_is_sparse_nmf_by_hand_of_stacked_columns_with_noise_held_fixed(
        self, corpus, solver, n_noise
    ):
        result = per_class(corpus, solver=solver, n_noise_components=n_noise)

        generator = torch.Generator().manual_seed(0)
        nmf = {"sparsity": 0.1, "n_iter": 5, "solver": solver, "generator": generator}
        for rows in POSITIVE.values():
            torch.randperm(len(rows), generator=generator)  # the draws, here of all there are
        noise = torch.empty(N_BINS, 0)
        if n_noise:
            noise = sparse_nmf(stacked(corpus, [3, 7]), n_noise, **nmf).W
        columns = []
        for rows in POSITIVE.values():
            W = sparse_nmf(stacked(corpus, rows), 2, frozen=noise, **nmf).W
            assert torch.equal(W[:, :n_noise], noise)
            columns.append(W[:, n_noise:])
        torch.testing.assert_close(result.W, torch.cat(columns, dim=1))

    def test_columns_are_of_unit_norm_in_class_order_and_noise_is_left_out(self, corpus):
        result = per_class(corpus)
        assert result.W.shape == (N_BINS, 6)
        torch.testing.assert_close(result.W.norm(dim=0), torch.ones(6))
        assert result.component_classes == [c for c in CLASSES for _ in range(2)]
        assert list(result.parts) == ["noise", *CLASSES]
        own = torch.cat([result.parts[name].W for name in CLASSES], dim=1)
        assert torch.equal(own, result.W)

    def test_clips_are_drawn_and_no_more_than_asked_for(self, corpus):
        result = per_class(corpus, clips_per_class=2)
        assert {name: part.n_clips for name, part in result.parts.items()} == {
            "noise": 2,
            "music": 2,
            "dog": 2,
            "siren": 2,
        }
        assert all(part.n_columns == 2 * N_FRAMES for part in result.parts.values())

    def test_the_clips_drawn_do_not_depend_on_the_number_of_components(self, corpus, monkeypatch):
        seen = {}
        for n_components, n_noise in ((6, 0), (12, 2)):
            read = seen[n_components] = []
            monkeypatch.setattr(
                "l2i.dictionary.learning.training_columns",
                lambda clips, rows, device, read=read: (
                    read.append(sorted(rows)) or training_columns(clips, rows, device=device)
                ),
            )
            options = {"n_components": n_components, "n_noise_components": n_noise}
            per_class(corpus, clips_per_class=1, **options)
        assert len(seen[6]) == 3
        assert seen[6] == seen[12][1:]  # the first of the others is the noise

    def test_every_positive_clip_of_a_class_is_drawn_sooner_or_later_and_no_other(self, corpus):
        """Every clip is a tone of its own, and so is the component that is learned of it."""
        corpus[:] = 0
        for tone, row in enumerate(TRAIN_ROWS):
            corpus[row, tone] = 1000.0
        options = {"n_components": 3, "n_noise_components": 0, "clips_per_class": 1}
        drawn = torch.stack([per_class(corpus, seed=seed, **options).W for seed in range(30)])
        torch.testing.assert_close(drawn.amax(1), torch.ones(30, 3))
        for c, name in enumerate(CLASSES):
            assert sorted(drawn.argmax(1)[:, c].unique().tolist()) == POSITIVE[name]

    def test_noise_comes_from_clips_without_positive_labels_alone(self, corpus):
        corpus[:] = 0
        for tone, row in enumerate(TRAIN_ROWS):
            corpus[row, tone] = 1000.0
        noise = per_class(corpus, n_noise_components=2).parts["noise"].W
        assert sorted(torch.nonzero(noise.sum(1) > 1e-6).flatten().tolist()) == [3, 7]

    def test_a_class_with_fewer_clips_takes_all_there_are_and_says_so(self, corpus, caplog):
        result = per_class(corpus, clips_per_class=4)
        assert [result.parts[name].n_clips for name in CLASSES] == [4, 3, 3]
        warned = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
        assert warned == [
            f"{name} has 3 positive training clips, fewer than clips_per_class, 4: all are taken"
            for name in ("dog", "siren")
        ]

    def test_the_seed_draws_clips_and_starts(self, corpus):
        first, same, other = (per_class(corpus, seed=seed, clips_per_class=2) for seed in (0, 0, 1))
        assert torch.equal(first.W, same.W)
        assert not torch.allclose(first.W, other.W, atol=1e-3)

    def test_a_label_that_nobody_has_observed_is_neither_positive_nor_keeps_a_clip_from_noise(
        self, corpus
    ):
        negative = torch.nan_to_num(TARGETS, nan=0.0)
        assert torch.equal(per_class(corpus).W, per_class(corpus, negative).W)

    def test_objectives_fall_in_every_part(self, corpus):
        for part in per_class(corpus).parts.values():
            assert list(part.history) == ["iteration", "objective", "seconds"]
            assert list(part.history["iteration"]) == list(range(6))
            assert part.history["objective"].is_monotonic_decreasing
            assert 0 < part.relative_error < 1

    def test_one_dictionary_of_all_clips_has_one_part_and_no_classes(self, corpus):
        nmf = {"sparsity": 0.1, "n_iter": 3, "solver": "hals"}
        result = learn_together(
            corpus,
            TRAIN_ROWS,
            n_components=4,
            generator=torch.Generator().manual_seed(0),
            device="cpu",
            **nmf,
        )
        by_hand = sparse_nmf(
            ClipColumns(corpus, TRAIN_ROWS), 4, generator=torch.Generator().manual_seed(0), **nmf
        )
        assert torch.equal(result.W, by_hand.W)
        assert result.component_classes is None and list(result.parts) == ["all"]

    def test_clips_are_read_a_few_at_a_time(self, corpus, tmp_path, monkeypatch):
        """However many there are; here of a small map, the benchmark measures a large one."""
        np.save(tmp_path / "clips.npy", np.abs(np.nan_to_num(corpus)))
        mapped = np.load(tmp_path / "clips.npy", mmap_mode="r")
        largest = []
        original = ClipColumns.__getitem__

        def watched(self, i):
            columns, block = original(self, i)
            largest.append(block.numel())
            return columns, block

        monkeypatch.setattr("l2i.dictionary.columns.CPU_BLOCK", N_FRAMES)
        monkeypatch.setattr(ClipColumns, "__getitem__", watched)
        monkeypatch.setattr(ClipColumns, "matrix", lambda self: pytest.fail("read as a whole"))
        per_class(mapped)
        assert max(largest) == N_BINS * N_FRAMES


class TestPerClassMisuse:
    def test_components_that_cannot_be_shared_out(self, corpus):
        with pytest.raises(
            InputError, match=r"datasets\.street\.dictionary\.n_components is 7: .* classes, 3"
        ):
            per_class(corpus, n_components=7)

    def test_a_class_without_a_positive_clip(self, corpus):
        targets = TARGETS.clone()
        targets[:, 1] = torch.where(targets[:, 1] == 1, NAN, targets[:, 1])
        with pytest.raises(InputError, match="class dog has no positive training clip: correct"):
            per_class(corpus, targets)

    def test_noise_to_be_learned_of_nothing(self, corpus):
        targets = TARGETS.clone()
        targets[[3, 7], 0] = 1
        with pytest.raises(InputError, match="leaves none to learn noise from: set .* to 0"):
            per_class(corpus, targets)
        assert per_class(corpus, targets, n_noise_components=0).W.shape == (N_BINS, 6)

    def test_everything_that_is_wrong_is_said_at_once(self, corpus):
        targets = torch.ones(9, 3)
        targets[:, 2] = 0
        with pytest.raises(InputError, match="The dictionary of street .*: 3 problems") as caught:
            per_class(corpus, targets, n_components=5)
        assert "siren" in str(caught.value)


class TestPerClassScript:
    SETTINGS = DICTIONARY | {"n_components": 6, "n_noise_components": 2, "clips_per_class": 2}

    @pytest.fixture
    def paths(self, corpus, tmp_path):
        """A multi-label corpus of one split."""
        labels = np.full((N_CLIPS, 3), np.nan)
        labels[TRAIN_ROWS] = TARGETS.numpy()
        index = pd.DataFrame(labels, columns=[f"label_{name}" for name in CLASSES])
        index.insert(0, "clip", [f"clip{i:02d}" for i in range(N_CLIPS)])
        is_train = np.isin(np.arange(N_CLIPS), TRAIN_ROWS)
        index.insert(1, "split", np.where(is_train, "train", "test"))
        index["sha256"] = index["clip"]
        paths = {
            "path_to_index": tmp_path / "index.csv",
            "path_to_classes": tmp_path / "classes.json",
            "path_to_log_magnitude": tmp_path / "log_magnitude.npy",
            "path_to_dictionary": tmp_path / "dictionary.safetensors",
            "path_to_history": tmp_path / "objective.csv",
        }
        index.to_csv(paths["path_to_index"], index=False)
        paths["path_to_classes"].write_text(json.dumps(CLASSES))
        np.save(paths["path_to_log_magnitude"], corpus)
        return paths

    def run(self, paths, **changes):
        return learn_dictionary(
            **{key: str(path) for key, path in paths.items()},
            dictionary=self.SETTINGS | changes,
            features=FEATURES,
            seed=0,
            dataset="street",
            fold="official",
            device="cpu",
            checkpoints=str(paths["path_to_dictionary"].parent / "checkpoints"),
        )

    def test_it_writes_what_the_library_learns_with_the_classes_of_columns(self, paths, corpus):
        self.run(paths)
        drawn = torch_stream(0, "dictionary")
        expected = per_class(corpus, clips_per_class=2, n_iter=4, generator=drawn)
        W = load_dictionary(paths["path_to_dictionary"], fold="official", dataset="street")
        assert torch.equal(W, expected.W)
        about = read_identity(paths["path_to_dictionary"])
        assert about["component_classes"] == expected.component_classes

    def test_history_and_facts_are_by_part(self, paths):
        facts = self.run(paths)
        history = pd.read_csv(paths["path_to_history"])
        assert list(history) == ["part", "iteration", "objective", "seconds"]
        assert list(history["part"].unique()) == ["noise", *CLASSES]
        assert list(history["iteration"]) == 4 * list(range(5))
        assert facts["n_clips"] == {"noise": 2, "music": 2, "dog": 2, "siren": 2}
        assert facts["n_columns"] == 8 * N_FRAMES
        assert facts["relative_error"] == pytest.approx(
            np.mean([*facts["relative_errors"].values()])
        )
        assert facts["seconds"] == pytest.approx(history.groupby("part")["seconds"].last().sum())

    def test_noise_without_classes_is_refused(self, paths):
        with pytest.raises(InputError, match=r"street\.dictionary\.n_noise_components is 2, but"):
            self.run(paths, clips_per_class=None)


def test_saved_is_loaded(tmp_path, generator):
    W = torch.rand(4, 3, generator=generator)
    save_dictionary(tmp_path / "W.safetensors", W, fold="1")
    assert torch.equal(load_dictionary(tmp_path / "W.safetensors", fold="1"), W)
    assert read_identity(tmp_path / "W.safetensors")["component_classes"] is None
