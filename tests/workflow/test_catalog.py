"""What the catalog of Snakemake workflows asks for, and what an image would hold."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
import yaml

from helpers.project import PROJECT
from helpers.tiny_project import Project

ENVS = PROJECT / "envs"


def sections():
    """Lines of envs/l2i.def, by the section they stand in."""
    found, name = {"head": []}, "head"
    for line in (ENVS / "l2i.def").read_text().splitlines():
        if line.startswith("%"):
            name = line.strip("% ")
            found[name] = []
        elif line.strip() and not line.strip().startswith("#"):
            found[name].append(line.strip())
    return found


def test_the_files_that_the_catalog_looks_for_are_there():
    for name in ("workflow/Snakefile", "config/README.md", "config/config.yaml", "LICENSE"):
        assert (PROJECT / name).is_file()
    assert list((PROJECT / "workflow/rules").glob("*.smk"))


def test_the_catalog_is_told_what_it_knows_to_ask():
    told = yaml.safe_load((PROJECT / ".snakemake-workflow-catalog.yml").read_text())
    usage = told.pop("usage")
    assert not told
    assert usage.keys() == {"mandatory-flags", "software-stack-deployment", "report"}
    assert usage["mandatory-flags"].keys() == {"desc", "flags"}
    deployment = usage["software-stack-deployment"]
    assert {*deployment} == {"conda", "apptainer", "apptainer+conda"}
    assert all(isinstance(said, bool) for said in deployment.values()) and any(deployment.values())


def test_what_a_deployed_workflow_is_configured_by_is_the_configuration_of_the_paper():
    assert (PROJECT / "config/config.yaml").samefile(PROJECT / "config.yaml")


@pytest.mark.parametrize("path", ["Snakefile", "workflow/Snakefile", *["workflow/rules"]])
def test_no_rule_names_a_path_of_one_machine(path):
    paths = [PROJECT / path] if (PROJECT / path).is_file() else (PROJECT / path).rglob("*.smk")
    for each in paths:
        assert not re.search(r"""["'](/|~/|[A-Z]:\\)\w""", each.read_text()), each


@pytest.mark.slow
def test_a_folder_may_have_a_space_in_its_name(tmp_path):
    """Snakemake takes no path of an image that has one."""
    project = Project(tmp_path / "a project", PROJECT, {"name": "spaced"})
    assert "index_dataset" in project.planned()


def test_an_image_holds_what_is_locked_and_states_no_version_itself():
    told = sections()
    copied = [line.split() for line in told["files"]]
    assert {source for source, _ in copied} == {"envs/installers.txt", "envs/compute.txt"}
    assert all((PROJECT / source).is_file() for source, _ in copied)
    installs = [line for line in told["post"] if "install" in line]
    assert len(installs) == 2 and all("--require-hashes" in line for line in installs)
    assert "==" not in "".join(told["post"])
    (python,) = re.findall(r"python:(3\.\d+)", "".join(told["head"]))
    assert f"python={python}" in yaml.safe_load((ENVS / "compute.yaml").read_text())["dependencies"]


def test_the_commands_of_an_image_install_from_an_empty_folder(tmp_path):
    """With stand-ins for programs, which tell how they are called."""
    told = sections()
    stand_in = tmp_path / "bin/python3"
    stand_in.parent.mkdir()
    stand_in.write_text(
        '#!/bin/sh\necho "$@" >> calls\n[ "$2" = venv ] && mkdir -p venv/bin && '
        "cp $0 venv/bin/python && cp $0 venv/bin/uv\nexit 0\n"
    )
    stand_in.chmod(0o755)
    for source, place in map(str.split, told["files"]):
        (tmp_path / place.removeprefix("/opt/l2i/")).write_text((PROJECT / source).read_text())
    post = "set -e\n" + "\n".join(told["post"]).replace("/opt/l2i", str(tmp_path))
    path = f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["sh", "-c", post], cwd=tmp_path, env={"PATH": path}, check=True)
    venv, uv, packages = (tmp_path / "calls").read_text().splitlines()
    assert venv == "-m venv venv"
    for call in (uv, packages):
        assert (tmp_path / call.rpartition("--requirement ")[2]).is_file()
    (line,) = told["environment"]
    assert line == "export PATH=/opt/l2i/venv/bin:$PATH"


def test_no_conda_pins_take_the_place_of_what_pip_installs():
    """Snakemake makes an environment of the pins alone, where there are some: of conda's packages.

    Ours come from pip, all but Python itself.
    """
    dependencies = yaml.safe_load((ENVS / "compute.yaml").read_text())["dependencies"]
    assert isinstance(dependencies[-1], dict) and not list(ENVS.glob("*.pin.txt"))
