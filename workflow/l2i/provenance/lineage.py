"""Lineage: all results that one result was made of, by their records, down to the data.

Nothing large is read. Whether the bytes are still those that the records tell of is another
question (l2i.provenance.verification); here it is asked whether the records agree with each other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, NamedTuple

from l2i.provenance.records import is_record

Record = dict[str, Any]


class Node(NamedTuple):
    """A result, or what lies outside of the run."""

    name: str  # as records call it
    record: Record | None  # None where none can be read

    @property
    def rule(self) -> str | None:
        """The rule that made it."""
        return None if self.record is None else self.record["rule"]

    @property
    def job(self) -> tuple[Any, ...]:
        """What all outputs of one job have in common, by their records."""
        if self.record is None:
            return (self.name,)
        made = self.record
        return made["rule"], *sorted(made["wildcards"].items()), made["started_at"]


class Link(NamedTuple):
    """That one result was made of another."""

    source: str
    target: str
    sha256: str  # of the source, when the target was made of it


class Break(NamedTuple):
    """A link that does not hold."""

    link: Link
    said: str | None  # what the record of the source says that it holds; None where there is none


class Lineage:
    """A result and all that it was made of.

    Parameters
    ----------
    starts : iterable of str
        Results, as records call them.
    record : callable
        The record of a result, or None: `l2i.provenance.runs.Run.record`.
    only : collection of str, optional
        Of the inputs of the starts, follow these alone, such as the scores that one cell rests on.
    """

    def __init__(
        self,
        starts: Iterable[str],
        record: Callable[[str], Record | None],
        only: Collection[str] | None = None,
    ) -> None:
        self.starts = [*starts]
        self.nodes: dict[str, Node] = {}
        self.links: list[Link] = []
        pending = [*self.starts]
        while pending:
            name = pending.pop(0)
            if name in self.nodes:
                continue
            self.nodes[name] = Node(name, record(name))
            links = _links_to(self.nodes[name])
            if only is not None and name in self.starts:
                links = [link for link in links if link.source in only]
            self.links += links
            pending += [link.source for link in links]

    def breaks(self) -> Iterator[Break]:
        """Links whose source is not what it was, or has no record."""
        for link in self.links:
            made = self.nodes[link.source].record
            said = None if made is None else made["output"]["sha256"]
            if said != link.sha256:
                yield Break(link, said)

    def above(self, name: str) -> list[Node]:
        """What a result was made of directly."""
        sources = dict.fromkeys(link.source for link in self.links if link.target == name)
        return [self.nodes[source] for source in sources]

    def jobs(self) -> dict[tuple[Any, ...], list[Node]]:
        """Results by the job that made them, those of the starts first."""
        found: dict[tuple[Any, ...], list[Node]] = {}
        for node in self.nodes.values():
            found.setdefault(node.job, []).append(node)
        return found


def _links_to(node: Node) -> list[Link]:
    """Its inputs, but for records: those stand for results that are followed as well."""
    return [
        Link(used["path"], node.name, used["sha256"])
        for used in ([] if node.record is None else node.record["inputs"])
        if not is_record(used["path"])
    ]
