"""Scores of the sanity checks as the scripts write them, made up; each clip is its own source."""

from __future__ import annotations

import numpy as np
import pandas as pd

KEY = {"dataset": "esc50", "fold": "1", "system": "l2i_att", "variant": "default", "run": 0}
RETRAINED = {"variant": "targets-shuffled", "condition": {"targets": "shuffled"}}
RETRAINED |= {"dataset": "esc50", "fold": "1", "system": "l2i_att"}
N_CLIPS, K = 12, 5


def clips_of(n=N_CLIPS, **changes):
    """Rows of clips and nothing else, with the class that the intact classifier decides."""
    names = [f"c{i:02d}" for i in range(n)]
    return pd.DataFrame(KEY | {"source": names, "clip": names, "class": "dog"} | changes)


def sanity_scores(rng, steps=("head", "head+B6"), n_draws=2, **changes):
    """Rows of sanity.csv: an intact step, and others that are worse throughout."""
    frames = []
    for step in ("nothing", *steps):
        broken = step != "nothing"
        for draw in range(n_draws if broken else 1):
            values = {
                "correlation": rng.uniform(-0.2, 0.4, N_CLIPS) if broken else 1.0,
                "overlap": rng.uniform(0, 0.5, N_CLIPS) if broken else 1.0,
                "top_same": rng.integers(0, 2, N_CLIPS) if broken else 1,
                "followed": 0 if broken else 1,
                "n_selected": rng.integers(0, 2, N_CLIPS) if broken else 4,
                "probability_drop": rng.uniform(0, 0.1, N_CLIPS) + (0.0 if broken else 0.6),
            }
            frames.append(clips_of(shuffled=step, draw=draw, **values))
    return pd.concat(frames, ignore_index=True).assign(**changes)


def relevance_rows(rng, **changes):
    """Rows of relevances.csv of the same decisions."""
    r = np.round(rng.uniform(-1, 1, (N_CLIPS, K)), 6)
    return clips_of(**changes).join(pd.DataFrame(r, columns=[f"r_{k:03d}" for k in range(K)]))


def retrained_scores(rng):
    """Rows of relevances.csv, fidelity.csv and faithfulness.csv of the interpreter trained anew."""
    own = {"variant": RETRAINED["variant"]}
    fidelity = clips_of(**own, classifier_class=9, interpreter_class=rng.integers(8, 10, N_CLIPS))
    removed = {"removal": "relevant", "threshold": 0.1, "draw": 0, "n_removed": 1}
    removed["probability_drop"] = rng.uniform(0, 0.1, N_CLIPS)
    other = {"removal": "relevant", "threshold": 0.5, "draw": 0, "n_removed": 9}
    faithfulness = [clips_of(**own, **removed), clips_of(**own, **other, probability_drop=9.0)]
    return relevance_rows(rng, **own), fidelity, pd.concat(faithfulness, ignore_index=True)
