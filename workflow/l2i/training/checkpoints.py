"""Where a training run can go on after it was ended: by a time-out, a full disk, a reboot.

A checkpoint holds all that the rest of a run depends on: weights, the optimiser's moments, the
place in the schedule, the random numbers to come, the history so far and, inside of an epoch, how
far it has come. Going on from it gives the weights, to the bit, of a run that was never ended, on
the same kind of machine. It is no result, and says nothing of what it belongs to: its path does.
The harness (workflow/harness) names the folder after settings, code, environment and inputs; the
file is named after device and number format.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from l2i.runtime import precision_name
from l2i.saved_state import load_state, readable, save_state

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 60.0  # at least, between two checkpoints; they are taken between steps


@dataclass
class EpochUnderWay:
    """An epoch of which some batches have been learned from.

    `start` is the state of the network and of the random numbers before the epoch was prepared, if
    it was: what that leaves outside of the network is made from them again.
    """

    order: Tensor  # (n_items,), rows as they are learned from
    start: dict[str, dict[str, Tensor]] | None = None
    n_batches: int = 0  # that have been learned from
    n_rows: int = 0  # in them
    sums: dict[str, Tensor] = field(default_factory=dict)  # of each loss over rows
    seconds: float = 0.0
    seconds_waiting: float = 0.0

    def count(
        self, losses: dict[str, Tensor], n_rows: int, *, seconds: float, seconds_waiting: float
    ) -> None:
        """Take account of a batch that has been learned from."""
        self.n_batches += 1
        self.n_rows += n_rows
        self.seconds += seconds
        self.seconds_waiting += seconds_waiting
        for name, value in losses.items():  # summed on the device: no wait for each batch
            self.sums[name] = self.sums.get(name, 0.0) + value.detach() * n_rows


class Checkpoint:
    """One file, and the parts of a run that it keeps.

    Parameters
    ----------
    path : Path or None
        The file; None keeps nothing.
    network, optimizer, scheduler
        The parts; restored in place.
    """

    def __init__(
        self,
        path: Path | None,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        scheduler: torch.optim.lr_scheduler.LRScheduler,
    ) -> None:
        self.path = path
        self.parts: dict[str, Any] = {
            "network": network,
            "optimizer": optimizer,
            "scheduler": scheduler,
        }
        self.saved_at = time.monotonic()

    def restore(self) -> tuple[list[dict[str, Any]], EpochUnderWay | None]:
        """Put everything back as it was; the history so far and the epoch under way, if any."""
        if self.path is None or not self.path.exists():
            return [], None
        with readable(self.path):
            state = load_state(self.path)
            for name, part in self.parts.items():
                part.load_state_dict(state[name])
            set_random_state(state["random"])
            history, epoch = state["history"], state["epoch"]
            under_way = None if epoch is None else EpochUnderWay(**epoch)
        n_batches = f" and {under_way.n_batches} batches" if under_way else ""
        log.info("going on after epoch %d%s, from a checkpoint", len(history), n_batches)
        return history, under_way

    def save(
        self,
        history: list[dict[str, Any]],
        under_way: EpochUnderWay | None = None,
        *,
        at_once: bool = False,
    ) -> None:
        """Write the file, at once or if the last time was long enough ago."""
        due = at_once or time.monotonic() - self.saved_at >= INTERVAL_SECONDS
        if self.path is None or not due:
            return
        state = {name: part.state_dict() for name, part in self.parts.items()}
        state |= {"random": random_state(), "history": history}
        state["epoch"] = None if under_way is None else vars(under_way)
        save_state(state, self.path)
        self.saved_at = time.monotonic()


class Sigterm:
    """SIGTERM held back: whether it came, and how to let it through."""

    def __init__(self, answer: Any) -> None:
        self.came = False
        self._answer = answer  # of those who answered before

    def note(self, signum: int, frame: Any) -> None:
        """Answer the signal by taking note of it."""
        self.came = True

    def let_through(self) -> None:
        """Have the signal answered as before, if it came."""
        if self.came:
            self.came = False
            signal.signal(signal.SIGTERM, self._answer)
            signal.raise_signal(signal.SIGTERM)
            signal.signal(signal.SIGTERM, self.note)  # whoever answered has gone on


@contextmanager
def sigterm_held_back() -> Iterator[Sigterm]:
    """Hold SIGTERM back until it is let through, or the block ends.

    A time-out, a preemption and a cancellation begin with it; half a minute later, as a rule, the
    process is killed. Answered in the middle of a step, it leaves nothing to go on from.

    Outside of the main thread, where Python lets nobody answer signals, it is not held back.
    """
    if threading.current_thread() is not threading.main_thread():
        yield Sigterm(None)
        return
    before = signal.getsignal(signal.SIGTERM)
    held = Sigterm(before)
    signal.signal(signal.SIGTERM, held.note)
    try:
        yield held
    finally:
        if signal.getsignal(signal.SIGTERM) == held.note:  # else it was answered, and for good
            signal.signal(signal.SIGTERM, before)
            if held.came:
                signal.raise_signal(signal.SIGTERM)


def checkpoint_path(folder: Path, device: str, precision: torch.dtype) -> Path:
    """File of a run in a folder of checkpoints: one for each device and number format.

    A run that began on a GPU in bfloat16 must not go on, unnoticed, on a CPU in float32.
    """
    return folder / f"{torch.device(device).type}-{precision_name(precision)}.pt"


def random_state() -> dict[str, torch.Tensor]:
    """States of torch's generators, on the CPU and, where one is used, on the GPU."""
    state = {"cpu": torch.get_rng_state()}
    return state | ({"cuda": torch.cuda.get_rng_state()} if torch.cuda.is_initialized() else {})


def set_random_state(state: dict[str, torch.Tensor]) -> None:
    """Set what :func:`random_state` returned."""
    torch.set_rng_state(state["cpu"])
    if "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"])
