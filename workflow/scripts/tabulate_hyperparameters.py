"""Tables II and III: the settings that L2I was trained with, post-hoc and by design."""

import math
from collections.abc import Callable

from harness import perform
from l2i.disk import write_text
from l2i.pages.tables import write_pages
from l2i.reporting.beside_paper import condition_text
from l2i.reporting.paper_page import paper_page
from l2i.reporting.tables import rows_beside_paper
from l2i.tables import to_csv

# Number of the table -> the system under which the paper prints it, and the weights of its losses.
PRINTED = {"2": "l2i", "3": "l2i_bd"}
WEIGHTS = {
    "2": ("reconstruction_weight", "sparsity_weight"),
    "3": ("prediction_weight", "reconstruction_weight", "sparsity_weight"),
}

SET_OTHERWISE = "set otherwise"
# (metric, condition) -> value
Settings = dict[tuple[str, str], float]


def tabulate_hyperparameters(
    path_to_systems: list[str],
    path_to_table: str,
    path_to_pages: list[str],
    *,
    record_of: Callable[[str], dict],
    number: str,
    datasets: list[dict],
    paper: dict,
    page: dict,
) -> None:
    """Write what the records of trained systems say, as csv and as a page."""
    trained: dict[str, list[Settings]] = {dataset["name"]: [] for dataset in datasets}
    for path in path_to_systems:
        record = record_of(path)
        trained[record["wildcards"]["dataset"]].append(_settings(record, number, record_of))
    measured = [
        {"system": PRINTED[number], "dataset": dataset, "mean": value}
        | {"metric": metric, "condition": condition}
        for dataset, settings in trained.items()
        for (metric, condition), value in _common(settings).items()
    ]
    rows = rows_beside_paper(
        measured, table=int(number), datasets=datasets, systems=[PRINTED[number]], paper=paper
    )
    # A setting has no spread: it is the paper's, or this run's own on purpose, whatever the data;
    # or it is not the same throughout.
    both = rows["mean"].notna() & rows["paper_mean"].notna()
    rows["gap"] = (rows["mean"] - rows["paper_mean"]).where(both)
    rows.loc[both, "verdict"] = (rows["gap"] == 0).map({True: "agrees", False: SET_OTHERWISE})
    rows["verdict"] = rows["verdict"].replace("diverged", "mixed")
    write_text(path_to_table, to_csv(rows))
    write_pages(path_to_pages, paper_page(rows, f"table_{number}", page, paper=paper))


def _settings(record: dict, number: str, record_of: Callable[[str], dict]) -> Settings:
    """What one system was trained with; its dictionary's record knows the components."""
    ours = record["settings"]["system_settings"] | record["facts"].get("selected", {})
    (dictionary,) = (used["path"] for used in record["inputs"] if used["name"] == "dictionary")
    theirs = record_of(dictionary)["settings"]["dictionary"]
    settings = {
        **{(name, ""): ours[name] for name in WEIGHTS[number]},
        ("n_components", ""): theirs["n_components"],
        ("n_epochs", ""): ours["n_epochs"],
    }
    if number == "2":
        for first, weight in ours["fidelity_weight"]:
            since = {} if first == 1 else {"from_epoch": first}
            settings["fidelity_weight", condition_text(since)] = weight
    return settings


def _common(trained: list[Settings]) -> Settings:
    """What all have in common; NaN where they differ."""
    keys = {key: None for settings in trained for key in settings}  # in order, each once
    values = {key: {settings.get(key, math.nan) for settings in trained} for key in keys}
    return {key: float(*each) if len(each) == 1 else math.nan for key, each in values.items()}


if __name__ == "__main__":
    perform(snakemake, tabulate_hyperparameters)
