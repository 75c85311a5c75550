"""Tables of the paper, each as csv and as a page: our numbers beside the printed ones."""

TABLES = f"{RESULTS}/tables"
# Whose settings Tables II and III print.
OF_SETTINGS_TABLE = {
    "2": [name for name in WITH_FAITHFULNESS if config["systems"][name]["module"] == "posthoc"],
    "3": [name for name in WITH_CLASSIFICATION if name == "l2i_bd"],
}
# Systems that are held against the labels as well, and under which name.
AS_CLASSIFIER = {
    name: config["systems"][name]["as_classifier"]
    for name in WITH_FIDELITY
    if "as_classifier" in config["systems"][name]
}


rule tabulate_classification:
    input:
        clips=over_folds(f"{EVALUATION}/classification.csv"),
    output:
        table=f"{TABLES}/table_1.csv",
        page=f"{TABLES}/table_1.md",
    log:
        f"{TABLES}/tabulate_classification.log",
    conda:
        "../../envs/compute.yaml"
    params:
        settings=table_settings(
            "run/datasets",
            "statistics",
            "seed",
            paper=1,
            score="score",
            excluded_classes="excluded_classes",
            paper_dataset="paper_dataset",
            paper_comparable="paper_comparable",
        ),
        code=code("tabulate_classification"),
        env=ENV,
    message:
        "Table I: the classifier"
    script:
        "../scripts/tabulate_classification.py"


rule tabulate_hyperparameters:
    input:
        systems=lambda wildcards: over_runs(
            f"{SYSTEM}/model.safetensors", systems=OF_SETTINGS_TABLE[wildcards.number]
        ),
    output:
        table=f"{TABLES}/table_{{number}}.csv",
        page=f"{TABLES}/table_{{number}}.md",
    log:
        f"{TABLES}/tabulate_hyperparameters_{{number}}.log",
    wildcard_constraints:
        number="2|3",
    conda:
        "../../envs/compute.yaml"
    params:
        settings=lambda wildcards: table_settings(
            "run/datasets",
            paper=int(wildcards.number),
            paper_dataset="paper_dataset",
            paper_comparable="paper_comparable",
        )(wildcards),
        code=code("tabulate_hyperparameters"),
        env=ENV,
    message:
        "Table {wildcards.number}: settings of the systems"
    script:
        "../scripts/tabulate_hyperparameters.py"


rule tabulate_fidelity:
    input:
        clips=over_runs(f"{MEASURED}/fidelity.csv", systems=WITH_FIDELITY),
    output:
        table=f"{TABLES}/table_4.csv",
        page=f"{TABLES}/table_4.md",
    log:
        f"{TABLES}/tabulate_fidelity.log",
    conda:
        "../../envs/compute.yaml"
    params:
        settings=with_settings(
            table_settings(
                "run/datasets",
                "evaluation/top_k",
                "statistics",
                "seed",
                paper=4,
                score="score",
                excluded_classes="excluded_classes",
                paper_dataset="paper_dataset",
                paper_comparable="paper_comparable",
            ),
            systems=WITH_FIDELITY,
        ),
        code=code("tabulate_fidelity"),
        env=ENV,
    message:
        "Table IV: fidelity of the interpreters"
    script:
        "../scripts/tabulate_fidelity.py"


rule tabulate_faithfulness:
    input:
        clips=over_runs(f"{MEASURED}/faithfulness.csv", MULTI_CLASS, WITH_FAITHFULNESS),
    output:
        table=f"{TABLES}/table_5.csv",
        page=f"{TABLES}/table_5.md",
    log:
        f"{TABLES}/tabulate_faithfulness.log",
    conda:
        "../../envs/compute.yaml"
    params:
        settings=with_settings(
            table_settings(
                "evaluation/thresholds",
                "evaluation/random/baselines",
                "statistics",
                "seed",
                paper=5,
                score="score",
                paper_dataset="paper_dataset",
                paper_comparable="paper_comparable",
                datasets=MULTI_CLASS,
            ),
            datasets=MULTI_CLASS,
            systems=WITH_FAITHFULNESS,
        ),
        code=code("tabulate_faithfulness"),
        env=ENV,
    message:
        "Table V: faithfulness of the interpreters"
    script:
        "../scripts/tabulate_faithfulness.py"


rule tabulate_ablation:
    input:
        clips=lambda wildcards: over_ablation(
            f"{MEASURED}/fidelity.csv", f"table_{wildcards.number}"
        ),
    output:
        table=f"{TABLES}/table_{{number}}.csv",
        page=f"{TABLES}/table_{{number}}.md",
    log:
        f"{TABLES}/tabulate_ablation_{{number}}.log",
    wildcard_constraints:
        number="6|7",
    conda:
        "../../envs/compute.yaml"
    params:
        settings=lambda wildcards: ablation_settings(
            f"table_{wildcards.number}",
            "statistics",
            "seed",
            paper=int(wildcards.number),
            score="score",
            excluded_classes="excluded_classes",
            paper_dataset="paper_dataset",
            paper_comparable="paper_comparable",
        )(wildcards),
        code=code("tabulate_ablation"),
        env=ENV,
    message:
        "Table {wildcards.number}: an ablation"
    script:
        "../scripts/tabulate_ablation.py"


rule tabulate_classes:
    input:
        classification=over_folds(f"{EVALUATION}/classification.csv", MULTI_LABEL),
        fidelity=over_runs(f"{MEASURED}/fidelity.csv", MULTI_LABEL, WITH_FAITHFULNESS),
        faithfulness=over_runs(f"{MEASURED}/faithfulness.csv", MULTI_LABEL, WITH_FAITHFULNESS),
    output:
        table=f"{TABLES}/classes.csv",
        page=f"{TABLES}/classes.md",
    log:
        f"{TABLES}/tabulate_classes.log",
    conda:
        "../../envs/compute.yaml"
    params:
        settings=with_settings(
            table_settings(
                "evaluation/random/threshold",
                "evaluation/random/baselines",
                "statistics",
                "seed",
                paper=4,
                score="score",
                datasets=MULTI_LABEL,
            ),
            datasets=MULTI_LABEL,
            systems=WITH_FAITHFULNESS,
        ),
        code=code("tabulate_classes"),
        env=ENV,
    message:
        "Every class of the multi-label data sets"
    script:
        "../scripts/tabulate_classes.py"


rule tabulate_by_design:
    input:
        clips=over_runs(f"{MEASURED}/classification.csv", systems=WITH_CLASSIFICATION),
        classifier=over_folds(f"{EVALUATION}/classification.csv"),
        posthoc=over_runs(f"{MEASURED}/fidelity.csv", systems=AS_CLASSIFIER),
    output:
        table=f"{TABLES}/table_8.csv",
        page=f"{TABLES}/table_8.md",
    log:
        f"{TABLES}/tabulate_by_design.log",
    conda:
        "../../envs/compute.yaml"
    params:
        settings=with_settings(
            table_settings(
                "run/datasets",
                "statistics",
                "seed",
                paper=8,
                score="score",
                excluded_classes="excluded_classes",
                paper_dataset="paper_dataset",
                paper_comparable="paper_comparable",
            ),
            systems=WITH_CLASSIFICATION,
            as_classifier=AS_CLASSIFIER,
        ),
        code=code("tabulate_by_design"),
        env=ENV,
    message:
        "Table VIII: classification by design"
    script:
        "../scripts/tabulate_by_design.py"


rule compare_systems:
    input:
        unpack(compared),
    output:
        table=f"{TABLES}/comparisons_{{number}}.csv",
        page=f"{TABLES}/comparisons_{{number}}.md",
    log:
        f"{TABLES}/compare_systems_{{number}}.log",
    wildcard_constraints:
        number="4|8",
    conda:
        "../../envs/compute.yaml"
    params:
        settings=lambda wildcards: with_settings(
            table_settings(
                "run/datasets",
                "statistics",
                "seed",
                paper=int(wildcards.number),
                score="score",
                excluded_classes="excluded_classes",
            ),
            paper=without_numbers,
            systems=WITH_FIDELITY if wildcards.number == "4" else WITH_CLASSIFICATION,
            as_classifier={} if wildcards.number == "4" else AS_CLASSIFIER,
        )(wildcards),
        code=code("compare_systems"),
        env=ENV,
    message:
        "Comparing all pairs of systems of Table {wildcards.number}"
    script:
        "../scripts/compare_systems.py"


rule tabulate_cost:
    input:
        systems=over_runs(f"{SYSTEM}/model.safetensors"),
        classifiers=over_folds(f"{CLASSIFIER}/model.safetensors"),
    output:
        table=f"{TABLES}/cost.csv",
        page=f"{TABLES}/cost.md",
    log:
        f"{TABLES}/tabulate_cost.log",
    conda:
        "../../envs/compute.yaml"
    params:
        settings=figure_settings("run/datasets", "run/systems", datasets=config["run"]["datasets"]),
        code=code("tabulate_cost"),
        env=ENV,
    message:
        "What the systems cost to train"
    script:
        "../scripts/tabulate_cost.py"
