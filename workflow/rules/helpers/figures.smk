"""What figures there are, their inputs and settings, for rules/figures.smk."""

from configuration.ablations import ablation_rows
from configuration.layouts import layout_of_dataset

SHOWN = WITH_FAITHFULNESS[0] if WITH_FAITHFULNESS else None  # the system that figures show
# Figures of class-wise faithfulness: number, and the first data set whose layout has it.
CLASS_FIGURES = {
    number: dataset
    for dataset in reversed(MULTI_LABEL)
    if (number := layout_of_dataset(config, dataset).figure) is not None
}
SWEPT_DATASETS = [row["dataset"] for row in config["ablations"]["figure_6"]]
SWEPT_SYSTEMS = [row["system"] for row in config["ablations"]["figure_6"]]


def all_figures():
    """Figures that the configuration has something for."""
    numbers = sorted(CLASS_FIGURES) + (["5"] if MULTI_LABEL else []) if WITH_FAITHFULNESS else []
    numbers += ["6"] if config["ablations"]["figure_6"] else []
    numbers += ["corruption"] if ASKED_FOR["corruption"] else []
    numbers += ["sanity"] if config["ablations"]["sanity"] else []
    numbers += ["4"] if TESTED and config["machine"]["ratings"] else []
    return expand(f"{FIGURES}/figure_{{number}}.{{format}}", number=numbers, format=["svg", "png"])


def drawn(*formats):
    """All of them in these formats; csv for the numbers that they show."""
    names = dict.fromkeys(Path(path).stem for path in all_figures())
    return expand(f"{FIGURES}/{{name}}.{{format}}", name=names, format=formats)


def figure(number):
    """The three files of a figure: drawn twice, and its numbers."""
    formats = {"svg": "svg", "png": "png", "table": "csv"}
    return {name: f"{FIGURES}/figure_{number}.{suffix}" for name, suffix in formats.items()}


@of_number
def settings_of_class_figure(number):
    """Settings of Figure 2 or 3."""
    dataset = CLASS_FIGURES[number]
    return settings(
        *INTERVALS,
        "evaluation/random/threshold",
        "evaluation/random/baselines",
        f"datasets/{dataset}/excluded_classes",
        dataset=dataset,
        system=SHOWN,
        titles=titles([SHOWN], datasets=[dataset]),
    )


def swept_rows(wildcards):
    """Runs that Figure 6 shows, each with its number of components."""
    return [row | row["condition"] for row in ablation_rows(config, "figure_6")]


SWEEP_SETTINGS = settings(
    *INTERVALS, rows=swept_rows, titles=titles(SWEPT_SYSTEMS, datasets=SWEPT_DATASETS)
)


def scores_of_class_figure(wildcards):
    """Faithfulness that Figure 2 or 3 shows, and the classes of its data set."""
    dataset = CLASS_FIGURES[wildcards.number]
    return {
        "clips": over_runs(f"{MEASURED}/faithfulness.csv", [dataset], [SHOWN]),
        "classes": f"{DATASETS}/classes.json".format(dataset=dataset),
    }
