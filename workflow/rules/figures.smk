"""Figures of the paper, each as svg and png beside the numbers that it shows."""

FIGURES = f"{RESULTS}/figures"
SHOWN = WITH_FAITHFULNESS[0] if WITH_FAITHFULNESS else None  # the system that figures show
# Figures of class-wise faithfulness: number, and the data set that stands for the paper's.
CLASS_FIGURES = {
    number: dataset
    for number, printed in {"2": "sonyc_ust", "3": "openmic"}.items()
    for dataset in reversed(MULTI_LABEL)  # the first of several
    if config["datasets"][dataset]["paper_dataset"] == printed
}


rule draw_class_faithfulness:
    input:
        clips=lambda wildcards: over_runs(
            f"{MEASURED}/faithfulness.csv", [CLASS_FIGURES[wildcards.number]], [SHOWN]
        ),
        classes=lambda wildcards: f"{DATASETS}/classes.json".format(
            dataset=CLASS_FIGURES[wildcards.number]
        ),
    output:
        svg=f"{FIGURES}/figure_{{number}}.svg",
        png=f"{FIGURES}/figure_{{number}}.png",
        table=f"{FIGURES}/figure_{{number}}.csv",
    log:
        f"{FIGURES}/draw_class_faithfulness_{{number}}.log",
    wildcard_constraints:
        number="2|3",
    conda:
        "../../envs/compute.yaml"
    params:
        settings=lambda wildcards: figure_settings(
            "evaluation/random/threshold",
            "evaluation/random/baselines",
            f"datasets/{CLASS_FIGURES[wildcards.number]}/excluded_classes",
            "statistics",
            "seed",
            datasets=[CLASS_FIGURES[wildcards.number]],
            dataset=CLASS_FIGURES[wildcards.number],
            system=SHOWN,
        )(wildcards),
        code=code("draw_class_faithfulness"),
        env=ENV,
    message:
        "Figure {wildcards.number}: faithfulness, class by class"
    script:
        "../scripts/draw_class_faithfulness.py"


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
        f"{MEASURED}/project_relevances.log",
    conda:
        "../../envs/compute.yaml"
    params:
        settings=settings(
            "datasets/{dataset}/shown_per_class",
            "coherence/n_neighbors",
            "coherence/perplexity",
            "seed",
        ),
        code=code("project_relevances"),
        env=ENV,
    message:
        "Projecting the relevances of {wildcards.system} on {wildcards.dataset}"
    script:
        "../scripts/project_relevances.py"


rule draw_relevance_map:
    input:
        points=of_first_run(f"{MEASURED}/relevance_points.csv", MULTI_LABEL, SHOWN),
        classes_tables=of_first_run(f"{MEASURED}/coherence.csv", MULTI_LABEL, SHOWN),
        distances=of_first_run(f"{MEASURED}/class_distances.csv", MULTI_LABEL, SHOWN),
    output:
        svg=f"{FIGURES}/figure_5.svg",
        png=f"{FIGURES}/figure_5.png",
        table=f"{FIGURES}/figure_5.csv",
    log:
        f"{FIGURES}/draw_relevance_map.log",
    conda:
        "../../envs/compute.yaml"
    params:
        settings=figure_settings(datasets=MULTI_LABEL),
        code=code("draw_relevance_map"),
        env=ENV,
    message:
        "Figure 5: relevances of decisions"
    script:
        "../scripts/draw_relevance_map.py"


rule draw_components_sweep:
    input:
        clips=over_ablation(f"{MEASURED}/fidelity.csv", "figure_6"),
    output:
        svg=f"{FIGURES}/figure_6.svg",
        png=f"{FIGURES}/figure_6.png",
        table=f"{FIGURES}/figure_6.csv",
    log:
        f"{FIGURES}/draw_components_sweep.log",
    conda:
        "../../envs/compute.yaml"
    params:
        settings=figure_settings(
            "statistics",
            "seed",
            datasets=[row["dataset"] for row in config["ablations"]["figure_6"]],
            rows=lambda _: [
                {**row, **row["condition"]} for row in ablation_rows(config, "figure_6")
            ],
        ),
        code=code("draw_components_sweep"),
        env=ENV,
    message:
        "Figure 6: number of components"
    script:
        "../scripts/draw_components_sweep.py"
