"""The reference of the configuration as a page: every key, from the schema and config.yaml.

It is config/README.md, which the catalog of Snakemake workflows shows; a test holds it to the
schema. What a key means is said in workflow/schemas/config.schema.yaml, its default in config.yaml,
and what a system or a layout can be told in its module: nothing is said here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from configuration.layouts import layout_names, layout_of
from configuration.reading import read_configuration, resolved
from configuration.schema import load_schema
from configuration.systems import COMMON, description_of
from configuration.values import typed
from documentation.places import PROJECT

PAGE = PROJECT / "config" / "README.md"
LONG = 4  # a mapping of more keys than this has a table of its own
NAME = "NAME"  # stands for a name of one's own in the path of a key
COLUMNS = ("key", "type", "default", "unit", "meaning")
OF_SYSTEM = ("name", "title", "module", "needs", "measures", "runs")
WORDS = {
    "boolean": "true or false",
    "integer": "integer",
    "number": "number",
    "string": "text",
    "null": "null",
    "object": "mapping",
    "array": "list",
}
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
# What the type says already, at the head of a description.
SAID = re.compile(
    r"(integers?( of \d or more)?|(number|seconds)( of 0 or more| above \d)|(list of )?numbers?"
    r"|true or false)[,;] "
)
INTRODUCTION = """\
# Configuration

<!-- Written by `make reference`: edit config.yaml or its schema instead. -->

[`config.yaml`](../config.yaml) is the paper. To change something, lay an overlay over it, or
name single keys:

```
snakemake --cores 2 --configfile config/esc10.yaml
snakemake --cores 2 --configfile config/esc10.yaml --config seed=1 'run={folds: [1]}'
```

Of an overlay, mappings are merged with those below it and lists take their place, so that it says
no more than what differs. Editing a key computes anew what uses it, and nothing else; `machine`
decides where and how to run and computes nothing anew. A key that is misspelt, missing or of the
wrong type is named, with its file and line, before anything runs.
"""


class Row(NamedTuple):
    """One key: its path, and what its schema says of it."""

    path: tuple[str, ...]
    schema: dict[str, Any]
    required: bool


def reference_page() -> str:
    """All keys of the configuration, as Markdown."""
    schema, config = load_schema(), defaults()
    parts = [INTRODUCTION, _overlays()]
    single = [name for name, part in schema["properties"].items() if not _keys_of(part)]
    rows = [Row((name,), schema["properties"][name], True) for name in single]
    parts.append(f"## The run\n\n{_table(rows, (), config)}")
    for name, part in schema["properties"].items():
        if name not in single:
            parts += _section((name,), part, config, level=2)
        if name == "datasets":
            parts += _layouts()
        elif name == "systems":
            parts += _modules(config)
    return "\n\n".join(part.strip() for part in parts) + "\n"


def defaults() -> dict[str, Any]:
    """What config.yaml says, every `like` followed."""
    written = read_configuration([PROJECT / "config.yaml"], [])
    return typed(resolved(written.value), load_schema())


def _overlays() -> str:
    """The overlays that are there, by the first sentence of each."""
    lines = [f"| [`{path.name}`]({path.name}) | {_head_of(path)} |" for path in overlays()]
    return "\n".join(["| overlay | what it is |", "| --- | --- |", *lines])


def overlays() -> list[Path]:
    """The files that can be laid over config.yaml, in the order of their names."""
    return sorted(path for path in PAGE.parent.glob("*.yaml") if path.stem != "config")


def _head_of(path: Path) -> str:
    head = re.match(r"(?:#.*\n)+", path.read_text(encoding="utf-8"))
    paragraph = (head[0] if head else "").split("\n#\n")[0]
    text = " ".join(line.lstrip("# ") for line in paragraph.splitlines())
    return _escaped(re.split(r"(?<=[.:]) (?=[A-Z])|: ", text)[0].rstrip(".:"))


# ------------------------------------------------------------------ sections of the schema


def _section(
    path: tuple[str, ...], schema: dict[str, Any], config: dict[str, Any], level: int
) -> Iterator[str]:
    """A mapping's table, and those of the longer mappings in it."""
    schema, path = _into_entries(schema, path)
    rows = list(_rows(schema, path))
    title = f"{'#' * level} `{'.'.join(path)}`"
    said = _sentence(schema.get("description", ""))
    yield f"{title}\n\n{said}\n\n{_table(rows, path, config)}"
    for row in rows:
        if _is_long(row.schema):
            yield from _section(row.path, row.schema, config, level + 1)


def _into_entries(
    schema: dict[str, Any], path: tuple[str, ...]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The schema of an entry where a mapping holds entries by names of one's own."""
    if "properties" not in schema and "patternProperties" in schema:
        (entry,) = schema["patternProperties"].values()
        if _keys_of(entry):
            return entry | {"description": schema["description"]}, (*path, NAME)
    return schema, path


def _rows(schema: dict[str, Any], path: tuple[str, ...]) -> Iterator[Row]:
    """Each key of a mapping, those of a short mapping or of a list's entries right behind it."""
    for name, part in schema.get("properties", {}).items():
        row = Row((*path, name), _followed(part), name in schema.get("required", []))
        yield row
        if not _is_long(row.schema):
            yield from _rows(row.schema, row.path)
            entry = _followed(row.schema.get("items", {}))
            yield from _rows(entry, (*path, f"{name}[]"))


def _is_long(schema: dict[str, Any]) -> bool:
    return len(_keys_of(schema)) > LONG


def _keys_of(schema: dict[str, Any]) -> list[str]:
    entries = [*schema.get("patternProperties", {}).values(), schema]
    return [key for entry in entries for key in entry.get("properties", {})]


def _followed(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with what it refers to; what it says itself comes first."""
    if "$ref" not in schema:
        return schema
    referred = load_schema()["$defs"][schema["$ref"].rpartition("/")[2]]
    return referred | {key: part for key, part in schema.items() if key != "$ref"}


# ------------------------------------------------------------------ cells


def _table(rows: Iterable[Row], path: tuple[str, ...], config: dict[str, Any]) -> str:
    """Markdown of keys below `path`."""
    cells = []
    for row in rows:
        optional = "" if row.required else "; optional"
        cells.append(
            {
                "key": f"`{'.'.join(row.path[len(path) :])}`",
                "type": kind_of(row.schema) + optional,
                "default": _default_of(row, config),
                "unit": _escaped(row.schema.get("unit", "")),
                "meaning": _meaning(row.schema.get("description", "")),
            }
        )
    return _pipes(cells, COLUMNS)


def _pipes(cells: list[dict[str, str]], columns: Iterable[str]) -> str:
    """A table of Markdown, without columns in which nothing stands."""
    shown = [name for name in columns if any(row[name] for row in cells)]
    lines = [shown, ["---"] * len(shown), *([row[name] for name in shown] for row in cells)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def kind_of(schema: Mapping[str, Any]) -> str:
    """What a value may be, in words."""
    schema = _followed(dict(schema))
    if "oneOf" in schema:
        return " or ".join(kind_of(each) for each in schema["oneOf"])
    if "const" in schema:
        return _code(schema["const"])
    if "enum" in schema:
        return " or ".join(map(_code, schema["enum"]))
    types = schema.get("type")
    if types is None:
        return "any"
    return " or ".join(
        _word_for(each, schema) for each in ([types] if isinstance(types, str) else types)
    )


def _word_for(kind: str, schema: dict[str, Any]) -> str:
    if kind == "array":
        return _list_of(schema)
    if kind == "string" and "pattern" in schema:
        return "address" if "://" in schema["pattern"] else "name"
    bounds = [f"{sign} {schema[key]}" for key, sign in BOUNDS.items() if key in schema]
    return (
        f"{WORDS[kind]} {', '.join(bounds)}"
        if bounds and kind in ("integer", "number")
        else WORDS[kind]
    )


def _list_of(schema: dict[str, Any]) -> str:
    items = _followed(schema.get("items", {}))
    least, most = schema.get("minItems"), schema.get("maxItems")
    many = f" of {least}" if least and least == most else ""
    if items.get("type") == "array" and "prefixItems" not in items:
        return f"list of {kind_of(items).replace('list', 'lists', 1)}"
    if "prefixItems" in items:
        inner = f"({', '.join(kind_of(each) for each in items['prefixItems'])})"
    elif items.get("type") == "object":
        inner = "mappings"
    else:
        inner = kind_of(items)
    return f"list{many}: {inner}"


def _default_of(row: Row, config: dict[str, Any]) -> str:
    """What config.yaml says of a key; of each entry where these differ."""
    if _keys_of(row.schema) or row.schema.get("type") == "object":
        return ""
    if NAME not in row.path:
        found, value = _looked_up(config, row.path)
        if found and _holds_mappings(row):
            return "as in `config.yaml`"
        return _code(value) if found else ""
    kind = row.path[0]
    if kind == "systems":  # told in the tables of modules
        return ""
    values = {}
    for name in config[kind]:
        found, value = _looked_up(
            config, tuple(name if part == NAME else part for part in row.path)
        )
        if found:
            values[name] = _code(value)
    return _by_name(values)


def _holds_mappings(row: Row) -> bool:
    """Whether a value is a list of mappings, which is too much for a cell."""
    return _followed(row.schema.get("items", {})).get("type") == "object"


def _looked_up(tree: Any, path: Iterable[str]) -> tuple[bool, Any]:
    for part in path:
        if not isinstance(tree, dict) or part not in tree:
            return False, None
        tree = tree[part]
    return True, tree


def _by_name(values: Mapping[str, str]) -> str:
    """One value where all are the same, else each with the names that have it."""
    names: dict[str, list[str]] = {}
    for name, value in values.items():
        names.setdefault(value, []).append(name)
    if len(names) <= 1:
        return "".join(names)
    return "<br>".join(f"{', '.join(those)}: {value}" for value, those in names.items())


def _code(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"`{text.replace('|', chr(92) + '|')}`" if text else '``""``'


def _meaning(text: str) -> str:
    """A description without what the type says already."""
    return _escaped(re.sub(rf"\A{SAID.pattern}", "", " ".join(text.split())))


def _sentence(text: str) -> str:
    """A description as a sentence of its own."""
    text = " ".join(text.split())
    return _escaped(f"{text[:1].upper()}{text[1:]}.") if text else ""


def _escaped(text: str) -> str:
    return re.sub(r"[|*<]|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", text)


# ------------------------------------------------------------------ what modules describe


def _layouts() -> Iterator[str]:
    """Layouts of corpora, and their options."""
    cells = []
    for name in layout_names():
        layout = layout_of(name)
        options = [
            f"`{option}`: {_kind_described(kind)}; {_escaped(meaning)}"
            for option, (kind, meaning) in layout.options.items()
        ]
        cells.append(
            {
                "layout": f"`{name}`",
                "split": "in folds" if layout.in_folds else "its own",
                "classes": "any number are right" if layout.multi_label else "one is right",
                "files": ", ".join(f"`{file}`" for file in layout.files),
                "options": "<br>".join(options),
            }
        )
    table = _pipes(cells, ("layout", "split", "classes", "files", "options"))
    yield f"### Layouts\n\nWhat `corpus.layout` may be, and its options in `corpus`.\n\n{table}"


def _modules(config: dict[str, Any]) -> Iterator[str]:
    """Modules of systems with the settings of each, and what config.yaml has for them."""
    systems: dict[str, list[str]] = {}
    for name, entry in config["systems"].items():
        systems.setdefault(entry["module"], []).append(name)
    yield f"### Systems of `config.yaml`\n\n{_pipes([*_systems(config)], OF_SYSTEM)}"
    yield (
        "### Settings of systems\n\n"
        "What `settings`, `by_dataset` and `grid` may hold, by the `module` of a system. Defaults"
        " are those of the systems in `config.yaml`; what is chosen from several is a `grid`."
    )
    for module, names in systems.items():
        described = description_of(module).settings | COMMON
        cells = [
            {
                "key": f"`{setting}`",
                "type": _kind_described(kind),
                "default": _by_name(
                    {name: _told(config["systems"][name], setting) for name in names}
                ),
                "meaning": _meaning(meaning),
            }
            for setting, (kind, meaning) in described.items()
        ]
        title = f"#### `module: {module}`\n\nOf {', '.join(f'`{name}`' for name in names)}."
        yield f"{title}\n\n{_pipes(cells, COLUMNS[:3] + COLUMNS[4:])}"


def _systems(config: dict[str, Any]) -> Iterator[dict[str, str]]:
    for name, entry in config["systems"].items():
        lists = {key: ", ".join(entry[key]) for key in ("needs", "measures")}
        run = "yes" if name in config["run"]["systems"] else "no"
        yield (
            {
                "name": f"`{name}`",
                "title": _escaped(entry["title"]),
                "module": f"`{entry['module']}`",
            }
            | lists
            | {"runs": run}
        )


def _told(entry: dict[str, Any], setting: str) -> str:
    """What a system says of a setting: on all data sets, and where it differs."""
    if setting in entry.get("grid", {}):
        return f"of {', '.join(map(_code, entry['grid'][setting]))}"
    everywhere = entry.get("settings", {})
    values = [_code(everywhere[setting])] if setting in everywhere else []
    by_dataset = {
        dataset: _code(settings[setting])
        for dataset, settings in entry.get("by_dataset", {}).items()
        if setting in settings
    }
    values += [f"{dataset}: {value}" for dataset, value in by_dataset.items()]
    return ", ".join(values)


def _kind_described(kind: str | list[str]) -> str:
    return kind_of({"enum": kind} if isinstance(kind, list) else load_schema()["$defs"][kind])
