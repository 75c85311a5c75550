"""One training loop for every network: epochs of shuffled batches (Sec. IV-B.5).

What a batch costs is the caller's business: a function from a batch to named losses. The loop
shuffles, fetches the next batch while one is learned from, steps, keeps the history and stops with
a clear message when a loss is no longer finite. Epoch counts are fixed; nothing is selected on the
way. A run that was ended goes on from its last checkpoint (l2i.training.checkpoints) and gives the
weights of one that was not.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from l2i.checks import InputError
from l2i.progress import progress
from l2i.training.checkpoints import Checkpoint

log = logging.getLogger(__name__)

Losses = dict[str, Tensor]  # named scalars; "total" is what is minimised


class Diverged(InputError):
    """A loss is no longer finite."""


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


def plan_of(settings: dict[str, Any]) -> Plan:
    """The plan that settings describe; `schedule` may be left out."""
    return Plan(
        n_epochs=settings["n_epochs"],
        batch_size=settings["batch_size"],
        learning_rate=settings["learning_rate"],
        schedule=settings.get("schedule", "constant"),
    )


def train(
    network: nn.Module,
    batch_losses: Callable[[Any, int], Losses],
    n_items: int,
    plan: Plan,
    *,
    checkpoint: Path | None,
    fetch: Callable[[Tensor], Any] = lambda rows: rows,
    optimizer: torch.optim.Optimizer | None = None,
    before_epoch: Callable[[int], None] = lambda epoch: None,
    after_step: Callable[[], None] = lambda: None,
) -> pd.DataFrame:
    """Minimise a loss over `n_items` rows.

    Parameters
    ----------
    network : nn.Module
        Everything that changes on the way: parameters, buffers, running means of weights.
    batch_losses : callable
        Takes what `fetch` returns and the epoch, counted from 1; returns scalar losses by name,
        means over the batch. The one named 'total' is minimised.
    n_items : int
        Number of training rows.
    plan : Plan
        Epochs, batch size, learning rate.
    checkpoint : Path or None
        File to go on from if it is there, and to write on the way; None for neither. The caller
        names it after all that the run depends on, and removes it.
    fetch : callable
        Takes row numbers (int64 Tensor, shape (B,)) and returns what the losses need of them. Runs
        in a thread of its own, one batch ahead, so it must draw no random numbers.
    optimizer : Optimizer, optional
        By default Adam over all parameters of the network that learn. One that is given keeps its
        momentum, whatever the schedule.
    before_epoch : callable
        Takes the epoch, for what changes between epochs; what it changes must be in the network.
    after_step : callable
        Called after each step: projections onto constraints, running means.

    Returns
    -------
    DataFrame
        One row per epoch: epoch, each loss (mean over the rows), seconds, seconds_waiting (those of
        them in which the next batch was not there yet).

    Raises
    ------
    Diverged
        If a loss is not finite.
    InputError
        If the schedule is unknown, or the checkpoint cannot be read.
    """
    own_momentum = optimizer is not None
    if optimizer is None:
        learned = [p for p in network.parameters() if p.requires_grad]
        optimizer = torch.optim.Adam(learned, lr=plan.learning_rate)
    scheduler = _scheduler(optimizer, plan, n_items, cycle_momentum=not own_momentum)
    kept = Checkpoint(checkpoint, network, optimizer, scheduler)
    history = kept.restore()
    following = range(len(history) + 1, plan.n_epochs + 1)
    for epoch in progress(following, description="Train", unit="epoch"):
        start = time.perf_counter()
        before_epoch(epoch)
        means, waiting = _epoch(
            optimizer, scheduler, batch_losses, n_items, plan, epoch, fetch, after_step
        )
        seconds = time.perf_counter() - start
        history.append({"epoch": epoch, **means, "seconds": seconds, "seconds_waiting": waiting})
        losses = ", ".join(f"{name} {value:.4f}" for name, value in means.items())
        log.info("epoch %d of %d: %s, %.1f s", epoch, plan.n_epochs, losses, seconds)
        if not math.isfinite(means["total"]):
            raise Diverged(
                f"the loss is {means['total']} after epoch {epoch}: {losses}. Lower learning_rate "
                "or the loss weights, or set precision to float32"
            )
        kept.save(history)
    return pd.DataFrame(history)


def _epoch(
    optimizer: torch.optim.Optimizer,
    scheduler: torch.optim.lr_scheduler.LRScheduler,
    batch_losses: Callable[[Any, int], Losses],
    n_items: int,
    plan: Plan,
    epoch: int,
    fetch: Callable[[Tensor], Any],
    after_step: Callable[[], None],
) -> tuple[dict[str, float], float]:
    """One pass over all rows in random order: the mean of each loss over them, seconds waited."""
    sums: dict[str, Tensor] = {}
    waited = 0.0
    batches = _batches(torch.randperm(n_items), plan.batch_size)
    for n_rows, batch, seconds in _ahead(fetch, batches):
        waited += seconds
        losses = batch_losses(batch, epoch)
        optimizer.zero_grad(set_to_none=True)
        losses["total"].backward()
        optimizer.step()
        after_step()
        scheduler.step()
        for name, value in losses.items():  # summed on the device: no wait for each batch
            sums[name] = sums.get(name, 0.0) + value.detach() * n_rows
    return {name: float(value) / n_items for name, value in sums.items()}, waited


def _ahead(
    fetch: Callable[[Tensor], Any], batches: list[Tensor]
) -> Iterator[tuple[int, Any, float]]:
    """Number of rows, what was fetched and seconds waited for it, the next one being under way."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        upcoming = pool.submit(fetch, batches[0])
        for rows, following in zip(batches, [*batches[1:], None], strict=True):
            start = time.perf_counter()
            batch = upcoming.result()
            waited = time.perf_counter() - start
            if following is not None:
                upcoming = pool.submit(fetch, following)
            yield len(rows), batch, waited


def _batches(order: Tensor, batch_size: int) -> list[Tensor]:
    """Batches of rows; a last row left alone joins the batch before: one clip has no variance."""
    batches = list(order.split(batch_size))
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches


def _scheduler(
    optimizer: torch.optim.Optimizer, plan: Plan, n_items: int, *, cycle_momentum: bool
) -> torch.optim.lr_scheduler.LRScheduler:
    if plan.schedule == "one_cycle":
        n_steps = plan.n_epochs * len(_batches(torch.arange(n_items), plan.batch_size))
        return torch.optim.lr_scheduler.OneCycleLR(
            optimizer, plan.learning_rate, total_steps=n_steps, cycle_momentum=cycle_momentum
        )
    if plan.schedule != "constant":
        raise InputError(f"schedule is {plan.schedule}, but must be constant or one_cycle")
    return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
