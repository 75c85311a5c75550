"""Figures of the paper and some more, each as svg and png beside the numbers that it shows."""

FIGURES = f"{RESULTS}/figures"
PICTURED = f"{RESULTS}/evaluation/pictured"  # of sounds and dictionaries, which no crate holds


include: "helpers/figures.smk"


# Seconds of work each: on a cluster, a submission would take longer than the job. What fails where
# the command is typed is not tried again: what is wrong is the input, not a machine.
localrules:
    draw_class_faithfulness,
    draw_relevance_map,
    draw_components_sweep,
    draw_training,
    sample_pictures,
    draw_interpretation,
    draw_dictionary,
    draw_thresholds,


rule draw_class_faithfulness:
    input:
        unpack(scores_of_class_figure),
    output:
        **figure("{number}"),
    log:
        log_of(f"{FIGURES}/draw_class_faithfulness_{{number}}.log"),
    wildcard_constraints:
        number=one_of(CLASS_FIGURES),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("draw_class_faithfulness", settings_of_class_figure),
    message:
        "Figure {wildcards.number}: faithfulness, class by class"
    script:
        "../scripts/draw_class_faithfulness.py"


rule draw_relevance_map:
    input:
        points=of_first_run(f"{MEASURED}/relevance_points.csv", MULTI_LABEL, SHOWN),
        classes_tables=of_first_run(f"{MEASURED}/coherence.csv", MULTI_LABEL, SHOWN),
        distances=of_first_run(f"{MEASURED}/class_distances.csv", MULTI_LABEL, SHOWN),
    output:
        **figure("5"),
    log:
        log_of(f"{FIGURES}/draw_relevance_map.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("draw_relevance_map", RELEVANCE_FIGURE),
    message:
        "Figure 5: relevances of decisions"
    script:
        "../scripts/draw_relevance_map.py"


rule draw_components_sweep:
    input:
        clips=over_ablation(f"{MEASURED}/fidelity.csv", "figure_6"),
    output:
        **figure("6"),
    log:
        log_of(f"{FIGURES}/draw_components_sweep.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("draw_components_sweep", SWEEP_SETTINGS),
    message:
        "Figure 6: number of components"
    script:
        "../scripts/draw_components_sweep.py"


rule draw_training:
    input:
        histories=[*TRAINED],
    output:
        **figure("training"),
    log:
        log_of(f"{FIGURES}/draw_training.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("draw_training", TRAINING_FIGURE),
    message:
        "Figure of training: losses over epochs"
    script:
        "../scripts/draw_training.py"


rule sample_pictures:
    input:
        unpack(files_that_are_pictured),
    output:
        cells=f"{PICTURED}/cells.csv",
        clip=f"{PICTURED}/clip.csv",
        columns=f"{PICTURED}/columns.csv",
    log:
        log_of(f"{PICTURED}/sample_pictures.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("sample_pictures", settings(datasets=config["run"]["datasets"])),
    message:
        "What is pictured of sounds and dictionaries"
    script:
        "../scripts/sample_pictures.py"


rule draw_interpretation:
    input:
        cells=f"{PICTURED}/cells.csv",
        clip=f"{PICTURED}/clip.csv",
    output:
        **figure("interpretation"),
    log:
        log_of(f"{FIGURES}/draw_interpretation.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("draw_interpretation", INTERPRETATION_FIGURE),
    message:
        "Figure of one interpretation: a clip and its mask"
    script:
        "../scripts/draw_interpretation.py"


rule draw_dictionary:
    input:
        columns=f"{PICTURED}/columns.csv",
    output:
        **figure("dictionary"),
    log:
        log_of(f"{FIGURES}/draw_dictionary.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("draw_dictionary", DICTIONARY_FIGURE),
    message:
        "Figure of dictionaries: their components"
    script:
        "../scripts/draw_dictionary.py"


rule draw_thresholds:
    input:
        numbers=f"{TABLES}/table_5.csv",
    output:
        **figure("thresholds"),
    log:
        log_of(f"{FIGURES}/draw_thresholds.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("draw_thresholds", THRESHOLDS_FIGURE),
    message:
        "Figure of thresholds: faithfulness over the threshold of relevance"
    script:
        "../scripts/draw_thresholds.py"
