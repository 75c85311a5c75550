"""l2i.provenance.environments: which packages code hangs on, and whether they are there."""

from __future__ import annotations

import sys
import tomllib
from importlib import metadata

import pytest
from packaging.specifiers import SpecifierSet

from helpers.project import PROJECT
from l2i.checks import InputError
from l2i.provenance.environments import (
    PACKAGE_OF,
    PYTHONS,
    Departure,
    departures,
    installed_versions,
    normal_name,
    packages_of,
    read_lock,
    unneeded_here,
)
from l2i.provenance.fingerprints import source_closure

LOCK = """# made by a tool
numpy==2.4.6 \\
    --hash=sha256:aaaa
    # via
    #   -r envs/compute.in
    #   Scikit_Learn
    #   seaborn
Scikit_Learn==1.9.1 ; python_version < '4' \\
    --hash=sha256:cccc
    # via -r envs/compute.in
seaborn==0.13.2
matplotlib==3.9.0
    # via seaborn
pillow==11.0
    # via matplotlib
torch==2.11.0
    # via -r envs/compute.in
"""
WORKFLOW = PROJECT / "workflow"


def lock_of(folder, text):
    path = folder / "compute.txt"
    path.write_text(text)
    return read_lock(path)


@pytest.fixture
def lock(tmp_path):
    return lock_of(tmp_path, LOCK)


def pins(tmp_path, lock, source):
    (tmp_path / "script.py").write_text(source)
    return packages_of([tmp_path / "script.py"], lock, ours=["l2i"])


class TestLock:
    def test_versions_and_who_requires_whom(self, lock):
        assert lock.versions["scikit-learn"] == "1.9.1" and len(lock.versions) == 6
        assert lock.requires["seaborn"] == {"numpy", "matplotlib"}
        assert lock.requires["matplotlib"] == {"pillow"} and not lock.requires["torch"]

    def test_without_pins_or_none_at_all_is_refused(self, tmp_path):
        with pytest.raises(InputError, match="pins no package"):
            lock_of(tmp_path, "# nothing\n")
        with pytest.raises(InputError, match="is missing"):
            read_lock(tmp_path / "nowhere.txt")

    def test_the_real_one_knows_what_the_packages_say_that_they_require(self):
        """Held against what the installed distributions declare, for this platform."""
        from packaging.requirements import Requirement

        lock = read_lock(PROJECT / "envs/compute.txt")
        here = {each for each in lock.versions if installed_versions([each])[each]}
        assert lock.versions.keys() - here == {*unneeded_here(installed_versions(lock.versions))}
        for package in here:
            declared = map(Requirement, metadata.requires(package) or [])
            needed = {
                normal_name(each.name)
                for each in declared
                if each.marker is None or each.marker.evaluate({"extra": ""})
            }
            assert needed <= lock.requires[package], package


class TestMarkers:
    """One lock for all platforms: what a plan hangs on is the same wherever it is made."""

    TEXT = """numpy==2.4.6
librosa==0.11.0
standard-aifc==3.13.0 ; python_full_version >= '3.13' \\
    --hash=sha256:aaaa
    # via librosa
colorama==0.4.6 ; sys_platform == 'win32'
    # via librosa
cuda==13.0 ; sys_platform == 'linux' and platform_machine == 'aarch64'
    # via librosa
"""

    def test_a_pin_counts_where_it_holds_on_any_supported_platform(self, tmp_path):
        lock = lock_of(tmp_path, self.TEXT)
        assert lock.versions.keys() == {"numpy", "librosa", "standard-aifc", "cuda"}
        found = pins(tmp_path, lock, "import librosa\n")
        assert found == {"cuda": "13.0", "librosa": "0.11.0", "standard-aifc": "3.13.0"}

    @pytest.mark.parametrize("system", ["win32", "darwin", "linux"])
    def test_the_machine_that_plans_has_no_part_in_it(self, tmp_path, monkeypatch, system):
        monkeypatch.setattr(sys, "platform", system)
        monkeypatch.setattr("platform.machine", lambda: "aarch64")
        assert len(lock_of(tmp_path, self.TEXT).versions) == 4

    def test_a_package_that_is_pinned_twice_is_refused_with_the_remedy(self, tmp_path):
        text = "a==1 ; python_full_version < '3.12'\na==2 ; python_full_version >= '3.12'\n"
        with pytest.raises(InputError, match=r"pins a twice, to 1 and 2.*make lock"):
            lock_of(tmp_path, text)
        apart = "a==1 ; sys_platform == 'win32'\na==2 ; sys_platform != 'win32'\n"
        assert lock_of(tmp_path, apart).versions == {"a": "2"}

    def test_the_platforms_are_those_that_the_project_says_it_is_for(self):
        project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
        stated = SpecifierSet(project["requires-python"])
        assert [f"3.{n}" for n in range(30) if f"3.{n}" in stated] == [*PYTHONS]


class TestPackages:
    def test_what_is_imported_and_what_that_requires(self, tmp_path, lock):
        assert pins(tmp_path, lock, "import os, l2i.names\n") == {}
        assert pins(tmp_path, lock, "def f():\n    import torch.nn\n") == {"torch": "2.11.0"}
        of_figures = pins(tmp_path, lock, "import seaborn as sns\n")
        assert set(of_figures) == {"seaborn", "matplotlib", "pillow", "numpy"}

    def test_a_module_that_is_not_called_like_its_package(self, tmp_path, lock):
        found = pins(tmp_path, lock, "from sklearn.svm import SVC\n")
        assert found == {"numpy": "2.4.6", "scikit-learn": "1.9.1"}

    def test_what_only_a_checker_of_types_reads_is_left_out(self, tmp_path, lock):
        source = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\nelse:\n"
        assert pins(tmp_path, lock, f"{source}    import numpy\n") == {"numpy": "2.4.6"}

    def test_what_no_pin_is_known_of_is_refused_with_file_and_remedy(self, tmp_path, lock):
        with pytest.raises(InputError, match=r"script.py: imports pandas.*make lock"):
            pins(tmp_path, lock, "import pandas\n")

    def test_the_table_of_names_is_that_of_the_installed_packages(self):
        brought = metadata.packages_distributions()
        lock = read_lock(PROJECT / "envs/compute.txt")
        assert all(normal_name(brought[module][0]) == PACKAGE_OF[module] for module in PACKAGE_OF)
        assert set(PACKAGE_OF.values()) <= set(lock.versions)

    @pytest.mark.parametrize(
        ("script", "hangs_on", "not_on"),
        [
            ("train_classifier", "torch", "seaborn"),
            ("draw_class_faithfulness", "matplotlib", "torch"),
            ("tabulate_fidelity", "pandas", "torch"),
            ("measure_fidelity", "torch", "matplotlib"),
        ],
    )
    def test_of_the_real_rules(self, script, hangs_on, not_on):
        """A new seaborn draws figures anew and trains nothing; a new torch trains."""
        files = source_closure([WORKFLOW / f"scripts/{script}.py"], WORKFLOW)
        ours = [path.stem for path in WORKFLOW.iterdir()]
        found = packages_of(files, read_lock(PROJECT / "envs/compute.txt"), ours=ours)
        assert hangs_on in found and not_on not in found

    def test_a_job_imports_nothing_beside_its_pins(self, project_python):
        """The brute-force twin: what a process has loaded after it imported a script's library."""
        files = source_closure([WORKFLOW / "scripts/tabulate_fidelity.py"], WORKFLOW)
        ours = [path.stem for path in WORKFLOW.iterdir()]
        found = packages_of(files, read_lock(PROJECT / "envs/compute.txt"), ours=ours)
        loaded = project_python(
            "import l2i.reporting.tables, l2i.reporting.comparisons, l2i.reporting.scores"
        )
        brought = metadata.packages_distributions()
        packages = {normal_name(brought[name][0]) for name in loaded if name in brought}
        # NumPy looks for it to read Fortran, which nobody has.
        packages.discard("charset-normalizer")
        assert packages - {"l2i"} <= set(found) and {"numpy", "pandas"} <= packages


@pytest.fixture
def project_python():
    import subprocess

    def loaded_by(code):
        start = f"import sys; before = {{*sys.modules}}; sys.path.insert(0, {str(WORKFLOW)!r})\n"
        tell = "\nprint(*{name.partition('.')[0] for name in {*sys.modules} - before})"
        done = subprocess.run(
            [sys.executable, "-c", start + code + tell], capture_output=True, text=True, check=True
        )
        return done.stdout.split()

    return loaded_by


class TestInstalled:
    def test_versions_are_those_of_the_metadata(self):
        found = installed_versions(["numpy", "no-such-package"])
        assert found == {"numpy": metadata.version("numpy"), "no-such-package": None}

    @pytest.mark.parametrize(
        ("installed", "departs"),
        [
            ("2.11.0", False),
            ("2.11.0+cu130", False),
            ("2.11.1", True),
            ("2.11.0rc1", True),
            ("not a version", True),
            (None, True),
        ],
    )
    def test_another_version_departs_and_another_build_does_not(self, installed, departs):
        found = departures({"torch": "2.11.0"}, {"torch": installed})
        assert found == ({"torch": Departure("2.11.0", installed)} if departs else {})


class TestUnneeded:
    """Metadata of made-up packages, as pip leaves it, on the search path of a process."""

    @pytest.fixture
    def installed(self, tmp_path, monkeypatch):
        def install(**requires):
            for name, lines in requires.items():
                folder = tmp_path / f"{name}-1.dist-info"
                folder.mkdir()
                told = "".join(f"Requires-Dist: {line}\n" for line in lines)
                (folder / "METADATA").write_text(f"Name: {name}\nVersion: 1\n{told}")

        monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
        return install

    def unneeded(self, *names):
        return unneeded_here(installed_versions(names))

    def test_what_another_platform_needs_is_not_needed_here(self, installed):
        installed(reader=["old-module; python_version >= '4'", "other; sys_platform == 'win32'"])
        assert self.unneeded("reader", "old-module", "other") == ["old-module", "other"]

    def test_what_something_requires_here_is_missed(self, installed):
        installed(reader=["old-module; python_version >= '3'"])
        assert self.unneeded("reader", "old-module", "other") == ["other"]

    def test_cuda_is_needed_by_the_build_that_asks_for_it_alone(self, installed):
        installed(torch=["kit[blas]==13"], kit=["cublas==1; extra == 'blas'", "fft; extra == 'f'"])
        assert self.unneeded("torch", "cublas", "fft") == ["fft"]

    def test_it_is_no_departure_and_what_is_there_in_another_version_is_one(self, installed):
        installed(torch=[])
        pins = {"torch": "2", "cuda": "13"}
        found = installed_versions(pins)
        off = departures(pins, found, unneeded=unneeded_here(found))
        assert off == {"torch": Departure("2", "1")}
