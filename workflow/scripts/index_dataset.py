"""List and check the clips of a corpus."""

import json
from pathlib import Path

from harness import perform
from l2i.data.esc50 import index_esc50

LAYOUTS = {"esc50": index_esc50}


def index_dataset(
    path_to_fetched: str | list,
    path_to_index: str,
    path_to_classes: str,
    *,
    layout: str,
    subset: str,
    dataset: str,
    data: str,
) -> dict:
    """Write the table of clips and the list of classes.

    Parameters
    ----------
    path_to_fetched : str or empty list
        JSON with what a pinned download must hold; nothing for a corpus in a local folder, of
        which neither counts nor lengths are demanded.
    path_to_index : str
        CSV, one row per clip.
    path_to_classes : str
        JSON, class names in the order of labels.
    layout, subset : str
        As in the configuration.
    dataset, data : str
        The corpus lies in `data`/`dataset`.
    """
    expect = json.loads(Path(path_to_fetched).read_text()) if path_to_fetched else None
    index, classes = LAYOUTS[layout](Path(data) / dataset, subset=subset, expect=expect)
    index.to_csv(path_to_index, index=False, lineterminator="\n")
    Path(path_to_classes).write_text(json.dumps(classes, indent=1) + "\n")
    return {"n_clips": len(index), "n_classes": len(classes)}


if __name__ == "__main__":
    perform(snakemake, index_dataset)
