"""The workflow under another name: by workflow/Snakefile, as a module, from a repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from helpers.project import PROJECT
from helpers.tiny_project import Project, make_corpus, overlay_for
from l2i.provenance.records import load_record

pytestmark = pytest.mark.slow

INDEX = "datasets/esc50/index.csv"
# Rules of its own before and behind the module, one of them with our params by accident.
AROUND = """
configfile: "around.yaml"


rule all:
    input:
        "counted.txt",


module listen:
    snakefile:
        {snakefile}
    config:
        config["listen"]
{prefix}

use rule * from listen as listen_*


rule count:
    input:
        "results/tiny/datasets/esc50/index.csv",
    output:
        "counted.txt",
    params:
        settings=config["counted"],
    shell:
        "wc {{params.settings}} < {{input}} > {{output}}"


onstart:
    print("the workflow around begins")
"""


class Around:
    """A workflow that uses ours, which lies elsewhere, as a module."""

    def __init__(self, folder, host):
        self.folder, self.host = folder, host
        self.overlay = yaml.safe_load((host / "overlay.yaml").read_text())
        folder.mkdir()
        shutil.copy(host / "corpus.zip", folder)
        (folder / "overlay.yaml").write_text(yaml.safe_dump(self.overlay))
        self.write()

    def write(self, *, prefix="", counted="-l", **more):
        text = AROUND.format(
            snakefile=repr(str(self.host / "workflow/Snakefile")),
            prefix=f"    prefix:\n        {prefix!r}\n" if prefix else "",
        )
        (self.folder / "Snakefile").write_text(text)
        config = {"counted": counted, "listen": self.overlay | more}
        (self.folder / "around.yaml").write_text(yaml.safe_dump(config))

    @contextmanager
    def written(self, **changes):
        """The same with changes, undone afterwards."""
        self.write(**changes)
        try:
            yield
        finally:
            self.write()

    def snakemake(self, *arguments):
        # Of our profile it has nothing: to Snakemake, a script that was touched has changed.
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "1", *arguments],
            cwd=self.folder,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """The project, as somebody has cloned it, and a corpus."""
    folder = tmp_path_factory.mktemp("host") / "l2i"
    pins = make_corpus(folder.parent / "corpus.zip")
    Project(folder, PROJECT, overlay_for(), pins)
    shutil.move(folder.parent / "corpus.zip", folder)
    return folder


@pytest.fixture(scope="module")
def around(host, tmp_path_factory):
    made = Around(tmp_path_factory.mktemp("around") / "mine", host)
    status, made.said = made.snakemake()
    assert status == 0, made.said
    return made


def test_rules_of_both_run(around):
    assert (around.folder / "counted.txt").read_text().strip() == "9", "four clips of two folds"
    assert (
        "Rule: listen_index_dataset" in around.said and "the workflow around begins" in around.said
    )
    assert not (around.host / "results").exists()


def test_a_record_names_rules_and_paths_as_without_a_module(around):
    record = load_record(around.folder / "results/tiny" / INDEX)
    assert record["rule"] == "index_dataset"
    assert record["output"]["path"] == f"results/tiny/{INDEX}"
    assert record["log"] == "results/tiny/logs/datasets/esc50/index_dataset.log"


def test_how_it_was_asked_for_is_noted_for_the_audit(around):
    asked = json.loads((around.folder / "results/tiny/.run/asked.json").read_text())
    assert 'name="tiny"' in asked["config"] and not asked["configfiles"]


def test_what_the_module_made_is_current_without_it(around):
    bridge = ["--snakefile", str(around.host / "workflow/Snakefile")]
    where = ["--directory", ".", "--configfile", "overlay.yaml"]
    _, text = around.snakemake("--dry-run", f"results/tiny/{INDEX}", *bridge, *where)
    assert "Nothing to be done" in text


def test_of_other_rules_snakemake_judges_as_always_and_ours_by_records(around):
    for script in (around.host / "workflow/scripts").glob("*.py"):
        script.touch()
    with around.written(counted="-c"):
        _, text = around.snakemake("--dry-run")
    assert "Params have changed" in text and "listen_" not in text.partition("Job stats")[2]
    assert "--rerun-triggers mtime" in text, "Snakemake's own advice, of its own rules"


def test_what_is_forced_is_made_anew(around):
    before = load_record(around.folder / "results/tiny" / INDEX)["started_at"]
    forced = ["--forcerun", "listen_index_dataset"]
    status, text = around.snakemake(f"results/tiny/{INDEX}", *forced)
    assert status == 0 and "made already" not in text
    assert load_record(around.folder / "results/tiny" / INDEX)["started_at"] > before


def test_a_prefix_stands_before_all_that_is_written(around):
    with around.written(prefix="heard"):
        _, text = around.snakemake("--dry-run", f"heard/results/tiny/{INDEX}")
    assert "Missing output files: heard/results/tiny/datasets/esc50/fetched.json" in text


def test_keys_of_the_workflow_around_are_refused_in_words(around):
    with around.written(samples=1):
        status, text = around.snakemake("--dry-run")
    assert status == 1 and "Traceback" not in text
    assert (
        "samples is not a known key" in text and "(config of the module: samples, line 1)" in text
    )
    assert text.endswith("yours, say under l2i, give it those alone: config: config['l2i']\n")


@pytest.fixture(scope="module")
def repository(host):
    """The same as a repository of one commit."""

    def git(*arguments):
        subprocess.run(["git", "-C", host, *arguments], check=True, capture_output=True)

    git("init", "--initial-branch", "main")
    git("add", "--all")
    git("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "commit", "--message", "all")
    return host


def test_snakedeploy_makes_a_folder_in_which_it_is_planned(around, repository, tmp_path):
    """There Snakemake reads the module from the repository, and needs all files of its commit."""
    deployed, source = tmp_path / "deployed", "https://github.com/ann/l2i"
    redirected = os.environ | {  # to where the repository lies
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{repository}.insteadOf",
        "GIT_CONFIG_VALUE_0": source,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    snakedeploy = Path(sys.executable).with_name("snakedeploy")
    if not snakedeploy.exists():
        pytest.skip("snakedeploy is not installed")
    command = [snakedeploy, "deploy-workflow", source, deployed, "--branch", "main"]
    subprocess.run(command, check=True, capture_output=True, env=redirected)
    assert (deployed / "config/config.yaml").read_text() == (repository / "config.yaml").read_text()
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--configfile", "overlay.yaml"]
    shutil.copy(around.folder / "overlay.yaml", deployed)
    planned = subprocess.run(command, cwd=deployed, env=redirected, capture_output=True, text=True)
    assert planned.returncode == 0, planned.stderr
    assert "fetch_dataset " in planned.stdout + planned.stderr
    (place,) = (tmp_path / "cache/snakemake/snakemake/source-cache/l2i").iterdir()
    assert (place / "workflow/l2i/checks.py").is_file() and (place / ".git").is_dir()
