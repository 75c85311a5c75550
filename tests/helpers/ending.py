"""Training that is ended on its way, as by a time-out."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from l2i.training.optimizers import Unmarked


@contextmanager
def ended_in_step(number: int) -> Iterator[None]:
    """Send SIGTERM in a step of the training inside of the block, counted from 1.

    The signal ends a job as under the harness: by SystemExit.
    """
    steps, zero_grad = itertools.count(1), Unmarked.zero_grad

    def counted(self, *arguments, **options):
        if next(steps) == number:
            signal.raise_signal(signal.SIGTERM)
        return zero_grad(self, *arguments, **options)

    def end(signum, frame):
        raise SystemExit(128 + signum)

    before = signal.signal(signal.SIGTERM, end)
    Unmarked.zero_grad = counted
    try:
        with pytest.raises(SystemExit):
            yield
    finally:
        Unmarked.zero_grad = zero_grad
        signal.signal(signal.SIGTERM, before)
