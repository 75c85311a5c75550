"""Spectrograms: each data set's, once (paper, Sec. IV-B.2)."""

FEATURES = f"{RESULTS}/features/{{dataset}}"


rule cache_features:
    input:
        index=f"{DATASETS}/index.csv",
    output:
        log_magnitude=f"{FEATURES}/log_magnitude.npy.digest",
        log_mel=f"{FEATURES}/log_mel.npy.digest",
    log:
        log_of(f"{FEATURES}/cache_features.log"),
    conda:
        "../../envs/compute.yaml"
    threads: THREADS
    resources:
        **asks("cache_features", gpu=True),
    params:
        **identity("cache_features", settings(*OF_RECORDINGS)),
    message:
        "Computing the spectrograms of {wildcards.dataset}"
    script:
        "../scripts/cache_features.py"
