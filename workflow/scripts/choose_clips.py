"""Choose the test clips of a fold that are listened to."""

import json

from harness import perform
from l2i.datasets.fold import Fold, open_fold
from l2i.disk import write_text
from l2i.interpretation.listening import chosen_clips


def choose_clips(fold: Fold, path_to_clips: str, *, listening: list[str] | int, seed: int) -> dict:
    """Write the names of the chosen clips.

    Parameters
    ----------
    fold : Fold
        Of whose test clips.
    path_to_clips : str
        JSON, a list of names; empty where the fold has none of them.
    listening : list of str or int
        Clips of the corpus by name, or how many to draw in each fold.
    seed : int
        Of the draw.

    Returns
    -------
    dict
        n_clips.
    """
    names = fold.index["clip"].iloc[chosen_clips(fold, listening, seed)].tolist()
    write_text(path_to_clips, json.dumps(names, indent=1) + "\n")
    return {"n_clips": len(names)}


if __name__ == "__main__":
    perform(snakemake, choose_clips, fold=open_fold)
