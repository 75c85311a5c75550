"""Systems: one network per fold, system, variant and run (paper, Sec. III-B, III-C and IV-B)."""

SYSTEM = f"{RESULTS}/systems/{{dataset}}/fold{{fold}}/{{system}}/{{variant}}/run{{run}}"


rule train_system:
    input:
        unpack(needs_of_system),
        index=f"{DATASETS}/index.csv",
        classes=f"{DATASETS}/classes.json",
        log_mel=f"{FEATURES}/log_mel.npy",
        log_magnitude=f"{FEATURES}/log_magnitude.npy",
    output:
        model=f"{SYSTEM}/model.safetensors",
        history=f"{SYSTEM}/history.csv",
    log:
        f"{SYSTEM}/train_system.log",
    conda:
        "../../envs/compute.yaml"
    resources:
        gpu=GPU,
    params:
        settings=training_settings,
        code=code_of_system("train_system"),
        env=ENV,
    message:
        "Training {wildcards.system} ({wildcards.variant}) on {wildcards.dataset}, "
        "fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/train_system.py"
