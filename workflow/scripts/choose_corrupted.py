"""Choose what corrupts the clips of a fold that are listened to (paper, Sec. V-B)."""

import logging
from collections.abc import Iterator

from harness import perform
from l2i.datasets.corruption import KINDS, pair_of
from l2i.datasets.fold import Fold, open_fold
from l2i.interpretation.occasions import Corruption, Entry, read_entries, write_entries
from l2i.interpretation.opened_clips import labels_of, row_of

log = logging.getLogger(__name__)


def choose_corrupted(
    fold: Fold,
    path_to_chosen: str,
    path_to_clips: str,
    *,
    heard_at_db: float,
    seed: int,
    data: str,
) -> dict:
    """Write the chosen clips, each with white noise and with a clip of another class.

    They are interpreted for their own class, and, with a clip of another class, for that one too:
    both were planted, so that of both it is known what should be heard.

    Parameters
    ----------
    fold : Fold
        Of a corpus with one class a clip.
    path_to_chosen : str
        Entries of clips to listen to.
    path_to_clips : str
        JSON, entries of corrupted clips, see l2i.interpretation.occasions.
    heard_at_db : float
        Energy of the clip over that of the other, in dB.
    seed : int
        Of what is drawn.
    data : str
        Folder of corpora.

    Returns
    -------
    dict
        n_clips, n_entries.
    """

    def corrupted(name: str) -> Iterator[Entry]:
        row = row_of(fold, name)
        for kind in KINDS:
            pair = pair_of(fold, row, data, kind=kind, seed=seed)
            if pair.is_silent:
                log.warning("%s is silent, and in no ratio to another sound: it is left out", name)
                return
            rows = [row, row_of(fold, pair.partner)] if pair.partner else [row]
            classes = tuple(label for each in rows for label in labels_of(fold, each)[0])
            yield Entry(name, classes, Corruption(kind, heard_at_db, seed))

    entries = [each for chosen in read_entries(path_to_chosen) for each in corrupted(chosen.clip)]
    return {"n_clips": len(entries), "n_entries": write_entries(path_to_clips, entries)}


if __name__ == "__main__":
    perform(snakemake, choose_corrupted, fold=open_fold)
