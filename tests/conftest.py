"""The import path, as in the Snakefile, and what many tests need."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "workflow"))


@pytest.fixture
def rng() -> torch.Generator:
    """A seeded source of random tensors."""
    return torch.Generator().manual_seed(0)


@pytest.fixture
def project() -> Path:
    """Folder of the repository."""
    return PROJECT
