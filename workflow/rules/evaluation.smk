"""Scores, one row per test clip (paper, Sec. IV-C)."""

EVALUATION = RESULTS + "/evaluation/{dataset}/fold{fold}"
INTERPRETED = EVALUATION + "/{system}/run{run}"


rule measure_classification:
    input:
        index=DATASETS + "/index.csv",
        classes=DATASETS + "/classes.json",
        log_mel=FEATURES + "/log_mel.npy",
        classifier=CLASSIFIER + "/model.safetensors",
    output:
        classification=EVALUATION + "/classification.csv",
    log:
        EVALUATION + "/measure_classification.log",
    resources:
        gpu=GPU,
    conda:
        "../../envs/compute.yaml"
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
        index=DATASETS + "/index.csv",
        classes=DATASETS + "/classes.json",
        log_mel=FEATURES + "/log_mel.npy",
        log_magnitude=FEATURES + "/log_magnitude.npy",
        classifier=CLASSIFIER + "/model.safetensors",
        interpreter=INTERPRETER + "/model.safetensors",
    output:
        fidelity=INTERPRETED + "/fidelity.csv",
    log:
        INTERPRETED + "/measure_fidelity.log",
    resources:
        gpu=GPU,
    conda:
        "../../envs/compute.yaml"
    params:
        settings=settings("features"),
        code=code("measure_fidelity"),
        env=ENV,
    message:
        "Comparing {wildcards.system} with its classifier on {wildcards.dataset}, "
        "fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/measure_fidelity.py"


rule measure_faithfulness:
    input:
        index=DATASETS + "/index.csv",
        classes=DATASETS + "/classes.json",
        log_mel=FEATURES + "/log_mel.npy",
        classifier=CLASSIFIER + "/model.safetensors",
        interpreter=INTERPRETER + "/model.safetensors",
    output:
        faithfulness=INTERPRETED + "/faithfulness.csv",
    log:
        INTERPRETED + "/measure_faithfulness.log",
    resources:
        gpu=GPU,
    conda:
        "../../envs/compute.yaml"
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
