"""Check of the configuration as a whole: its form by a schema, then what its keys say together."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from configuration.ablations import ablation_rows
from configuration.schema import explain, undefined, validator
from configuration.system_validation import contradictions_of_system, contradictions_of_varied
from l2i.checks import raise_all
from l2i.datasets.sonyc import CLASSES as SONYC_CLASSES
from l2i.provenance.fingerprints import canonical_json
from l2i.thresholds import INTERPRETER_DECIDES

# l2i.networks.classifier.MIN_FRAMES, which importing would cost the time to load torch.
MIN_FRAMES = 128
PINS = {  # of a download, by layout, beside its files
    "esc50": {"csv_sha256", "n_clips", "n_clips_per_fold_and_class", "n_samples"},
    "sonyc_ust": {"n_clips", "n_clips_per_split", "n_samples"},
    "openmic": {"n_clips", "n_clips_per_split", "n_labels", "partition_sha256"},
}
N_CLASSES = {"sonyc_ust": 8, "openmic": 20}
READ_BY = {"esc50": "subset", "sonyc_ust": "labels"}  # keys of corpus beside its layout
SWEPT, PER_CLASS = "n_components", "clips_per_class"
FOLDED = ("esc50",)  # layouts whose corpora come in folds, with one right class a clip


def validate_config(config: dict[str, Any]) -> None:
    """Raise one InputError that lists everything wrong with the configuration.

    Parameters
    ----------
    config : dict
        config.yaml with its overlays laid over it.
    """
    # Each step takes for granted what the one before has found in order.
    problems = (
        list(_beyond_json(config))
        or [line for error in validator().iter_errors(config) for line in explain(error)]
        or list(_contradictions(config))
    )
    raise_all(sorted(set(problems)), "configuration (config.yaml and its overlays)")


def _beyond_json(value: Any, place: str = "") -> Iterator[str]:
    """What YAML can write and neither the schema nor a record can hold."""
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, str):
                yield from _beyond_json(item, f"{place}.{key}".lstrip("."))
            else:
                kind = type(key).__name__
                yield (
                    f"{place or 'the file'} has the key {key!r}, which YAML reads as {kind}; keys "
                    "must be texts: choose a name that starts with a letter, or put it in quotes"
                )
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _beyond_json(item, f"{place}[{i}]")
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{place} is {value}, but must be a finite number"


def _contradictions(config: dict[str, Any]) -> Iterator[str]:
    run, features, evaluation = config["run"], config["features"], config["evaluation"]
    yield from undefined("run.datasets", run["datasets"], "datasets", config["datasets"])
    yield from undefined("run.systems", run["systems"], "systems", config["systems"])
    yield from undefined("run.once", run["once"], "systems", config["systems"])
    if features["hop_length"] > features["n_fft"] // 2:
        yield "features.hop_length must be at most half of features.n_fft: frames must overlap"
    for name, dataset in config["datasets"].items():
        place = f"datasets.{name}"
        yield from _contradictions_of_source(f"{place}.source", name, dataset, config)
        yield from _contradictions_of_clips(f"{place}.clip_seconds", dataset, features)
        yield from _contradictions_of_segments(f"{place}.clip_seconds", dataset, config)
        yield from _contradictions_of_classifier(f"{place}.classifier", dataset, config)
        epochs = [epoch for epoch, _ in dataset["interpreter"]["fidelity_weight"]]
        if epochs[0] != 1:
            yield f"{place}.interpreter.fidelity_weight must start at epoch 1"
        if sorted(set(epochs)) != epochs:
            yield f"{place}.interpreter.fidelity_weight must name its epochs in ascending order"
        yield from _contradictions_of_classes(place, dataset, config)
        if (dataset["score"] == "accuracy") != (dataset["corpus"]["layout"] in FOLDED):
            yield (
                f"{place}.score is {dataset['score']}: accuracy is for corpora where one class is "
                f"right ({', '.join(FOLDED)}), auprc and f1 for the others"
            )
    for name in config["systems"]:
        yield from contradictions_of_system(name, config)
    for table, entries in config["ablations"].items():
        for i, entry in enumerate(entries):
            yield from _contradictions_of_ablation(f"ablations.{table}[{i}]", entry, config)
        yield from _repeated_rows(table, config)
    if evaluation["random"]["threshold"] not in evaluation["thresholds"]:
        yield "evaluation.random.threshold must be one of evaluation.thresholds"


def _contradictions_of_classes(
    place: str, dataset: dict[str, Any], config: dict[str, Any]
) -> Iterator[str]:
    """What does not fit the classes of a corpus whose publishers say how many there are."""
    layout, classifier = dataset["corpus"]["layout"], dataset["classifier"]
    if layout != "sonyc_ust" and classifier["decision"] == "validate":
        yield (
            f"{place}.classifier.decision is validate, but corpora in the layout {layout} keep no "
            "clips for that: set a number, such as 0.5"
        )
    if dataset["score"] == "f1" and classifier["decision"] != INTERPRETER_DECIDES:
        yield (
            f"{place}.classifier.decision is {classifier['decision']}, but fidelity by F1 compares "
            f"with what an interpreter decides from {INTERPRETER_DECIDES} on: set it to that"
        )
    n_noise, per_class = (dataset["dictionary"][k] for k in ("n_noise_components", PER_CLASS))
    if per_class is None and n_noise:
        yield (
            f"{place}.dictionary.n_noise_components is {n_noise}, but {PER_CLASS} is null, which "
            f"learns no noise: set it to 0, or {PER_CLASS} to a number"
        )
    n_classes = N_CLASSES.get(layout)
    if n_classes is None:
        return
    weight = classifier["positive_weight"]
    if weight is not None and len(weight) != n_classes:
        yield (
            f"{place}.classifier.positive_weight has {len(weight)} entries, but the corpus has "
            f"{n_classes} classes: give one for each, or null"
        )
    name = place.partition(".")[2]
    swept = [n for e in config["ablations"]["figure_6"] if e["dataset"] == name for n in e[SWEPT]]
    for n in {dataset["dictionary"][SWEPT], *swept} if per_class is not None else ():
        if n % n_classes:
            yield (
                f"{place}.dictionary.{SWEPT}, or a value of ablations.figure_6 for {name}, is {n}: "
                f"with {PER_CLASS} it must be a multiple of the {n_classes} classes"
            )
    unknown = sorted(set(dataset["excluded_classes"]) - set(SONYC_CLASSES))
    if layout == "sonyc_ust" and unknown:
        yield (
            f"{place}.excluded_classes names {', '.join(unknown)}; the classes are "
            f"{', '.join(SONYC_CLASSES)}"
        )


def _repeated_rows(table: str, config: dict[str, Any]) -> Iterator[str]:
    """Runs that the table could not tell apart."""
    seen = set()
    for row in ablation_rows(config, table) if _known_datasets(table, config) else ():
        key = row["dataset"], row["system"], canonical_json(row["condition"])
        if key in seen:
            yield (
                f"ablations.{table} asks twice for {row['condition']} of {row['system']} on "
                f"{row['dataset']}: keep one"
            )
        seen.add(key)


def _known_datasets(table: str, config: dict[str, Any]) -> bool:
    return all(entry["dataset"] in config["datasets"] for entry in config["ablations"][table])


def _contradictions_of_ablation(
    place: str, entry: dict[str, Any], config: dict[str, Any]
) -> Iterator[str]:
    name, run = entry["dataset"], config["run"]
    yield from undefined(f"{place}.system", [entry["system"]], "systems", config["systems"])
    if name not in run["datasets"] or name not in config["datasets"]:
        yield (
            f"{place}.dataset is {name}, which run.datasets does not hold: add it there, or take "
            "this entry out"
        )
    elif config["datasets"][name]["corpus"]["layout"] not in FOLDED:
        if entry["fold"] != "official":
            yield f"{place}.fold must be official: {name} has one split and no folds"
    elif entry["fold"] not in run["folds"]:
        yield f"{place}.fold is {entry['fold']}, but must be one of run.folds"
    yield from contradictions_of_varied(place, entry, config)


def _contradictions_of_source(
    place: str, name: str, dataset: dict[str, Any], config: dict[str, Any]
) -> Iterator[str]:
    if dataset["source"] == "download" and "download" not in dataset:
        yield f"{place} is download, but datasets.{name}.download is missing"
    layout = dataset["corpus"]["layout"]
    for key in sorted(dataset["corpus"].keys() - {"layout", READ_BY.get(layout)}):
        yield f"datasets.{name}.corpus.{key} means nothing to the layout {layout}: take it out"
    pins = {"files"} | PINS[layout]
    for pin in sorted(set(dataset.get("download", pins)) ^ pins):
        yield (
            f"datasets.{name}.download.{pin} is missing, or no pin of the layout {layout}, which "
            f"has {', '.join(sorted(pins))}"
        )
    if dataset["source"] == "download" and name not in config["machine"]["urls"]:
        yield f"{place} is download, but machine.urls.{name} is missing"


def _contradictions_of_clips(
    place: str, dataset: dict[str, Any], features: dict[str, Any]
) -> Iterator[str]:
    seconds, hop = dataset["clip_seconds"], features["hop_length"]
    n_frames = 1 + round(seconds * features["sample_rate"]) // hop
    if n_frames < MIN_FRAMES:
        least = math.ceil(100 * (MIN_FRAMES - 1) * hop / features["sample_rate"]) / 100
        yield (
            f"{place} is {seconds}, which gives {n_frames} frames, but the classifier needs "
            f"{MIN_FRAMES}: at least {least} seconds, or a smaller features.hop_length"
        )


def _contradictions_of_segments(
    place: str, dataset: dict[str, Any], config: dict[str, Any]
) -> Iterator[str]:
    clip, segment = dataset["clip_seconds"], config["slime"]["segment_seconds"]
    hop = config["features"]["hop_length"] / config["features"]["sample_rate"]
    if config["listening"]["slime"] and not (round(clip / segment) >= 2 and hop <= segment):
        yield (
            f"slime.segment_seconds is {segment}, but must be at most half of {place}, {clip}, and "
            "at least one features.hop_length; or set listening.slime to false"
        )


def _contradictions_of_classifier(
    place: str, dataset: dict[str, Any], config: dict[str, Any]
) -> Iterator[str]:
    classifier = dataset["classifier"]
    weights, head_only = classifier["weights"], classifier["trainable"] == "head"
    if weights != "scratch":
        yield from undefined(f"{place}.weights", [weights], "weights", config["weights"])
        yield from undefined(
            f"{place}.weights", [weights], "machine.urls", config["machine"]["urls"]
        )
        if classifier["width"] != 1:
            yield (
                f"{place}.width is {classifier['width']}, but the weights {weights} are of width 1:"
                " set width to 1, or weights to scratch"
            )
    elif head_only:
        yield (
            f"{place}.trainable is head, but weights is scratch, so that the blocks would never "
            "learn anything: set trainable to all, or name weights"
        )
    if head_only and classifier["augmentation"]:
        yield (
            f"{place}.augmentation is given, but trainable is head, which augments nothing: "
            "set augmentation to {}, or trainable to all"
        )
