"""Corpora: from a publisher or a local folder to one checked table of clips."""

DATASETS = f"{RESULTS}/datasets/{{dataset}}"


include: "helpers/datasets.smk"


rule fetch_dataset:
    output:
        fetched=f"{DATASETS}/fetched.json",
    log:
        log_of(f"{DATASETS}/fetch_dataset.log"),
    retries: 0  # a bad input does not get better by trying again
    localrule: True  # compute nodes of a cluster often have no way to the internet
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("fetch_dataset", settings("datasets/{dataset}/download", pins=pins_of_dataset)),
    message:
        "Fetching {wildcards.dataset}"
    script:
        "../scripts/fetch_dataset.py"


rule index_dataset:
    input:
        fetched=fetched,
    output:
        index=f"{DATASETS}/index.csv",
        classes=f"{DATASETS}/classes.json",
        files=f"{DATASETS}/files.json",
    log:
        log_of(f"{DATASETS}/index_dataset.log"),
    conda:
        "../../envs/compute.yaml"
    threads: 1
    resources:
        **asks("index_dataset"),
    params:
        **identity("index_dataset", settings(corpus=corpus_of), layout_module),
    message:
        "Checking and listing the clips of {wildcards.dataset}"
    script:
        "../scripts/index_dataset.py"


# Nothing waits for it: what did would be made anew whenever something else is asked for. It would
# not help to call it ancient, since Snakemake then overlooks other reasons for what comes after it.
rule check_dataset:
    input:
        unpack(fold_of),
    output:
        checked=f"{DATASETS}/checked.json",
    log:
        log_of(f"{DATASETS}/check_dataset.log"),
    priority: 100  # before anything is computed of the clips
    retries: 0  # a bad input does not get better by trying again
    localrule: True  # it takes a second
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("check_dataset", settings(asked=asked_of_dataset)),
    message:
        "Holding the configuration against the clips of {wildcards.dataset}"
    script:
        "../scripts/check_dataset.py"
