"""Interpretations to listen to: Algorithm 1, and SLIME beside it (paper, Sec. V-A.3)."""

LISTENING = f"{RESULTS}/listening/{{dataset}}/fold{{fold}}/{{system}}/{{variant}}/run{{run}}"
# Of the classifier alone, but where a system's would be, so that pages find both alike.
SLIME = f"{RESULTS}/listening/{{dataset}}/fold{{fold}}/slime/default/run{{run}}"
# Of systems that compare clips with prototypes, which belong to no clip.
PROTOTYPES = f"{RESULTS}/prototypes/{{dataset}}/fold{{fold}}/{{system}}/{{variant}}/run{{run}}"


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


rule explain_by_slime:
    input:
        index=f"{DATASETS}/index.csv",
        classes=f"{DATASETS}/classes.json",
        classifier=f"{CLASSIFIER}/model.safetensors",
    output:
        sounds=directory(SLIME),
    log:
        f"{RESULTS}/logs/listening/{{dataset}}/fold{{fold}}/slime/default/run{{run}}.log",
    conda:
        "../../envs/compute.yaml"
    resources:
        gpu=GPU,
    params:
        settings=settings(
            "features",
            "datasets/{dataset}/clip_seconds",
            "slime",
            "datasets/{dataset}/listening",
            "seed",
        ),
        code=code("explain_by_slime"),
        env=ENV,
    message:
        "Asking the classifier of {wildcards.dataset} by SLIME, fold {wildcards.fold}, "
        "run {wildcards.run}"
    script:
        "../scripts/explain_by_slime.py"


rule sound_prototypes:
    input:
        unpack(measured_system),
        index=f"{DATASETS}/index.csv",
        classes=f"{DATASETS}/classes.json",
        log_mel=f"{FEATURES}/log_mel.npy",
        log_magnitude=f"{FEATURES}/log_magnitude.npy",
    output:
        sounds=directory(PROTOTYPES),
    log:
        f"{RESULTS}/logs/prototypes/{{dataset}}/fold{{fold}}/{{system}}/{{variant}}/run{{run}}.log",
    conda:
        "../../envs/compute.yaml"
    resources:
        gpu=GPU,
    params:
        settings=settings(
            "systems/{system}/module",
            "features",
            "datasets/{dataset}/clip_seconds",
        ),
        code=code_of_system("sound_prototypes"),
        env=ENV,
    message:
        "Writing the prototypes of {wildcards.system} as sound: {wildcards.dataset}, "
        "fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/sound_prototypes.py"
