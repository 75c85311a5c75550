"""Inputs and settings of rules/corruption.smk."""

from configuration.systems import REFERENCES


def slime_of_mixtures(wildcards):
    """Settings of SLIME, with as many copies as each mixture gets."""
    return config["slime"] | {"n_samples": config["corruption"]["slime_samples"]}


def titles_of_corruption(wildcards):
    """What systems, references and data sets are called."""
    return titles(WITH_SOUNDS, datasets=MULTI_CLASS)(wildcards) | REFERENCES


CORRUPTION_SETTINGS = settings(*OF_SYSTEM, *PLANTED, "evaluation/relevance_scale")
REFERENCES_SETTINGS = settings(
    *OF_RECORDINGS, *PLANTED, "datasets/{dataset}/dictionary/sparsity", slime=slime_of_mixtures
)
CORRUPTION_TABLE = settings(
    *INTERVALS,
    datasets=MULTI_CLASS,
    systems=WITH_SOUNDS,
    references=[*REFERENCES],
    page=page_of("corruption", titles_of_corruption),
)
CORRUPTION_FIGURE = settings(
    "statistics/confidence",
    titles=titles_of_corruption,
    caption=caption_of_figure("corruption"),
)
