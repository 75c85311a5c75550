"""YAML as it is written: every scalar a text, every key once, and the line where each stands.

What a text means is for a schema to say (configuration/values.py). YAML 1.1, which PyYAML speaks,
would read `no` as false, `010` as eight and `1e-3` as a text, and silently takes the last of two
equal keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from l2i.checks import InputError

MAX_NODES = 200_000  # what aliases stand for counts each time: a few lines can mean billions
MAX_DEPTH = 50
MERGE = "<<"
_TAG = "tag:yaml.org,2002:"
_TAGS = {f"{_TAG}{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map")}
# The first is ten times as fast, but not everywhere.
_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Written(NamedTuple):
    """What a file says, in dicts, lists and texts, and where it says it."""

    value: Any
    places: dict[str, str]  # path such as run.folds[1] -> file and line


class _Texts(_PARSER):  # type: ignore[misc]
    """A loader that takes no scalar for anything but a text."""

    yaml_implicit_resolvers: dict = {}


def read_yaml(path: str | Path, name: str) -> Written:
    """Read a YAML file; `name` is what messages call it.

    Raises
    ------
    InputError
        If it is missing, no YAML, or says one thing twice.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror}); correct the path") from error
    except UnicodeDecodeError as error:
        line = 1 + error.object[: error.start].count(b"\n")
        raise InputError(f"{name}, line {line}: is not UTF-8; save it in that encoding") from error
    return parse_yaml(text, name)


def parse_yaml(text: str, name: str, path: str = "") -> Written:
    """Read one YAML document, whose value is that of the key `path`.

    Raises
    ------
    InputError
        If it is no YAML, has a key twice, holds itself, or has tags of programming languages.
    """
    try:
        node = yaml.compose(text, Loader=_Texts)
    except yaml.YAMLError as error:
        raise InputError(f"{_place_of(error, text, name)} is no YAML{_reason(error)}") from error
    except RecursionError as error:
        raise InputError(f"{name}: is nested too deeply; correct it") from error
    places: dict[str, str] = {}
    return Written(_Builder(name, places).value(node, path), places)


def _place_of(error: yaml.YAMLError, text: str, name: str) -> str:
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return f"{name}, line {mark.line + 1}"
    position = getattr(error, "position", None)  # of a character that YAML forbids
    return name if position is None else f"{name}, line {1 + text.count(chr(10), 0, position)}"


def _reason(error: yaml.YAMLError) -> str:
    """What the parser says, which never quotes a value."""
    problem = getattr(error, "problem", None) or getattr(error, "reason", None)
    return f" ({problem}): correct it" if problem else ": correct it"


class _Builder:
    """Values of the nodes of one document."""

    def __init__(self, name: str, places: dict[str, str]) -> None:
        self.name, self.places = name, places
        self.n_nodes = 0
        self.around: list[yaml.Node] = []  # the nodes that hold the current one

    def value(self, node: yaml.Node | None, path: str) -> Any:
        """The value of a node, its place noted under `path`."""
        if node is None:  # an empty document
            return ""
        self._require_harmless(node)
        self.places.setdefault(path, f"{self.name}, line {node.start_mark.line + 1}")
        if isinstance(node, yaml.ScalarNode):
            return node.value
        self.around.append(node)
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.value(item, f"{path}[{i}]") for i, item in enumerate(node.value)]
            assert isinstance(node, yaml.MappingNode)
            return self._mapping(node, path)
        finally:
            self.around.pop()

    def _require_harmless(self, node: yaml.Node) -> None:
        self.n_nodes += 1
        if self.n_nodes > MAX_NODES:
            raise InputError(f"{self.name}: says more than {MAX_NODES} things; shorten it")
        if len(self.around) > MAX_DEPTH:
            raise self._fault(node, "is nested too deeply; correct it")
        if any(node is outer for outer in self.around):
            raise self._fault(node, "holds itself by an alias; write it out")
        if node.tag not in _TAGS:
            raise self._fault(node, f"has the tag {node.tag!r}, which means nothing here; drop it")

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Any]:
        own: dict[str, Any] = {}
        bases: list[yaml.Node] = []
        for key, item in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._fault(key, "has a key that is no text; choose a name")
            name = key.value
            if name == MERGE and not key.style:  # not quoted
                bases.append(item)
                continue
            place = _joined(path, name)
            if name in own:
                raise self._fault(key, f"says {place} for the second time; keep one of the two")
            self.places.setdefault(place, f"{self.name}, line {key.start_mark.line + 1}")
            own[name] = self.value(item, place)
        for base in self._merged(bases, path):  # the first of several comes first
            own = base | own
        return own

    def _merged(self, bases: list[yaml.Node], path: str) -> Iterator[dict[str, Any]]:
        for node in bases:
            for item in node.value if isinstance(node, yaml.SequenceNode) else [node]:
                base = self.value(item, path)
                if not isinstance(base, dict):
                    raise self._fault(item, f"merges by {MERGE} what is no mapping; correct it")
                yield base

    def _fault(self, node: yaml.Node, what: str) -> InputError:
        return InputError(f"{self.name}, line {node.start_mark.line + 1}: {what}")


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
