"""Tables of the paper, each as csv and as a page: our numbers beside the printed ones."""

import os

TABLES = f"{RESULTS}/tables"
# Relative where the workflow runs in its own folder, so that results name no machine's paths.
PAPER = os.path.relpath(WORKFLOW / "reference" / "paper.yaml")


rule tabulate_classification:
    input:
        clips=over_runs(f"{EVALUATION}/classification.csv"),
        paper=PAPER,
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
            paper_dataset="paper_dataset",
            paper_comparable="paper_comparable",
        ),
        code=code("tabulate_classification"),
        env=ENV,
    message:
        "Table I: accuracy of the classifier"
    script:
        "../scripts/tabulate_classification.py"


rule tabulate_hyperparameters:
    input:
        paper=PAPER,
    output:
        table=f"{TABLES}/table_2.csv",
        page=f"{TABLES}/table_2.md",
    log:
        f"{TABLES}/tabulate_hyperparameters.log",
    conda:
        "../../envs/compute.yaml"
    params:
        settings=table_settings(
            "run/datasets",
            paper_dataset="paper_dataset",
            paper_comparable="paper_comparable",
            reconstruction_weight="interpreter/reconstruction_weight",
            sparsity_weight="interpreter/sparsity_weight",
            n_components="dictionary/n_components",
            n_epochs="interpreter/n_epochs",
        ),
        code=code("tabulate_hyperparameters"),
        env=ENV,
    message:
        "Table II: settings of the interpreters"
    script:
        "../scripts/tabulate_hyperparameters.py"


rule tabulate_fidelity:
    input:
        clips=over_runs(f"{INTERPRETED}/fidelity.csv"),
        paper=PAPER,
    output:
        table=f"{TABLES}/table_4.csv",
        page=f"{TABLES}/table_4.md",
    log:
        f"{TABLES}/tabulate_fidelity.log",
    conda:
        "../../envs/compute.yaml"
    params:
        settings=table_settings(
            "run/datasets",
            "run/systems",
            "evaluation/top_k",
            "statistics",
            "seed",
            paper_dataset="paper_dataset",
            paper_comparable="paper_comparable",
        ),
        code=code("tabulate_fidelity"),
        env=ENV,
    message:
        "Table IV: fidelity of the interpreters"
    script:
        "../scripts/tabulate_fidelity.py"


rule tabulate_faithfulness:
    input:
        clips=over_runs(f"{INTERPRETED}/faithfulness.csv"),
        paper=PAPER,
    output:
        table=f"{TABLES}/table_5.csv",
        page=f"{TABLES}/table_5.md",
    log:
        f"{TABLES}/tabulate_faithfulness.log",
    conda:
        "../../envs/compute.yaml"
    params:
        settings=table_settings(
            "run/datasets",
            "run/systems",
            "evaluation/thresholds",
            "evaluation/random/baselines",
            "statistics",
            "seed",
            paper_dataset="paper_dataset",
            paper_comparable="paper_comparable",
        ),
        code=code("tabulate_faithfulness"),
        env=ENV,
    message:
        "Table V: faithfulness of the interpreters"
    script:
        "../scripts/tabulate_faithfulness.py"
