"""envs/: one set of versions for pip and conda, locked, and free of addresses."""

from __future__ import annotations

import re
from importlib import metadata

import pytest
import yaml

from helpers.project import PROJECT
from l2i.provenance.environments import normal_name, read_lock

ENVS = PROJECT / "envs"
LOCKS = ["compute", "workflow", "dev", "runcrate", "installers", "audit"]


def pins_of(lines):
    return dict(re.findall(r"^([\w.-]+)==([^\s#]+)", "\n".join(lines), re.MULTILINE))


def conda_pins():
    dependencies = yaml.safe_load((ENVS / "compute.yaml").read_text())["dependencies"]
    (pip,) = [entry["pip"] for entry in dependencies if isinstance(entry, dict)]
    return pins_of(pip)


def locked(name):
    return read_lock(ENVS / f"{name}.txt").versions


@pytest.mark.parametrize("name", LOCKS)
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


@pytest.mark.parametrize("name", LOCKS)
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


@pytest.mark.parametrize(
    "name", ["envs/*", "Makefile", "pyproject.toml", ".ci/run", ".github/**/*.yml"]
)
def test_no_address_of_a_package_index_is_written_down(name):
    """Where packages come from, each user says to pip, to uv, or by TORCH_INDEX."""
    ours = ["--no-emit-index-url", '--find-links "$index"', '--default-index "$index"']
    for path in PROJECT.glob(name):
        text = path.read_text()
        for option in ours:
            text = text.replace(option, "")
        assert not re.search(r"https?://|file://|index-url|find-links|default-index", text), path


def test_what_only_linux_is_asked_for_is_what_pytorch_alone_asks_for():
    """envs/install.sh leaves it out where PyTorch is one for CPUs."""
    text = (ENVS / "compute.txt").read_text()
    of_linux = set(re.findall(r"^([\w.-]+)==\S+ ; sys_platform == 'linux' \\$", text, re.MULTILINE))
    requires = read_lock(ENVS / "compute.txt").requires
    asked_by = {
        name: {parent for parent, children in requires.items() if name in children}
        for name in of_linux
    }
    assert {"triton", "nvidia-cublas", "cuda-toolkit"} <= of_linux
    assert all(parents and parents <= of_linux | {"torch"} for parents in asked_by.values())
