"""Schemas of the configuration and of reference files, and what they find, in sentences."""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import yaml

SCHEMAS = Path(__file__).parents[1] / "schemas"
END = r"\Z"  # of a text; what `$` of a schema means, and Python's `$` does not: see _anchored


@functools.cache
def load_schema(name: str = "config") -> dict[str, Any]:
    """Load workflow/schemas/{name}.schema.yaml."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the first is ten times as fast
    text = (SCHEMAS / f"{name}.schema.yaml").read_text(encoding="utf-8")
    return _anchored(yaml.load(text, Loader=loader))


def _anchored(schema: Any) -> Any:
    """The schema with `$` of its patterns as the end of a text, not of its last line."""
    if isinstance(schema, list):
        return [_anchored(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    anchored = {key: _anchored(part) for key, part in schema.items()}
    if isinstance(schema.get("pattern"), str):
        anchored["pattern"] = _to_the_end(schema["pattern"])
    if "patternProperties" in schema:
        parts = anchored["patternProperties"].items()
        anchored["patternProperties"] = {_to_the_end(name): part for name, part in parts}
    return anchored


def _to_the_end(pattern: str) -> str:
    return f"{pattern[:-1]}{END}" if pattern.endswith("$") else pattern


def _as_written(pattern: str) -> str:
    return pattern.replace(END, "$")


@functools.cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    """Validator of a whole file by the schema of its name."""
    return validator_of(load_schema(name), load_schema(name))


def validator_of(schema: dict[str, Any], whole: dict[str, Any]) -> jsonschema.Draft202012Validator:
    """Validator of a part of a file, whose definitions stand in the schema of the whole."""
    return _strict()(schema | {"$defs": whole.get("$defs", {})})


@functools.cache
def _strict() -> type[jsonschema.Draft202012Validator]:
    """As the standard, but 35.0 is no integer: configuration.values makes it one first."""
    standard = jsonschema.Draft202012Validator
    types = standard.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    return jsonschema.validators.extend(standard, type_checker=types)


def description(path: Iterable[str | int], name: str = "config") -> str:
    """What a schema says of the key at `path`, e.g. ("features", "n_fft"); empty if nothing."""
    whole = load_schema(name)
    schema, said = whole, ""
    for part in path:
        if isinstance(part, int):
            schema = schema.get("items", {})
        else:
            patterns = schema.get("patternProperties", {})
            named = [sub for pattern, sub in patterns.items() if re.search(pattern, part)]
            others = schema.get("additionalProperties") or {}
            schema = schema.get("properties", {}).get(part) or (named or [others])[0]
            said = ""  # entries of a list are described by the list, unless they say more
        described = schema.get("description", "")
        while "$ref" in schema:
            schema = whole["$defs"][schema["$ref"].rpartition("/")[2]]
            described = described or schema.get("description", "")
        said = described or said
    return said


def explain(error: jsonschema.ValidationError, name: str = "config") -> Iterator[str]:
    """One line for each wrong key: its path, the rule, the remedy."""
    place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.path).lstrip(".")
    prefix = f"{place}." if place else ""
    if error.validator == "additionalProperties":
        for key in _unknown_keys(error):
            name = key if str(key).isprintable() else repr(key)
            yield f"{prefix}{name} is not a known key; {_remedy_for_key(key, error.schema)}"
    elif error.validator == "required":
        for key in set(error.validator_value) - error.instance.keys():
            yield f"{prefix}{key} is missing{_meaning(': ', [*error.path, key], name)}"
    else:
        meaning = _meaning(" (", error.path, name)
        yield (
            f"{place or 'the file'} is {error.instance!r}, but {rule_of(error)}"
            f"{meaning + ')' if meaning else ''}"
        )


def _meaning(lead: str, path: Iterable[str | int], name: str) -> str:
    said = description(path, name)
    return f"{lead}{said}" if said else ""


def _unknown_keys(error: jsonschema.ValidationError) -> list[str]:
    patterns = error.schema.get("patternProperties", {})
    unknown = error.instance.keys() - error.schema.get("properties", {}).keys()
    return [key for key in unknown if not any(re.search(p, str(key)) for p in patterns)]


def _remedy_for_key(key: str, schema: dict[str, Any]) -> str:
    allowed = sorted(schema.get("properties", {}))
    if not allowed:
        return f"a name must match {_as_written(next(iter(schema['patternProperties'])))}"
    close = difflib.get_close_matches(str(key), allowed, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"{hint}allowed here: {', '.join(allowed)}"


def rule_of(error: jsonschema.ValidationError) -> str:
    """What the schema demands, as the end of a sentence."""
    value = error.validator_value
    if error.validator == "type":
        return f"must be of type {value if isinstance(value, str) else ' or '.join(value)}"
    rules = {
        "const": f"must be {value}",
        "enum": f"must be one of {value}",
        "minimum": f"must be at least {value}",
        "maximum": f"must be at most {value}",
        "exclusiveMinimum": f"must be above {value}",
        "exclusiveMaximum": f"must be below {value}",
        "pattern": f"must match {_as_written(str(value))}",
        "minItems": f"needs at least {value} entries",
        "maxItems": f"needs at most {value} entries",
        "uniqueItems": "must hold no entry twice",
        "oneOf": "is none of what is allowed",
    }
    return rules.get(error.validator, error.message)


def undefined(
    place: str, names: Iterable[str], where: str, defined: dict[str, Any]
) -> Iterator[str]:
    """One line for each of the names that `defined`, the configuration's `where`, does not hold."""
    for name in names:
        if name not in defined:
            known = ", ".join(defined) or "nothing"
            yield f"{place} names {name}, which {where} does not define; it has {known}"
