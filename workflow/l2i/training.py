"""One training loop for every network: epochs of shuffled batches under Adam (Sec. IV-B.5).

What a batch costs is the caller's business: a function from row numbers to named losses. The loop
shuffles, steps, keeps the history and stops with a clear message when a loss is no longer finite.
Epoch counts are fixed; nothing is selected on the way.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor, nn

from l2i.checks import InputError
from l2i.progress import progress

log = logging.getLogger(__name__)

Losses = dict[str, Tensor]  # named scalars; "total" is what is minimised


@dataclass(frozen=True)
class Plan:
    """How long and how fast to learn.

    `schedule` is 'constant', or 'one_cycle': the rate rises to `learning_rate` and falls to nearly
    nothing over the whole run (Smith and Topin 2019), which learning from scratch profits from.
    """

    n_epochs: int
    batch_size: int
    learning_rate: float
    schedule: str = "constant"


def train(
    parameters: Iterable[nn.Parameter],
    batch_losses: Callable[[Tensor, int], Losses],
    n_items: int,
    plan: Plan,
) -> pd.DataFrame:
    """Minimise a loss over `n_items` rows.

    Parameters
    ----------
    parameters : iterable of nn.Parameter
        What is learnt.
    batch_losses : callable
        Takes row numbers (int64 Tensor, shape (B,)) and the epoch, counted from 1; returns scalar
        losses by name, means over the batch. The one named 'total' is minimised.
    n_items : int
        Number of training rows.
    plan : Plan
        Epochs, batch size, learning rate.

    Returns
    -------
    DataFrame
        One row per epoch: epoch, each loss (mean over the rows), seconds.

    Raises
    ------
    InputError
        If a loss is not finite.
    """
    optimizer = torch.optim.Adam(list(parameters), lr=plan.learning_rate)
    scheduler = _scheduler(optimizer, plan, n_items)
    history = []
    for epoch in progress(range(1, plan.n_epochs + 1), description="Train", unit="epoch"):
        start = time.perf_counter()
        means = _epoch(optimizer, scheduler, batch_losses, n_items, plan.batch_size, epoch)
        seconds = time.perf_counter() - start
        history.append({"epoch": epoch, **means, "seconds": seconds})
        losses = ", ".join(f"{name} {value:.4f}" for name, value in means.items())
        log.info("epoch %d of %d: %s, %.1f s", epoch, plan.n_epochs, losses, seconds)
        if not math.isfinite(means["total"]):
            raise InputError(
                f"the loss is {means['total']} after epoch {epoch}: {losses}. Lower learning_rate "
                "or the loss weights, or set precision to float32"
            )
    return pd.DataFrame(history)


def _epoch(
    optimizer: torch.optim.Optimizer,
    scheduler: torch.optim.lr_scheduler.LRScheduler,
    batch_losses: Callable[[Tensor, int], Losses],
    n_items: int,
    batch_size: int,
    epoch: int,
) -> dict[str, float]:
    """One pass over all rows in random order; the mean of each loss over the rows."""
    sums: dict[str, Tensor] = {}
    for rows in _batches(torch.randperm(n_items), batch_size):
        losses = batch_losses(rows, epoch)
        optimizer.zero_grad(set_to_none=True)
        losses["total"].backward()
        optimizer.step()
        scheduler.step()
        for name, value in losses.items():  # summed on the device: no wait for each batch
            sums[name] = sums.get(name, 0.0) + value.detach() * len(rows)
    return {name: float(value) / n_items for name, value in sums.items()}


def _batches(order: Tensor, batch_size: int) -> list[Tensor]:
    """Batches of rows; a last row left alone joins the batch before: one clip has no variance."""
    batches = list(order.split(batch_size))
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches


def _scheduler(
    optimizer: torch.optim.Optimizer, plan: Plan, n_items: int
) -> torch.optim.lr_scheduler.LRScheduler:
    if plan.schedule == "one_cycle":
        n_steps = plan.n_epochs * len(_batches(torch.arange(n_items), plan.batch_size))
        return torch.optim.lr_scheduler.OneCycleLR(
            optimizer, plan.learning_rate, total_steps=n_steps
        )
    return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
