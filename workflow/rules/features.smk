"""Spectrograms: each data set's, once (paper, Sec. IV-B.2)."""

FEATURES = RESULTS + "/features/{dataset}"


rule cache_features:
    input:
        index=DATASETS + "/index.csv",
    output:
        log_magnitude=FEATURES + "/log_magnitude.npy",
        log_mel=FEATURES + "/log_mel.npy",
    log:
        FEATURES + "/cache_features.log",
    resources:
        gpu=GPU,
    conda:
        "../../envs/compute.yaml"
    params:
        settings=settings("features", "datasets/{dataset}/clip_seconds"),
        code=code("cache_features"),
        env=ENV,
    message:
        "Computing the spectrograms of {wildcards.dataset}"
    script:
        "../scripts/cache_features.py"
