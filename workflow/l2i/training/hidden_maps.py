"""Hidden maps of a frozen classifier: computed once per training job (Sec. III-B).

Post-hoc training never changes the classifier, so running it in every epoch would be waste: it is
most of the cost of a naive epoch. None of this is a result.
"""

from __future__ import annotations

import logging
import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from l2i.features.cache import rows_of
from l2i.networks.explainable import Explainable
from l2i.progress import progress
from l2i.runtime import autocast
from l2i.training.cached_rows import CachedRows, chunks, place_for

log = logging.getLogger(__name__)


class HiddenMaps:
    """What a frozen classifier makes of the clips of one fold.

    Parameters
    ----------
    classifier : Explainable
        In evaluation mode.
    log_mel : np.ndarray [shape=(N, n_frames, n_mels)]
        Features of the data set, usually memory-mapped.
    rows : np.ndarray of int
        The clips wanted; row i of the maps is clip rows[i].
    taps : tuple of str
        Blocks whose outputs are kept.
    precision : torch.dtype
        Number format of computing and storing.
    device : str
        Where to compute, and to keep the maps if they fit.
    scratch : Path
        Folder for maps that fit nowhere else.
    """

    def __init__(
        self,
        classifier: Explainable,
        log_mel: np.ndarray,
        rows: np.ndarray,
        *,
        taps: tuple[str, ...],
        precision: torch.dtype,
        device: str,
        scratch: Path,
    ) -> None:
        self.maps: dict[str, CachedRows] = {}
        logits, start = [], 0
        for batch in progress(chunks(rows), description="Compute hidden maps", unit="batch"):
            M = rows_of(log_mel, batch).to(device)
            with torch.no_grad(), autocast(device, precision):
                batch_logits, hidden = classifier.hidden_maps(M, taps)
            # (B, mel, time, channels): channels last once Psi has put mel before time.
            hidden = {tap: values.permute(0, 3, 2, 1) for tap, values in hidden.items()}
            if not self.maps:
                shapes = {tap: (len(rows), *values.shape[1:]) for tap, values in hidden.items()}
                n_bytes = precision.itemsize * sum(map(math.prod, shapes.values()))
                self.place = place_for(n_bytes, device)
                self.maps = {
                    tap: CachedRows(
                        shape, precision, place=self.place, device=device, scratch=scratch
                    )
                    for tap, shape in shapes.items()
                }
            for tap, values in hidden.items():
                self.maps[tap].fill(start, values)
            logits.append(batch_logits.float())
            start += len(batch)
        self.logits = torch.cat(logits)
        log.info("hidden maps of %d clips kept in: %s", len(rows), self.place)

    def __getitem__(self, rows: Tensor) -> dict[str, Tensor]:
        """Hidden maps (B, channels, time, mel) of some rows, by block name."""
        return {tap: maps[rows].permute(0, 3, 2, 1) for tap, maps in self.maps.items()}
