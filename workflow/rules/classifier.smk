"""Classifiers: the network under interpretation, one per fold (paper, Sec. IV-B.1)."""

CLASSIFIER = f"{RESULTS}/classifier/{{dataset}}/fold{{fold}}"


rule fetch_weights:
    output:
        converted=f"{RESULTS}/weights/{{weights}}.safetensors",
    log:
        f"{RESULTS}/weights/{{weights}}.log",
    retries: 0  # a bad input does not get better by trying again
    localrule: True  # compute nodes of a cluster often have no way to the internet
    conda:
        "../../envs/compute.yaml"
    params:
        settings=settings("weights/{weights}/git_blob"),
        code=code("fetch_weights"),
        env=ENV,
    message:
        "Fetching the weights {wildcards.weights}"
    script:
        "../scripts/fetch_weights.py"


rule train_classifier:
    input:
        index=f"{DATASETS}/index.csv",
        classes=f"{DATASETS}/classes.json",
        log_mel=f"{FEATURES}/log_mel.npy",
        weights=published_weights,
    output:
        model=f"{CLASSIFIER}/model.safetensors",
        history=f"{CLASSIFIER}/history.csv",
    log:
        f"{CLASSIFIER}/train_classifier.log",
    conda:
        "../../envs/compute.yaml"
    resources:
        gpu=GPU,
    params:
        settings=settings("datasets/{dataset}/classifier", "features", "seed"),
        code=code("train_classifier"),
        env=ENV,
    message:
        "Training the classifier of {wildcards.dataset}, fold {wildcards.fold}"
    script:
        "../scripts/train_classifier.py"
