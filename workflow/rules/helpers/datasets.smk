"""Paths and inputs of rules/datasets.smk."""

from configuration.layouts import told_to_layout
from configuration.reading import pins_of
from harness.job import HASHES
from l2i.checks import InputError, reason
from l2i.datasets.listing import changes_since
from l2i.provenance.hashes import KnownHashes


def fetched(wildcards):
    """What the index waits for: a download, or nothing where the corpus lies in a local folder."""
    source = config["datasets"][wildcards.dataset]["source"]
    return f"{DATASETS}/fetched.json" if source == "download" else []


def pins_of_dataset(wildcards):
    """What the download of a data set must be."""
    return pins_of("corpora", config["datasets"][wildcards.dataset]["download"])


def corpus_of(wildcards):
    """How a corpus is laid out, and what its reader is told."""
    return told_to_layout(config, wildcards.dataset)


def layout_module(wildcards):
    """The module of a layout, for the fingerprint of the script that finds it by its name."""
    return "datasets", config["datasets"][wildcards.dataset]["corpus"]["layout"]


def asked_of_dataset(wildcards):
    """What is configured by names and numbers that only the corpus can have."""
    dataset, swept = config["datasets"][wildcards.dataset], config["ablations"]["figure_6"]
    n_swept = [n for e in swept if e["dataset"] == wildcards.dataset for n in e["n_components"]]
    return {
        "listening": dataset["listening"],
        "excluded_classes": dataset["excluded_classes"],
        "positive_weight": dataset["classifier"]["positive_weight"],
        "n_components": [dataset["dictionary"]["n_components"], *n_swept],
        "clips_per_class": dataset["dictionary"]["clips_per_class"],
        "waveform_scale": config["features"]["waveform_scale"],
        "folds": config["run"]["folds"],
    }


def changed_corpus(job):
    """How the folder of a corpus differs from what was indexed, a line for each file."""
    data = Path(config["machine"]["data"]).expanduser()
    return changed_folder(job.output.files, data / job.wildcards.dataset)


def changed_folder(listing, folder):
    """How a folder outside of the run differs from its listing, a line for each file."""
    hashes = KnownHashes(HASHES)
    try:
        changes = changes_since(listing, folder, lambda path: hashes.get(path).sha256)
    except (InputError, OSError) as error:  # the job tells what to do
        return [reason(error)]
    return [*map(str, changes)]
