"""Waveforms: read, bring to one length, scale, write.

A waveform is a mono float32 array (n_samples,) in units of full scale: integer files are divided
by their full scale, channels are averaged. Files that decode to less than they promise are
refused, because libsndfile reads truncated wav and ogg files without a word.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from l2i.checks import InputError

_UNKNOWN_LENGTH = 0xFFFFFFFF  # what encoders that write to a pipe put into a wav header
_LARGEST_OGG_PAGE = 65_307


def decode(path: str | Path) -> tuple[np.ndarray, int]:
    """Read an audio file as it is.

    Parameters
    ----------
    path : str or Path
        A wav, flac or ogg file.

    Returns
    -------
    samples : np.ndarray [shape=(n_samples, n_channels), dtype=float32]
        In units of full scale.
    sample_rate : int
        In Hz.

    Raises
    ------
    InputError
        If the file is missing, empty, truncated, no audio, or holds NaN or infinite samples.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; check the corpus folder")
    _require_complete(path)
    try:
        with soundfile.SoundFile(path) as file:
            n_promised, rate = file.frames, file.samplerate
            samples = file.read(dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, TypeError) as error:  # TypeError: headerless, e.g. x.raw
        raise InputError(
            f"{path}: cannot be decoded as audio ({error}); fetch or convert the file again"
        ) from error
    if len(samples) < n_promised:
        raise _truncated(path, f"it promises {n_promised} samples and holds {len(samples)}")
    if not len(samples):
        raise InputError(f"{path}: holds no samples; remove the clip or fetch the file again")
    if not np.isfinite(samples).all():
        raise InputError(f"{path}: holds NaN or infinite samples; repair or remove the clip")
    return samples, rate


def read_audio(path: str | Path, *, sample_rate: int) -> np.ndarray:
    """Read an audio file as mono at the given rate.

    Parameters
    ----------
    path : str or Path
        A wav, flac or ogg file of any rate and any number of channels.
    sample_rate : int
        Wanted rate in Hz; other rates are converted by windowed-sinc interpolation.

    Returns
    -------
    np.ndarray [shape=(n_samples,), dtype=float32]

    Raises
    ------
    InputError
        As `decode`.
    """
    samples, rate = decode(path)
    mono = samples.mean(axis=1, dtype=np.float32)
    return mono if rate == sample_rate else _resample(mono, rate, sample_rate)


def fit_length(x: np.ndarray, n_samples: int) -> np.ndarray:
    """Crop `x` or pad it with zeros, at its end in both cases.

    Parameters
    ----------
    x : np.ndarray [shape=(n,)]
    n_samples : int
        Wanted length, at least 1.

    Returns
    -------
    np.ndarray [shape=(n_samples,)]
        Of the type of `x`.
    """
    if n_samples < 1:
        raise InputError(f"n_samples must be at least 1, got {n_samples}; check clip_seconds")
    return x[:n_samples] if len(x) >= n_samples else np.pad(x, (0, n_samples - len(x)))


def scale_waveform(x: np.ndarray, mode: str) -> np.ndarray:
    """Divide a waveform by its peak, or leave it as it is.

    Parameters
    ----------
    x : np.ndarray [shape=(n_samples,)]
    mode : str
        "none": as it is. "absolute": by max |x|, silence stays silence. "signed": by max x, as the
        authors' code does; a clip that is negative throughout is then flipped.

    Returns
    -------
    np.ndarray [shape=(n_samples,)]
        Of the type of `x`.

    Raises
    ------
    InputError
        If `mode` is none of these, or if it is "signed" and max x is 0.
    """
    if mode == "none":
        return x
    if mode == "absolute":
        peak = np.abs(x).max()
        return x / peak if peak > 0 else np.zeros_like(x)
    if mode != "signed":
        raise InputError(f"waveform_scale must be none, absolute or signed, got {mode!r}")
    peak = x.max()
    if peak == 0:
        raise InputError("a waveform with maximum 0 has no signed scale; use absolute")
    return x / peak


def write_wav(path: str | Path, x: np.ndarray, *, sample_rate: int) -> None:
    """Write a mono waveform as a 32-bit float wav, which neither clips nor rounds it.

    Parameters
    ----------
    path : str or Path
    x : np.ndarray [shape=(n_samples,)]
        In units of full scale; may exceed 1.
    sample_rate : int
        In Hz.
    """
    # Not libsndfile: its PEAK chunk holds the time, so that equal sounds make unequal files.
    from scipy.io import wavfile

    wavfile.write(path, sample_rate, np.ascontiguousarray(x, dtype="<f4"))


def _resample(x: np.ndarray, rate: int, sample_rate: int) -> np.ndarray:
    # Imported here because torch takes seconds to load, and most files need no conversion.
    import torch
    from torchaudio.functional import resample

    return resample(torch.from_numpy(x), rate, sample_rate).numpy()


def _require_complete(path: Path) -> None:
    size = path.stat().st_size
    if size == 0:
        raise InputError(f"{path}: is an empty file; fetch it again")
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] == b"RIFF" and head[8:] == b"WAVE":
            missing = _missing_wav_bytes(file, size)
            if missing:
                raise _truncated(path, f"{missing} of the bytes that its header promises are gone")
        elif head[:4] == b"OggS":
            file.seek(max(0, size - _LARGEST_OGG_PAGE))
            if not _ends_ogg_stream(file.read()):
                raise _truncated(path, "its last page does not end the stream")


def _missing_wav_bytes(file: BinaryIO, size: int) -> int:
    """Return how many bytes of the data chunk of a RIFF wav lie beyond the end of the file."""
    while len(chunk := file.read(8)) == 8:
        length = int.from_bytes(chunk[4:], "little")
        if chunk[:4] == b"data":
            return 0 if length == _UNKNOWN_LENGTH else max(0, file.tell() + length - size)
        file.seek(length + length % 2, 1)  # chunks are padded to even lengths
    return 0  # no data chunk: left to the decoder


def _ends_ogg_stream(tail: bytes) -> bool:
    """Return whether the last page in `tail` is whole and flagged as the end of its stream."""
    page = tail[tail.rfind(b"OggS") :]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return False
    return bool(page[5] & 4) and len(page) >= 27 + page[26] + sum(page[27 : 27 + page[26]])


def _truncated(path: Path, what: str) -> InputError:
    return InputError(f"{path}: is truncated, {what}; fetch the file again")
