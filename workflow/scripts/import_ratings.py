"""Answers to a listening test, held against what was asked."""

import logging
from pathlib import Path

from harness import perform
from l2i.checks import InputError
from l2i.datasets.listing import stats_below, write_listing
from l2i.listening_test.ratings import import_folder, read_asked
from l2i.listening_test.report import SIMULATED
from l2i.tables import write_rows

log = logging.getLogger(__name__)


def import_ratings(
    path_to_pack: str,
    path_to_ratings: str,
    path_to_participants: str,
    path_to_files: str,
    *,
    systems: list[str],
    dataset: str,
    ratings: str | None,
) -> dict:
    """Write the ratings in one form, who gave them, and a listing of the folder.

    Parameters
    ----------
    path_to_pack : str
        Folder of the test.
    path_to_ratings, path_to_participants : str
        CSV, see `l2i.listening_test.ratings.Ratings`.
    path_to_files : str
        JSON, see `l2i.datasets.listing`: by this a later run notices that answers have come.
    systems : list of str
        The two that are compared.
    dataset, ratings : str
        Answers lie in `ratings`/`dataset`.

    Returns
    -------
    dict
        test, simulated, n_participants, n_complete, n_ratings, n_references, all_equal, and files:
        the sha256 of each file by its name.
    """
    if ratings is None:
        raise InputError(
            "machine.ratings is null, and the answers that were imported before are to be imported "
            f"anew: set it to the folder that holds {dataset}/*.csv"
        )
    folder = Path(ratings) / dataset
    stats = stats_below(folder)
    found = import_folder(folder, read_asked(path_to_pack, systems))
    write_rows(found.ratings, path_to_ratings)
    write_rows(found.participants, path_to_participants)
    known = dict(zip(found.files["file"], found.files["sha256"], strict=True))
    write_listing(path_to_files, folder, stats, known)
    people = found.participants
    if people["simulated"].any():
        log.warning("note: answers of %s: %s", dataset, SIMULATED)
    return {
        "test": found.ratings["test"].iloc[0],
        "simulated": bool(people["simulated"].any()),
        "n_participants": len(people),
        "n_complete": int(people["complete"].sum()),
        "n_ratings": len(found.ratings),
        "n_references": int(found.files["n_references"].sum()),
        "all_equal": people.loc[people["all_equal"], "participant"].tolist(),
        "files": known,
    }


if __name__ == "__main__":
    perform(snakemake, import_ratings)
