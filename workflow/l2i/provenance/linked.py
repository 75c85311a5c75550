"""Linked data: entities by identifier, as RO-Crate 1.1 writes them down (JSON-LD, flattened)."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

# Suffixes that systems know differently, or not at all.
FORMATS = {
    "": "text/plain",
    ".cff": "application/yaml",
    ".csv": "text/csv",
    ".digest": "text/plain",
    ".flac": "audio/flac",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".npy": "application/octet-stream",
    ".py": "text/x-python",
    ".safetensors": "application/octet-stream",
    ".smk": "text/plain",
    ".toml": "application/toml",
    ".yaml": "application/yaml",
}

Ref = dict[str, str]


class Graph:
    """Entities; each is added once, however many refer to it."""

    def __init__(self) -> None:
        self.entities: dict[str, dict[str, Any]] = {}

    def add(self, identifier: str, kind: str | list[str], /, **properties: Any) -> Ref:
        """Add an entity, unless it is there, without what has no value; a reference to it."""
        if identifier not in self.entities:
            kept = {name: value for name, value in properties.items() if not _is_nothing(value)}
            self.entities[identifier] = {"@type": kind, **kept}
        return {"@id": identifier}

    def extend(self, identifier: str, name: str, refs: Iterable[Ref]) -> None:
        """Add to what a property of an entity refers to."""
        entity = self.entities[identifier]
        entity[name] = each_once([*entity.get(name, []), *refs])

    def of_type(self, kind: str) -> list[Ref]:
        """References to all entities of one type, in the order in which they were added."""
        return [{"@id": name} for name, each in self.entities.items() if each["@type"] == kind]

    def document(
        self, root: Mapping[str, Any], *, terms: Mapping[str, str], conforms_to: Iterable[Ref]
    ) -> dict[str, Any]:
        """The metadata of a crate; entities in the order of their identifiers.

        Parameters
        ----------
        root : mapping
            Properties of the crate itself.
        terms : mapping
            Words that RO-Crate does not have -> their addresses.
        conforms_to : iterable of Ref
            What the document conforms to, beside RO-Crate.
        """
        crate = ROCrate(version="1.1")
        crate.metadata.extra_terms = dict(terms)
        crate.metadata["conformsTo"] = [{"@id": crate.metadata.profile}, *conforms_to]
        for name, value in root.items():
            crate.root_dataset[name] = _plain(value)
        for identifier, properties in sorted(self.entities.items()):
            plain = {name: _plain(value) for name, value in properties.items()}
            crate.add(ContextEntity(crate, identifier, properties=plain))
        return dict(crate.metadata.generate())


def _is_nothing(value: Any) -> bool:
    return value is None or value == [] or value == ""


def _plain(value: Any) -> Any:
    """A list of one is that one: checks of the profiles ask for it."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def each_once(refs: Iterable[Ref]) -> list[Ref]:
    """References in their order, without those that come again."""
    return [*{ref["@id"]: ref for ref in refs}.values()]


def slug(text: str) -> str:
    """A text as part of an identifier: small letters, digits, hyphens and underscores."""
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-")


def media_type(name: str) -> str:
    """What kind of file has such a name, in the words of the internet."""
    suffix = PurePosixPath(name).suffix
    return FORMATS.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def type_of_value(value: Any) -> str:
    """Type of a parameter that takes such a value."""
    kinds = {bool: "Boolean", int: "Integer", float: "Float", str: "Text"}
    return kinds.get(type(value), "PropertyValue")
