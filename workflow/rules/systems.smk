"""Systems: one network per fold, system, variant and run (paper, Sec. III-B, III-C and IV-B)."""

SYSTEM = f"{RESULTS}/systems/{{dataset}}/fold{{fold}}/{{system}}/{{variant}}/run{{run}}"


include: "helpers/systems.smk"


rule train_system:
    input:
        unpack(needs_of_system),
    output:
        model=f"{SYSTEM}/model.safetensors.digest",
        history=f"{SYSTEM}/history.csv",
    log:
        log_of(f"{SYSTEM}/train_system.log"),
    conda:
        "../../envs/compute.yaml"
    threads: THREADS
    resources:
        **asks("train_system", gpu=True),
    params:
        **identity("train_system", training_settings, system_module),
    message:
        "Training {wildcards.system} ({wildcards.variant}) on {wildcards.dataset}, "
        "fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/train_system.py"
