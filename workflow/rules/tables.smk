"""Tables of the paper, each as csv and as a page: our numbers beside the printed ones."""

TABLES = f"{RESULTS}/tables"


include: "helpers/tables.smk"


# Seconds of work each: on a cluster, a submission would take longer than the job. What fails where
# the command is typed is not tried again: what is wrong is the input, not a machine.
localrules:
    tabulate_classification,
    tabulate_hyperparameters,
    tabulate_fidelity,
    tabulate_faithfulness,
    tabulate_ablation,
    tabulate_classes,
    tabulate_by_design,
    compare_systems,
    tabulate_cost,


rule tabulate_classification:
    input:
        clips=over_folds(f"{EVALUATION}/classification.csv"),
    output:
        **table("table_1"),
    log:
        log_of(f"{TABLES}/tabulate_classification.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("tabulate_classification", CLASSIFICATION_TABLE),
    message:
        "Table I: the classifier"
    script:
        "../scripts/tabulate_classification.py"


rule tabulate_hyperparameters:
    input:
        systems=models_of_table,
    output:
        **table("table_{number}"),
    log:
        log_of(f"{TABLES}/tabulate_hyperparameters_{{number}}.log"),
    wildcard_constraints:
        number="2|3",
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("tabulate_hyperparameters", settings_of_settings_table),
    message:
        "Table {wildcards.number}: settings of the systems"
    script:
        "../scripts/tabulate_hyperparameters.py"


rule tabulate_fidelity:
    input:
        clips=over_runs(f"{MEASURED}/fidelity.csv", systems=WITH_FIDELITY),
    output:
        **table("table_4"),
    log:
        log_of(f"{TABLES}/tabulate_fidelity.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("tabulate_fidelity", FIDELITY_TABLE),
    message:
        "Table IV: fidelity of the interpreters"
    script:
        "../scripts/tabulate_fidelity.py"


rule tabulate_faithfulness:
    input:
        clips=over_runs(f"{MEASURED}/faithfulness.csv", MULTI_CLASS, WITH_FAITHFULNESS),
    output:
        **table("table_5"),
    log:
        log_of(f"{TABLES}/tabulate_faithfulness.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("tabulate_faithfulness", FAITHFULNESS_TABLE),
    message:
        "Table V: faithfulness of the interpreters"
    script:
        "../scripts/tabulate_faithfulness.py"


rule tabulate_ablation:
    input:
        clips=scores_of_ablation,
    output:
        **table("table_{number}"),
    log:
        log_of(f"{TABLES}/tabulate_ablation_{{number}}.log"),
    wildcard_constraints:
        number="6|7",
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("tabulate_ablation", settings_of_ablation),
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
        **table("classes"),
    log:
        log_of(f"{TABLES}/tabulate_classes.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("tabulate_classes", CLASSES_TABLE),
    message:
        "Every class of the multi-label data sets"
    script:
        "../scripts/tabulate_classes.py"


rule tabulate_by_design:
    input:
        unpack(scores_by_design),
    output:
        **table("table_8"),
    log:
        log_of(f"{TABLES}/tabulate_by_design.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("tabulate_by_design", BY_DESIGN_TABLE),
    message:
        "Table VIII: classification by design"
    script:
        "../scripts/tabulate_by_design.py"


rule compare_systems:
    input:
        unpack(scores_of_pairs),
    output:
        **table("comparisons_{number}"),
    log:
        log_of(f"{TABLES}/compare_systems_{{number}}.log"),
    wildcard_constraints:
        number="4|8",
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("compare_systems", settings_of_comparisons),
    message:
        "Comparing all pairs of systems of Table {wildcards.number}"
    script:
        "../scripts/compare_systems.py"


rule tabulate_cost:
    input:
        systems=over_runs(f"{SYSTEM}/model.safetensors.digest"),
        classifiers=over_folds(f"{CLASSIFIER}/model.safetensors.digest"),
    output:
        **table("cost"),
    log:
        log_of(f"{TABLES}/tabulate_cost.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("tabulate_cost", COST_TABLE),
    message:
        "What the systems cost to train"
    script:
        "../scripts/tabulate_cost.py"
