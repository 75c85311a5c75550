"""Values as a schema asks for them, so that one value is written in one way.

10 and 10.0 are the same weight, and 1e-3 is a number wherever it stands: results are told apart by
the values that come out here. What does not fit the schema stays as it is, for the check to name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from configuration.layouts import layout_of
from configuration.schema import validator_of
from configuration.systems import COMMON, description_of

NULLS = {"", "~", "null", "Null", "NULL", "None"}  # the last is Snakemake's, from API to job
SWITCHES = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
INTEGER = re.compile(r"[+-]?\d{1,300}(_\d+)*")
NUMBER = re.compile(r"[+-]?(\d{1,300}(_\d+)*\.?\d{0,300}|\.\d{1,300})([eE][+-]?\d{1,5})?")

Schema = dict[str, Any]
Kinds = Mapping[str, tuple[list[str] | str, str]]


def typed_by(value: Any, schema: Schema, whole: Schema) -> Any:
    """`value` with every text and number in it as `schema` asks for it.

    Parameters
    ----------
    value : dict, list, str, int, float, bool or None
        As read by :mod:`configuration.yaml_files`, or typed already.
    schema : mapping
        JSON schema of the value; where it asks for nothing, YAML 1.2 says what a text means.
    whole : mapping
        The schema whose `$defs` it refers to.
    """
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = {**whole["$defs"][name], **{k: v for k, v in schema.items() if k != "$ref"}}
    if "oneOf" in schema:
        return _of_one(value, schema["oneOf"], whole)
    if "const" in schema or "enum" in schema:
        return _chosen(value, schema["enum"] if "enum" in schema else [schema["const"]])
    if isinstance(value, dict):
        return {key: typed_by(item, _of_key(key, schema), whole) for key, item in value.items()}
    if isinstance(value, list):
        first = schema.get("prefixItems", [])
        kinds = [*first, *[schema.get("items", {})] * (len(value) - len(first))]
        return [typed_by(item, kind, whole) for item, kind in zip(value, kinds, strict=False)]
    types = schema.get("type", [])
    return _scalar(value, [types] if isinstance(types, str) else types)


def typed(config: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """The configuration as its schema asks for it, and the modules of its systems and layouts.

    Parameters
    ----------
    config : dict
        From :func:`configuration.reading.resolved`: what systems are like is followed.
    schema : mapping
        Of the configuration.
    """
    config = typed_by(config, schema, schema)
    for kind, typed_entry in (("systems", _system), ("datasets", _dataset)):
        entries = config.get(kind)
        if isinstance(entries, dict):
            config[kind] = {name: typed_entry(entry, schema) for name, entry in entries.items()}
    return config


def _of_key(key: str, schema: Schema) -> Schema:
    if key in schema.get("properties", {}):
        return schema["properties"][key]
    patterns = schema.get("patternProperties", {})
    named = [kind for pattern, kind in patterns.items() if re.search(pattern, str(key))]
    return (named or [schema.get("additionalProperties") or {}])[0]


def _of_one(value: Any, kinds: list[Schema], whole: Schema) -> Any:
    """The value as the first of several kinds that it fits; itself if it fits none."""
    for kind in kinds:
        candidate = typed_by(value, kind, whole)
        if validator_of(kind, whole).is_valid(candidate):
            return candidate
    return value


def _chosen(value: Any, choices: list[Any]) -> Any:
    """The choice that a value means; itself if it means none."""
    for choice in choices:
        if isinstance(choice, str):
            meant = value
        elif isinstance(choice, bool):
            meant = _scalar(value, ["boolean"])
        else:
            meant = _scalar(value, ["null" if choice is None else "integer"])
        if type(meant) is type(choice) and meant == choice:
            return choice
    return value


def _scalar(value: Any, types: list[str]) -> Any:
    """A text or number as the first of these types that it can be; itself if it can be none."""
    if not types:
        return _by_yaml(value) if isinstance(value, str) else value
    if isinstance(value, str):
        if "null" in types and value in NULLS:
            return None
        if "boolean" in types and value.lower() in SWITCHES:
            return SWITCHES[value.lower()]
        if "string" in types or not NUMBER.fullmatch(value):
            return value
    elif isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if "integer" in types:
        return _integer(value)
    return _float(value) if "number" in types else value


def _integer(value: str | float) -> Any:
    """35, 35.0 and 3.5e1 are the integer 35."""
    if isinstance(value, int) or (isinstance(value, str) and INTEGER.fullmatch(value)):
        return int(value)
    number = float(value)
    return int(number) if number.is_integer() else value


def _float(value: str | float) -> Any:
    try:
        number = float(value)
    except OverflowError:  # an integer that no float can hold
        return value
    return value if isinstance(value, str) and number in (float("inf"), -float("inf")) else number


def _by_yaml(text: str) -> Any:
    """What a text without a type means in YAML 1.2."""
    if text in NULLS - {"None"}:
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return SWITCHES[text.lower()]
    if INTEGER.fullmatch(text):
        return int(text)
    return _float(text) if NUMBER.fullmatch(text) else text


def _system(entry: Any, schema: Schema) -> Any:
    """A system with its settings as its module describes them; as it is where that says nothing."""
    try:
        kinds = description_of(entry["module"]).settings | COMMON
    except (ValueError, KeyError, TypeError):
        return entry

    def of_module(settings: Any) -> Any:
        if not isinstance(settings, dict):
            return settings
        return {name: _as_described(value, name, kinds, schema) for name, value in settings.items()}

    entry = dict(entry)
    if "settings" in entry:
        entry["settings"] = of_module(entry["settings"])
    if isinstance(entry.get("by_dataset"), dict):
        entry["by_dataset"] = {k: of_module(part) for k, part in entry["by_dataset"].items()}
    if isinstance(entry.get("grid"), dict):
        entry["grid"] = {
            name: [_as_described(each, name, kinds, schema) for each in values]
            if isinstance(values, list)
            else values
            for name, values in entry["grid"].items()
        }
    return entry


def _dataset(entry: Any, schema: Schema) -> Any:
    """A data set with the options of its layout as that describes them, likewise."""
    try:
        corpus = entry["corpus"]
        kinds = layout_of(corpus["layout"]).options
    except (ValueError, KeyError, TypeError):
        return entry
    options = {key: _as_described(value, key, kinds, schema) for key, value in corpus.items()}
    return {**entry, "corpus": options}


def _as_described(value: Any, name: str, kinds: Kinds, schema: Schema) -> Any:
    """A value as a module describes what has this name, by words or by one of `$defs`."""
    kind = kinds[name][0] if name in kinds else None
    known = {"enum": kind} if isinstance(kind, list) else schema["$defs"].get(kind, {})
    return typed_by(value, known, schema)
