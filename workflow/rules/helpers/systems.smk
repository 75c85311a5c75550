"""Paths, inputs and settings of rules/systems.smk."""

from configuration.ablations import dictionary_variant, varied
from configuration.systems import starts_one, training_of


def needs_of_system(wildcards):
    """Recordings, and what else a system starts from; empty lists are what it does not need."""
    entry = config["systems"][wildcards.system]
    needs = entry["needs"]
    variant = dictionary_variant(config, wildcards.dataset, wildcards.variant)
    dictionary = f"{DICTIONARY}/dictionary.safetensors.digest".format(
        **dict(wildcards) | {"variant": variant}
    )
    return recordings_of(wildcards) | {
        "dictionary": [dictionary] if "dictionary" in needs else [],
        "weights": published_weights(wildcards) if starts_one(entry) else [],
    }


def training_settings(wildcards):
    """All that decides how a system is trained."""
    changed = varied(config, wildcards.dataset, wildcards.variant)
    return canonical_json(training_of(changed, wildcards.dataset, wildcards.system))
