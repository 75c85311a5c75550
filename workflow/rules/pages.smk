"""Pages about a run, beside its results."""

from configuration.deviations import deviations_in


localrules:
    list_deviations,


def deviations(wildcards):
    """The entries of the ledger, by id, and what the configuration says of each."""
    return deviations_in(config, written.value)


rule list_deviations:
    output:
        page=f"{RESULTS}/deviations.md",
        html=f"{RESULTS}/deviations.html",
    log:
        f"{LOGS}/pages/list_deviations.log",
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity(
            "list_deviations",
            settings(deviations=deviations, order=lambda wildcards: list(deviations(wildcards))),
        ),
    message:
        "Where paper, authors' code and this run differ"
    script:
        "../scripts/list_deviations.py"
