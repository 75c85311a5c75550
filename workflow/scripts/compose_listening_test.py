"""The pack of a listening test: stimuli, participants, a page, and the same for webMUSHRA."""

from pathlib import Path

import pandas as pd

from harness import perform
from l2i.listening_test.pack import write_pack
from l2i.tables import read_rows


def compose_listening_test(
    path_to_stimuli: str,
    path_to_sounds: list[str],
    path_to_pack: str,
    *,
    systems: list[str],
    n_participants: int,
    per_participant: int,
    run: int,
    seed: int,
) -> dict:
    """Write the pack of what was chosen and interpreted.

    Parameters
    ----------
    path_to_stimuli : str
        What choose_stimuli says of them.
    path_to_sounds : list of str
        A folder of interpretations for each of `systems`.
    path_to_pack : str
        A folder.
    systems : list of str
    n_participants, per_participant : int
    run : int
        Whose sounds these are.
    seed : int
        Of the plan.

    Returns
    -------
    dict
        What `write_pack` says.
    """
    stimuli = read_rows(path_to_stimuli, columns=("clip", "class"))
    return write_pack(
        Path(path_to_pack),
        with_run(stimuli, run),
        {name: Path(path) for name, path in zip(systems, path_to_sounds, strict=True)},
        n_participants=n_participants,
        per_participant=per_participant,
        seed=seed,
    )


def with_run(stimuli: pd.DataFrame, run: int) -> pd.DataFrame:
    """The stimuli with whose sounds they are played, behind their fold."""
    said = stimuli.copy()
    said.insert(list(said).index("fold") + 1, "run", run)
    return said


if __name__ == "__main__":
    perform(snakemake, compose_listening_test)
