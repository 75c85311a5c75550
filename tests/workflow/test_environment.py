"""envs/: one set of versions for pip and conda, locked, and free of addresses."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib import metadata

import pytest
import yaml

from helpers.project import PROJECT
from l2i.provenance.environments import normal_name, read_lock

ENVS = PROJECT / "envs"


def pins_of(lines):
    return dict(re.findall(r"^([\w.-]+)==([^\s#]+)", "\n".join(lines), re.MULTILINE))


def conda_pins():
    dependencies = yaml.safe_load((ENVS / "compute.yaml").read_text())["dependencies"]
    (pip,) = [entry["pip"] for entry in dependencies if isinstance(entry, dict)]
    return pins_of(pip)


def locked(name):
    return read_lock(ENVS / f"{name}.txt").versions


@pytest.mark.parametrize("name", ["compute", "workflow", "dev", "runcrate", "installers"])
class TestLocks:
    def test_what_is_asked_for_is_what_is_locked(self, name):
        asked = pins_of((ENVS / f"{name}.in").read_text().splitlines())
        assert asked and asked.items() <= locked(name).items()

    def test_every_pin_carries_hashes(self, name):
        text = (ENVS / f"{name}.txt").read_text()
        entries = [part for part in re.split(r"^(?=\S)", text, flags=re.MULTILINE) if "==" in part]
        assert entries
        assert all("--hash=sha256:" in entry for entry in entries)


def test_conda_and_pip_state_the_same_versions():
    asked = pins_of((ENVS / "compute.in").read_text().splitlines())
    assert conda_pins() == asked


@pytest.mark.parametrize("name", ["compute", "workflow", "dev", "runcrate", "installers"])
def test_a_package_is_pinned_once_for_all_platforms(name):
    """Even for those that `read_lock` leaves out: nothing hangs on where the lock is read."""
    text = (ENVS / f"{name}.txt").read_text()
    names = [normal_name(each) for each in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)]
    assert names and len(names) == len({*names})


def test_locks_agree_where_they_overlap():
    merged: dict[str, str] = {}
    for name in ("compute", "workflow", "dev"):
        for package, version in locked(name).items():
            assert merged.setdefault(package, version) == version, package


def test_torch_and_torchaudio_are_the_pair_that_is_built_for_each_other():
    assert (locked("compute")["torch"], locked("compute")["torchaudio"]) == ("2.11.0", "2.11.0")


def test_these_tests_run_in_the_locked_environment():
    installed = {name: metadata.version(name) for name in conda_pins()}
    assert installed == conda_pins(), "run `make env`"


@pytest.mark.parametrize("name", ["envs/*", "Makefile", "pyproject.toml", ".ci/run"])
def test_no_address_of_a_package_index_is_written_down(name):
    for path in PROJECT.glob(name):
        text = path.read_text()
        assert not re.search(r"https?://|file://|index-url|find-links", text.replace(
            "--no-emit-index-url", "")), path  # fmt: skip


class TestMake:
    """`make env` with stand-ins for programs, up to where it would install."""

    @pytest.fixture
    def folder(self, tmp_path):
        for name in ("Makefile", "pyproject.toml", "setup.py"):
            shutil.copy(PROJECT / name, tmp_path)
        shutil.copytree(ENVS, tmp_path / "envs")
        self.stand_in(tmp_path / "bin/uname", "echo Linux x86_64")
        self.stand_in(
            tmp_path / "bin/python3.11", '[ "$1" = -c ] || { echo "$@" >> calls; exit 7; }'
        )
        return tmp_path

    def stand_in(self, path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def make(self, folder):
        search_path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        environment = os.environ | {"PATH": search_path}
        return subprocess.run(
            ["make", "env"], cwd=folder, env=environment, capture_output=True, text=True
        )

    def test_another_system_is_told_that_the_locks_are_not_for_it(self, folder):
        self.stand_in(folder / "bin/uname", "echo Darwin arm64")
        done = self.make(folder)
        assert done.returncode != 0 and not (folder / "calls").exists()
        message = "error: the locked packages are for Linux on x86-64, and this is Darwin arm64;"
        assert message in done.stdout

    @pytest.mark.parametrize("left_behind", [None, "exit 1"], ids=["none", "without pip"])
    def test_an_environment_that_is_missing_or_broken_is_made_anew(self, folder, left_behind):
        if left_behind:
            self.stand_in(folder / ".venv/bin/python", left_behind)
        assert self.make(folder).returncode != 0
        assert (folder / "calls").read_text() == "-m venv --clear .venv\n"

    def test_an_environment_that_has_pip_is_kept(self, folder):
        self.stand_in(folder / ".venv/bin/python", '[ "$3" = --version ]')
        assert self.make(folder).returncode != 0
        assert not (folder / "calls").exists()
