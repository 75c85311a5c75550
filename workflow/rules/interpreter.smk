"""Interpreters: one per fold, system, variant and run (paper, Sec. III-B)."""

INTERPRETER = f"{RESULTS}/interpreter/{{dataset}}/fold{{fold}}/{{system}}/{{variant}}/run{{run}}"


rule train_interpreter:
    input:
        index=f"{DATASETS}/index.csv",
        classes=f"{DATASETS}/classes.json",
        log_mel=f"{FEATURES}/log_mel.npy",
        log_magnitude=f"{FEATURES}/log_magnitude.npy",
        dictionary=dictionary_of,
        classifier=f"{CLASSIFIER}/model.safetensors",
    output:
        model=f"{INTERPRETER}/model.safetensors",
        history=f"{INTERPRETER}/history.csv",
    log:
        f"{INTERPRETER}/train_interpreter.log",
    conda:
        "../../envs/compute.yaml"
    resources:
        gpu=GPU,
    params:
        settings=with_settings(
            settings("datasets/{dataset}/interpreter", "systems/{system}/pooling", "features"),
            interpreter=without_other_poolings,
        ),
        code=code("train_interpreter"),
        env=ENV,
    message:
        "Training {wildcards.system} ({wildcards.variant}) on {wildcards.dataset}, "
        "fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/train_interpreter.py"
