"""Histories that grow, lines now and then, bars."""

import csv
import io
import subprocess
import sys

import pytest
import torch
from torch import nn

from helpers.project import PROJECT
from l2i import progress as module
from l2i.dictionary.learning import learn_per_class, learn_together
from l2i.progress import GrowingHistory, NowAndThen, bars_begin_with, history_grows_in, progress
from l2i.streams import torch_stream
from l2i.tables import write_rows
from l2i.training import checkpoints
from l2i.training.loop import Plan, train

X = torch.linspace(-1, 1, 22).reshape(11, 2)


class Ended(Exception):
    """What a time-out does to a run."""


def learn(checkpoint=None, *, end_in=None, n_epochs=5):
    torch.manual_seed(0)
    network = nn.Linear(2, 1)

    def batch_losses(rows, epoch):
        if epoch == end_in:
            raise Ended
        loss = network(X[rows]).square().mean()
        return {"total": loss, "odd, name": loss.detach() / 3}

    return train(network, batch_losses, 11, Plan(n_epochs, 4, 1e-2), checkpoint=checkpoint)


def written(history, path):
    """Text of the file that a result is written to."""
    write_rows(history, path)
    return path.read_text()


@pytest.fixture
def grown(tmp_path):
    path = tmp_path / "train.history.csv"
    with history_grows_in(path):
        yield path


def test_what_has_grown_is_the_history_to_the_byte(grown, tmp_path):
    assert grown.exists() is False
    history = learn()
    assert len(history) == 5
    assert grown.read_text() == written(history, tmp_path / "history.csv")


def test_a_run_that_goes_on_leaves_no_row_twice(grown, tmp_path, monkeypatch):
    # A checkpoint after each second epoch: what came after it was lost, and is learned again.
    saves = iter([True, False] * 99)
    monkeypatch.setattr(checkpoints, "INTERVAL_SECONDS", 1e9)
    save = checkpoints.Checkpoint.save

    def seldom(self, history, under_way=None, *, at_once=False):
        save(self, history, under_way, at_once=under_way is None and next(saves))

    monkeypatch.setattr(checkpoints.Checkpoint, "save", seldom)
    with pytest.raises(Ended):
        learn(tmp_path / "network.pt", end_in=5)
    assert [row["epoch"] for row in rows_of(grown)] == ["1", "2", "3", "4"]
    history = learn(tmp_path / "network.pt")
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5]
    assert grown.read_text() == written(history, tmp_path / "history.csv")


def test_each_row_is_there_as_soon_as_it_is_known(grown):
    seen = []
    network = nn.Linear(2, 1)

    def batch_losses(rows, epoch):
        seen.append(len(rows_of(grown)))
        return {"total": network(X[rows]).square().mean()}

    train(network, batch_losses, 4, Plan(3, 4, 1e-2), checkpoint=None)
    assert seen == [0, 1, 2]


def test_what_learns_next_begins_the_file_anew(grown, tmp_path):
    learn(n_epochs=4)
    history = learn(n_epochs=2)
    assert grown.read_text() == written(history, tmp_path / "history.csv")


def test_dictionaries_grow_iteration_by_iteration_all_parts_in_one_file(grown, tmp_path):
    features = torch.rand(6, 5, 7, generator=torch_stream(0, "test")).numpy()
    how = {"n_components": 4, "sparsity": 0.0, "n_iter": 3, "solver": "hals", "device": "cpu"}
    result = learn_together(features, range(6), generator=torch_stream(0, "a"), **how)
    (part,) = result.parts.values()
    assert grown.read_text() == written(part.history, tmp_path / "objective.csv")
    targets = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 1], [0, 0], [0, 0]])

    def per_class():
        return learn_per_class(
            *(features, range(6), targets),
            **how,
            dataset="x",
            classes=["a", "b"],
            n_noise_components=1,
            clips_per_class=2,
            generator=torch_stream(0, "b"),
            checkpoint=tmp_path / "parts.pt",
        )

    for _ in range(2):  # the second time all parts come from the checkpoint
        parts = per_class().parts
        rows = rows_of(grown)
        assert [row["part"] for row in rows] == [name for name in parts for _ in range(4)]
        objectives = [x for part in parts.values() for x in part.history["objective"]]
        assert [float(row["objective"]) for row in rows] == objectives


def rows_of(path):
    return [*csv.DictReader(io.StringIO(path.read_text()))]


def test_what_cannot_be_written_is_said_once_and_ends_nothing(tmp_path, caplog):
    with history_grows_in(tmp_path / "no folder" / "history.csv"):
        assert len(learn()) == 5
    assert sum("no history to follow" in each for each in caplog.messages) == 1


def test_outside_of_a_job_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    GrowingHistory().add({"epoch": 1})
    assert [*tmp_path.iterdir()] == []


def test_lines_come_now_and_then_and_the_last_one_surely(monkeypatch):
    clock = iter([0.0, 1.0, 5.0, 5.1, 5.2])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    due = NowAndThen(5.0)
    assert [due(), due(), due(), due(), due(surely=True)] == [True, False, True, False, True]


def test_epochs_that_take_no_time_are_few_lines(caplog):
    caplog.set_level("INFO")
    learn(n_epochs=50)
    told = [each.split(":")[0] for each in caplog.messages if each.startswith("epoch")]
    assert told == ["epoch 1 of 50", "epoch 50 of 50"]


def test_a_long_epoch_tells_its_losses_so_far(caplog, monkeypatch):
    caplog.set_level("INFO")
    monkeypatch.setattr(NowAndThen, "__call__", lambda self, surely=False: True)
    learn(n_epochs=1)
    shares = [each.split(":")[0] for each in caplog.messages if " %" in each]
    assert shares == ["epoch 1 of 1, 36 %", "epoch 1 of 1, 73 %", "epoch 1 of 1, 100 %"]


class Terminal(io.StringIO):
    """Whatever is drawn; a terminal."""

    def isatty(self):
        return True


def test_a_bar_says_whose_it_is_and_ends_at_the_beginning_of_its_line(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.__stderr__", terminal)
    with bars_begin_with("train a: "):
        assert [*progress(range(3), description="Train", unit="epoch")] == [0, 1, 2]
    drawn = terminal.getvalue()
    assert "\rtrain a: Train:   0%" in drawn and drawn.endswith("\r") and "\n" not in drawn


def test_a_terminal_that_is_gone_ends_no_bar(monkeypatch):
    class Gone(Terminal):
        def write(self, text):
            raise OSError(5, "Input/output error")

        flush = write_ = lambda self: self.write("")

    monkeypatch.setattr("sys.__stderr__", Gone())
    assert [*progress(range(3), description="Train", unit="epoch")] == [0, 1, 2]


def test_it_asks_for_nothing_that_takes_long_to_load():
    code = "import sys, l2i.progress; sys.exit('torch' in sys.modules or 'pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT / "workflow", check=False)
    assert done.returncode == 0
