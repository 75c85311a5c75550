"""How workers share the cores, and what many tests need."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# All workers of `make test` together have one thread a core. Libraries read this as they load, and
# so do the processes that tests start.
if N_WORKERS := int(os.getenv("PYTEST_XDIST_WORKER_COUNT", "0")):
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // N_WORKERS)))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from demo.make_corpus import make_demo_corpora  # noqa: E402
from helpers.browser import browser, page  # noqa: E402, F401 -- fixtures
from helpers.project import PROJECT  # noqa: E402

TESTS = PROJECT / "tests"
# Files that take longest, longest first. A worker takes a file at a time, and one that takes a long
# one last keeps the others waiting.
LONGEST = [
    "workflow/test_slurm.py",
    "workflow/test_workflow.py",
    "workflow/test_bad_input.py",
    "workflow/test_ratings.py",
    "workflow/test_taken_test.py",
    "workflow/test_killed_runs.py",
    "workflow/test_harness.py",
    "l2i/features/test_spectral.py",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let workers begin with the longest files; one process alone keeps the order of names."""
    if N_WORKERS:
        place = {TESTS / name: i for i, name in enumerate(LONGEST)}
        items.sort(key=lambda item: place.get(item.path, len(LONGEST)))


@pytest.fixture
def rng() -> np.random.Generator:
    """A seeded source of random arrays."""
    return np.random.default_rng(0)


@pytest.fixture
def generator() -> torch.Generator:
    """A seeded source of random tensors."""
    return torch.Generator().manual_seed(0)


@pytest.fixture
def project() -> Path:
    """Folder of the repository."""
    return PROJECT


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """Folder and pins of the demo's corpora, made once by each worker that asks."""
    folder = tmp_path_factory.mktemp("corpora")
    return folder, make_demo_corpora(folder)


@pytest.fixture
def torch_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A job has a process of its own and leaves torch as it likes; tests share one."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    backends = torch.backends.cudnn, torch.backends.cuda.matmul
    in_tf32 = [backend.allow_tf32 for backend in backends]
    threads, strict = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    yield
    torch.set_num_threads(threads)
    torch.set_deterministic_debug_mode(strict)
    torch.set_flush_denormal(False)
    for backend, allowed in zip(backends, in_tf32, strict=True):
        backend.allow_tf32 = allowed
