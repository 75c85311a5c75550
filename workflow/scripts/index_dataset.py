"""List and check the clips of a corpus."""

import json
from pathlib import Path

from harness import perform
from l2i.datasets.installation import require_as_installed
from l2i.datasets.layouts import layout_module, require_layout
from l2i.datasets.listing import stats_below, write_listing
from l2i.disk import write_text
from l2i.stored import read_json
from l2i.tables import write_rows


def index_dataset(
    path_to_fetched: str | list[str],
    path_to_index: str,
    path_to_classes: str,
    path_to_files: str,
    *,
    corpus: dict,
    dataset: str,
    data: str,
) -> dict:
    """Write the table of clips, the list of classes, and the listing of the folder.

    Parameters
    ----------
    path_to_fetched : str or empty list
        JSON with what a pinned download must hold; nothing for a corpus in a local folder, of
        which neither counts nor lengths are demanded.
    path_to_index : str
        CSV, one row per clip.
    path_to_classes : str
        JSON, class names in the order of labels.
    path_to_files : str
        JSON, see l2i.datasets.listing: by this a later run notices that the corpus has changed.
    corpus : dict
        layout, and the options of its reader.
    dataset, data : str
        The corpus lies in `data`/`dataset`.

    Returns
    -------
    dict
        n_clips, n_classes and what the layout's reader tells.
    """
    expect = None
    if not isinstance(path_to_fetched, list):
        expect = read_json(path_to_fetched, dict)
    options = {key: value for key, value in corpus.items() if key != "layout"}
    folder = Path(data) / dataset
    require_layout(folder, corpus["layout"])
    read = layout_module(corpus["layout"]).index_corpus
    stats = stats_below(folder)
    if expect is not None:
        require_as_installed(folder)
    index, classes, facts = read(folder, **options, expect=expect)
    write_rows(index, path_to_index)
    write_text(path_to_classes, json.dumps(classes, indent=1) + "\n")
    write_listing(path_to_files, folder, stats, index.set_index("path")["sha256"].to_dict())
    return {"n_clips": len(index), "n_classes": len(classes), **facts}


if __name__ == "__main__":
    perform(snakemake, index_dataset)
