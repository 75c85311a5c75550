"""Scores, one row per test clip (paper, Sec. IV-C)."""

EVALUATION = f"{RESULTS}/evaluation/{{dataset}}/fold{{fold}}"
INTERPRETED = f"{EVALUATION}/{{system}}/{{variant}}/run{{run}}"


rule measure_classification:
    input:
        index=f"{DATASETS}/index.csv",
        classes=f"{DATASETS}/classes.json",
        log_mel=f"{FEATURES}/log_mel.npy",
        classifier=f"{CLASSIFIER}/model.safetensors",
    output:
        classification=f"{EVALUATION}/classification.csv",
    log:
        f"{EVALUATION}/measure_classification.log",
    conda:
        "../../envs/compute.yaml"
    resources:
        gpu=GPU,
    params:
        settings=settings("features"),
        code=code("measure_classification"),
        env=ENV,
    message:
        "Testing the classifier of {wildcards.dataset}, fold {wildcards.fold}"
    script:
        "../scripts/measure_classification.py"


rule measure_fidelity:
    input:
        index=f"{DATASETS}/index.csv",
        classes=f"{DATASETS}/classes.json",
        log_mel=f"{FEATURES}/log_mel.npy",
        log_magnitude=f"{FEATURES}/log_magnitude.npy",
        classifier=f"{CLASSIFIER}/model.safetensors",
        interpreter=f"{INTERPRETER}/model.safetensors",
    output:
        fidelity=f"{INTERPRETED}/fidelity.csv",
    log:
        f"{INTERPRETED}/measure_fidelity.log",
    conda:
        "../../envs/compute.yaml"
    resources:
        gpu=GPU,
    params:
        settings=settings("features"),
        code=code("measure_fidelity"),
        env=ENV,
    message:
        "Comparing {wildcards.system} ({wildcards.variant}) with its classifier on {wildcards.dataset}, "
        "fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/measure_fidelity.py"


rule measure_faithfulness:
    input:
        index=f"{DATASETS}/index.csv",
        classes=f"{DATASETS}/classes.json",
        log_mel=f"{FEATURES}/log_mel.npy",
        classifier=f"{CLASSIFIER}/model.safetensors",
        interpreter=f"{INTERPRETER}/model.safetensors",
    output:
        faithfulness=f"{INTERPRETED}/faithfulness.csv",
    log:
        f"{INTERPRETED}/measure_faithfulness.log",
    conda:
        "../../envs/compute.yaml"
    resources:
        gpu=GPU,
    params:
        settings=settings(
            "features",
            "datasets/{dataset}/clip_seconds",
            "evaluation/thresholds",
            "evaluation/random",
            "evaluation/relevance_pooling",
            "evaluation/relevance_scale",
            "seed",
        ),
        code=code("measure_faithfulness"),
        env=ENV,
    message:
        "Removing the components that {wildcards.system} finds relevant: {wildcards.dataset}, "
        "fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/measure_faithfulness.py"


rule measure_relevances:
    input:
        index=f"{DATASETS}/index.csv",
        classes=f"{DATASETS}/classes.json",
        log_mel=f"{FEATURES}/log_mel.npy",
        classifier=f"{CLASSIFIER}/model.safetensors",
        interpreter=f"{INTERPRETER}/model.safetensors",
    output:
        relevances=f"{INTERPRETED}/relevances.csv",
        exchanged=f"{INTERPRETED}/relevances_exchanged.csv",
    log:
        f"{INTERPRETED}/measure_relevances.log",
    conda:
        "../../envs/compute.yaml"
    resources:
        gpu=GPU,
    params:
        settings=settings(
            "features",
            "evaluation/relevance_pooling",
            "evaluation/relevance_scale",
            "seed",
        ),
        code=code("measure_relevances"),
        env=ENV,
    message:
        "Collecting what components mean to {wildcards.system}: {wildcards.dataset}, "
        "fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/measure_relevances.py"
