"""Inputs and settings of rules/corruption.smk."""

# What is held against the same mixtures beside systems, and what it is called.
REFERENCES = {
    "slime": "SLIME",
    "nmf_alone": "NMF without a network",
    "oracle_mask": "oracle mask",
    "mixture": "the mixture itself",
}


def heard_by_classifier(wildcards):
    """The clips of a fold, their spectra, and the classifier that decides on them."""
    features = {name: f"{FEATURES}/{name}.npy.digest" for name in ("log_mel", "log_magnitude")}
    classifier = f"{CLASSIFIER}/model.safetensors.digest"
    return {
        **fold_of(wildcards),
        **{name: file.format(**wildcards) for name, file in features.items()},
        "classifier": [classifier.format(**wildcards)],
    }


def slime_of_mixtures(wildcards):
    """Settings of SLIME, with as many copies as each mixture gets."""
    return config["slime"] | {"n_samples": config["corruption"]["slime_samples"]}


def titles_of_corruption(wildcards):
    """What systems, references and data sets are called."""
    return titles(WITH_SOUNDS, datasets=MULTI_CLASS)(wildcards) | REFERENCES


def of_first_runs(pattern, systems):
    """`pattern` for the first fold and run of each data set with one class a clip."""
    return [path for system in systems for path in of_first_run(pattern, MULTI_CLASS, system)]


CORRUPTION_SETTINGS = settings(*OF_SYSTEM, *PLANTED, "evaluation/relevance_scale")
REFERENCES_SETTINGS = settings(
    *OF_RECORDINGS, *PLANTED, "datasets/{dataset}/dictionary/sparsity", slime=slime_of_mixtures
)
CORRUPTION_TABLE = settings(
    *INTERVALS,
    datasets=MULTI_CLASS,
    systems=WITH_SOUNDS,
    references=[*REFERENCES],
    titles=titles_of_corruption,
)
CORRUPTION_FIGURE = settings("statistics/confidence", titles=titles_of_corruption)
