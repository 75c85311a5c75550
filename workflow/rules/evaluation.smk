"""Scores, one row per test clip (paper, Sec. IV-C)."""

EVALUATION = f"{RESULTS}/evaluation/{{dataset}}/fold{{fold}}"
MEASURED = f"{EVALUATION}/{{system}}/{{variant}}/run{{run}}"
RELEVANCE = ("evaluation/relevance_pooling", "evaluation/relevance_scale")

# Of experiments that are made once for each data set.
of_first_runs, over_first_folds = (
    functools.partial(function, config) for function in (runs.of_first_runs, runs.over_first_folds)
)


rule measure_classifier:
    input:
        unpack(fold_of),
        log_mel=f"{FEATURES}/log_mel.npy.digest",
        classifier=f"{CLASSIFIER}/model.safetensors.digest",
    output:
        classification=f"{EVALUATION}/classification.csv",
    log:
        log_of(f"{EVALUATION}/measure_classifier.log"),
    conda:
        "../../envs/compute.yaml"
    threads: THREADS
    resources:
        **asks("measure_classifier", gpu=True, **TURN),
    params:
        **identity("measure_classifier", settings("features")),
    message:
        "Testing the classifier of {wildcards.dataset}, fold {wildcards.fold}"
    script:
        "../scripts/measure_classifier.py"


rule measure_fidelity:
    input:
        unpack(system_of),
    output:
        fidelity=f"{MEASURED}/fidelity.csv",
    log:
        log_of(f"{MEASURED}/measure_fidelity.log"),
    conda:
        "../../envs/compute.yaml"
    threads: THREADS
    resources:
        **asks("measure_fidelity", gpu=True, **TURN),
    params:
        **identity("measure_fidelity", settings(*OF_SYSTEM), system_module),
    message:
        "Comparing {wildcards.system} ({wildcards.variant}) with its classifier on "
        "{wildcards.dataset}, fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/measure_fidelity.py"


rule measure_system:
    input:
        unpack(system_of),
    output:
        classification=f"{MEASURED}/classification.csv",
    log:
        log_of(f"{MEASURED}/measure_system.log"),
    conda:
        "../../envs/compute.yaml"
    threads: THREADS
    resources:
        **asks("measure_system", gpu=True, **TURN),
    params:
        **identity("measure_system", settings(*OF_SYSTEM), system_module),
    message:
        "Testing {wildcards.system} ({wildcards.variant}) on {wildcards.dataset}, "
        "fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/measure_system.py"


FAITHFULNESS_SETTINGS = settings(
    *OF_SYSTEM, "evaluation/thresholds", "evaluation/random", *RELEVANCE, "seed"
)


rule measure_faithfulness:
    input:
        unpack(system_of),
    output:
        faithfulness=f"{MEASURED}/faithfulness.csv",
    log:
        log_of(f"{MEASURED}/measure_faithfulness.log"),
    conda:
        "../../envs/compute.yaml"
    threads: THREADS
    resources:
        **asks("measure_faithfulness", gpu=True, **TURN),
    params:
        **identity("measure_faithfulness", FAITHFULNESS_SETTINGS, system_module),
    message:
        "Removing the components that {wildcards.system} finds relevant: {wildcards.dataset}, "
        "fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/measure_faithfulness.py"


rule measure_relevances:
    input:
        unpack(system_of),
    output:
        relevances=f"{MEASURED}/relevances.csv",
        exchanged=f"{MEASURED}/relevances_exchanged.csv",
    log:
        log_of(f"{MEASURED}/measure_relevances.log"),
    conda:
        "../../envs/compute.yaml"
    threads: THREADS
    resources:
        **asks("measure_relevances", gpu=True, **TURN),
    params:
        **identity("measure_relevances", settings(*OF_SYSTEM, *RELEVANCE, "seed"), system_module),
    message:
        "Collecting what components mean to {wildcards.system}: {wildcards.dataset}, "
        "fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/measure_relevances.py"


PROJECTION_SETTINGS = settings(
    "datasets/{dataset}/shown_per_class", "coherence/n_neighbors", "coherence/perplexity", "seed"
)


rule project_relevances:
    input:
        relevances=f"{MEASURED}/relevances.csv",
        exchanged=f"{MEASURED}/relevances_exchanged.csv",
        classes=f"{DATASETS}/classes.json",
    output:
        points=f"{MEASURED}/relevance_points.csv",
        classes_table=f"{MEASURED}/coherence.csv",
        distances=f"{MEASURED}/class_distances.csv",
    log:
        log_of(f"{MEASURED}/project_relevances.log"),
    conda:
        "../../envs/compute.yaml"
    threads: 1
    params:
        **identity("project_relevances", PROJECTION_SETTINGS),
    message:
        "Projecting the relevances of {wildcards.system} on {wildcards.dataset}"
    script:
        "../scripts/project_relevances.py"
