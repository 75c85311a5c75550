"""Spectral dictionaries: one per fold (paper, Sec. III-D and IV-B.3)."""

DICTIONARY = f"{RESULTS}/dictionary/{{dataset}}/fold{{fold}}/{{variant}}"
DICTIONARY_SETTINGS = settings("datasets/{dataset}/dictionary", "features", "seed")


rule learn_dictionary:
    input:
        unpack(fold_of),
        log_magnitude=f"{FEATURES}/log_magnitude.npy.digest",
    output:
        dictionary=f"{DICTIONARY}/dictionary.safetensors.digest",
        history=f"{DICTIONARY}/objective.csv",
    log:
        log_of(f"{DICTIONARY}/learn_dictionary.log"),
    conda:
        "../../envs/compute.yaml"
    threads: THREADS
    resources:
        **asks("learn_dictionary", gpu=True),
    params:
        **identity("learn_dictionary", DICTIONARY_SETTINGS),
    message:
        "Learning the dictionary of {wildcards.dataset}, fold {wildcards.fold}, {wildcards.variant}"
    script:
        "../scripts/learn_dictionary.py"
