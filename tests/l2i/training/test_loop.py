"""l2i.training.loop: the loop that every network shares."""

import pytest
import torch

from l2i.checks import InputError
from l2i.training.loop import Plan, train


def problem(target=3.0):
    """A parameter to be moved to `target`, and what a batch costs."""
    network = torch.nn.Module()
    parameter = network.value = torch.nn.Parameter(torch.zeros(()))
    seen = []

    def batch_losses(rows, epoch):
        seen.append((epoch, rows.tolist()))
        return {"total": (parameter - target).square(), "rows": rows.float().mean()}

    return network, batch_losses, seen


class TestInvariants:
    def test_every_row_is_seen_once_an_epoch_in_another_order(self):
        network, batch_losses, seen = problem()
        torch.manual_seed(0)
        train(network, batch_losses, 10, Plan(2, 4, 0.1), checkpoint=None)
        epochs = [sum((rows for e, rows in seen if e == epoch), []) for epoch in (1, 2)]
        assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(10))
        assert epochs[0] != epochs[1]
        assert [len(rows) for _, rows in seen] == [4, 4, 2] * 2

    def test_a_last_row_left_alone_joins_the_batch_before(self):
        network, batch_losses, seen = problem()
        train(network, batch_losses, 9, Plan(1, 4, 0.1, "one_cycle"), checkpoint=None)
        assert [len(rows) for _, rows in seen] == [4, 5]

    def test_history_holds_means_over_rows_not_over_batches(self):
        network, batch_losses, _ = problem()
        history = train(network, batch_losses, 10, Plan(1, 4, 0.1), checkpoint=None)
        assert history["rows"].iloc[0] == pytest.approx(4.5)

    def test_the_same_seed_gives_the_same_order(self):
        orders = []
        for _ in range(2):
            network, batch_losses, seen = problem()
            torch.manual_seed(7)
            train(network, batch_losses, 10, Plan(2, 4, 0.1), checkpoint=None)
            orders.append(seen)
        assert orders[0] == orders[1]

    def test_the_minimum_is_found(self):
        network, batch_losses, _ = problem()
        train(network, batch_losses, 10, Plan(200, 4, 0.1), checkpoint=None)
        assert network.value.item() == pytest.approx(3.0, abs=0.05)

    def test_one_cycle_ends_with_tiny_steps(self):
        network, batch_losses, _ = problem()
        steps = []

        def watched(rows, epoch):
            steps.append(network.value.item())
            return batch_losses(rows, epoch)

        train(network, watched, 4, Plan(50, 4, 0.1, "one_cycle"), checkpoint=None)
        assert abs(steps[-1] - steps[-2]) < 1e-3 < abs(steps[20] - steps[19])


class TestMisuse:
    def test_a_loss_that_is_not_finite_stops_with_the_remedy(self):
        network, batch_losses, _ = problem(float("nan"))
        with pytest.raises(InputError, match="loss is nan after epoch 1.*learning_rate"):
            train(network, batch_losses, 4, Plan(3, 4, 0.1), checkpoint=None)
