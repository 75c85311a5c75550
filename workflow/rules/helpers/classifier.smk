"""Paths and inputs of rules/classifier.smk."""

from configuration.reading import load_reference, pins_of

CLASSIFIER_SETTINGS = settings("datasets/{dataset}/classifier", "features", "seed")


def published_weights(wildcards):
    """The weights that a classifier starts from; none where it starts from scratch."""
    weights = config["datasets"][wildcards.dataset]["classifier"]["weights"]
    return [] if weights == "scratch" else [f"{RESULTS}/weights/{weights}.safetensors.digest"]


def start_of_classifier(wildcards):
    """The clips of a fold, and the weights that its classifier starts from."""
    return fold_of(wildcards) | {"weights": published_weights(wildcards)}


def pin_of_weights(wildcards):
    """Git's name of the published file."""
    return pins_of("weights", wildcards.weights)["git_blob"]
