"""Paths and inputs of rules/datasets.smk."""

from configuration.reading import pins_of


def fetched(wildcards):
    """What the index waits for: a download, or nothing where the corpus lies in a local folder."""
    source = config["datasets"][wildcards.dataset]["source"]
    return f"{DATASETS}/fetched.json" if source == "download" else []


def pins_of_dataset(wildcards):
    """What the download of a data set must be."""
    return pins_of("corpora", config["datasets"][wildcards.dataset]["download"])


def layout_module(wildcards):
    """The module of a layout, for the fingerprint of the script that finds it by its name."""
    return "datasets", config["datasets"][wildcards.dataset]["corpus"]["layout"]
