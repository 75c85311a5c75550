"""A sound of one's own, as a model hears it: of a file, or of samples in memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from l2i.checks import InputError, printable
from l2i.features.audio import read_audio, stream, to_mono
from l2i.features.resampling import resample

IN_MEMORY = "sound"  # what samples without a file are called


class OwnSound(NamedTuple):
    """A sound: mono, at the rate of a front end, at the level of its file."""

    name: str
    waveform: np.ndarray  # (n_samples,), float32, in units of full scale
    notes: list[str]  # what was done to it, in words


def read_sound(
    sound: str | os.PathLike[str] | np.ndarray, sample_rate: int | None, wanted_rate: int
) -> OwnSound:
    """A file, or samples with their rate, as one channel at the rate that is wanted.

    Raises
    ------
    InputError
        If it cannot be read, or is no array of (n_samples,) or (n_samples, n_channels) with a rate.
    """
    if isinstance(sound, str | os.PathLike):
        if sample_rate is not None:
            raise InputError(f"{os.fspath(sound)}: files say their rate; leave out sample_rate")
        return _of_file(Path(sound), wanted_rate)
    if sample_rate is None or sample_rate <= 0:
        raise InputError("samples come without their rate: give sample_rate=, in Hz")
    samples = in_full_scale(np.asarray(sound))
    notes = _notes(samples.shape[1], sample_rate, wanted_rate)
    return OwnSound(IN_MEMORY, _resampled(to_mono(samples), sample_rate, wanted_rate), notes)


def in_full_scale(samples: np.ndarray) -> np.ndarray:
    """Samples as (n_samples, n_channels), float32, in units of full scale.

    Raises
    ------
    InputError
        If they are none: see :func:`read_sound`.
    """
    if samples.ndim not in (1, 2) or not samples.size or samples.dtype.kind not in "iuf":
        raise InputError(
            f"an array of {samples.dtype} and shape {samples.shape} is no sound: give numbers, "
            "(n_samples,) or (n_samples, n_channels)"
        )
    columns = samples if samples.ndim == 2 else samples[:, None]
    if columns.shape[0] < columns.shape[1]:
        raise InputError(
            f"samples of shape {samples.shape} would have more channels than samples: turn them "
            "to (n_samples, n_channels)"
        )
    if columns.dtype.kind in "iu":
        full = np.iinfo(columns.dtype)
        middle = (full.max + full.min + 1) // 2  # of unsigned samples, what silence is
        columns = (columns - np.float64(middle)) / (full.max - middle + 1)
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite in it
        columns = columns.astype(np.float32, copy=False)
    if not np.isfinite(columns).all():
        raise InputError("the samples hold NaN, infinity or more than float32 can: repair them")
    return columns


def _of_file(path: Path, wanted_rate: int) -> OwnSound:
    if not path.exists() and not path.is_symlink():
        raise InputError(f"{path}: no such file; check its name")
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name the files in it, such as {path}/*.wav")
    block, rate = next(stream(path))
    notes = _notes(block.shape[1], rate, wanted_rate)
    return OwnSound(printable(path.stem), read_audio(path, sample_rate=wanted_rate), notes)


def _resampled(mono: np.ndarray, rate: int, wanted_rate: int) -> np.ndarray:
    return mono if rate == wanted_rate else resample(mono, rate, wanted_rate)


def _notes(n_channels: int, rate: int, wanted_rate: int) -> list[str]:
    mixed = [f"{n_channels} channels mixed into one"] if n_channels > 1 else []
    resampled = [f"resampled from {rate} to {wanted_rate} Hz"] if rate != wanted_rate else []
    return mixed + resampled
