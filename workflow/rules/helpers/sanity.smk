"""Inputs and settings of rules/sanity.smk."""

from configuration.ablations import ablation_rows

SANITY_SETTINGS = settings(
    *OF_SYSTEM, *RELEVANCE, "evaluation/random/threshold", "evaluation/sanity/n_draws", "seed"
)


def retrained_rows(wildcards):
    """Interpreters that were held to something else, each with its variant and condition."""
    return ablation_rows(config, "sanity")


def scores_of_sanity(wildcards):
    """What is measured of each system that is checked, and of those that were trained anew."""
    systems = runs.unablated(config, MEASURED, "sanity")
    retrained = over_ablation(MEASURED, "sanity")
    return {
        "sanity": [f"{each}/sanity.csv" for each in systems],
        "relevances": [f"{each}/relevances.csv" for each in systems],
        "exchanged": [f"{each}/relevances_exchanged.csv" for each in systems],
        "retrained_relevances": [f"{each}/relevances.csv" for each in retrained],
        "retrained_fidelity": [f"{each}/fidelity.csv" for each in retrained],
        "retrained_faithfulness": [f"{each}/faithfulness.csv" for each in retrained],
    }


OF_CHECKED = titles(
    [entry["system"] for entry in config["ablations"]["sanity"]],
    datasets=[entry["dataset"] for entry in config["ablations"]["sanity"]],
)
SANITY_TABLE = settings(
    *INTERVALS,
    "evaluation/random/threshold",
    retrained=retrained_rows,
    page=page_of("sanity", OF_CHECKED),
)
SANITY_FIGURE = settings(
    "statistics/confidence", titles=OF_CHECKED, caption=caption_of_figure("sanity")
)
