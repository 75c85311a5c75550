"""Random controls for the removal of relevant components (Sec. IV-C): which others to take out.

Names and shapes
----------------
L        : (K,)  bool, the components that are relevant
energies : (K,)  energy of every component's share of the clip
"""

from __future__ import annotations

import numpy as np


def draw_unselected(L: np.ndarray, n_removed: int, rng: np.random.Generator) -> np.ndarray:
    """The paper's random baseline: `n_removed` components among those not in L, as a mask."""
    pool = np.flatnonzero(~L)
    return _mask(len(L), rng.permutation(pool)[:n_removed])


def draw_any(L: np.ndarray, n_removed: int, rng: np.random.Generator) -> np.ndarray:
    """The authors' code's baseline: `n_removed` among all components, relevant ones included."""
    return _mask(len(L), rng.permutation(len(L))[:n_removed])


def draw_energy(L: np.ndarray, energies: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Components not in L, drawn until they hold as much energy as L does.

    Matching the count alone may set strong components against empty ones. All of the pool is taken
    where even that holds less than L.
    """
    order = rng.permutation(np.flatnonzero(~L))
    goal = energies[L].sum()
    n_removed = int(np.searchsorted(np.cumsum(energies[order]), goal)) + 1 if goal > 0 else 0
    return _mask(len(L), order[:n_removed])


def _mask(n: int, chosen: np.ndarray) -> np.ndarray:
    mask = np.zeros(n, dtype=bool)
    mask[chosen] = True
    return mask
