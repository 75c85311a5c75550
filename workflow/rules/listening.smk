"""Interpretations to listen to (paper, Algorithm 1)."""

LISTENING = f"{RESULTS}/listening/{{dataset}}/fold{{fold}}/{{system}}/{{variant}}/run{{run}}"


rule interpret_clips:
    input:
        unpack(measured_system),
        index=f"{DATASETS}/index.csv",
        classes=f"{DATASETS}/classes.json",
        log_mel=f"{FEATURES}/log_mel.npy",
        log_magnitude=f"{FEATURES}/log_magnitude.npy",
    output:
        sounds=directory(LISTENING),
    log:
        f"{RESULTS}/logs/listening/{{dataset}}/fold{{fold}}/{{system}}/{{variant}}/run{{run}}.log",
    conda:
        "../../envs/compute.yaml"
    resources:
        gpu=GPU,
    params:
        settings=settings(
            "systems/{system}/module",
            "features",
            "datasets/{dataset}/clip_seconds",
            "listening/threshold",
            "evaluation/relevance_scale",
            "datasets/{dataset}/listening",
            "seed",
        ),
        code=code_of_system("interpret_clips"),
        env=ENV,
    message:
        "Writing what {wildcards.system} hears in clips of {wildcards.dataset}, "
        "fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/interpret_clips.py"
