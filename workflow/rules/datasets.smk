"""Corpora: from a publisher or a local folder to one checked table of clips."""

DATASETS = RESULTS + "/datasets/{dataset}"


def fetched(wildcards):
    """What the index waits for: a download, or nothing where the corpus lies in a local folder."""
    source = config["datasets"][wildcards.dataset]["source"]
    return DATASETS + "/fetched.json" if source == "download" else []


rule fetch_dataset:
    output:
        fetched=DATASETS + "/fetched.json",
    log:
        DATASETS + "/fetch_dataset.log",
    localrule: True  # compute nodes of a cluster often have no way to the internet
    conda:
        "../../envs/compute.yaml"
    params:
        settings=settings("datasets/{dataset}/download"),
        code=code("fetch_dataset"),
        env=ENV,
    message:
        "Fetching {wildcards.dataset}"
    script:
        "../scripts/fetch_dataset.py"


rule index_dataset:
    input:
        fetched=fetched,
    output:
        index=DATASETS + "/index.csv",
        classes=DATASETS + "/classes.json",
    log:
        DATASETS + "/index_dataset.log",
    conda:
        "../../envs/compute.yaml"
    params:
        settings=settings("datasets/{dataset}/layout", "datasets/{dataset}/subset"),
        code=code("index_dataset"),
        env=ENV,
    message:
        "Checking and listing the clips of {wildcards.dataset}"
    script:
        "../scripts/index_dataset.py"
