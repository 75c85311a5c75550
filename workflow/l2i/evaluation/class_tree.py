"""Which classes are near each other, drawn as a tree (paper, Fig. 5)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import dendrogram, linkage
from scipy.spatial.distance import squareform

# In front of a class name: its column in tables of `l2i.evaluation.coherence.class_distances`.
DISTANCE = "to_"


def class_tree(distances: pd.DataFrame) -> dict:
    """Dendrogram of the classes that have a distance, by average linkage.

    Parameters
    ----------
    distances : DataFrame, shape (C, C)
        See `l2i.evaluation.coherence.class_distances`.

    Returns
    -------
    dict
        ``leaves``: names from one end to the other. ``icoord`` and ``dcoord``: corners of the
        links, four each; leaf i stands at 5 + 10 i, as in SciPy. Without links where fewer than
        two classes have a distance.
    """
    names = [name for name in distances.columns if np.isfinite(distances.loc[name, name])]
    if len(names) < 2:
        return {"leaves": names, "icoord": [], "dcoord": []}
    links = linkage(squareform(distances.loc[names, names].to_numpy(), checks=False), "average")
    tree = dendrogram(links, labels=names, no_plot=True)
    return {"leaves": tree["ivl"], "icoord": tree["icoord"], "dcoord": tree["dcoord"]}
