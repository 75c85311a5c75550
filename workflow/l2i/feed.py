"""Features on their way into training, where they are needed in every epoch.

On a GPU that has room for them they are copied once and stay. Otherwise each batch is gathered
from the memory map, by :func:`l2i.training.train`'s fetching thread while the batch before is
learnt from, and goes to the GPU from pinned memory.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from l2i.features import rows_of
from l2i.fine_tuning import excerpts
from l2i.resident import Resident, chunks, place_for


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
        self._resident: dict[str, Resident] = {}
        n_bytes = sum(len(rows) * a[0].size * a.itemsize for a in arrays.values())
        self.place = "memory map"
        if device != "cpu" and place_for(n_bytes, device) == device:
            self.place = device
            for name, array in arrays.items():
                self._resident[name] = self._copied(array)

    def __getitem__(self, batch: Tensor) -> dict[str, Tensor]:
        """Features of some rows, by name, on the device."""
        if self._resident:
            return {name: kept[batch] for name, kept in self._resident.items()}
        rows = self._rows[batch.numpy()]
        found = {name: rows_of(array, rows) for name, array in self._arrays.items()}
        if self._device == "cpu":
            return found
        return {
            name: values.pin_memory().to(self._device, non_blocking=True)
            for name, values in found.items()
        }

    def _copied(self, array: np.ndarray) -> Resident:
        first = rows_of(array, self._rows[:1])
        shape = (len(self._rows), *first.shape[1:])
        kept = Resident(shape, first.dtype, place=self._device, device=self._device, scratch=None)
        start = 0
        for rows in chunks(self._rows):
            kept.fill(start, rows_of(array, rows))
            start += len(rows)
        return kept


def cut(log_mel: Tensor, log_magnitude: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """The same random excerpt of both spectrograms, another one for every clip.

    Parameters
    ----------
    log_mel, log_magnitude : Tensor, shape (B, n_frames, n_mels) and (B, n_bins, n_frames)
    share : float
        Of a clip closed to a ring, above 0 and up to 1; see :func:`l2i.fine_tuning.excerpts`.
    """
    frames = excerpts(len(log_mel), log_mel.shape[1], share, log_mel.device)
    return (
        log_mel.gather(1, frames[:, :, None].expand(-1, -1, log_mel.shape[2])),
        log_magnitude.gather(2, frames[:, None].expand(-1, log_magnitude.shape[1], -1)),
    )
