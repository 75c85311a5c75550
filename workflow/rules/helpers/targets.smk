"""What Snakemake's report shows of a run: tables and figures, and under which words."""

from configuration.captions import caption_of, path_of_caption

# What tables and figures are of, where that is not all that runs.
OF_DATASETS = {
    **dict.fromkeys(
        ["table_5", "figure_thresholds", "corruption", "figure_corruption"], MULTI_CLASS
    ),
    "figure_interpretation": [INTERPRETED_DATASET],
    **dict.fromkeys(["classes", "figure_5"], MULTI_LABEL),
    **dict.fromkeys(["ratings", "figure_4"], TESTED),
    **{f"figure_{number}": [dataset] for number, dataset in CLASS_FIGURES.items()},
}
OF_SYSTEMS = {
    "table_1": [],
    **{f"table_{number}": systems for number, systems in OF_SETTINGS_TABLE.items()},
    **dict.fromkeys(["table_4", "comparisons_4"], WITH_FIDELITY),
    **dict.fromkeys(
        ["table_5", "figure_thresholds", "classes", "faithfulness_more"], WITH_FAITHFULNESS
    ),
    **dict.fromkeys(["figure_interpretation", "figure_dictionary"], WITH_DICTIONARY[:1]),
    **dict.fromkeys(["table_8", "comparisons_8"], WITH_CLASSIFICATION),
    **dict.fromkeys(["corruption", "figure_corruption"], WITH_SOUNDS),
    **dict.fromkeys(["figure_2", "figure_3", "figure_5"], [SHOWN]),
    **dict.fromkeys(["ratings", "figure_4"], TESTED_SYSTEMS),
}
# What the report calls forms: it shows first what comes first in the alphabet.
AS = {".html": "page", ".svg": "drawing", ".csv": "values"}
FEW = 3  # titles that a cell of the report has room for


def of_ablation(name, key):
    """Data sets or systems of a table or figure of ablations; nothing of others."""
    entries = config["ablations"].get(name.replace("figure_sanity", "sanity"), [])
    return [*dict.fromkeys(entry[key] for entry in entries)]


def few_or_many(titles, what):
    """Titles, or how many there are."""
    return ", ".join(titles) if len(titles) <= FEW else f"{len(titles)} {what}"


def labels_of(path):
    """What the report says of a file of a table or figure, in columns."""
    name, caption = Path(path).stem, caption_of(Path(path).stem)
    datasets = of_ablation(name, "dataset") or OF_DATASETS.get(name, config["run"]["datasets"])
    systems = of_ablation(name, "system") or OF_SYSTEMS.get(name, config["run"]["systems"])
    called = titles(systems, datasets=datasets)(None)
    return {
        "number": caption.number,
        "shows": caption.topic,
        "data set": few_or_many([called[each] for each in datasets], "data sets"),
        "system": few_or_many([called[each] for each in systems], "systems"),
        "as": AS[Path(path).suffix],
    }


def reported(paths):
    """Files of tables and figures, as the report shows them."""
    return [*map(reported_file, paths)]


def reported_file(path):
    """One of them. Where a line began with `report`, Snakemake would read its keyword."""
    name = Path(path).stem
    told = {"category": category_of(name), "labels": labels_of(path)}
    return report(path, caption=str(path_of_caption(name)), **told)


def category_of(name):
    """Under which heading the report has a table or figure."""
    kinds = {"table": "Tables of the paper", "figure": "Figures"}
    return kinds.get(name.partition("_")[0], "Beyond the paper")


def reported_ledger():
    """The page of the ledger, as the report shows it."""
    labels = {"page": "Ledger", "shows": "Where paper, authors' code and this run differ"}
    return report(rules.list_deviations.output.html, category="Pages", labels=labels)
