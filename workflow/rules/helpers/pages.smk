"""What pages say, for rules/pages.smk."""

import itertools

from configuration.ablations import DEFAULT, ablation_rows
from configuration.deviations import deviations_in
from configuration.reading import load_reference
from configuration.systems import METHODS


def deviations(wildcards):
    """The entries of the ledger, by id, and what the configuration says of each."""
    return deviations_in(config, written.value)


def order_of_deviations(wildcards):
    """Their ids as the ledger has them: settings keep no order of keys."""
    return [entry["id"] for entry in load_reference("deviations")]


DEVIATIONS = settings(deviations=deviations, order=order_of_deviations)


# ------------------------------------------------------------------ the listening page


# What explains the classifier of a fold without being trained, by the names of its folders.
EXPLAINERS = ["slime"] if config["listening"]["slime"] else []
# The same of the first fold alone.
OF_FIRST_FOLD = GRADIENTS if config["listening"]["attributions"] else []
CORRUPTED = MULTI_CLASS if config["corruption"]["heard_at_db"] is not None else []
WHOSE = "{occasion}/{dataset}/{fold}/{system}/{variant}/{run}"  # tells apart what the page plays


def heard(pattern):
    """`pattern` for each folder of interpretations that the page plays; more are added here."""
    clean, corrupted = (of_occasion(each, pattern) for each in ("listening", "corrupted"))
    untrained = [
        clean.replace("{system}", name).replace("{variant}", DEFAULT) for name in EXPLAINERS
    ]
    return [
        *over_runs(clean, systems=WITH_SOUNDS),
        *itertools.chain.from_iterable(map(over_folds, untrained)),
        *of_first_runs(clean, config["run"]["datasets"], OF_FIRST_FOLD),
        *misled(clean),
        *of_first_runs(corrupted, CORRUPTED, [*WITH_SOUNDS, *EXPLAINERS]),
    ]


def misled(pattern):
    """`pattern` for interpreters that the sanity checks train on shuffled targets."""
    rows = [row for row in ablation_rows(config, "sanity") if row["system"] in WITH_SOUNDS]
    run = config["run"]["seeds"][0]
    return [pattern.format(run=run, **row) for row in rows if row["variant"] != DEFAULT]


def called(places):
    """What the page calls folders, by their `WHOSE`."""

    def entry(occasion, dataset, fold, system, variant, run):
        title = METHODS.get(system) or config["systems"][system]["title"]
        if variant != DEFAULT:
            title += f", {variant.replace('-', ' ')}"
        of_dataset = config["datasets"][dataset]["title"]
        return {"system": title, "dataset": of_dataset, "fold": fold, "run": run}

    return lambda wildcards: [entry(*each.split("/")) for each in places]


LISTENING_PAGE = settings(
    "listening/single_file",
    sounds=called(heard(WHOSE)),
    prototypes=called(over_runs(of_occasion("prototypes", WHOSE), systems=WITH_PROTOTYPES)),
)
