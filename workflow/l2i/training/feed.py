"""Features on their way into training, where they are needed in every epoch.

On a GPU that has room for them they are copied once and stay. Otherwise each batch is gathered
from the memory map, by :func:`l2i.training.loop.train`'s fetching thread while the batch before is
learned from, and goes to the GPU from pinned memory.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from l2i.features.cache import rows_of
from l2i.training.cached_rows import CachedRows, chunks, place_for


class Feed:
    """Batches of some clips' features.

    Parameters
    ----------
    arrays : mapping of str to np.ndarray
        Feature arrays of a data set, usually memory-mapped, clips first.
    rows : np.ndarray of int
        The clips; row i of the feed is clip rows[i].
    device : str
        Where batches are wanted.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], rows: np.ndarray, device: str) -> None:
        self._arrays, self._rows, self._device = arrays, rows, device
        self._cached: dict[str, CachedRows] = {}
        n_bytes = sum(len(rows) * a[0].size * a.itemsize for a in arrays.values())
        self.place = "memory map"
        if device != "cpu" and place_for(n_bytes, device) == device:
            self.place = device
            for name, array in arrays.items():
                self._cached[name] = self._copied(array)

    def __getitem__(self, batch: Tensor) -> dict[str, Tensor]:
        """Features of some rows, by name, on the device."""
        if self._cached:
            return {name: kept[batch] for name, kept in self._cached.items()}
        rows = self._rows[batch.numpy()]
        found = {name: rows_of(array, rows) for name, array in self._arrays.items()}
        if self._device == "cpu":
            return found
        return {
            name: values.pin_memory().to(self._device, non_blocking=True)
            for name, values in found.items()
        }

    def _copied(self, array: np.ndarray) -> CachedRows:
        first = rows_of(array, self._rows[:1])
        shape = (len(self._rows), *first.shape[1:])
        kept = CachedRows(shape, first.dtype, place=self._device, device=self._device, scratch=None)
        start = 0
        for rows in chunks(self._rows):
            kept.fill(start, rows_of(array, rows))
            start += len(rows)
        return kept
