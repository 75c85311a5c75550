"""Spectral dictionaries: one per fold (paper, Sec. III-D and IV-B.3)."""

DICTIONARY = RESULTS + "/dictionary/{dataset}/fold{fold}"


rule learn_dictionary:
    input:
        index=DATASETS + "/index.csv",
        classes=DATASETS + "/classes.json",
        log_magnitude=FEATURES + "/log_magnitude.npy",
    output:
        dictionary=DICTIONARY + "/dictionary.safetensors",
        history=DICTIONARY + "/objective.csv",
    log:
        DICTIONARY + "/learn_dictionary.log",
    resources:
        gpu=GPU,
    conda:
        "../../envs/compute.yaml"
    params:
        settings=settings("datasets/{dataset}/dictionary", "features", "seed"),
        code=code("learn_dictionary"),
        env=ENV,
    message:
        "Learning the dictionary of {wildcards.dataset}, fold {wildcards.fold}"
    script:
        "../scripts/learn_dictionary.py"
