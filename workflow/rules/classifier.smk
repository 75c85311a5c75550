"""Classifiers: the network under interpretation, one per fold (paper, Sec. IV-B.1)."""

CLASSIFIER = RESULTS + "/classifier/{dataset}/fold{fold}"


def published_weights(wildcards):
    """The weights that a classifier starts from; none where it starts from scratch."""
    weights = config["datasets"][wildcards.dataset]["classifier"]["weights"]
    return [] if weights == "scratch" else [f"{RESULTS}/weights/{weights}.safetensors"]


rule fetch_weights:
    output:
        weights=RESULTS + "/weights/{weights}.safetensors",
    log:
        RESULTS + "/weights/{weights}.log",
    localrule: True  # compute nodes of a cluster often have no way to the internet
    conda:
        "../../envs/compute.yaml"
    params:
        settings=settings("weights/{weights}"),
        code=code("fetch_weights"),
        env=ENV,
    message:
        "Fetching the weights {wildcards.weights}"
    script:
        "../scripts/fetch_weights.py"


rule train_classifier:
    input:
        index=DATASETS + "/index.csv",
        classes=DATASETS + "/classes.json",
        log_mel=FEATURES + "/log_mel.npy",
        weights=published_weights,
    output:
        model=CLASSIFIER + "/model.safetensors",
        history=CLASSIFIER + "/history.csv",
    log:
        CLASSIFIER + "/train_classifier.log",
    resources:
        gpu=GPU,
    conda:
        "../../envs/compute.yaml"
    params:
        settings=settings("datasets/{dataset}/classifier", "features", "seed"),
        code=code("train_classifier"),
        env=ENV,
    message:
        "Training the classifier of {wildcards.dataset}, fold {wildcards.fold}"
    script:
        "../scripts/train_classifier.py"
