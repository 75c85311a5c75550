"""l2i.training: the loop that every network shares."""

import pytest
import torch

from l2i.checks import InputError
from l2i.training import Plan, train


def problem(target=3.0):
    """A parameter to be moved to `target`, and what a batch costs."""
    parameter = torch.nn.Parameter(torch.zeros(()))
    seen = []

    def batch_losses(rows, epoch):
        seen.append((epoch, rows.tolist()))
        return {"total": (parameter - target).square(), "rows": rows.float().mean()}

    return parameter, batch_losses, seen


class TestInvariants:
    def test_every_row_is_seen_once_an_epoch_in_another_order(self):
        parameter, batch_losses, seen = problem()
        torch.manual_seed(0)
        train([parameter], batch_losses, 10, Plan(2, 4, 0.1))
        epochs = [sum((rows for e, rows in seen if e == epoch), []) for epoch in (1, 2)]
        assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(10))
        assert epochs[0] != epochs[1]
        assert [len(rows) for _, rows in seen] == [4, 4, 2] * 2

    def test_a_last_row_left_alone_joins_the_batch_before(self):
        parameter, batch_losses, seen = problem()
        train([parameter], batch_losses, 9, Plan(1, 4, 0.1, "one_cycle"))
        assert [len(rows) for _, rows in seen] == [4, 5]

    def test_history_holds_means_over_rows_not_over_batches(self):
        parameter, batch_losses, _ = problem()
        history = train([parameter], batch_losses, 10, Plan(1, 4, 0.1))
        assert history["rows"].iloc[0] == pytest.approx(4.5)

    def test_the_same_seed_gives_the_same_order(self):
        orders = []
        for _ in range(2):
            parameter, batch_losses, seen = problem()
            torch.manual_seed(7)
            train([parameter], batch_losses, 10, Plan(2, 4, 0.1))
            orders.append(seen)
        assert orders[0] == orders[1]

    def test_the_minimum_is_found(self):
        parameter, batch_losses, _ = problem()
        train([parameter], batch_losses, 10, Plan(200, 4, 0.1))
        assert parameter.item() == pytest.approx(3.0, abs=0.05)

    def test_one_cycle_ends_with_tiny_steps(self):
        parameter, batch_losses, _ = problem()
        steps = []

        def watched(rows, epoch):
            steps.append(parameter.item())
            return batch_losses(rows, epoch)

        train([parameter], watched, 4, Plan(50, 4, 0.1, "one_cycle"))
        assert abs(steps[-1] - steps[-2]) < 1e-3 < abs(steps[20] - steps[19])


class TestMisuse:
    def test_a_loss_that_is_not_finite_stops_with_the_remedy(self):
        parameter, batch_losses, _ = problem(float("nan"))
        with pytest.raises(InputError, match="loss is nan after epoch 1.*learning_rate"):
            train([parameter], batch_losses, 4, Plan(3, 4, 0.1))
