"""Choose the test clips of a fold that are listened to."""

from harness import perform
from l2i.datasets.fold import Fold, open_fold
from l2i.interpretation.occasions import Entry, chosen_clips, write_entries


def choose_clips(fold: Fold, path_to_clips: str, *, listening: list[str] | int, seed: int) -> dict:
    """Write the chosen clips as entries of an occasion, see l2i.interpretation.occasions.

    Parameters
    ----------
    fold : Fold
        Of whose test clips.
    path_to_clips : str
        JSON, a list of entries; empty where the fold has none of them.
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
    return {"n_clips": write_entries(path_to_clips, map(Entry, names))}


if __name__ == "__main__":
    perform(snakemake, choose_clips, fold=open_fold)
