"""Features of a whole data set on disk: computed once, read row by row (Sec. IV-B.2).

Two arrays per data set, row i belonging to row i of the index: `log_magnitude` (N, n_bins,
n_frames) for the dictionary and the reconstruction, `log_mel` (N, n_frames, n_mels) for the
classifier. Phases are not stored: they come from the audio again where a waveform is rebuilt.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path
from tokenize import TokenError  # of a damaged header, which is read as Python
from typing import BinaryIO

import numpy as np
import torch
from numpy.lib import format as npy
from torch import Tensor

from l2i.checks import REMAKE, InputError, naming, reason
from l2i.disk import require_room, writing
from l2i.features.audio import Pieces, Span, fit_length, read_audio, scale_waveform
from l2i.features.spectral import FrontEnd, magnitude
from l2i.hashing import file_sha256
from l2i.progress import progress

_Clip = tuple[Path, str, Span | None]  # its file, what that is by the index, and where in it
BATCH = 4  # clips; larger batches fall out of the cache, and memory is bounded by it


def compute_features(
    front_end: FrontEnd, waveforms: Tensor, *, device: str = "cpu"
) -> tuple[Tensor, Tensor]:
    """Log-magnitude (B, n_bins, n_frames) and log-mel (B, n_frames, n_mels) of (B, n_samples)."""
    S = magnitude(front_end.stft(waveforms.to(device)))
    M = front_end.log_mel(S)
    return S.log1p_(), M  # in place: a new array costs as much time as its logarithms


def load_waveform(
    path: str | Path,
    *,
    sample_rate: int,
    scale: str,
    n_samples: int | None = None,
    sha256: str | None = None,
    span: Span | None = None,
) -> np.ndarray:
    """A clip as the pipeline hears it: mono, resampled, scaled, cropped or padded at its end.

    It is a whole file, or a span of it.

    Raises
    ------
    InputError
        If the file cannot be read, or is not the one whose sha256 the index lists.
    """
    if sha256 is not None:
        _require_indexed(path, sha256)
    with naming(str(path)):
        return _heard(read_audio(path, sample_rate=sample_rate, span=span), scale, n_samples)


def cache_features(
    paths: Sequence[Path],
    path_to_log_magnitude: str | Path,
    path_to_log_mel: str | Path,
    *,
    sha256: Sequence[str],
    front_end: FrontEnd,
    scale: str,
    n_samples: int,
    spans: Sequence[Span | None] | None = None,
    device: str = "cpu",
) -> None:
    """Compute and write both feature arrays of a data set.

    Parameters
    ----------
    paths : sequence of Path
        Audio file of each clip, in the order of the index.
    path_to_log_magnitude, path_to_log_mel : str or Path
        Arrays to write, in NumPy's format.
    sha256 : sequence of str
        What the index says the files are.
    front_end : FrontEnd
        Settings of the representation.
    scale : str
        Waveform scaling, see :func:`l2i.features.audio.scale_waveform`.
    n_samples : int
        Length that every clip is cropped or padded to.
    spans : sequence of Span or None, optional
        Where in its file each clip lies; None is all of it. Clips of one file, one behind the
        other, are read in one pass.
    device : str
        Where spectrograms are computed.

    Raises
    ------
    InputError
        If a clip cannot be read or yields features that are not finite, or if the disk has no room
        for all of them.
    """
    n_frames = front_end.n_frames(n_samples)
    shapes = (len(paths), front_end.n_bins, n_frames), (len(paths), n_frames, front_end.n_mels)
    n_bytes = sum(4 * math.prod(shape) for shape in shapes)
    # Asked for before hours of work, not after them.
    require_room(Path(path_to_log_mel).parent, n_bytes, f"spectrograms of {len(paths)} clips")
    with (
        writing(path_to_log_magnitude, path_to_log_mel, n_bytes=n_bytes),
        open(path_to_log_magnitude, "wb") as magnitudes,
        open(path_to_log_mel, "wb") as mels,
    ):
        # Written as a stream: a memory map would grow with the data set.
        for file, shape in zip((magnitudes, mels), shapes, strict=True):
            header = {"descr": "<f4", "fortran_order": False, "shape": shape}
            npy.write_array_header_1_0(file, header)

        clips = [*zip(paths, sha256, spans or [None] * len(paths), strict=True)]
        loadings = [_Loading(front_end.sample_rate, scale, n_samples) for _ in range(2)]
        for batch, waveforms in _decoded(clips, loadings):
            X, M = compute_features(front_end, waveforms, device=device)
            _require_finite([path for path, _, _ in batch], M)
            _append(magnitudes, X)
            _append(mels, M)


def open_features(path: str | Path, *, n_clips: int | None = None) -> np.ndarray:
    """A feature array as a read-only memory map.

    Raises
    ------
    InputError
        If the file is not the whole features of `n_clips` clips, or of however many.
    """
    try:
        features = np.load(path, mmap_mode="r")
    except (OSError, EOFError, ValueError, OverflowError, SyntaxError, TokenError) as error:
        raise InputError(f"{path} holds no whole array ({reason(error)}); {REMAKE}") from error
    if not isinstance(features, np.ndarray) or features.dtype != "<f4" or features.ndim != 3:
        raise InputError(f"{path} holds something else than features; {REMAKE}")
    if n_clips not in (None, len(features)):
        raise InputError(
            f"{path} holds the features of {len(features)} clips, but {n_clips} are indexed; "
            f"{REMAKE}"
        )
    return features


def rows_of(array: np.ndarray, rows: Iterable[int]) -> Tensor:
    """Some rows of a feature array as a tensor in memory, in the order asked for."""
    return torch.from_numpy(array[np.asarray(list(rows), dtype=np.int64)])


class _Loading:
    """Loads clips in their order; a file that is cut is opened once for all of its pieces."""

    def __init__(self, sample_rate: int, scale: str, n_samples: int) -> None:
        self.sample_rate, self.scale, self.n_samples = sample_rate, scale, n_samples
        self._opened: Pieces | None = None

    def __call__(self, clip: _Clip) -> np.ndarray:
        path, sha256, span = clip
        rate, scale, n_samples = self.sample_rate, self.scale, self.n_samples
        if span is None:
            return load_waveform(
                path, sample_rate=rate, scale=scale, n_samples=n_samples, sha256=sha256
            )
        with naming(str(path)):
            if self._opened is None or self._opened.path != path:
                _require_indexed(path, sha256)
                self._opened = Pieces(path)
            return _heard(self._opened.read(span, sample_rate=rate), scale, n_samples)


def _decoded(
    clips: Sequence[_Clip], loadings: Sequence[Callable[[_Clip], np.ndarray]]
) -> Iterator[tuple[Sequence[_Clip], Tensor]]:
    """Batches of clips and waveforms, (B, n_samples); the next is decoded while one is used.

    Files take turns among the loadings, each of which has a thread of its own.
    """
    files = groupby(clips, key=lambda clip: clip[0])
    turns = [i % len(loadings) for i, (_, of_file) in enumerate(files) for _ in of_file]
    batches = [(clips[i : i + BATCH], turns[i : i + BATCH]) for i in range(0, len(clips), BATCH)]
    with ExitStack() as stack:
        pools = [stack.enter_context(ThreadPoolExecutor(1)) for _ in loadings]

        def ask(batch: Sequence[_Clip], turns: Sequence[int]) -> list[Future[np.ndarray]]:
            both = zip(batch, turns, strict=True)
            return [pools[turn].submit(loadings[turn], clip) for clip, turn in both]

        ahead = ask(*batches[0])
        following = [*batches[1:], ([], [])]
        bar = progress(following, description="Compute features", unit="batch")
        for (batch, _), upcoming in zip(batches, bar, strict=True):
            current, ahead = ahead, ask(*upcoming)
            yield batch, torch.from_numpy(np.stack([clip.result() for clip in current]))


def _heard(x: np.ndarray, scale: str, n_samples: int | None) -> np.ndarray:
    x = scale_waveform(x, scale)
    return x if n_samples is None else fit_length(x, n_samples)


def _require_indexed(path: str | Path, sha256: str) -> None:
    if file_sha256(path) != sha256:
        raise InputError(
            f"{path} is not the file that was indexed. Put the old one back, or index the corpus "
            "again: add --forcerun index_dataset at the end of your snakemake command"
        )


def _require_finite(paths: Sequence[Path], M: Tensor) -> None:
    bad = [str(path) for path, ok in zip(paths, M.isfinite().all((1, 2)), strict=True) if not ok]
    if bad:
        raise InputError(
            f"features of {', '.join(bad)} are not finite: samples overflow when scaled to full "
            "level, or are not numbers. Repair or replace the file and run again"
        )


def _append(file: BinaryIO, features: Tensor) -> None:
    file.write(np.ascontiguousarray(features.cpu().numpy(), dtype="<f4").tobytes())
