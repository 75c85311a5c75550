"""Random controls for the removal of relevant components (Sec. IV-C): which others to take out.

Names and shapes
----------------
L : (K,)    bool, the components that are relevant
G : (K, K)  products <X_k, X_j> of the components' shares of the clip; the energy of a set is their
            sum over all pairs of the set
"""

from __future__ import annotations

import numpy as np

TOLERANCE = 0.2  # a set matches the energy of another where it is off by no larger share of it
WORTHWHILE = 0.01  # share of the energy to match that an exchange must bring it nearer by
MAX_ORDERS = 8  # that are tried; the first nearly always does where any set matches


def draw_unselected(L: np.ndarray, n_removed: int, rng: np.random.Generator) -> np.ndarray:
    """The paper's random baseline: `n_removed` components among those not in L, as a mask."""
    pool = np.flatnonzero(~L)
    return _mask(len(L), rng.permutation(pool)[:n_removed])


def draw_any(L: np.ndarray, n_removed: int, rng: np.random.Generator) -> np.ndarray:
    """The authors' code's baseline: `n_removed` among all components, relevant ones included."""
    return _mask(len(L), rng.permutation(len(L))[:n_removed])


def draw_energy(L: np.ndarray, G: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Components not in L that together hold about the energy that L holds together, as a mask.

    Matching the count alone may set strong components against empty ones. Components are visited
    in random order, and taken where that brings the energy nearer; then one after the other is
    exchanged, dropped or added, whatever brings it nearest. Where that does not match, further
    orders are tried, and the nearest set is returned: what is outside of L may hold too little
    energy, or hold it in pieces that are too large.
    """
    goal = G[np.ix_(L, L)].sum()
    sets: list[tuple[float, int, np.ndarray]] = []
    for _ in range(MAX_ORDERS):
        mask = _exchanged(L, G, _taken_in_order(rng.permutation(np.flatnonzero(~L)), G, goal), goal)
        sets.append((abs(energy_of(mask, G) - goal), len(sets), mask))
        if matches(energy_of(mask, G), goal):
            break
    return min(sets)[2]


def energy_of(mask: np.ndarray, G: np.ndarray) -> float:
    """Energy of what a set of components takes away together, ||sum of X_k||^2."""
    return float(G[np.ix_(mask, mask)].sum())


def matches(energy: np.ndarray | float, goal: float) -> np.ndarray | bool:
    """Whether energies are within `TOLERANCE` of the one to be matched."""
    return np.abs(energy - goal) <= TOLERANCE * goal


def _taken_in_order(order: np.ndarray, G: np.ndarray, goal: float) -> np.ndarray:
    mask, energy, common = np.zeros(len(G), dtype=bool), 0.0, np.zeros(len(G))
    for k in order:
        more = energy + 2 * common[k] + G[k, k]  # common: products with the sum of those taken
        if abs(more - goal) < abs(energy - goal):
            mask[k], energy, common = True, more, common + G[k]
    return mask


def _exchanged(L: np.ndarray, G: np.ndarray, mask: np.ndarray, goal: float) -> np.ndarray:
    """The mask after all single exchanges that are worthwhile, the best first."""
    while True:
        nearer = _best_exchange(L, G, mask, goal)
        before, after = (abs(energy_of(each, G) - goal) for each in (mask, nearer))
        if not before - after > WORTHWHILE * goal:  # nor where they are no numbers
            return mask
        mask = nearer


def _best_exchange(L: np.ndarray, G: np.ndarray, mask: np.ndarray, goal: float) -> np.ndarray:
    """The mask whose energy is nearest to `goal` after at most one goes out and one comes in."""
    K = len(L)
    G, mask = np.pad(G, (0, 1)), np.append(mask, False)  # the last is nobody, and holds nothing
    leaving = np.append(np.flatnonzero(mask), K)
    coming = np.append(np.flatnonzero(~mask[:K] & ~L), K)
    common = G[mask].sum(0)
    without = common[mask].sum() - 2 * common[leaving] + G[leaving, leaving]
    gained = 2 * (common[coming] - G[np.ix_(leaving, coming)]) + G[coming, coming]
    distance = np.abs(without[:, None] + gained - goal)
    i, j = np.unravel_index(distance.argmin(), distance.shape)
    mask[leaving[i]], mask[coming[j]] = False, True
    return mask[:K]


def _mask(n: int, chosen: np.ndarray) -> np.ndarray:
    mask = np.zeros(n, dtype=bool)
    mask[chosen] = True
    return mask
