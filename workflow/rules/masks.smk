"""Further measures of faithfulness: what explanations claim, as masks under several removals."""

MASKS = f"{MEASURED}/masks.csv"
# Of the classifier alone, but where a system's would be.
MASKS_OF_METHOD = f"{EVALUATION}/{{method}}/default/run{{run}}/masks.csv"


include: "helpers/masks.smk"


localrules:
    tabulate_masks,


rule measure_masks:
    input:
        unpack(system_of),
    output:
        masks=MASKS,
    log:
        log_of(f"{MEASURED}/measure_masks.log"),
    conda:
        "../../envs/compute.yaml"
    threads: THREADS
    resources:
        **asks("measure_masks", gpu=True, **TURN),
    params:
        **identity("measure_masks", MASKS_SETTINGS, system_module),
    message:
        "Removing what {wildcards.system} claims, and the rest: {wildcards.dataset}, "
        "fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/measure_masks.py"


# One job for all methods: each takes as long to start as to measure.
rule measure_masks_of_classifier:
    input:
        unpack(recordings_of_classifier),
    output:
        masks=masks_of_methods(),
    log:
        log_of(f"{EVALUATION}/measure_masks_of_classifier_run{{run}}.log"),
    conda:
        "../../envs/compute.yaml"
    threads: THREADS
    resources:
        **asks("measure_masks_of_classifier", gpu=True, **TURN),
    params:
        **identity("measure_masks_of_classifier", MASKS_OF_CLASSIFIER_SETTINGS),
    message:
        "Removing what explanations of the classifier claim, and the rest: "
        "{wildcards.dataset}, fold {wildcards.fold}"
    script:
        "../scripts/measure_masks_of_classifier.py"


rule tabulate_masks:
    input:
        **scores_of_masks(),
    output:
        **table("faithfulness_more"),
    log:
        log_of(f"{TABLES}/tabulate_masks.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("tabulate_masks", MASKS_TABLE),
    message:
        "Further measures of faithfulness, under each removal"
    script:
        "../scripts/tabulate_masks.py"
