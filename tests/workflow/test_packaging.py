"""What is installed: a wheel that brings all it needs, under no name but its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from helpers.project import PROJECT
from l2i.provenance.environments import read_lock

PINNED = {  # by those who need a pair of just these
    *("torch", "torchaudio", "snakemake-executor-plugin-slurm"),
}


def declared():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    listed = [*project["dependencies"], *sum(project["optional-dependencies"].values(), [])]
    return {requirement.name: requirement for requirement in map(Requirement, listed)}


def asked_for():
    text = "".join((PROJECT / f"envs/{name}.in").read_text() for name in ("compute", "workflow"))
    return {name: Version(pin) for name, pin in re.findall(r"^([\w.-]+)==([^\s#]+)", text, re.M)}


def test_what_results_are_computed_with_is_declared_and_nothing_else():
    assert declared().keys() == asked_for().keys()


@pytest.mark.parametrize("name", sorted(asked_for()))
def test_a_declared_range_begins_at_the_version_that_is_tested(name):
    requirement, tested = declared()[name], asked_for()[name]
    assert tested in requirement.specifier
    if name in PINNED:
        return
    older = Version(f"{tested.major}.{tested.minor - 1}") if tested.minor else None
    assert older is None or older not in requirement.specifier
    assert name == "packaging" or Version(f"{tested.major + 1}.0") not in requirement.specifier


def test_locked_packages_are_within_the_ranges():
    versions = read_lock(PROJECT / "envs/compute.txt").versions
    versions = versions | read_lock(PROJECT / "envs/workflow.txt").versions
    outside = {
        name: versions[name]
        for name, requirement in declared().items()
        if versions[name] not in requirement.specifier
    }
    assert not outside


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The project as a wheel, built of a copy, which keeps what builds leave behind."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "project"
    copy.mkdir()
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, copy)
    shutil.copytree(
        PROJECT / "workflow", copy / "workflow", ignore=shutil.ignore_patterns("__pycache__")
    )
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        *options,
        "--wheel-dir",
        str(folder),
        str(copy),
    ]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


@pytest.fixture
def run(installed, tmp_path):
    """Run Python outside of the project, with the installed packages before all others."""

    def run(*arguments):
        environment = os.environ | {"PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )

    return run


def l2i(run, *arguments):
    return run("-m", "l2i_workflow", *arguments)


def test_it_claims_no_names_but_its_own(installed):
    assert {path.name for path in installed.iterdir() if "dist-info" not in path.name} == {
        *("l2i", "l2i_workflow")
    }


def test_every_module_schema_template_and_reference_file_is_in_it(installed):
    here = PROJECT / "workflow"
    assert (installed / "l2i/py.typed").is_file(), "types are for those who import it, too"
    kept = (".py", ".pyi", ".yaml", ".html", ".css", ".js", ".safetensors", ".md")
    for source, place in (
        *((here / "l2i", installed / "l2i"),),
        *(
            (here / name, installed / "l2i_workflow" / name)
            for name in ("cli", "configuration", "harness", "reference", "schemas", "scripts")
        ),
    ):
        files = {p.relative_to(source) for p in source.rglob("*") if p.suffix in kept}
        assert files and not {each for each in files if not (place / each).is_file()}


def test_it_declares_what_it_needs(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith("/METADATA"))
        told = Parser().parsestr(archive.read(name).decode())
    needed = {Requirement(line).name for line in told.get_all("Requires-Dist")}
    assert needed == declared().keys()
    assert told["Version"] == re.search(
        r'__version__ = "(.*)"', (PROJECT / "workflow/l2i/__init__.py").read_text()
    ).group(1)


def test_it_is_imported_from_where_it_lies(run, installed):
    done = run("-c", "import l2i; print(l2i.__file__); l2i.Model, l2i.train_interpreter")
    assert Path(done.stdout.strip()) == installed / "l2i/__init__.py", done.stderr


def test_the_command_tells_its_version_and_its_verbs(run):
    assert l2i(run, "--version").stdout.startswith("l2i 0.")
    assert {"interpret", "export", "audit"} <= {*l2i(run, "--help").stdout.split()}


def test_all_modules_of_the_command_are_found(run):
    code = (
        "import l2i_workflow, sys, pathlib, importlib\n"
        "home = pathlib.Path(l2i_workflow.__file__).parent\n"
        "sys.path.insert(0, str(home))\n"
        "for path in sorted((home / 'cli').glob('*.py')):\n"
        "    importlib.import_module('cli.' + path.stem)\n"
        "from configuration.reading import load_reference\n"
        "from configuration.layouts import layout_names\n"
        "assert load_reference('downloads') and 'esc50' in layout_names()\n"
    )
    done = run("-c", code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("verb", ["stale", "crate"])
def test_what_needs_the_project_says_so(run, tmp_path, verb):
    from helpers.records import write_result

    (tmp_path / "results/any").mkdir(parents=True)
    write_result(tmp_path / "results/any/table.csv", "a\n")
    done = l2i(run, "audit", verb, "results/any")
    assert done.returncode == 4
    assert "this needs the project" in " ".join(done.stderr.split())
