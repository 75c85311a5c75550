"""Classifiers: the network under interpretation, one per fold (paper, Sec. IV-B.1)."""

CLASSIFIER = f"{RESULTS}/classifier/{{dataset}}/fold{{fold}}"


include: "helpers/classifier.smk"


rule fetch_weights:
    output:
        converted=f"{RESULTS}/weights/{{weights}}.safetensors.digest",
    log:
        log_of(f"{RESULTS}/weights/{{weights}}.log"),
    wildcard_constraints:
        weights=one_of(load_reference("downloads")["weights"]),
    retries: 0  # a bad input does not get better by trying again
    localrule: True  # compute nodes of a cluster often have no way to the internet
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("fetch_weights", settings(git_blob=pin_of_weights)),
    message:
        "Fetching the weights {wildcards.weights}"
    script:
        "../scripts/fetch_weights.py"


rule train_classifier:
    input:
        unpack(start_of_classifier),
        log_mel=f"{FEATURES}/log_mel.npy.digest",
    output:
        model=f"{CLASSIFIER}/model.safetensors.digest",
        history=f"{CLASSIFIER}/history.csv",
    log:
        log_of(f"{CLASSIFIER}/train_classifier.log"),
    conda:
        "../../envs/compute.yaml"
    threads: THREADS
    resources:
        **asks("train_classifier", gpu=True),
    params:
        **identity("train_classifier", CLASSIFIER_SETTINGS),
    message:
        "Training the classifier of {wildcards.dataset}, fold {wildcards.fold}"
    script:
        "../scripts/train_classifier.py"
