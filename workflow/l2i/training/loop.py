"""One training loop for every network: epochs of shuffled batches (Sec. IV-B.5).

What a batch costs is the caller's business: a function from a batch to named losses. The loop
shuffles, fetches the next batch while one is learned from, steps, keeps the history, which can be
followed as it grows (l2i.progress), and stops with a clear message when a loss is no longer finite.
Epoch counts are fixed; nothing is selected on the way. A run that was ended goes on from its last
checkpoint (l2i.training.checkpoints) and gives the weights of one that was not. Checkpoints are
taken between steps, in the middle of an epoch too.
"""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from l2i.checks import InputError
from l2i.progress import GrowingHistory, NowAndThen, progress
from l2i.training.checkpoints import (
    Checkpoint,
    EpochUnderWay,
    random_state,
    set_random_state,
    sigterm_held_back,
)
from l2i.training.optimizers import Adam

log = logging.getLogger(__name__)

BETWEEN_BATCH_LINES = 30.0  # seconds, inside of an epoch: the device must have caught up for one

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
    before_epoch: Callable[[int], None] | None = None,
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
    before_epoch : callable, optional
        Takes the epoch, for what changes between epochs. What it changes must be in the network, or
        follow from the network as the epoch begins: an epoch that goes on is prepared again.
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

    Notes
    -----
    SIGTERM is answered between two steps, after a checkpoint was written.
    """
    own_momentum = optimizer is not None
    if optimizer is None:
        learned = [p for p in network.parameters() if p.requires_grad]
        optimizer = Adam(learned, lr=plan.learning_rate)
    scheduler = _scheduler(optimizer, plan, n_items, cycle_momentum=not own_momentum)
    kept = Checkpoint(checkpoint, network, optimizer, scheduler)
    history, under_way = kept.restore()
    growing, telling = GrowingHistory(history), _Telling(plan, n_items)
    if under_way is not None and before_epoch is not None:
        _prepare_again(network, under_way, partial(before_epoch, len(history) + 1))
    following = range(len(history) + 1, plan.n_epochs + 1)
    for epoch in progress(following, description="Train", unit="epoch"):
        if under_way is None:
            prepare = None if before_epoch is None else partial(before_epoch, epoch)
            under_way = _begun(network, n_items, prepare)
        with sigterm_held_back() as sigterm:
            start = time.perf_counter()
            batches = _batches(under_way.order, plan.batch_size)[under_way.n_batches :]
            for n_rows, batch, waited in _ahead(fetch, batches):
                losses = batch_losses(batch, epoch)
                optimizer.zero_grad(set_to_none=True)
                losses["total"].backward()
                optimizer.step()
                after_step()
                scheduler.step()
                now = time.perf_counter()
                under_way.count(losses, n_rows, seconds=now - start, seconds_waiting=waited)
                start = now
                telling.of_batch(epoch, under_way)
                kept.save(history, under_way, at_once=sigterm.came)
                sigterm.let_through()
            telling.of_epoch(epoch, under_way)
            history.append(_finished(under_way, epoch, n_items))
            growing.add(history[-1])
            under_way = None
            kept.save(history, at_once=sigterm.came)
    return pd.DataFrame(history)


def _begun(network: nn.Module, n_items: int, prepare: Callable[[], None] | None) -> EpochUnderWay:
    """An epoch that is about to begin, with its rows in random order."""
    start, began = None, time.perf_counter()
    if prepare is not None:
        start = {"network": copy.deepcopy(network.state_dict()), "random": random_state()}
        prepare()
    return EpochUnderWay(torch.randperm(n_items), start, seconds=time.perf_counter() - began)


def _prepare_again(
    network: nn.Module, under_way: EpochUnderWay, prepare: Callable[[], None]
) -> None:
    """Prepare an epoch as it was then prepared; the network stays as it is now."""
    now, random = copy.deepcopy(network.state_dict()), random_state()
    if under_way.start is not None:
        network.load_state_dict(under_way.start["network"])
        set_random_state(under_way.start["random"])
    prepare()
    network.load_state_dict(now)
    set_random_state(random)


class _Telling:
    """Lines of the log: of the first epoch, of the last, and now and then in between."""

    def __init__(self, plan: Plan, n_items: int) -> None:
        self._n_epochs, self._n_items = plan.n_epochs, n_items
        self._epoch_line, self._batch_line = NowAndThen(), NowAndThen(BETWEEN_BATCH_LINES)
        self._batch_line()  # not at once

    def of_epoch(self, epoch: int, done: EpochUnderWay) -> None:
        """Tell of an epoch that is finished."""
        if self._epoch_line(surely=epoch == self._n_epochs):
            told = _losses(_means(done, self._n_items))
            log.info("epoch %d of %d: %s, %.1f s", epoch, self._n_epochs, told, done.seconds)
            self._batch_line(surely=True)

    def of_batch(self, epoch: int, under_way: EpochUnderWay) -> None:
        """Tell of a long epoch what is known of it so far."""
        if self._batch_line():
            told = _losses(_means(under_way, under_way.n_rows))
            share = 100 * under_way.n_rows / self._n_items
            log.info("epoch %d of %d, %.0f %%: %s", epoch, self._n_epochs, share, told)


def _means(done: EpochUnderWay, n_rows: int) -> dict[str, float]:
    return {name: float(value) / n_rows for name, value in done.sums.items()}


def _losses(means: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in means.items())


def _finished(done: EpochUnderWay, epoch: int, n_items: int) -> dict[str, Any]:
    """The row of the history of an epoch, if the loss is finite."""
    means = _means(done, n_items)
    if not math.isfinite(means["total"]):
        raise Diverged(
            f"the loss is {means['total']} after epoch {epoch}: {_losses(means)}. Lower "
            "learning_rate or the loss weights, or set precision to float32"
        )
    timed = {"seconds": done.seconds, "seconds_waiting": done.seconds_waiting}
    return {"epoch": epoch, **means, **timed}


def _ahead(
    fetch: Callable[[Tensor], Any], batches: list[Tensor]
) -> Iterator[tuple[int, Any, float]]:
    """Number of rows, what was fetched and seconds waited for it, the next one being under way."""
    if not batches:  # of an epoch that was ended with its last step
        return
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
