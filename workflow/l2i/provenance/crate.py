"""A run as a crate that others can read: what is packed, and what it says of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import yaml

from l2i.checks import raise_all
from l2i.provenance.description import describe
from l2i.provenance.jobs import broken, jobs_of
from l2i.provenance.packing import METADATA, README, Manifest, manifest_of, write_archive
from l2i.provenance.runs import Run

ABOUT = """# {title}: run {run}

Tables and figures of a run, the scores of clips that they are made of, and a record of how each of
its results came about (`results/{run}/**/.records`), packed by `l2i audit crate`.
`ro-crate-metadata.json` says the same in the words of RO-Crate 1.1, Provenance Run Crate 0.5.

To make the tables and figures anew from the scores, and compare them byte by byte, give this
archive to `l2i audit rebuild` in a clone of the project; no GPU is needed. The sources that are
packed here are those of version {version}.
"""


class Packaged(NamedTuple):
    """A crate as it was written."""

    path: Path
    n_jobs: int
    commits: set[str]  # that the records of its results name
    manifest: Manifest


def write_crate(
    run: Run,
    project: str | Path,
    target: str | Path,
    *,
    publishers: Mapping[str, str],
    with_weights: bool = False,
    with_audio: bool = False,
) -> Packaged:
    """Pack a run into an archive.

    Parameters
    ----------
    run : Run
    project : str or Path
        Folder of the sources that made it.
    target : str or Path
        The archive, a zip; one that is there already is replaced.
    publishers : mapping
        Where what a run downloads comes from, by its name in workflow/reference/downloads.yaml.
    with_weights, with_audio : bool
        Whether weights, and folders of sounds, go into it as well.

    Raises
    ------
    InputError
        The run cannot be packed, see `l2i.provenance.packing.manifest_of`.
    """
    jobs = jobs_of(run)
    raise_all(
        [f"{name} {what}: give the command of your run again" for name, what in broken(run, jobs)],
        f"{run.folder} is not packed",
    )
    manifest = manifest_of(run, jobs, project, with_weights=with_weights, with_audio=with_audio)
    cited = yaml.safe_load(Path(project, "CITATION.cff").read_text(encoding="utf-8"))
    about = ABOUT.format(title=cited["title"], run=run.root.name, version=cited["version"])
    metadata = describe(run, jobs, manifest, cited, about, publishers)
    text = json.dumps(metadata, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    write_archive(target, manifest.files, {METADATA: text, README: about})
    commits = {job.record["git"]["commit"] for job in jobs if job.record["git"]}
    return Packaged(Path(target), len(jobs), commits, manifest)
