"""Checkpoints: a run that was ended and goes on gives the weights of one that was not."""

import errno
import itertools
import os
import signal
import time

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


def run_prepared(path, *, end_at=None, schedule="one_cycle", seed=3, how=signal.raise_signal):
    """Six epochs of four steps, each prepared outside of the network; ends in a step, by `how`.

    As in task-driven NMF: what is prepared follows from the network as the epoch begins, and is not
    in it.
    """
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 1))
    network.register_buffer("mean", torch.zeros(1))
    prepared, steps, seen = {}, itertools.count(1), []

    def before_epoch(epoch):
        with torch.no_grad():
            prepared["codes"] = X @ network[0].weight.T + network.mean + torch.rand(1)
        network.mean += epoch

    def fetch(rows):
        return rows, prepared["codes"][rows]

    def batch_losses(batch, epoch):
        rows, codes = batch
        seen.append((epoch, rows.tolist()))
        if next(steps) == end_at:
            how(signal.SIGTERM)
        share = torch.distributions.Beta(0.3, 0.3).sample()
        total = (network(X[rows]) - share * Y[rows] - codes.mean()).square().mean()
        return {"total": total, "rows": rows.float().mean()}

    def after_step():
        network.mean.lerp_(network[0].weight.detach().mean(), 0.1)

    history = train(
        network,
        batch_losses,
        11,
        Plan(6, 3, 1e-2, schedule),
        checkpoint=path,
        fetch=fetch,
        before_epoch=before_epoch,
        after_step=after_step,
    )
    return network.state_dict(), history, seen


@pytest.fixture
def sigterm_ends(monkeypatch):
    """SIGTERM ends the process, as it does under the harness."""

    def end(signum, frame):
        raise SystemExit(143)

    before = signal.signal(signal.SIGTERM, end)
    monkeypatch.setattr(checkpoints, "INTERVAL_SECONDS", 3600.0)
    yield end
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("sigterm_ends")
class TestSigterm:
    @pytest.mark.parametrize("schedule", ["constant", "one_cycle"])
    @pytest.mark.parametrize("end_at", [1, 2, 4, 5, 7, 11, 16, 23, 24])
    def test_it_costs_no_step_wherever_it_comes(self, tmp_path, end_at, schedule):
        whole, history, steps = run_prepared(None, schedule=schedule)
        path = tmp_path / "network.pt"
        with pytest.raises(SystemExit):
            run_prepared(path, end_at=end_at, schedule=schedule)
        resumed, resumed_history, later = run_prepared(path, schedule=schedule, seed=99)
        assert later == steps[end_at:], "goes on with the step after the one that it came in"
        for name, value in whole.items():
            assert torch.equal(resumed[name], value), name
        columns = ["epoch", "total", "rows"]
        assert resumed_history[columns].equals(history[columns])

    def test_it_may_come_again_and_again(self, tmp_path):
        whole, history, steps = run_prepared(None)
        path, ends = tmp_path / "network.pt", [1, 1, 3, 2, 6, 1, 5]
        for seed, end_at in enumerate(ends, 3):  # the seed of the first counts, and no other
            with pytest.raises(SystemExit):
                run_prepared(path, end_at=end_at, seed=seed)
        resumed, resumed_history, later = run_prepared(path, seed=99)
        assert later == steps[sum(ends) :]
        assert all(torch.equal(resumed[name], value) for name, value in whole.items())
        assert resumed_history["total"].tolist() == history["total"].tolist()

    def test_it_is_heard_while_data_are_waited_for(self, tmp_path):
        network, path, fetched = nn.Linear(2, 1), tmp_path / "network.pt", itertools.count(1)

        def fetch(rows):  # in a thread of its own
            if next(fetched) == 3:
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(0.2)
            return rows

        def batch_losses(rows, epoch):
            return {"total": network(X[rows]).square().mean()}

        with pytest.raises(SystemExit):
            train(network, batch_losses, 11, Plan(1, 2, 1e-3), checkpoint=path, fetch=fetch)
        assert torch.load(path, weights_only=True)["epoch"]["n_batches"] in (2, 3)

    def test_who_ignores_it_trains_on(self, tmp_path):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        whole, _, steps = run_prepared(None)
        again, _, seen = run_prepared(tmp_path / "network.pt", end_at=5)
        assert seen == steps
        assert all(torch.equal(again[name], value) for name, value in whole.items())

    def test_whoever_answered_it_before_does_so_afterwards(self, sigterm_ends):
        run_prepared(None)
        assert signal.getsignal(signal.SIGTERM) is sigterm_ends

    def test_an_answer_that_is_meant_to_last_lasts(self):
        def end(signum, frame):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not stop the cleaning
            raise SystemExit(143)

        signal.signal(signal.SIGTERM, end)
        with pytest.raises(SystemExit):
            run_prepared(None, end_at=5)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN

    def test_steps_lost_to_sigkill_are_those_since_the_last_checkpoint(self, tmp_path, monkeypatch):
        def power_cut(signum):
            raise Ended

        monkeypatch.setattr(checkpoints, "INTERVAL_SECONDS", 0.0)  # after every step
        whole, _, steps = run_prepared(None)
        path = tmp_path / "network.pt"
        with pytest.raises(Ended):
            run_prepared(path, end_at=7, how=power_cut)
        resumed, _, later = run_prepared(path, seed=99)
        assert later == steps[6:]
        assert all(torch.equal(resumed[name], value) for name, value in whole.items())


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
            file.write(b"half")
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(torch, "save", fail)
        run(path, n_epochs=4, schedule="constant")
        assert path.read_bytes() == before


def test_random_numbers_go_on_where_they_were():
    torch.manual_seed(5)
    state = checkpoints.random_state()
    expected = torch.rand(4)
    torch.manual_seed(6)
    checkpoints.set_random_state(state)
    assert_close(torch.rand(4), expected)
