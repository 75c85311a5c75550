"""Interpreters: one per fold, system and run (paper, Sec. III-B)."""

INTERPRETER = RESULTS + "/interpreter/{dataset}/fold{fold}/{system}/run{run}"


rule train_interpreter:
    input:
        index=DATASETS + "/index.csv",
        classes=DATASETS + "/classes.json",
        log_mel=FEATURES + "/log_mel.npy",
        log_magnitude=FEATURES + "/log_magnitude.npy",
        dictionary=DICTIONARY + "/dictionary.safetensors",
        classifier=CLASSIFIER + "/model.safetensors",
    output:
        model=INTERPRETER + "/model.safetensors",
        history=INTERPRETER + "/history.csv",
    log:
        INTERPRETER + "/train_interpreter.log",
    resources:
        gpu=GPU,
    conda:
        "../../envs/compute.yaml"
    params:
        settings=settings("datasets/{dataset}/interpreter", "systems/{system}", "features"),
        code=code("train_interpreter"),
        env=ENV,
    message:
        "Training {wildcards.system} on {wildcards.dataset}, fold {wildcards.fold}, "
        "run {wildcards.run}"
    script:
        "../scripts/train_interpreter.py"
