"""Scores, one row per test clip (paper, Sec. IV-C)."""

EVALUATION = f"{RESULTS}/evaluation/{{dataset}}/fold{{fold}}"
MEASURED = f"{EVALUATION}/{{system}}/{{variant}}/run{{run}}"


rule measure_classifier:
    input:
        index=f"{DATASETS}/index.csv",
        classes=f"{DATASETS}/classes.json",
        log_mel=f"{FEATURES}/log_mel.npy",
        classifier=f"{CLASSIFIER}/model.safetensors",
    output:
        classification=f"{EVALUATION}/classification.csv",
    log:
        f"{EVALUATION}/measure_classifier.log",
    conda:
        "../../envs/compute.yaml"
    resources:
        gpu=GPU,
    params:
        settings=settings("features"),
        code=code("measure_classifier"),
        env=ENV,
    message:
        "Testing the classifier of {wildcards.dataset}, fold {wildcards.fold}"
    script:
        "../scripts/measure_classifier.py"


rule measure_fidelity:
    input:
        unpack(measured_system),
        index=f"{DATASETS}/index.csv",
        classes=f"{DATASETS}/classes.json",
        log_mel=f"{FEATURES}/log_mel.npy",
        log_magnitude=f"{FEATURES}/log_magnitude.npy",
    output:
        fidelity=f"{MEASURED}/fidelity.csv",
    log:
        f"{MEASURED}/measure_fidelity.log",
    conda:
        "../../envs/compute.yaml"
    resources:
        gpu=GPU,
    params:
        settings=settings(
            "systems/{system}/module",
            "features",
            "datasets/{dataset}/clip_seconds",
        ),
        code=code_of_system("measure_fidelity"),
        env=ENV,
    message:
        "Comparing {wildcards.system} ({wildcards.variant}) with its classifier on {wildcards.dataset}, "
        "fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/measure_fidelity.py"


rule measure_system:
    input:
        unpack(measured_system),
        index=f"{DATASETS}/index.csv",
        classes=f"{DATASETS}/classes.json",
        log_mel=f"{FEATURES}/log_mel.npy",
        log_magnitude=f"{FEATURES}/log_magnitude.npy",
    output:
        classification=f"{MEASURED}/classification.csv",
    log:
        f"{MEASURED}/measure_system.log",
    conda:
        "../../envs/compute.yaml"
    resources:
        gpu=GPU,
    params:
        settings=settings(
            "systems/{system}/module",
            "features",
            "datasets/{dataset}/clip_seconds",
        ),
        code=code_of_system("measure_system"),
        env=ENV,
    message:
        "Testing {wildcards.system} ({wildcards.variant}) on {wildcards.dataset}, "
        "fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/measure_system.py"


rule measure_faithfulness:
    input:
        unpack(measured_system),
        index=f"{DATASETS}/index.csv",
        classes=f"{DATASETS}/classes.json",
        log_mel=f"{FEATURES}/log_mel.npy",
        log_magnitude=f"{FEATURES}/log_magnitude.npy",
    output:
        faithfulness=f"{MEASURED}/faithfulness.csv",
    log:
        f"{MEASURED}/measure_faithfulness.log",
    conda:
        "../../envs/compute.yaml"
    resources:
        gpu=GPU,
    params:
        settings=settings(
            "systems/{system}/module",
            "features",
            "datasets/{dataset}/clip_seconds",
            "evaluation/thresholds",
            "evaluation/random",
            "evaluation/relevance_pooling",
            "evaluation/relevance_scale",
            "seed",
        ),
        code=code_of_system("measure_faithfulness"),
        env=ENV,
    message:
        "Removing the components that {wildcards.system} finds relevant: {wildcards.dataset}, "
        "fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/measure_faithfulness.py"


rule measure_relevances:
    input:
        unpack(measured_system),
        index=f"{DATASETS}/index.csv",
        classes=f"{DATASETS}/classes.json",
        log_mel=f"{FEATURES}/log_mel.npy",
        log_magnitude=f"{FEATURES}/log_magnitude.npy",
    output:
        relevances=f"{MEASURED}/relevances.csv",
        exchanged=f"{MEASURED}/relevances_exchanged.csv",
    log:
        f"{MEASURED}/measure_relevances.log",
    conda:
        "../../envs/compute.yaml"
    resources:
        gpu=GPU,
    params:
        settings=settings(
            "systems/{system}/module",
            "features",
            "datasets/{dataset}/clip_seconds",
            "evaluation/relevance_pooling",
            "evaluation/relevance_scale",
            "seed",
        ),
        code=code_of_system("measure_relevances"),
        env=ENV,
    message:
        "Collecting what components mean to {wildcards.system}: {wildcards.dataset}, "
        "fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/measure_relevances.py"
