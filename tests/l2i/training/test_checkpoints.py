"""Checkpoints: a run that was ended and goes on gives the weights of one that was not."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from l2i.checks import InputError
from l2i.training import checkpoints
from l2i.training.loop import Plan, train

X = torch.linspace(-1, 1, 22).reshape(11, 2)
Y = X.sum(1, keepdim=True).sin()


class Ended(Exception):
    """What a time-out or a reboot does to a run."""


@pytest.fixture(autouse=True)
def every_epoch(monkeypatch):
    monkeypatch.setattr(checkpoints, "INTERVAL_SECONDS", 0.0)


def run(path, *, n_epochs=6, end_in=None, schedule="one_cycle", seed=3):
    """Train a network with dropout, batch norm and a running mean; end it inside of an epoch."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 1))
    network.register_buffer("mean", torch.zeros(1))

    def batch_losses(rows, epoch):
        if epoch == end_in and 7 in rows:
            raise Ended
        noise = 0.1 * torch.randn(len(rows), 1)
        return {"total": (network(X[rows]) - Y[rows] + noise).square().mean()}

    def after_step():
        network.mean.lerp_(network[0].weight.detach().mean(), 0.1)

    plan = Plan(n_epochs, 4, 1e-2, schedule)
    history = train(network, batch_losses, 11, plan, checkpoint=path, after_step=after_step)
    return network.state_dict(), history


class TestResume:
    @pytest.mark.parametrize("schedule", ["constant", "one_cycle"])
    @pytest.mark.parametrize("end_in", [2, 3, 6])
    def test_the_weights_are_those_of_a_run_that_was_never_ended(self, tmp_path, end_in, schedule):
        whole, history = run(None, schedule=schedule)
        path = tmp_path / "folder" / "network.pt"
        with pytest.raises(Ended):
            run(path, end_in=end_in, schedule=schedule)
        # A new process would start from other random numbers: none of them may matter.
        resumed, resumed_history = run(path, schedule=schedule, seed=99)
        for name, value in whole.items():
            assert torch.equal(resumed[name], value), name
        assert resumed_history["total"].tolist() == history["total"].tolist()
        assert resumed_history["epoch"].tolist() == [1, 2, 3, 4, 5, 6]

    def test_only_the_epochs_that_are_left_are_trained(self, tmp_path):
        path = tmp_path / "network.pt"
        with pytest.raises(Ended):
            run(path, end_in=5)
        state = torch.load(path, weights_only=True)
        assert [row["epoch"] for row in state["history"]] == [1, 2, 3, 4]
        with pytest.raises(Ended):  # epoch 4 is not trained again, epoch 5 is
            run(path, end_in=5)
        assert len(run(path, end_in=4)[1]) == 6

    def test_a_run_that_is_finished_is_not_trained_again(self, tmp_path):
        path = tmp_path / "network.pt"
        first, _ = run(path)
        again, history = run(path, end_in=1, seed=99)  # would end if it trained
        assert all(torch.equal(first[name], again[name]) for name in first)
        assert len(history) == 6

    def test_the_interval_holds(self, tmp_path, monkeypatch):
        monkeypatch.setattr(checkpoints, "INTERVAL_SECONDS", 3600.0)
        run(tmp_path / "network.pt")
        assert not list(tmp_path.iterdir())

    def test_the_interval_counts_from_the_last_checkpoint(self, tmp_path, monkeypatch):
        monkeypatch.setattr(checkpoints, "INTERVAL_SECONDS", 25.0)
        clock = iter(range(0, 1000, 10))  # each look at it takes ten seconds
        now = [next(clock)]
        monkeypatch.setattr(checkpoints.time, "monotonic", lambda: now[0])
        save, saved = torch.save, []
        monkeypatch.setattr(torch, "save", lambda s, f: (saved.append(now[0]), save(s, f)))

        def tick():
            now[0] = next(clock)

        network = nn.Linear(2, 1)
        train(
            network,
            lambda rows, epoch: {"total": network(X[rows]).square().mean()},
            11,
            Plan(7, 11, 1e-2),
            checkpoint=tmp_path / "network.pt",
            before_epoch=lambda epoch: tick(),
        )
        assert saved == [30, 60]

    def test_without_a_path_nothing_is_written(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        run(None)
        assert not list(tmp_path.iterdir())


class TestMisuse:
    @pytest.mark.parametrize("content", [b"", b"<html>not found</html>"])
    def test_a_broken_file_is_named_with_the_remedy(self, tmp_path, content):
        path = tmp_path / "network.pt"
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"network\.pt cannot be read .*delete it"):
            run(path)

    def test_that_of_another_network_is_refused(self, tmp_path):
        path = tmp_path / "network.pt"
        run(path)
        network = nn.Linear(2, 1)
        with pytest.raises(InputError, match="cannot be read"):
            train(
                network,
                lambda rows, epoch: {"total": network(X[rows]).mean()},
                11,
                Plan(1, 4, 1e-2),
                checkpoint=path,
            )

    def test_no_code_in_a_file_is_executed(self, tmp_path):
        class Trap:
            def __reduce__(self):
                return (exec, ("raise SystemExit('executed')",))

        path = tmp_path / "network.pt"
        torch.save({"network": Trap()}, path)
        with pytest.raises(InputError, match="cannot be read"):
            run(path)

    def test_a_file_is_whole_or_not_there(self, tmp_path, monkeypatch):
        path = tmp_path / "network.pt"
        run(path, n_epochs=2, schedule="constant")
        before = path.read_bytes()

        def fail(state, file):
            file.write_bytes(b"half")
            raise OSError("no space left on device")

        monkeypatch.setattr(torch, "save", fail)
        with pytest.raises(OSError, match="no space"):
            run(path, n_epochs=4, schedule="constant")
        assert path.read_bytes() == before


def test_random_numbers_go_on_where_they_were():
    torch.manual_seed(5)
    state = checkpoints.random_state()
    expected = torch.rand(4)
    torch.manual_seed(6)
    checkpoints.set_random_state(state)
    assert_close(torch.rand(4), expected)
