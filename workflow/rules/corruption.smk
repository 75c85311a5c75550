"""Test clips in company: what is found of a sound that was planted (paper, Sec. V-B).

On the first fold and run of data sets with one class a clip: each of its clips is heard in two
kinds of company and at several ratios.
"""

CORRUPTION = f"{MEASURED}/corruption.csv"
OF_REFERENCES = f"{EVALUATION}/references/corruption.csv"
PLANTED = ("listening/threshold", "corruption/snr_db", "seed")


include: "helpers/corruption.smk"


# Seconds of work each, as of other tables and figures.
localrules:
    tabulate_corruption,
    draw_corruption,


rule measure_corruption:
    input:
        unpack(system_of),
    output:
        corruption=CORRUPTION,
    log:
        log_of(f"{MEASURED}/measure_corruption.log"),
    conda:
        "../../envs/compute.yaml"
    threads: THREADS
    resources:
        **asks("measure_corruption", gpu=True, **TURN),
    params:
        **identity("measure_corruption", CORRUPTION_SETTINGS, system_module),
    message:
        "Listening with {wildcards.system} for clips of {wildcards.dataset} in company, "
        "fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/measure_corruption.py"


rule measure_corruption_references:
    input:
        unpack(recordings_of_classifier),
        dictionary=f"{DICTIONARY}/dictionary.safetensors.digest".replace("{variant}", "default"),
    output:
        corruption=OF_REFERENCES,
    log:
        log_of(f"{EVALUATION}/references/measure_corruption_references.log"),
    conda:
        "../../envs/compute.yaml"
    threads: THREADS
    resources:
        **asks("measure_corruption_references", gpu=True, **TURN),
    params:
        **identity("measure_corruption_references", REFERENCES_SETTINGS),
    message:
        "Looking for clips of {wildcards.dataset} in company by other means, fold {wildcards.fold}"
    script:
        "../scripts/measure_corruption_references.py"


rule tabulate_corruption:
    input:
        clips=of_first_runs(CORRUPTION, MULTI_CLASS, WITH_SOUNDS),
        references=over_first_folds(OF_REFERENCES, MULTI_CLASS if WITH_SOUNDS else []),
    output:
        **table("corruption"),
    log:
        log_of(f"{TABLES}/tabulate_corruption.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("tabulate_corruption", CORRUPTION_TABLE),
    message:
        "What is found of clips in company"
    script:
        "../scripts/tabulate_corruption.py"


rule draw_corruption:
    input:
        numbers=f"{TABLES}/corruption.csv",
    output:
        **figure("corruption"),
    log:
        log_of(f"{FIGURES}/draw_corruption.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("draw_corruption", CORRUPTION_FIGURE),
    message:
        "Figure of corruption: how near interpretations come to clips in company"
    script:
        "../scripts/draw_corruption.py"
