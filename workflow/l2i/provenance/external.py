"""What jobs read that no job made: corpora and published weights, as their publishers have them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from l2i.provenance.jobs import Job
from l2i.provenance.linked import Graph, Ref

# Rules that read the folder of a corpus, which no job makes.
READ_CORPORA = ("fetch_dataset", "index_dataset")


class External:
    """Entities of what lies outside of a run, none of which is packed.

    Parameters
    ----------
    graph : Graph
        What they are added to.
    jobs : sequence of Job
        All of the run.
    publishers : mapping
        Where what a run downloads comes from, by its name in workflow/reference/downloads.yaml.
    address : str
        Of the run; under it goes what has none of its own.
    """

    def __init__(
        self, graph: Graph, jobs: Sequence[Job], publishers: Mapping[str, str], address: str
    ) -> None:
        self.graph, self.jobs, self.publishers, self.address = graph, jobs, publishers, address
        self.refs: list[Ref] = []  # that were added, again for each job

    def of(self, job: Job) -> list[Ref]:
        """What a job read that no job made."""
        wildcards = job.record["wildcards"]
        if job.rule in READ_CORPORA:
            found = [self._corpus(wildcards["dataset"])]
        elif "weights" in wildcards:
            found = [self._weights(wildcards["weights"], job.record["settings"].get("git_blob"))]
        else:
            found = []
        self.refs += found
        return found

    def _weights(self, name: str, git_blob: str | None) -> Ref:
        return self.graph.add(
            self.publishers.get(name) or f"{self.address}/published/{name}",
            "File",
            name=name,
            description=f"published weights; git's name of the file is {git_blob}",
            encodingFormat="application/octet-stream",
        )

    def _corpus(self, dataset: str) -> Ref:
        """A corpus, as far as the record of its download knows it."""
        fetched = (
            job.record["settings"]
            for job in self.jobs
            if job.rule == "fetch_dataset" and job.record["wildcards"]["dataset"] == dataset
        )
        settings: dict[str, Any] = next(fetched, {})
        address = self.publishers.get(settings.get("download", ""))
        files = [
            " ".join([pin["name"], *(f"{k} {pin[k]}" for k in ("sha256", "md5") if k in pin)])
            for pin in settings.get("pins", {}).get("files", [])
        ]
        public = address if re.match("https?://", address or "") else None
        return self.graph.add(
            _place_of(public) or f"{self.address}/corpora/{dataset}/",
            "Dataset",
            name=settings.get("download") or f"{dataset}, from a folder",
            description=f"The corpus of {dataset}, not packed"
            + (f". Pinned files: {'; '.join(files)}" if files else ""),
            identifier=_doi_of(public),
            url=public,
        )


def _doi_of(address: str | None) -> str | None:
    found = re.match(r"https://zenodo\.org/records?/(\d+)/", address or "")
    return f"https://doi.org/10.5281/zenodo.{found[1]}" if found else None


def _place_of(address: str | None) -> str | None:
    """The page of a record where there is one, since addresses of files hold places for names."""
    if address is None:
        return None
    return _doi_of(address) or quote(address, safe=":/?=&%{}").replace("{name}", "")
