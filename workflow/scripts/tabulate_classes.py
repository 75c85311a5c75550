"""Data sets with several labels a clip, class by class: classifier, fidelity, faithfulness."""

from collections.abc import Callable, Iterator

import pandas as pd

from harness import perform
from l2i.disk import write_text
from l2i.names import CLASSIFIER, LABEL, RANDOM
from l2i.pages.tables import write_pages
from l2i.reporting.beside_paper import condition_text, read_clips_of_datasets
from l2i.reporting.classes_page import classes_page
from l2i.reporting.removals import (
    ENERGY,
    MEDIAN,
    NOTHING,
    RELEVANT,
    SHARE,
    net_drops,
    unmatched,
    values,
    without,
)
from l2i.reporting.scores import class_names, class_scores
from l2i.tables import to_csv

COLUMNS = ["dataset", "class", "quantity", "system", "metric", "condition"]
COLUMNS += ["mean", "spread", "n", "low", "high"]
# Of a classifier that decides on no class of any clip.
NO_REMOVALS = pd.DataFrame(
    columns=[
        *("fold", "source", "system", "run", "clip", "class", "removal", "threshold", "draw"),
        *("matched", "energy_removed", "probability_drop"),
    ]
)
NO_NUMBER = {"mean": float("nan"), "n": 0}


def tabulate_classes(
    path_to_classification: list[str],
    path_to_fidelity: list[str],
    path_to_faithfulness: list[str],
    path_to_table: str,
    path_to_pages: list[str],
    *,
    datasets: list[dict],
    systems: list[str],
    threshold: float,
    baselines: list[str],
    page: dict,
    statistics: dict,
    seed: int,
) -> None:
    """Write one row per class and number, as csv and as a page.

    Faithfulness is that at `threshold`, the one that random baselines are drawn at.
    """
    how = {"statistics": statistics, "seed": seed}
    read = (path_to_classification, path_to_fidelity, path_to_faithfulness)
    classification, fidelity, faithfulness = map(read_clips_of_datasets, read)
    rows = []
    for dataset, metric in ((each["name"], each["metric"]) for each in datasets):
        removals = faithfulness.get(dataset, NO_REMOVALS)
        at_threshold = (removals["threshold"] == threshold) | (removals["removal"] == NOTHING)
        removals = removals[at_threshold]
        for name in class_names(classification[dataset]):
            numbers = [
                *_of_labels(classification[dataset], name),
                *_of_classifier(classification[dataset], name, metric, how),
                *_of_fidelity(fidelity[dataset], name, systems, metric, how),
                *_of_faithfulness(removals[removals["class"] == name], systems, baselines, how),
            ]
            rows += [{"dataset": dataset, "class": name} | number for number in numbers]
    table = pd.DataFrame(rows, columns=COLUMNS).astype({"n": "Int64"})
    confidence = statistics["confidence"]
    write_text(path_to_table, to_csv(table))
    write_pages(
        path_to_pages, classes_page(table, page, threshold=threshold, confidence=confidence)
    )


Numbers = Iterator[dict[str, object]]


def _of_labels(clips: pd.DataFrame, name: str) -> Numbers:
    """How many test clips annotators, and the classifier, find to hold a class or not."""
    counts = {
        "n_positive": (clips[LABEL + name] == 1).sum(),
        "n_negative": (clips[LABEL + name] == 0).sum(),
        "n_decided": (clips[f"decided_{name}"] == 1).sum(),
    }
    for metric, count in counts.items():
        key = {"quantity": "labels", "system": CLASSIFIER, "metric": metric}
        yield {**key, "condition": "", "mean": count}


def _of_classifier(clips: pd.DataFrame, name: str, metric: str, how: dict) -> Numbers:
    key = {"quantity": "classification", "system": CLASSIFIER, "condition": ""}
    for each in class_scores(metric, name, of_interpreter=False):
        yield {**key, "metric": each.metric, **each.number(clips, **how)}


def _of_fidelity(
    clips: pd.DataFrame, name: str, systems: list[str], metric: str, how: dict
) -> Numbers:
    for system in systems:
        key = {"quantity": "fidelity", "system": system, "condition": ""}
        part = clips[clips["system"] == system]
        for each in class_scores(metric, name, of_interpreter=True):
            yield {**key, "metric": each.metric, **each.number(part, **how)}


def _of_faithfulness(
    removals: pd.DataFrame, systems: list[str], baselines: list[str], how: dict
) -> Numbers:
    """What is lost without the components that a system finds relevant, and without random ones."""
    for system in systems:
        part = removals[removals["system"] == system]
        relevant, nothing = (part[part["removal"] == name] for name in (RELEVANT, NOTHING))
        key = {"system": system, "condition": ""}
        yield from _drop_and_energy(relevant, key, how)
        net = net_drops(relevant, nothing) if len(relevant) else relevant
        yield {**key, **_number("faithfulness", "ff_net_median", net, MEDIAN, how)}
        of = {"condition": condition_text({"of": system})}
        for baseline in (RANDOM + name for name in baselines):
            key, random = {"system": baseline, **of}, part[part["removal"] == baseline]
            if baseline == ENERGY:
                left_out = unmatched(random)
                yield {**key, **_number("removed", "unmatched", left_out, SHARE, how)}
                random = without(random, left_out)
            yield from _drop_and_energy(random, key, how)
        drops = values(nothing, "probability_drop")
        key = {"system": NOTHING, **of}
        yield {**key, **_number("faithfulness", "ff_median", drops, MEDIAN, how)}


def _drop_and_energy(removals: pd.DataFrame, key: dict[str, str], how: dict) -> Numbers:
    drops = values(removals, "probability_drop")
    yield {**key, **_number("faithfulness", "ff_median", drops, MEDIAN, how)}
    percent = values(removals.assign(percent=100 * removals["energy_removed"]), "percent")
    yield {**key, **_number("removed", "energy_removed", percent, SHARE, how)}


def _number(
    quantity: str, metric: str, of_clips: pd.DataFrame, measure: Callable[..., dict], how: dict
) -> dict[str, object]:
    number = measure(of_clips, **how) if len(of_clips) else NO_NUMBER
    return {"quantity": quantity, "metric": metric, **number}


if __name__ == "__main__":
    perform(snakemake, tabulate_classes)
