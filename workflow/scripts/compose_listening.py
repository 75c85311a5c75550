"""The listening page of a run: all that was interpreted of its clips."""

from pathlib import Path

from harness import perform
from l2i.pages.listening import Heard, write_listening_page

TITLE = "Listen to Interpret"


def compose_listening(
    path_to_sounds: list[str],
    path_to_prototypes: list[str],
    path_to_page: str,
    *,
    sounds: list[dict],
    prototypes: list[dict],
    single_file: bool,
) -> dict:
    """Write the page of folders of interpretations and of prototypes.

    Parameters
    ----------
    path_to_sounds, path_to_prototypes : list of str
        Folders.
    path_to_page : str
        Folder of the page.
    sounds, prototypes : list of dict
        What each is called on the page: system, dataset, fold, run.
    single_file : bool
        Everything in one index.html.

    Returns
    -------
    dict
        n_clips, n_sounds, n_bytes.
    """
    heard, known = (
        [Heard(folder=Path(path), **each) for path, each in zip(paths, said, strict=True)]
        for paths, said in ((path_to_sounds, sounds), (path_to_prototypes, prototypes))
    )
    return write_listening_page(
        Path(path_to_page), heard, title=TITLE, single_file=single_file, prototypes=known
    )


if __name__ == "__main__":
    perform(snakemake, compose_listening)
