"""Waveforms: read, bring to one length, scale, write.

A waveform is a mono float32 array (n_samples,) in units of full scale: integer files are divided
by their full scale, channels are averaged. Files that decode to less than they promise are
refused, because libsndfile reads truncated files of many kinds without a word.

Files are read by blocks to their end, whatever their headers say of their length, and what would
not fit into memory is refused: a clip has at most `LONGEST` samples, as read and at 48 kHz.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from l2i.checks import InputError
from l2i.disk import write_bytes
from l2i.features.containers import Truncated, parts_of
from l2i.features.resampling import resample

NO_SIGNED_SCALE = "a waveform with maximum 0 has no signed scale; use absolute"
LONGEST = 2**28  # samples of a clip: a gibibyte of a channel, or 1.5 hours at 48 kHz
_BLOCK = 2**18  # samples of all channels
_UNKNOWN_LENGTH = 2**62  # of frames: libsndfile means by more than that that it cannot tell
_FLOAT = 3  # samples of a wav file
_RATE = 48_000  # Hz, at which clips of low rates are counted
# What begins like this is no sound, or none that libsndfile reads.
_FOREIGN = {
    b"version https://git-lfs": "is a pointer of Git LFS and no sound; run git lfs pull",
    b"/annex/objects/": "is a pointer of git-annex and no sound; run git annex get",
    b"<!DOCTYPE": "is a web page and no sound; fetch the file again",
    b"<!doctype": "is a web page and no sound; fetch the file again",
    b"<html": "is a web page and no sound; fetch the file again",
    b"PK\3\4": "is a zip archive and no sound; unpack it",
    b"\x1a\x45\xdf\xa3": "is WebM or Matroska, which is not read; convert it to wav or flac",
    b"MAC ": "is Monkey's Audio, which is not read; convert it to wav or flac",
    b"wvpk": "is WavPack, which is not read; convert it to wav or flac",
}


class Span(NamedTuple):
    """A piece of a file, in samples at the rate of the file."""

    first_sample: int
    n_samples: int


def decode(path: str | Path) -> tuple[np.ndarray, int]:
    """Read an audio file as it is.

    Parameters
    ----------
    path : str or Path
        A file that libsndfile opens: wav, flac, ogg, aiff, au, caf, mp3 and others.

    Returns
    -------
    samples : np.ndarray [shape=(n_samples, n_channels), dtype=float32]
        In units of full scale.
    sample_rate : int
        In Hz.

    Raises
    ------
    InputError
        In one line with the name of the file: if it is missing, empty, truncated, no audio, too
        long, or holds NaN or infinite samples.
    """
    blocks, rates = zip(*stream(path), strict=True)
    return np.concatenate(blocks), rates[0]


def stream(path: str | Path) -> Iterator[tuple[np.ndarray, int]]:
    """Blocks of an audio file as it is, each with the rate of the file; see `decode`."""
    path = Path(path)
    _require_file(path)
    n_samples = 0
    try:
        form: tuple[int, int] | None = None
        for part in parts_of(path):
            with closing(part) if not isinstance(part, Path) else nullcontext():
                for block, rate in _blocks(path, part):
                    if form not in (None, (rate, block.shape[1])):
                        raise InputError(
                            f"{path}: goes on at another rate or with other channels after "
                            f"{n_samples} samples; convert it to one"
                        )
                    form, n_samples = (rate, block.shape[1]), n_samples + len(block)
                    _require_sound(path, block, n_samples, rate)
                    yield block, rate
    except Truncated as error:
        raise InputError(f"{path}: is truncated, {error}; fetch the file again") from error
    except (OSError, UnicodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); grant access to it") from error
    if not n_samples:
        raise InputError(f"{path}: holds no samples; leave it out, or fetch it again")


def read_audio(path: str | Path, *, sample_rate: int, span: Span | None = None) -> np.ndarray:
    """Read an audio file as mono at the given rate.

    Parameters
    ----------
    path : str or Path
        A file as for `decode`, of any rate and any number of channels.
    sample_rate : int
        Wanted rate in Hz; other rates are converted by windowed-sinc interpolation.
    span : Span, optional
        The piece that is read, and converted by itself; all of the file without it.

    Returns
    -------
    np.ndarray [shape=(n_samples,), dtype=float32]

    Raises
    ------
    InputError
        As `decode`; or if the file ends before the piece does.
    """
    if span is not None:
        return Pieces(path).read(span, sample_rate=sample_rate)
    parts = [(to_mono(block), rate) for block, rate in stream(path)]
    mono, rate = np.concatenate([part for part, _ in parts]), parts[0][1]
    return mono if rate == sample_rate else resample(mono, rate, sample_rate)


class Pieces:
    """A file that is read piece by piece.

    Pieces in their order cost one pass through the file, whatever its kind, and memory for one of
    them. One that lies before the last begins a new pass.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._begin()

    def read(self, span: Span, *, sample_rate: int) -> np.ndarray:
        """A piece as `read_audio` gives it."""
        if span.first_sample < self._at:
            self._begin()
        mono = np.concatenate([*self._parts(span)])
        return mono if self._rate == sample_rate else resample(mono, self._rate, sample_rate)

    def _begin(self) -> None:
        self._blocks = stream(self.path)
        self._at, self._rate = 0, 0
        self._rest = np.empty(0, np.float32)  # decoded, from sample `_at` on

    def _parts(self, span: Span) -> Iterator[np.ndarray]:
        missing = span.n_samples
        while missing:
            if not len(self._rest):
                block, self._rate = next(self._blocks, (None, 0))
                if block is None:
                    raise InputError(
                        f"{self.path}: ends after {self._at} samples, before the piece that begins "
                        f"at {span.first_sample} does; fetch the file again"
                    )
                self._rest = to_mono(block)
            begin = max(0, span.first_sample - self._at)
            part = self._rest[begin : begin + missing]
            n_passed = min(begin, len(self._rest)) + len(part)
            self._at, self._rest = self._at + n_passed, self._rest[n_passed:]
            missing -= len(part)
            if len(part):
                yield part


def to_mono(samples: np.ndarray) -> np.ndarray:
    """Mean of the channels of samples (n_samples, n_channels)."""
    return samples.mean(axis=1, dtype=np.float32)


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
        raise InputError(NO_SIGNED_SCALE)
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
    samples = np.ascontiguousarray(x, dtype="<f4").tobytes()
    head = struct.pack(
        "<4sIHHIIHHH", b"fmt ", 18, _FLOAT, 1, sample_rate, 4 * sample_rate, 4, 32, 0
    )
    head += struct.pack("<4sII", b"fact", 4, len(samples) // 4)
    # Not by libsndfile: its PEAK chunk holds the time, so that equal sounds make unequal files.
    chunks = b"WAVE" + head + struct.pack("<4sI", b"data", len(samples)) + samples
    write_bytes(path, struct.pack("<4sI", b"RIFF", len(chunks)) + chunks)


class _ReadOnwards(soundfile.SoundFile):  # type: ignore[misc]
    """A file that is read from its beginning to its end, whatever it says of its length.

    Otherwise soundfile asks after each block whether it is where the length says that it is: of
    files of unknown length it cannot be.
    """

    def seekable(self) -> bool:
        return False


def _blocks(path: Path, part: Path | io.RawIOBase) -> Iterator[tuple[np.ndarray, int]]:
    """Blocks of a file or of a part of it, at least as many as it promises."""
    n_read, opened = 0, False
    try:
        with _ReadOnwards(part) as file:
            opened = True
            n_promised = file.frames if file.frames < _UNKNOWN_LENGTH else 0
            size = max(1, _BLOCK // file.channels)
            # Not until `frames`: a header may promise too little, too much, or nothing.
            while len(block := file.read(size, dtype="float32", always_2d=True)):
                n_read += len(block)
                yield block, file.samplerate
    except soundfile.LibsndfileError as error:
        reason = error.error_string.removeprefix("Error : ").rstrip(".")
        if opened:
            raise InputError(
                f"{path}: is cut or damaged, it cannot be decoded to its end ({reason}); fetch "
                "the file again"
            ) from error
        raise InputError(f"{path}: {_why_not(path, reason)}") from error
    # Headerless, e.g. x.raw, of which nobody says what it is.
    except (soundfile.SoundFileRuntimeError, TypeError) as error:
        raise InputError(
            f"{path}: cannot be decoded as audio ({error}); convert it to wav or flac"
        ) from error
    if n_read < n_promised:
        raise Truncated(f"it promises {n_promised} samples and holds {n_read}")


def _why_not(path: Path, reason: str) -> str:
    """What is wrong with a file that libsndfile does not open, and what to do."""
    with path.open("rb") as file:
        head = file.read(64)
    for begin, what in _FOREIGN.items():
        if head.lstrip().startswith(begin):
            return what
    if head[4:8] == b"ftyp":
        return "is MPEG-4 sound, which is not read; convert it to wav or flac"
    return f"cannot be decoded as audio ({reason}); fetch the file again, or convert it"


def _require_file(path: Path) -> None:
    if path.is_symlink() and not path.exists():
        raise InputError(f"{path}: is a link to {path.readlink()}, where nothing is; mend the link")
    if not path.exists():
        raise InputError(f"{path}: no such file; check the corpus folder")
    if not path.is_file():
        raise InputError(f"{path}: is no file that can be read; put the clip in its place")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: is an empty file; fetch it again")


def _require_sound(path: Path, block: np.ndarray, n_samples: int, rate: int) -> None:
    if rate < 1:
        raise InputError(f"{path}: gives {rate} Hz as its rate; correct its header")
    if max(n_samples, n_samples / rate * _RATE) > LONGEST:
        raise InputError(
            f"{path}: lasts more than {LONGEST / max(rate, _RATE) / 3600:.2g} hours at the "
            f"{rate} Hz that its header gives; cut it into clips, or correct its header"
        )
    if not np.isfinite(block).all():
        raise InputError(f"{path}: holds NaN or infinite samples; repair or replace the file")
