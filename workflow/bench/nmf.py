"""Sparse NMF against scikit-learn: time to an equal objective, and memory."""

from __future__ import annotations

import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from sklearn.decomposition import non_negative_factorization
from sklearn.exceptions import ConvergenceWarning

from l2i.dictionary.columns import ClipColumns
from l2i.dictionary.nmf import Factorisation, sparse_nmf
from l2i.features.cache import load_waveform
from l2i.features.spectral import FrontEnd, log_magnitude

FRONT_END = FrontEnd(sample_rate=44100, n_fft=1024, hop_length=512, n_mels=128, mel_power=2)
N_FRAMES = 431  # per clip of the streamed run


def bench_nmf(
    audio: str | Path | None,
    *,
    n_columns: int = 172_671,
    n_components: int = 100,
    n_updates: int = 200,
) -> list[dict]:
    """Compare with scikit-learn side by side, from the same start, without penalty.

    Parameters
    ----------
    audio : str, Path or None
        Folder of audio files whose log-magnitude spectrogram is the data; None for random data of
        the same shape.
    n_columns : int
        At most so many frames.
    n_components : int
        Columns of the dictionary.
    n_updates : int
        Multiplicative updates of scikit-learn, whose objective is the one to reach.

    Returns
    -------
    list of dict
        name, unit, ours, theirs, ratio, bar, met. A ratio of times is theirs by ours and must reach
        the bar; a ratio of memory is that to the size of X and must stay within it.
    """
    X = spectra(audio, n_columns)
    rng = np.random.default_rng(0)
    W = rng.random((X.shape[0], n_components), dtype=np.float32)
    W /= np.linalg.norm(W, axis=0)
    start = W, rng.random((n_components, X.shape[1]), dtype=np.float32)
    _compile()
    return [*_compare_speed(X, start, n_updates), *_compare_memory(X, n_components)]


def spectra(audio: str | Path | None, n_columns: int) -> np.ndarray:
    """Log-magnitude frames of audio files side by side, or random numbers, (513, N) float32."""
    if audio is None:
        rng = np.random.default_rng(0)
        patterns = rng.random((FRONT_END.n_bins, 40), dtype=np.float32) ** 8
        gains = rng.random((40, n_columns), dtype=np.float32) ** 4
        return patterns @ gains + 0.1 * rng.random((FRONT_END.n_bins, n_columns), dtype=np.float32)
    parts, n_found = [], 0
    for path in sorted(path for path in Path(audio).iterdir() if path.is_file()):
        x = load_waveform(path, sample_rate=FRONT_END.sample_rate, scale="absolute")
        parts.append(log_magnitude(FRONT_END.stft(torch.from_numpy(x))).numpy())
        n_found += parts[-1].shape[1]
        if n_found >= n_columns:
            break
    return np.ascontiguousarray(np.concatenate(parts, axis=1)[:, :n_columns])


# ---------------------------------------------------------------- speed


def _compare_speed(X: np.ndarray, start: tuple, n_updates: int) -> list[dict]:
    # Ours before and after theirs: a machine that others use changes its speed meanwhile.
    n_iter = max(2, n_updates // 8)
    before = _ours(X, start, "hals", n_iter)
    updated, theirs = _theirs(X, start, "mu", n_updates)
    after = _ours(X, start, "hals", n_iter)
    target = _objective(X, *updated)
    ours = float(np.mean([_seconds_to(target, run) for run in (before, after)]))
    ours_again = _ours(X, start, "multiplicative", max(2, n_updates // 10))
    to_target = f"to the objective of {n_updates} multiplicative updates"
    return [
        _faster(f"HALS {to_target}, against those", "s", ours, theirs, bar=7),
        _faster(
            f"HALS {to_target}, against scikit-learn's coordinate descent",
            "s",
            ours,
            _seconds_of_descent_to(target, X, start),
            bar=1,
        ),
        _faster(
            "multiplicative rule, an iteration",
            "s",
            float(ours_again.seconds.diff().mean()),
            theirs / n_updates,
            bar=1,
        ),
    ]


def _ours(X: np.ndarray, start: tuple, solver: str, n_iter: int) -> Factorisation:
    W, H = map(torch.from_numpy, start)
    generator = torch.Generator()
    return sparse_nmf(
        X,
        W.shape[1],
        sparsity=0,
        n_iter=n_iter,
        generator=generator,
        solver=solver,
        start=(W, H),
    )


def _theirs(X: np.ndarray, start: tuple, solver: str, n_iter: int) -> tuple[tuple, float]:
    """Factors after so many iterations of scikit-learn, and the seconds that they took."""
    W, H = (factor.copy() for factor in start)
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        W, H, _ = non_negative_factorization(
            X,
            W=W,
            H=H,
            n_components=W.shape[1],
            init="custom",
            solver=solver,
            max_iter=n_iter,
            tol=0,
        )
    return (W, H), time.perf_counter() - began


def _seconds_of_descent_to(target: float, X: np.ndarray, start: tuple) -> float:
    """Seconds of scikit-learn's coordinate descent, asked one iteration after another."""
    factors, total = start, 0.0
    while _objective(X, *factors) > target:
        factors, seconds = _theirs(X, factors, "cd", 1)
        total += seconds
    return total


def _seconds_to(target: float, run: Factorisation) -> float:
    """When the objective was reached; infinite if never."""
    reached = run.seconds[run.objective <= target]
    return float(reached[0]) if len(reached) else float("inf")


def _objective(X: np.ndarray, W: np.ndarray, H: np.ndarray, width: int = 4096) -> float:
    """1/2 ||X - WH||^2, block by block."""
    blocks = (slice(i, i + width) for i in range(0, X.shape[1], width))
    return sum(0.5 * float(np.square(X[:, b] - W @ H[:, b], dtype=float).sum()) for b in blocks)


def _faster(name: str, unit: str, ours: float, theirs: float, *, bar: float) -> dict:
    ratio = theirs / ours
    return {
        "name": f"sparse NMF: {name}",
        "unit": unit,
        "ours": float(ours),
        "theirs": float(theirs),
        "ratio": float(ratio),
        "bar": bar,
        "met": bool(ratio >= bar),
    }


# ---------------------------------------------------------------- memory


def _compare_memory(X: np.ndarray, n_components: int) -> list[dict]:
    with tempfile.TemporaryDirectory() as folder:
        path, clips = Path(folder, "X.npy"), Path(folder, "clips.npy")
        np.save(path, X)
        n_clips = X.shape[1] // N_FRAMES
        n_frames = n_clips * N_FRAMES
        by_clip = X[:, :n_frames].reshape(len(X), n_clips, N_FRAMES).transpose(1, 0, 2)
        np.save(clips, by_clip)
        in_memory = _in_fresh_process(peak_in_memory, path, n_components)
        streamed = _in_fresh_process(peak_streamed, clips, n_components)
    return [
        _within("peak memory above imports, X in memory", in_memory, X.nbytes, bar=1.3),
        # H alone, which is kept, is n_components / 513 of X.
        _within("peak memory of its own, X streamed", streamed, by_clip.nbytes, bar=0.5),
    ]


def peak_in_memory(path: Path, n_components: int) -> int:
    """Peak of resident bytes above those after imports, X itself included."""
    _compile()
    before = _status("VmRSS")
    _learn(np.load(path), n_components)
    return _status("VmHWM") - before


def peak_streamed(path: Path, n_components: int) -> int:
    """Peak of bytes that are no pages of files, above those after imports.

    Pages of a mapped file are the system's to drop whenever memory is short.
    """
    _compile()
    before, peak, done = _status("RssAnon"), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.002):
            peak = max(peak, _status("RssAnon"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    clips = np.load(path, mmap_mode="r")
    _learn(ClipColumns(clips, range(len(clips))), n_components)
    done.set()
    watcher.join()
    return peak - before


def _learn(X: np.ndarray | ClipColumns, n_components: int) -> None:
    sparse_nmf(X, n_components, sparsity=0.8, n_iter=2, generator=torch.Generator())


def _in_fresh_process(measure: Callable[..., int], *arguments: object) -> int:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, *arguments).result()


def _status(key: str) -> int:
    """A figure of this process from the Linux kernel, in bytes."""
    (line,) = [s for s in Path("/proc/self/status").read_text().splitlines() if s.startswith(key)]
    return int(line.split()[1]) * 1024


def _within(name: str, ours: int, size: int, *, bar: float) -> dict:
    ratio = ours / size
    return {
        "name": f"sparse NMF: {name}",
        "unit": "MB",
        "ours": ours / 1e6,
        "theirs": size / 1e6,
        "ratio": ratio,
        "bar": bar,
        "met": ratio <= bar,
    }


def _compile() -> None:
    """Compile, or load from the cache, what the first call would."""
    _learn(np.ones((8, 16), np.float32), 4)
