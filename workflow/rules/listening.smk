"""Interpretations to listen to (paper, Algorithm 1)."""

LISTENING = RESULTS + "/listening/{dataset}/fold{fold}/{system}/run{run}"


rule interpret_clips:
    input:
        index=DATASETS + "/index.csv",
        classes=DATASETS + "/classes.json",
        classifier=CLASSIFIER + "/model.safetensors",
        interpreter=INTERPRETER + "/model.safetensors",
    output:
        sounds=directory(LISTENING),
    log:
        RESULTS + "/logs/listening/{dataset}/fold{fold}/{system}/run{run}.log",
    resources:
        gpu=GPU,
    conda:
        "../../envs/compute.yaml"
    params:
        settings=settings(
            "features",
            "listening/threshold",
            "evaluation/relevance_pooling",
            "evaluation/relevance_scale",
            "datasets/{dataset}/listening",
        ),
        code=code("interpret_clips"),
        env=ENV,
    message:
        "Writing what {wildcards.system} hears in clips of {wildcards.dataset}, "
        "fold {wildcards.fold}, run {wildcards.run}"
    script:
        "../scripts/interpret_clips.py"
