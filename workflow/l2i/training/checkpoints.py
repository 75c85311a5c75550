"""Where a training run can go on after it was ended: by a time-out, a full disk, a reboot.

A checkpoint holds all that the rest of a run depends on: weights, the optimiser's moments, the
place in the schedule, the random numbers to come, the history so far. Going on from it gives the
weights, to the bit, of a run that was never ended, on the same kind of machine. It is no result,
and says nothing of what it belongs to: its path does. workflow/harness.py names the folder after
settings, code, environment and inputs; the file is named after device and number format.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from l2i.checks import InputError
from l2i.runtime import precision_name

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 60.0  # at least, between two checkpoints; they are taken between epochs


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

    def restore(self) -> list[dict[str, Any]]:
        """Put everything back as it was; the history so far, empty where there is no file."""
        if self.path is None or not self.path.exists():
            return []
        try:
            state = torch.load(self.path, map_location="cpu", weights_only=True)
            for name, part in self.parts.items():
                part.load_state_dict(state[name])
            set_random_state(state["random"])
        except Exception as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise InputError(
                f"the checkpoint {self.path} cannot be read ({reason}): delete it and start anew"
            ) from error
        log.info("going on after epoch %d, from a checkpoint", len(state["history"]))
        return state["history"]

    def save(self, history: list[dict[str, Any]]) -> None:
        """Write the file, if the last time was long enough ago: under another name, then rename."""
        if self.path is None or time.monotonic() - self.saved_at < INTERVAL_SECONDS:
            return
        state = {name: part.state_dict() for name, part in self.parts.items()}
        state |= {"random": random_state(), "history": history}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_suffix(".part")
        torch.save(state, unfinished)
        os.replace(unfinished, self.path)
        self.saved_at = time.monotonic()


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
