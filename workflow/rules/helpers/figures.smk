"""What figures there are, their inputs and settings, for rules/figures.smk."""

from configuration.ablations import ablation_rows
from configuration.captions import caption_of
from configuration.layouts import layout_of_dataset
from l2i.names import CLASSIFIER as CLASSIFIER_NAME

SHOWN = WITH_FAITHFULNESS[0] if WITH_FAITHFULNESS else None  # the system that figures show
# Figures of class-wise faithfulness: number, and the first data set whose layout has it.
CLASS_FIGURES = {
    number: dataset
    for dataset in reversed(MULTI_LABEL)
    if (number := layout_of_dataset(config, dataset).figure) is not None
}
SWEPT_DATASETS = [row["dataset"] for row in config["ablations"]["figure_6"]]
SWEPT_SYSTEMS = [row["system"] for row in config["ablations"]["figure_6"]]
# Systems that divide clips by a dictionary; its use is measured through the first (rules/atlas.smk).
WITH_DICTIONARY = [name for name in WITH_SOUNDS if "dictionary" in config["systems"][name]["needs"]]
INTERPRETED_DATASET = [*MULTI_CLASS, *MULTI_LABEL][0]


def all_figures():
    """Figures that the configuration has something for."""
    numbers = sorted(CLASS_FIGURES) + (["5"] if MULTI_LABEL else []) if WITH_FAITHFULNESS else []
    numbers += ["6"] if config["ablations"]["figure_6"] else []
    numbers += ["corruption"] if ASKED_FOR["corruption"] else []
    numbers += ["sanity"] if config["ablations"]["sanity"] else []
    numbers += ["4"] if TESTED and config["machine"]["ratings"] else []
    numbers += ["training"]
    numbers += ["interpretation", "dictionary"] if WITH_DICTIONARY else []
    numbers += ["thresholds"] if ASKED_FOR["table_5"] else []
    return expand(f"{FIGURES}/figure_{{number}}.{{format}}", number=numbers, format=["svg", "png"])


def drawn(*formats):
    """All of them in these formats; csv for the numbers that they show."""
    names = dict.fromkeys(Path(path).stem for path in all_figures())
    return expand(f"{FIGURES}/{{name}}.{{format}}", name=names, format=formats)


def figure(number):
    """The three files of a figure: drawn twice, and its numbers."""
    formats = {"svg": "svg", "png": "png", "table": "csv"}
    return {name: f"{FIGURES}/figure_{number}.{suffix}" for name, suffix in formats.items()}


def caption_of_figure(number):
    """What a figure is called and what it shows, which its files carry."""
    return caption_of(f"figure_{number}")._asdict()


@of_number
def settings_of_class_figure(number):
    """Settings of Figure 2 or 3."""
    dataset = CLASS_FIGURES[number]
    return settings(
        *INTERVALS,
        "evaluation/random/threshold",
        "evaluation/random/baselines",
        f"datasets/{dataset}/excluded_classes",
        caption=caption_of_figure(number),
        of={"dataset": dataset, "system": SHOWN},
        titles=titles([SHOWN], datasets=[dataset]),
    )


def swept_rows(wildcards):
    """Runs that Figure 6 shows, each with its number of components."""
    return [row | row["condition"] for row in ablation_rows(config, "figure_6")]


RELEVANCE_FIGURE = settings(titles=titles([], datasets=MULTI_LABEL), caption=caption_of_figure("5"))
SWEEP_SETTINGS = settings(
    *INTERVALS,
    rows=swept_rows,
    titles=titles(SWEPT_SYSTEMS, datasets=SWEPT_DATASETS),
    caption=caption_of_figure("6"),
)


def scores_of_class_figure(wildcards):
    """Faithfulness that Figure 2 or 3 shows, and the classes of its data set."""
    dataset = CLASS_FIGURES[wildcards.number]
    return {
        "clips": over_runs(f"{MEASURED}/faithfulness.csv", [dataset], [SHOWN]),
        "classes": f"{DATASETS}/classes.json".format(dataset=dataset),
    }


def trained_networks():
    """The history of each network of the main tables, and what it is of; classifiers first."""
    found = {}
    for dataset in config["run"]["datasets"]:
        of_classifier = over_folds(f"{CLASSIFIER}/history.csv", [dataset])
        found |= dict.fromkeys(of_classifier, {"dataset": dataset, "system": CLASSIFIER_NAME})
        for system in config["run"]["systems"]:
            paths = over_runs(f"{SYSTEM}/history.csv", [dataset], [system])
            found |= dict.fromkeys(paths, {"dataset": dataset, "system": system})
    return found


TRAINED = trained_networks()
TRAINING_FIGURE = settings(
    rows=[*TRAINED.values()],
    titles=titles(config["run"]["systems"], datasets=config["run"]["datasets"]),
    caption=caption_of_figure("training"),
)
THRESHOLDS_FIGURE = settings(
    "statistics/confidence",
    systems=WITH_FAITHFULNESS,
    titles=titles(WITH_FAITHFULNESS, datasets=MULTI_CLASS),
    caption=caption_of_figure("thresholds"),
)
DICTIONARY_FIGURE = settings(
    titles=titles([], datasets=config["run"]["datasets"]),
    caption=caption_of_figure("dictionary"),
)
INTERPRETATION_FIGURE = settings(
    of={"dataset": INTERPRETED_DATASET, "system": WITH_DICTIONARY[0] if WITH_DICTIONARY else None},
    titles=titles(WITH_DICTIONARY[:1], datasets=[INTERPRETED_DATASET]),
    caption=caption_of_figure("interpretation"),
)


def files_that_are_pictured(wildcards):
    """What the first system makes of clips of the first fold, and the dictionaries of first folds."""
    first, datasets = WITH_DICTIONARY[0], config["run"]["datasets"]
    clips, sounds = (
        of_first_run(of_occasion("listening", path), [INTERPRETED_DATASET], first)[0]
        for path in (CHOSEN, INTERPRETED)
    )
    return {
        "clips": clips,
        "sounds": sounds,
        "dictionaries": of_first_run(
            f"{DICTIONARY}/dictionary.safetensors.digest", datasets, first
        ),
        "summaries": of_first_run(f"{ATLAS}.json", datasets, first),
    }
