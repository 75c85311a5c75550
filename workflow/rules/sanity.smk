"""Sanity checks: do explanations and their measures notice another network?"""


include: "helpers/sanity.smk"


# Seconds of work each: on a cluster, a submission would take longer than the job. What fails where
# the command is typed is not tried again: what is wrong is the input, not a machine.
localrules:
    tabulate_sanity,
    draw_sanity,


rule measure_sanity:
    input:
        unpack(system_of),
    output:
        sanity=f"{MEASURED}/sanity.csv",
    log:
        log_of(f"{MEASURED}/measure_sanity.log"),
    conda:
        "../../envs/compute.yaml"
    threads: THREADS
    resources:
        **asks("measure_sanity", gpu=True, **TURN),
    params:
        **identity("measure_sanity", SANITY_SETTINGS, system_module),
    message:
        "Shuffling the classifier that {wildcards.system} explains: {wildcards.dataset}, "
        "fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/measure_sanity.py"


rule tabulate_sanity:
    input:
        unpack(scores_of_sanity),
    output:
        **table("sanity"),
    log:
        log_of(f"{TABLES}/tabulate_sanity.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("tabulate_sanity", SANITY_TABLE),
    message:
        "Which measures notice another network"
    script:
        "../scripts/tabulate_sanity.py"


rule draw_sanity:
    input:
        numbers=f"{TABLES}/sanity.csv",
    output:
        **figure("sanity"),
    log:
        log_of(f"{FIGURES}/draw_sanity.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("draw_sanity", SANITY_FIGURE),
    message:
        "Figure of the sanity checks"
    script:
        "../scripts/draw_sanity.py"
