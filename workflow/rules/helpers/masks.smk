"""Paths, inputs and settings of rules/masks.smk."""

from configuration.systems import METHODS

MEASURED_METHODS = config["evaluation"]["masks"]["methods"]
HOW_MASKED = tuple(f"evaluation/masks/{name}" for name in ("n_steps", "n_clips", "operators"))
MASKS_SETTINGS = settings(*OF_SYSTEM, *HOW_MASKED, "listening/threshold", *RELEVANCE, "seed")


def slime_of_masks(wildcards):
    """Settings of SLIME, with as many copies as each clip gets here."""
    return config["slime"] | {"n_samples": config["evaluation"]["masks"]["slime_samples"]}


MASKS_OF_CLASSIFIER_SETTINGS = settings(
    *OF_RECORDINGS,
    *HOW_MASKED,
    "evaluation/masks/methods",
    "attributions",
    "seed",
    slime=slime_of_masks,
)


def of_method(method):
    """Where the scores of a method are, for any data set, fold and run."""
    return MASKS_OF_METHOD.replace("{method}", method)


def masks_of_methods():
    """The outputs of one job, in the order of the methods."""
    # Where there are none the rule stays, with an output that nobody asks for.
    return [of_method(name) for name in MEASURED_METHODS or METHODS]


def scores_of_masks():
    """Scores of systems, and of each method by its name; of the first fold and run."""
    datasets = config["run"]["datasets"]
    return {"systems": of_first_runs(MASKS, datasets, WITH_FAITHFULNESS)} | {
        name: over_first_folds(of_method(name), datasets) if name in MEASURED_METHODS else []
        for name in METHODS
    }


MASKS_TABLE = settings(
    *INTERVALS,
    "evaluation/masks/methods",
    "evaluation/masks/operators",
    datasets=lambda wildcards: config["run"]["datasets"],
    systems=WITH_FAITHFULNESS,
    page=page_of("faithfulness_more", titles_with([*WITH_FAITHFULNESS, *MEASURED_METHODS])),
)
