"""What of a data set does not fit together, or does not fit the layout of its corpus."""

from __future__ import annotations

import math
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from configuration.layouts import Layout, layout_names, layout_of
from configuration.reading import load_reference, pins_of
from configuration.schema import load_schema, rule_of, undefined, validator_of
from l2i.thresholds import INTERPRETER_DECIDES

# l2i.networks.classifier.MIN_FRAMES, which importing would cost the time to load torch.
MIN_FRAMES = 128
SWEPT, PER_CLASS = "n_components", "clips_per_class"


def contradictions_of_dataset(name: str, config: dict[str, Any]) -> Iterator[str]:
    """What does not fit together in a data set, or with its layout and its download."""
    place, dataset = f"datasets.{name}", config["datasets"][name]
    yield from _contradictions_of_clips(f"{place}.clip_seconds", dataset, config)
    yield from _contradictions_of_segments(name, dataset, config)
    yield from _contradictions_of_classifier(f"{place}.classifier", dataset)
    if dataset["corpus"]["layout"] not in layout_names():
        yield (
            f"{place}.corpus.layout is {dataset['corpus']['layout']}; there are "
            f"{', '.join(layout_names())}"
        )
        return
    try:
        layout = layout_of(dataset["corpus"]["layout"])
    except ValueError as error:
        yield f"{place}.corpus.layout: {error}"
        return
    yield from _contradictions_of_options(f"{place}.corpus", dataset["corpus"], layout)
    yield from _contradictions_of_source(place, dataset, layout)
    yield from _contradictions_of_labels(place, dataset, layout)
    yield from _contradictions_of_classes(name, dataset, layout, config)


def _contradictions_of_options(place: str, corpus: dict[str, Any], layout: Layout) -> Iterator[str]:
    """What the reader of the layout is told, and does not know, or is not told."""
    name, schema = corpus["layout"], load_schema()
    for key in sorted(corpus.keys() - {"layout", *layout.options}):
        close = get_close_matches(key, layout.options, n=1)
        hint = f"did you mean {close[0]}? Else take it out" if close else "take it out"
        yield f"{place}.{key} means nothing to the layout {name}: {hint}"
    for key, (kind, meaning) in layout.options.items():
        words = kind if isinstance(kind, list) else []
        if not words and kind not in schema["$defs"]:
            yield f"workflow/l2i/datasets/{name}.py: {key} is of no known kind: {kind}"
        elif key not in corpus:
            among = f" ({' or '.join(words)})" if words else ""
            yield f"{place}.{key} is missing: {meaning}{among}"
        elif words and corpus[key] not in words:
            yield f"{place}.{key} is {corpus[key]!r}, but must be one of {words} ({meaning})"
        elif not words:
            for error in validator_of(schema["$defs"][kind], schema).iter_errors(corpus[key]):
                yield f"{place}.{key} is {error.instance!r}, but {rule_of(error)} ({meaning})"


def _contradictions_of_source(place: str, dataset: dict[str, Any], layout: Layout) -> Iterator[str]:
    if dataset["source"] != "download":
        return
    name = dataset.get("download")
    if name is None:
        yield f"{place}.source is download, but {place}.download is missing"
        return
    downloads = "workflow/reference/downloads.yaml"
    corpora = load_reference("downloads")["corpora"]
    yield from undefined(f"{place}.download", [name], downloads, corpora)
    if name not in corpora:
        return
    pins, schema = pins_of("corpora", name), load_schema("downloads")
    if wrong := sorted({*pins, "files"} ^ {*layout.pins, "files"}):
        yield (
            f"{place}.download names {name}, whose pins in {downloads} are not those of the layout "
            f"{dataset['corpus']['layout']}, {', '.join(sorted(layout.pins)) or 'which has none'}: "
            f"missing or too many are {', '.join(wrong)}. Name another download, or correct its "
            "pins"
        )
    for pin in layout.pins.keys() & pins.keys():
        kind, meaning = layout.pins[pin]
        for error in validator_of(schema["$defs"][kind], schema).iter_errors(pins[pin]):
            yield (
                f"{downloads}: corpora.{name}.{pin} is {error.instance!r}, but {rule_of(error)} "
                f"({meaning})"
            )


def _contradictions_of_labels(place: str, dataset: dict[str, Any], layout: Layout) -> Iterator[str]:
    """What does not fit how clips are labelled, and what is kept to decide on."""
    name, metric, classifier = dataset["corpus"]["layout"], dataset["metric"], dataset["classifier"]
    if (metric == "accuracy") == layout.multi_label:
        rule = "auprc or f1, since any number of classes may be right in a clip"
        yield (
            f"{place}.metric is {metric}, but for the layout {name} it must be "
            f"{rule if layout.multi_label else 'accuracy, since one class is right in a clip'}"
        )
    if classifier["decision"] == "validate" and not layout.validation:
        yield (
            f"{place}.classifier.decision is validate, but corpora in the layout {name} keep no "
            "clips for that: set a number, such as 0.5"
        )
    if metric == "f1" and classifier["decision"] != INTERPRETER_DECIDES:
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


def _contradictions_of_classes(
    name: str, dataset: dict[str, Any], layout: Layout, config: dict[str, Any]
) -> Iterator[str]:
    """What does not fit the classes of a corpus whose publishers say which there are."""
    place, n_classes = f"datasets.{name}", layout.n_classes
    if n_classes is None:
        return
    weight = dataset["classifier"]["positive_weight"]
    if weight is not None and len(weight) != n_classes:
        yield (
            f"{place}.classifier.positive_weight has {len(weight)} entries, but the corpus has "
            f"{n_classes} classes: give one for each, or null"
        )
    per_class = dataset["dictionary"][PER_CLASS]
    swept = [n for e in config["ablations"]["figure_6"] if e["dataset"] == name for n in e[SWEPT]]
    for n in {dataset["dictionary"][SWEPT], *swept} if per_class is not None else ():
        if n % n_classes:
            yield (
                f"{place}.dictionary.{SWEPT}, or a value of ablations.figure_6 for {name}, is {n}: "
                f"with {PER_CLASS} it must be a multiple of the {n_classes} classes"
            )
    known = layout.classes if isinstance(layout.classes, list) else dataset["excluded_classes"]
    if unknown := sorted({*dataset["excluded_classes"]} - {*known}):
        yield (
            f"{place}.excluded_classes names {', '.join(unknown)}; the classes are "
            f"{', '.join(known)}"
        )


def _contradictions_of_clips(
    place: str, dataset: dict[str, Any], config: dict[str, Any]
) -> Iterator[str]:
    seconds, features = dataset["clip_seconds"], config["features"]
    hop = features["hop_length"]
    n_frames = 1 + round(seconds * features["sample_rate"]) // hop
    if n_frames < MIN_FRAMES:
        least = math.ceil(100 * (MIN_FRAMES - 1) * hop / features["sample_rate"]) / 100
        yield (
            f"{place} is {seconds}, which gives {n_frames} frames, but the classifier needs "
            f"{MIN_FRAMES}: at least {least} seconds, or a smaller features.hop_length"
        )


def _contradictions_of_segments(
    name: str, dataset: dict[str, Any], config: dict[str, Any]
) -> Iterator[str]:
    clip, segment = dataset["clip_seconds"], config["slime"]["segment_seconds"]
    hop = config["features"]["hop_length"] / config["features"]["sample_rate"]
    test = config["listening_test"]
    asked = {
        "set listening.slime to false": config["listening"]["slime"],
        "set corruption.snr_db to []": bool(config["corruption"]["snr_db"]),
        f"take {name} out of listening_test.datasets": name in test["datasets"]
        and "slime" in test["systems"],
    }
    without = " and ".join(remedy for remedy, by in asked.items() if by)
    if without and not (round(clip / segment) >= 2 and hop <= segment):
        yield (
            f"slime.segment_seconds is {segment}, but must be at most half of "
            f"datasets.{name}.clip_seconds, {clip}, and at least one features.hop_length; or "
            f"{without}"
        )


def _contradictions_of_classifier(place: str, dataset: dict[str, Any]) -> Iterator[str]:
    classifier = dataset["classifier"]
    weights, head_only = classifier["weights"], classifier["trainable"] == "head"
    if weights != "scratch":
        published = load_reference("downloads")["weights"]
        downloads = "workflow/reference/downloads.yaml"
        yield from undefined(f"{place}.weights", [weights], downloads, published)
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
