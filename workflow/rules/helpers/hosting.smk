"""Where the project lies of which Snakemake reads workflow/Snakefile."""

import os
import tempfile
from pathlib import Path


def project_around(source):
    """The folder of the project, of the folder of this file as Snakemake knows it.

    Of a module that is read from a repository, Snakemake fetches what rules name, a file at a time.
    Ours import a library, so that all files of the commit are put into Snakemake's cache, once.
    """
    folder = Path(source.get_path_or_uri(secret_free=True))
    if folder.is_dir():
        return folder.parent
    import git  # comes with Snakemake, which has cloned the repository by it

    local = getattr(source, "repo_path", None)  # as of gitfile(), which has no clone of its own
    repository = git.Repo(local) if local else source.hosted_repo.repo
    commit = repository.commit(source.ref).hexsha
    place = Path(workflow.sourcecache.cache_path, "l2i", commit)
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as unpacked:
            clone = git.Repo.clone_from(repository.git_dir, f"{unpacked}/project", no_checkout=True)
            clone.git.checkout("--quiet", commit)
            try:
                os.rename(f"{unpacked}/project", place)
            except OSError:  # another job was first
                if not place.is_dir():
                    raise
    return place
