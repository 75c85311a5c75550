"""Sparse NMF against scikit-learn and the machine: time to an equal objective, memory, disk."""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from machine import gemm_rate
from parts import Given
from rows import Row, at_most_of, faster, near_floor

from l2i.dictionary.columns import ClipColumns
from l2i.dictionary.moments import block_workers, products, summed
from l2i.dictionary.nmf import Factorisation, sparse_nmf
from l2i.features.cache import load_waveform
from l2i.features.spectral import FrontEnd, log_magnitude

FRONT_END = FrontEnd(sample_rate=44100, n_fft=1024, hop_length=512, n_mels=128, mel_power=2)
N_FRAMES = 431  # per clip of the streamed run
N_ROUNDS = 3  # of reading and computing in turn; the best of each counts


def measure(given: Given) -> list[Row]:
    """Compare with scikit-learn side by side, from the same start, without penalty."""
    n_columns, n_components, n_updates = (1000, 8, 20) if given.tiny else (172_671, 100, 200)
    X = spectra(given.clips(n_columns // N_FRAMES + 1), n_columns)
    rng = np.random.default_rng(0)
    W = rng.random((X.shape[0], n_components), dtype=np.float32)
    W /= np.linalg.norm(W, axis=0)
    start = W, rng.random((n_components, X.shape[1]), dtype=np.float32)
    _compile()
    with matrix_file(X, given.scratch) as clips:
        return [
            *_compare_speed(X, start, n_updates),
            *_compare_memory(X, clips, n_components),
            _streamed(clips, n_components),
        ]


def spectra(paths: Sequence[Path], n_columns: int) -> np.ndarray:
    """Log-magnitude frames of audio files side by side, (513, at most n_columns) float32."""
    parts = []
    for path in paths:
        x = load_waveform(path, sample_rate=FRONT_END.sample_rate, scale="absolute")
        parts.append(log_magnitude(FRONT_END.stft(torch.from_numpy(x))).numpy())
    return np.ascontiguousarray(np.concatenate(parts, axis=1)[:, :n_columns])


# ---------------------------------------------------------------- speed


def _compare_speed(X: np.ndarray, start: tuple, n_updates: int) -> list[Row]:
    # Ours before and after theirs: a machine that others use changes its speed meanwhile.
    n_iter = max(12, n_updates // 12)  # about twice what it takes
    before = _ours(X, start, "hals", n_iter)
    updated, theirs = _theirs(X, start, "mu", n_updates)
    after = _ours(X, start, "hals", n_iter)
    target = _objective(X, *updated)
    ours = float(np.mean([_seconds_to(target, run) for run in (before, after)]))
    sweep = float(np.median(before.seconds.diff().numpy()[1:]))
    again = _ours(X, start, "multiplicative", max(2, n_updates // 10))
    iteration = float(np.median(again.seconds.diff().numpy()[1:]))
    floor = _floor(len(X), start[1].shape)
    to_target = f"to the objective of {n_updates} multiplicative updates"
    coordinate_descent = _seconds_of_descent_to(target, X, start)
    return [
        faster(f"sparse NMF: HALS {to_target}, against those", "s", ours, theirs, 20),
        faster(
            f"sparse NMF: HALS {to_target}, against scikit-learn's coordinate descent",
            "s",
            ours,
            coordinate_descent,
            1,
        ),
        near_floor("sparse NMF: a sweep of HALS, against its products", "s", sweep, floor, 0.5),
        faster(
            "sparse NMF: multiplicative rule, an iteration",
            "s",
            iteration,
            theirs / n_updates,
            1,
            floor=floor,
        ),
    ]


def _floor(n_bins: int, shape: tuple[int, ...]) -> float:
    """Seconds of W'X, XH', HH' and W'W at the measured rate, for H of this shape."""
    n_atoms, n_columns = shape
    n_operations = 2 * n_atoms * (2 * n_bins * n_columns + n_atoms * (n_columns + n_bins))
    return n_operations / gemm_rate()


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
    # Here, since processes whose memory is measured import this module and have no use for it.
    from sklearn.decomposition import non_negative_factorization
    from sklearn.exceptions import ConvergenceWarning

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


# ---------------------------------------------------------------- memory


@contextmanager
def matrix_file(X: np.ndarray, folder: Path) -> Iterator[Path]:
    """X as clips, (n, 513, N_FRAMES), in a file that is removed at the end."""
    n_clips = X.shape[1] // N_FRAMES
    by_clip = X[:, : n_clips * N_FRAMES].reshape(len(X), n_clips, N_FRAMES).transpose(1, 0, 2)
    path = folder / "clips.npy"
    np.save(path, np.ascontiguousarray(by_clip))
    try:
        yield path
    finally:
        path.unlink()


def _compare_memory(X: np.ndarray, clips: Path, n_components: int) -> list[Row]:
    path = clips.with_name("X.npy")
    np.save(path, X)
    in_memory = _in_fresh_process(peak_in_memory, path, n_components)
    path.unlink()
    streamed = _in_fresh_process(peak_streamed, clips, n_components)
    return [
        _within("peak memory above imports, X in memory", in_memory, X.nbytes, 1.3),
        # H alone, which is kept, is n_components / 513 of X.
        _within("peak memory of its own, X streamed", streamed, clips.stat().st_size, 0.5),
    ]


def _streamed(path: Path, n_components: int) -> Row:
    """Seconds that the first pass over data on disk takes, beside those of only reading them."""
    clips = np.load(path, mmap_mode="r")
    columns = ClipColumns(clips, range(len(clips)))
    H = torch.rand(n_components, columns.shape[1])

    def read() -> None:
        with path.open("rb", buffering=0) as file:
            while file.read(2**22):
                pass

    def visit() -> None:
        with block_workers(columns.device) as workers:
            summed(products, columns, H, workers, range(len(columns)))

    rounds = []
    for _ in range(N_ROUNDS):
        _forget_pages(path)
        reading = _seconds(read)
        _forget_pages(path)
        rounds.append((reading, _seconds(visit), _seconds(visit)))
    read_alone, cold, warm = map(min, zip(*rounds, strict=True))
    # What is read while others compute costs nothing: the slower of the two is what there is.
    return at_most_of(
        "sparse NMF: a pass over X on disk, against reading it or computing alone",
        "s",
        cold,
        max(read_alone, warm),
        1.5,
        note=f"reading alone {read_alone:.2f} s, computing alone {warm:.2f} s",
    )


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _forget_pages(path: Path) -> None:
    """Have the system drop what it keeps of a file in memory, where it does so when asked."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


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


def _within(name: str, ours: int, size: int, bar: float) -> Row:
    return at_most_of(f"sparse NMF: {name}", "MB", ours / 1e6, size / 1e6, bar)


def _compile() -> None:
    """Compile, or load from the cache, what the first call would."""
    _learn(np.ones((8, 16), np.float32), 4)
