"""What pages say, for rules/pages.smk."""

from configuration.deviations import deviations_in
from configuration.reading import load_reference


def deviations(wildcards):
    """The entries of the ledger, by id, and what the configuration says of each."""
    return deviations_in(config, written.value)


def order_of_deviations(wildcards):
    """Their ids as the ledger has them: settings keep no order of keys."""
    return [entry["id"] for entry in load_reference("deviations")]


DEVIATIONS = settings(deviations=deviations, order=order_of_deviations)
