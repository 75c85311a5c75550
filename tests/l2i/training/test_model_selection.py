"""Model selection: settings are chosen on selection data and nothing else."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from l2i.checks import InputError
from l2i.datasets.fold import LABEL, OFFICIAL, Fold
from l2i.features.spectral import FrontEnd
from l2i.metrics import auprc, average_precision, macro, weighted_f1
from l2i.networks.classifier import Classifier
from l2i.networks.stored_classifier import frozen
from l2i.training import checkpoints, losses, model_selection
from l2i.training.loop import Diverged, Plan
from l2i.training.loop import train as train_network
from l2i.training.model_selection import (
    classifier_of,
    combinations,
    select_and_train,
    selection_score,
)
from l2i.training.task import Prediction, Task, Trained

BY_ACCURACY = {"seed": 0, "metric": "accuracy", "classifier": None}
FITTED = {  # settings of a classifier
    "trainable": "all",
    "augmentation": {},
    "n_epochs": 1,
    "batch_size": 8,
    "learning_rate": 1e-3,
    "precision": "float32",
}
FRONT_END = FrontEnd(sample_rate=44_100, n_fft=1024, hop_length=512, n_mels=4, mel_power=1)
CLASSES = ["low", "high"]
N = 30


def fold_of(name, *, splits=None, folds=None):
    index = pd.DataFrame({"clip": [f"clip{i}" for i in range(N)]})
    if splits is None:
        index["fold"] = [1 + i % folds for i in range(N)]
        index["label"] = [i % 2 for i in range(N)]
    else:
        index["split"] = [splits[i % len(splits)] for i in range(N)]
        index[LABEL + "low"], index[LABEL + "high"] = (
            [float(i % 2 == c) for i in range(N)] for c in (0, 1)
        )
    return Fold("toys", name, index, CLASSES, FRONT_END, "absolute")


class TestSelection:
    @pytest.mark.parametrize(("tested", "chosen_on"), [("1", 2), ("2", 3), ("4", 5), ("5", 1)])
    def test_of_folds_the_next_one_is_chosen_on(self, tested, chosen_on):
        split = fold_of(tested, folds=5)
        fit, selection = split.selection(0)
        assert set(split.index["fold"].iloc[selection]) == {chosen_on}
        assert set(split.index["fold"].iloc[fit]) == {1, 2, 3, 4, 5} - {int(tested), chosen_on}

    def test_validation_clips_are_used_where_a_corpus_keeps_some(self):
        split = fold_of(OFFICIAL, splits=["train", "validate", "test"])
        fit, selection = split.selection(0)
        assert fit.tolist() == split.train_rows.tolist()
        assert selection.tolist() == split.validate_rows.tolist()

    @pytest.mark.parametrize(
        "split", [fold_of(OFFICIAL, splits=["train", "train", "test"]), fold_of("2", folds=2)]
    )
    def test_else_a_tenth_of_the_training_clips_is_drawn(self, split):
        fit, selection = split.selection(0)
        assert sorted([*fit, *selection]) == split.train_rows.tolist()
        assert len(selection) == len(split.train_rows) // 10
        again = split.selection(0)[1]
        assert again.tolist() == selection.tolist()
        assert any(split.selection(s)[1].tolist() != selection.tolist() for s in (1, 2, 3))

    @pytest.mark.parametrize("name", ["1", "3"])
    def test_no_test_clip_is_in_either_part(self, name):
        split = fold_of(name, folds=3)
        assert not set(np.concatenate(split.selection(0))) & set(split.test_rows)


class Constant(nn.Module):
    """A network whose every logit is given by a setting."""

    def __init__(self, logits):
        super().__init__()
        self.architecture = {}
        self.value = torch.tensor(logits)

    def predict(self, clips):
        return Prediction(self.value.expand(len(clips.rows), -1))


def task_of(split, classifier=None, start=None):
    log_mel = np.zeros((N, 140, 128), dtype=np.float32)
    return Task(
        fold=split,
        log_mel=log_mel,
        log_magnitude=log_mel,
        data="nowhere",
        clip_seconds=1.6,
        device="cpu",
        classifier=classifier,
        rows=split.train_rows,
        loss=losses.classification(split.multi_label),
        start=start,
        W=None,
        precision=torch.float32,
        scratch=None,
        checkpoints=SimpleNamespace(__truediv__=None),
    )


class Recorder:
    """Stands for a system: predicts what its setting says, and remembers what it was given."""

    def __init__(self):
        self.calls = []

    def __call__(self, task, settings):
        self.calls.append((task.rows.tolist(), dict(settings), torch.rand(1).item(), task))
        logits = {"always low": [1.0, 0.0], "always high": [0.0, 1.0]}[settings["guess"]]
        return Trained(Constant(logits), pd.DataFrame({"seconds": [0.0]}), {"told": 1})


def chosen(split, choices, tmp_path, selection=BY_ACCURACY, **of_task):
    train = Recorder()
    task = dataclasses.replace(task_of(split, **of_task), checkpoints=tmp_path)
    trained = select_and_train(train, task, {"kept": 7}, choices, seed=3, selection=selection)
    return trained, train.calls


class TestChoice:
    def test_combinations_come_in_the_order_written(self):
        assert list(combinations({"a": [1, 2], "b": ["x"]})) == [
            {"a": 1, "b": "x"},
            {"a": 2, "b": "x"},
        ]
        assert list(combinations({})) == [{}]

    def test_the_best_on_selection_clips_is_trained_anew_on_all_training_clips(self, tmp_path):
        split = fold_of("1", folds=5)
        split.index["label"] = (split.index["fold"] == 2).astype(int)  # only there: high
        trained, calls = chosen(split, {"guess": ["always low", "always high"]}, tmp_path)
        fit, selection = split.selection(0)
        assert [rows for rows, *_ in calls] == [fit.tolist()] * 2 + [split.train_rows.tolist()]
        assert trained.facts["selected"] == {"guess": "always high"}
        assert [each["score"] for each in trained.facts["selection_scores"]] == [0.0, 1.0]
        assert trained.facts["told"] == 1
        assert calls[-1][1] == {"kept": 7, "guess": "always high"}
        assert not set(np.concatenate([fit, selection])) & set(split.test_rows)

    def test_the_choice_depends_on_no_label_of_a_test_clip(self, tmp_path):
        facts = []
        for wrong in (False, True):
            split = fold_of("1", folds=5)
            if wrong:
                split.index.loc[split.test_rows, "label"] = 1
            split.index.loc[split.index["fold"] == 2, "label"] = 0
            facts.append(chosen(split, {"guess": ["always high", "always low"]}, tmp_path)[0].facts)
        assert facts[0] == facts[1] and facts[0]["selected"] == {"guess": "always low"}

    def test_one_combination_is_no_choice(self, tmp_path):
        trained, calls = chosen(fold_of("1", folds=5), {"guess": ["always low"]}, tmp_path)
        assert len(calls) == 1 and "selection_scores" not in trained.facts
        assert trained.facts["selected"] == {"guess": "always low"}

    def test_fits_that_are_compared_start_alike_and_the_last_from_a_stream_of_its_own(
        self, tmp_path
    ):
        guesses = {"guess": ["always low", "always high"]}
        _, calls = chosen(fold_of("1", folds=5), guesses, tmp_path)
        first, second, last = (draw for _, _, draw, _ in calls)
        assert first == second != last

    def test_every_fit_has_a_classifier_and_checkpoints_of_its_own(self, tmp_path):
        start = Classifier(2, width=0.125, head_units=4)
        guesses = {"guess": ["always low", "always high"]}
        _, calls = chosen(fold_of("1", folds=5), guesses, tmp_path, start=start)
        assert len({id(task.start) for *_, task in calls} | {id(start)}) == 4
        assert len({task.checkpoint() for *_, task in calls}) == 3

    def test_what_diverges_is_out_of_the_choice(self, tmp_path):
        split = fold_of("1", folds=5)

        def train(task, settings):
            if settings["rate"] > 1:
                raise Diverged("the loss is nan after epoch 1")
            return Recorder()(task, {"guess": "always low"})

        task = dataclasses.replace(task_of(split), checkpoints=tmp_path)
        how = {"seed": 3, "selection": BY_ACCURACY}
        trained = select_and_train(train, task, {}, {"rate": [9.0, 0.1]}, **how)
        assert trained.facts["selected"] == {"rate": 0.1}
        assert [each["score"] for each in trained.facts["selection_scores"]] == [None, 0.5]
        task = dataclasses.replace(task, checkpoints=tmp_path / "other")
        with pytest.raises(InputError, match="every one diverged"):
            select_and_train(train, task, {}, {"rate": [9.0, 8.0]}, **how)

    def test_trials_leave_their_checkpoints_in_folders_that_nobody_made(
        self, tmp_path, monkeypatch
    ):
        monkeypatch.setattr(checkpoints, "INTERVAL_SECONDS", 0.0)

        def train(task, settings):
            network = nn.Linear(1, 2)
            network.predict = lambda clips: Prediction(torch.zeros(len(clips.rows), 2))
            history = train_network(
                network,
                lambda rows, epoch: {"total": network(torch.ones(len(rows), 1)).square().mean()},
                len(task.rows),
                Plan(1, 8, settings["rate"]),
                checkpoint=task.checkpoint(),
            )
            return Trained(network, history)

        folder = tmp_path / "not" / "there"
        task = dataclasses.replace(task_of(fold_of("1", folds=5)), checkpoints=folder)
        select_and_train(train, task, {}, {"rate": [0.1, 0.2]}, seed=3, selection=BY_ACCURACY)
        kept = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.pt"))
        assert kept == [
            f"{part}cpu-float32.pt" for part in ("combination-1/", "combination-2/", "", "scores/")
        ]

    @pytest.mark.parametrize("n_done", [1, 2, 3])
    def test_a_choice_that_was_ended_goes_on_with_the_combinations_that_are_left(
        self, tmp_path, n_done
    ):
        rates = [0.1, 9.0, 0.3]  # the second diverges

        def train(task, settings):
            if len(seen) == n_done:
                raise KeyboardInterrupt
            seen.append(settings["rate"])
            if settings["rate"] == 9.0:
                raise Diverged("the loss is nan after epoch 1")
            return Trained(Constant([0.0, settings["rate"]]), pd.DataFrame())

        task = dataclasses.replace(task_of(fold_of("1", folds=5)), checkpoints=tmp_path / "a")
        how = {"seed": 3, "selection": BY_ACCURACY}
        seen = []
        with pytest.raises(KeyboardInterrupt):
            select_and_train(train, task, {}, {"rate": rates}, **how)
        assert seen == rates[:n_done]
        n_done = 99
        resumed = select_and_train(train, task, {}, {"rate": rates}, **how)
        assert seen == [*rates, 0.1]
        task = dataclasses.replace(task, checkpoints=tmp_path / "b")
        whole = select_and_train(train, task, {}, {"rate": rates}, **how)
        assert resumed.facts == whole.facts

    def test_nothing_to_choose_by_is_said(self, tmp_path):
        split = fold_of(OFFICIAL, splits=["train", "validate", "test"])
        split.index.loc[split.validate_rows, [LABEL + "low", LABEL + "high"]] = np.nan
        with pytest.raises(InputError, match="no selection clip of toys .*one value for each"):
            chosen(
                split,
                {"guess": ["always low", "always high"]},
                tmp_path,
                BY_ACCURACY | {"metric": "auprc"},
            )


class TestClassifierThatHasNotLearnedFromSelectionClips:
    GUESSES = {"guess": ["always low", "always high"]}

    def calls(self, split, tmp_path, monkeypatch, multi_label=False):
        start = Classifier(2, width=0.125, head_units=4, multi_label=multi_label)
        known = frozen(Classifier(2, width=0.125, head_units=4, multi_label=multi_label), "cpu")
        if multi_label:
            known.thresholds.copy_(torch.tensor([0.3, 0.6]))
        learned_from = []

        def fit(network, log_mel, rows, targets, settings, **how):
            learned_from.append((rows.tolist(), targets, settings))

        monkeypatch.setattr(model_selection, "fit_classifier", fit)
        _, calls = chosen(
            split,
            self.GUESSES,
            tmp_path,
            {
                "seed": 0,
                "metric": "f1" if multi_label else "accuracy",
                "classifier": FITTED,
            },
            classifier=known,
            start=start,
        )
        return known, learned_from, [task.classifier for *_, task in calls]

    def test_it_is_the_reference_of_the_compared_fits_and_the_folds_own_of_the_last(
        self, tmp_path, monkeypatch
    ):
        split = fold_of("1", folds=5)
        known, learned_from, classifiers = self.calls(split, tmp_path, monkeypatch)
        ((rows, targets, settings),) = learned_from
        assert rows == split.selection(0)[0].tolist() and settings == FITTED
        assert torch.equal(targets, split.targets(rows))
        first, second, last = classifiers
        assert first is second is not known and last is known
        assert not first.training and not any(p.requires_grad for p in first.parameters())

    def test_of_several_labels_it_decides_from_where_the_folds_own_does(
        self, tmp_path, monkeypatch
    ):
        split = fold_of(OFFICIAL, splits=["train", "train", "test"])
        known, learned_from, classifiers = self.calls(split, tmp_path, monkeypatch, True)
        assert len(learned_from) == 1 and classifiers[0] is not known
        assert torch.equal(classifiers[0].thresholds, known.thresholds)

    def test_validation_clips_of_a_corpus_taught_the_folds_own_nothing(self, tmp_path, monkeypatch):
        split = fold_of(OFFICIAL, splits=["train", "validate", "test"])
        known, learned_from, classifiers = self.calls(split, tmp_path, monkeypatch, True)
        assert not learned_from and all(each is known for each in classifiers)

    def test_it_really_learns(self, tmp_path):
        split = fold_of("1", folds=5)
        start = Classifier(2, width=0.125, head_units=4)
        task = task_of(split, frozen(Classifier(2, width=0.125, head_units=4), "cpu"), start)
        task = dataclasses.replace(task, checkpoints=tmp_path)
        learned = classifier_of(task, split.selection(0)[0], FITTED)
        assert not torch.equal(learned.output.weight, start.output.weight)


class TestScore:
    def test_labels_of_one_class_count_as_hits(self):
        split = fold_of("1", folds=5)
        rows = np.arange(10)
        score = selection_score(Constant([1.0, 0.0]), task_of(split), rows, metric="accuracy")
        assert score == 0.5

    @pytest.mark.parametrize("metric, of_tables", [("auprc", auprc), ("f1", weighted_f1)])
    def test_several_labels_are_scored_as_tables_score_them(self, metric, of_tables):
        split = fold_of(OFFICIAL, splits=["train", "validate", "test"])
        rows = split.validate_rows
        score = selection_score(Constant([0.3, -0.2]), task_of(split), rows, metric=metric)
        answer = np.tile([1, 0] if metric == "f1" else [0.574, 0.450], (len(rows), 1))
        assert score == pytest.approx(macro(of_tables, split.targets(rows).numpy(), answer))
        assert not np.isclose(score, macro(average_precision, split.targets(rows).numpy(), answer))

    def test_interpreters_are_held_against_their_classifier(self):
        split = fold_of("1", folds=5)
        torch.manual_seed(0)
        classifier = Classifier(2, width=0.125, head_units=4).eval()
        with torch.no_grad():
            decided = classifier(torch.zeros(1, 140, 128)).argmax().item()
        agreeing = [1.0, 0.0] if decided == 0 else [0.0, 1.0]
        for logits, agreement in ((agreeing, 1.0), (agreeing[::-1], 0.0)):
            network, task = Constant(logits), task_of(split, classifier)
            score = selection_score(network, task, np.arange(10), metric="accuracy")
            assert score == agreement
