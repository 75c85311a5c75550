"""Table II: the settings that the interpreters were trained with, beside the paper's."""

import pandas as pd

from harness import perform
from l2i.pages import write_table
from l2i.records import load_record
from l2i.tables import beside_paper, condition_text, paper_numbers

TABLE, SYSTEM = 2, "l2i"

# (metric, condition) -> value
Settings = dict[tuple[str, str], float]


def tabulate_hyperparameters(
    path_to_interpreters: list[str],
    path_to_table: str,
    path_to_page: str,
    *,
    datasets: list[str],
    paper: dict,
    paper_dataset: dict[str, str | None],
    paper_comparable: dict[str, bool],
) -> None:
    """Write what the records of the interpreters say, as csv and as a page."""
    trained: dict[str, list[Settings]] = {dataset: [] for dataset in datasets}
    for path in path_to_interpreters:
        record = load_record(path)
        trained[record["wildcards"]["dataset"]].append(_settings(record))
    measured = pd.DataFrame(
        {"table": TABLE, "system": SYSTEM, "dataset": dataset, "metric": metric}
        | {"condition": condition, "mean": value}
        for dataset in datasets
        for (metric, condition), value in _common(trained[dataset]).items()
    )
    printed = paper_numbers(paper, TABLE, datasets=paper_dataset, systems=[SYSTEM])
    rows = beside_paper(
        measured.assign(**dict.fromkeys(("spread", "n", "low", "high"), float("nan"))),
        printed,
        datasets=datasets,
        comparable=paper_comparable,
    )
    # A setting has no spread: it is the paper's or it is not, or it is not the same throughout.
    exact = rows["verdict"] == "no spread"
    rows.loc[exact, "verdict"] = (rows["gap"] == 0).map({True: "agrees", False: "differs"})
    rows["verdict"] = rows["verdict"].replace("diverged", "mixed")
    write_table(rows, path_to_table, path_to_page, reference=paper)


def _settings(record: dict) -> Settings:
    """What one interpreter was trained with; its dictionary's record knows the components."""
    ours = record["settings"]["interpreter"]
    (dictionary,) = (used["path"] for used in record["inputs"] if used["name"] == "dictionary")
    theirs = load_record(dictionary)["settings"]["dictionary"]
    settings = {
        ("reconstruction_weight", ""): ours["reconstruction_weight"],
        ("sparsity_weight", ""): ours["sparsity_weight"],
        ("n_components", ""): theirs["n_components"],
        ("n_epochs", ""): ours["n_epochs"],
    }
    for first, weight in ours["fidelity_weight"]:
        since = {} if first == 1 else {"from_epoch": first}
        settings["fidelity_weight", condition_text(since)] = weight
    return settings


def _common(trained: list[Settings]) -> Settings:
    """What all have in common; NaN where they differ."""
    keys = {key: None for settings in trained for key in settings}  # in order, each once
    values = {key: {settings.get(key) for settings in trained} for key in keys}
    return {key: float(*each) if len(each) == 1 else float("nan") for key, each in values.items()}


if __name__ == "__main__":
    perform(snakemake, tabulate_hyperparameters)
