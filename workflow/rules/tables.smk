"""Tables of the paper, each as csv and as a page: our numbers beside the printed ones."""

TABLES = f"{RESULTS}/tables"


rule tabulate_classification:
    input:
        clips=over_runs(f"{EVALUATION}/classification.csv"),
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
        interpreters=over_runs(f"{INTERPRETER}/model.safetensors"),
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
            paper=2,
            paper_dataset="paper_dataset",
            paper_comparable="paper_comparable",
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
            paper=4,
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
            paper=5,
            paper_dataset="paper_dataset",
            paper_comparable="paper_comparable",
        ),
        code=code("tabulate_faithfulness"),
        env=ENV,
    message:
        "Table V: faithfulness of the interpreters"
    script:
        "../scripts/tabulate_faithfulness.py"
