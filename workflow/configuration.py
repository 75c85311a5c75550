"""Check of the configuration as a whole: its form by a schema, then what its keys say together."""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from l2i.checks import raise_all

SCHEMA = Path(__file__).parent / "schemas" / "config.schema.yaml"


def validate_config(config: dict[str, Any]) -> None:
    """Raise one InputError that lists everything wrong with the configuration.

    Parameters
    ----------
    config : dict
        config.yaml with its overlays laid over it.
    """
    errors = jsonschema.Draft202012Validator(load_schema()).iter_errors(config)
    problems = [line for error in errors for line in _explain(error)]
    # Only what has the right form can be compared with each other.
    problems = problems or list(_contradictions(config))
    raise_all(sorted(set(problems)), "configuration (config.yaml and its overlays)")


@functools.cache
def load_schema() -> dict[str, Any]:
    """Load workflow/schemas/config.schema.yaml."""
    return yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))


def description(path: Iterable[str | int]) -> str:
    """What the schema says of the key at `path`, e.g. ("features", "n_fft"); empty if nothing."""
    schema = load_schema()
    for part in path:
        if isinstance(part, int):
            continue  # entries of a list are described by the list
        patterns = schema.get("patternProperties", {})
        named = [sub for pattern, sub in patterns.items() if re.search(pattern, part)]
        schema = schema.get("properties", {}).get(part) or (named or [{}])[0]
        if "description" not in schema and "$ref" in schema:
            schema = load_schema()["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema.get("description", "")


def _explain(error: jsonschema.ValidationError) -> Iterator[str]:
    """One line for each wrong key: its path, the rule, the remedy."""
    place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.path).lstrip(".")
    prefix = f"{place}." if place else ""
    if error.validator == "additionalProperties":
        for key in _unknown_keys(error):
            yield f"{prefix}{key} is not a known key; {_remedy_for_key(key, error.schema)}"
    elif error.validator == "required":
        for key in set(error.validator_value) - error.instance.keys():
            yield f"{prefix}{key} is missing: {description([*error.path, key])}"
    else:
        meaning = description(error.path)
        yield f"{place or 'the file'} is {error.instance!r}, but {_rule(error)} ({meaning})"


def _unknown_keys(error: jsonschema.ValidationError) -> list[str]:
    patterns = error.schema.get("patternProperties", {})
    unknown = error.instance.keys() - error.schema.get("properties", {}).keys()
    return [key for key in unknown if not any(re.search(p, str(key)) for p in patterns)]


def _remedy_for_key(key: str, schema: dict[str, Any]) -> str:
    allowed = sorted(schema.get("properties", {}))
    if not allowed:
        return f"a name must match {next(iter(schema['patternProperties']))}"
    close = difflib.get_close_matches(str(key), allowed, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"{hint}allowed here: {', '.join(allowed)}"


def _rule(error: jsonschema.ValidationError) -> str:
    value = error.validator_value
    if error.validator == "type":
        text = f"must be of type {value}"
        if re.fullmatch(r"[\d.]+[eE][+-]?\d+", str(error.instance)):
            # YAML 1.1 reads 2e-4 as a text.
            text += "; write it with a point and a sign, as in 2.0e-4"
        return text
    rules = {
        "enum": f"must be one of {value}",
        "minimum": f"must be at least {value}",
        "maximum": f"must be at most {value}",
        "exclusiveMinimum": f"must be above {value}",
        "exclusiveMaximum": f"must be below {value}",
        "pattern": f"must match {value}",
        "minItems": f"needs at least {value} entries",
        "maxItems": f"needs at most {value} entries",
        "uniqueItems": "must hold no entry twice",
        "oneOf": "is none of what is allowed",
    }
    return rules.get(error.validator, error.message)


def _contradictions(config: dict[str, Any]) -> Iterator[str]:
    run, datasets, evaluation = config["run"], config["datasets"], config["evaluation"]
    yield from _undefined("run.datasets", run["datasets"], "datasets", datasets)
    yield from _undefined("run.systems", run["systems"], "systems", config["systems"])
    for name, dataset in datasets.items():
        weights = dataset["classifier"]["weights"]
        if weights != "scratch":
            place = f"datasets.{name}.classifier.weights"
            yield from _undefined(place, [weights], "weights", config["weights"])
            yield from _undefined(place, [weights], "machine.urls", config["machine"]["urls"])
        if dataset["source"] == "download" and "download" not in dataset:
            yield f"datasets.{name}.source is download, but datasets.{name}.download is missing"
        if dataset["source"] == "download" and name not in config["machine"]["urls"]:
            yield f"datasets.{name}.source is download, but machine.urls.{name} is missing"
        if dataset["interpreter"]["fidelity_weight"][0][0] != 1:
            yield f"datasets.{name}.interpreter.fidelity_weight must start at epoch 1"
    if evaluation["random"]["threshold"] not in evaluation["thresholds"]:
        yield "evaluation.random.threshold must be one of evaluation.thresholds"


def _undefined(
    place: str, names: Iterable[str], where: str, defined: dict[str, Any]
) -> Iterator[str]:
    for name in names:
        if name not in defined:
            known = ", ".join(defined) or "nothing"
            yield f"{place} names {name}, which {where} does not define; it has {known}"
