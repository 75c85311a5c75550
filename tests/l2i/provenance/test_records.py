"""l2i.provenance.records: what a record says, and that it is whole or absent."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from importlib import metadata

import pytest

from helpers.users import open_folder, run_python
from l2i.checks import InputError
from l2i.hashing import file_sha256
from l2i.provenance import records
from l2i.provenance.hashes import KnownHashes


@pytest.fixture
def result(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a\n1\n")
    return path


@pytest.fixture
def hashes(tmp_path_factory):
    return KnownHashes(tmp_path_factory.mktemp("hashes"))


@pytest.fixture
def record(result, hashes):
    return {
        "record_version": 3,
        "output": {"name": "table", "path": str(result), **hashes.get(result).content()},
        "rule": "tabulate",
        "wildcards": {"fold": "1"},
        "inputs": records.describe_inputs([("clips", str(result))], hashes),
        "settings": {"top_k": [1, 3]},
        "fingerprints": {"code": "0" * 64, "env": "1" * 64, "settings": "2" * 64},
        "seeds": {"seed": 0},
        **records.describe_environment({"numpy": metadata.version("numpy")}),
        "git": None,
        "host": records.describe_host(),
        "accelerator": None,
        "slurm": None,
        "runtime": {
            "device": "cpu",
            "precision": None,
            "n_threads": 1,
            "deterministic": True,
            "peak_memory_bytes": records.peak_memory_bytes(),
        },
        "log": "tabulate.log",
        "facts": {},
        "started_at": records.utc_now(),
        "finished_at": records.utc_now(),
        "seconds": 0.5,
    }


def in_new_process(code):
    path = str(records.SCHEMA.parents[1])
    start = f"import sys; sys.path.insert(0, {path!r})\nfrom l2i.provenance import records\n"
    subprocess.run([sys.executable, "-c", start + code], check=True)


def git(folder, *arguments):
    name = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    command = ["git", "-C", str(folder), *name, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def working_tree(tmp_path):
    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init", "--quiet")
    (repository / "a").write_text("a")
    git(repository, "add", "a")
    git(repository, "commit", "--quiet", "--message", "first")
    return repository


class TestInvariants:
    def test_what_is_written_is_what_is_read(self, result, record):
        records.write_record(result, record)
        assert records.load_record(result) == record
        assert [p.name for p in result.parent.iterdir() if p.name.startswith(".")] == [".records"]

    def test_a_record_that_does_not_fit_is_not_written(self, result, record):
        record["seconds"] = -1
        with pytest.raises(InputError, match=r"\$.seconds: -1 is less than"):
            records.write_record(result, record)
        assert list(result.parent.iterdir()) == [result]

    def test_a_record_that_could_not_be_written_leaves_no_part(self, result, record, monkeypatch):
        def full_disk(*paths):
            raise OSError("no space left on device")

        monkeypatch.setattr(records.os, "replace", full_disk)
        with pytest.raises(OSError, match="no space"):
            records.write_record(result, record)
        assert not list(result.parent.glob(".records/*"))

    def test_every_part_is_demanded_and_no_other_is_taken(self, record):
        records.validate_record({k: v for k, v in record.items() if k != "unneeded"})
        for key in record.keys() - {"unneeded"}:  # records of earlier versions do not have it
            with pytest.raises(InputError, match=f"'{key}' is a required property"):
                records.validate_record({k: v for k, v in record.items() if k != key})
        with pytest.raises(InputError, match="'mood' was unexpected"):
            records.validate_record(record | {"mood": "good"})

    def test_parts_are_checked_inside(self, record):
        for place, value in [
            (("output", "sha256"), "abc"),
            (("output", "kind"), "link"),
            (("started_at",), "2025-01-31 12:00:00"),
            (("fingerprints", "code"), ""),
            (("inputs", 0, "hash"), "guessed"),
            (("host", "n_cores"), 0),
        ]:
            wrong = copy.deepcopy(record)
            inner = wrong
            for key in place[:-1]:
                inner = inner[key]
            inner[place[-1]] = value
            with pytest.raises(InputError, match=place[-1]):
                records.validate_record(wrong)

    def test_software_is_described_without_importing_it(self):
        in_new_process(
            "told = records.describe_environment({'torch': '2.11.0'})\n"
            "versions = told['software']\n"
            "assert versions['torch'].startswith('2.') and versions['snakemake'], versions\n"
            "assert told['libraries'] == []\n"
            "assert not {'torch', 'snakemake', 'librosa', 'pandas'} & set(sys.modules)\n"
            "assert records.describe_accelerator() is None\n"
        )


class TestKnownAnswers:
    def test_the_record_of_a_folder_lies_beside_it(self):
        assert str(records.record_path("a/run0/")) == "a/.records/run0.json"
        assert str(records.record_path("a/W.npy")) == "a/.records/W.npy.json"

    def test_of_an_input_it_is_told_whether_its_hash_was_known(self, result, hashes):
        os.utime(result, (0, 0))  # long ago
        first, second = [records.describe_inputs([("clips", str(result))], hashes) for _ in "ab"]
        (content,) = first
        assert content == {
            "name": "clips",
            "path": str(result),
            "kind": "file",
            "sha256": file_sha256(result),
            "size_bytes": 4,
            "hash": "computed",
        }
        assert second == [content | {"hash": "known"}]

    def test_slurm_is_none_outside_and_named_inside(self):
        assert records.describe_slurm({"HOME": "/"}) is None
        inside = {"SLURM_JOB_ID": "7", "SLURM_JOB_PARTITION": "gpu", "SLURMD_NODENAME": "n1"}
        assert records.describe_slurm(inside) == {"job_id": "7", "partition": "gpu", "node": "n1"}

    def test_gpus_are_those_of_the_step(self):
        inside = {"SLURM_JOB_ID": "7", "SLURM_JOB_GPUS": "0,1", "SLURM_STEP_GPUS": "1"}
        assert records.describe_slurm(inside)["gpus"] == "1"
        del inside["SLURM_STEP_GPUS"]
        assert records.describe_slurm(inside)["gpus"] == "0,1"

    def test_slurm_is_asked_how_often_a_job_was_started_again(self, tmp_path, monkeypatch):
        scontrol = tmp_path / "scontrol"
        scontrol.write_text('#!/bin/sh\necho "JobId=$4 JobName=x Requeue=1 Restarts=2 BatchFlag=1"')
        scontrol.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        asked = {"job_id": "7", "restart_count": "2"}
        assert records.describe_slurm({"SLURM_JOB_ID": "7"}) == asked
        told = {"SLURM_JOB_ID": "7", "SLURM_RESTART_COUNT": "1"}
        assert records.describe_slurm(told)["restart_count"] == "1"

    def test_git_tells_commit_and_changes(self, tmp_path):
        assert records.describe_git(tmp_path / "nowhere") is None

        repository = working_tree(tmp_path)
        commit = git(repository, "rev-parse", "HEAD").strip()
        assert records.describe_git(repository) == {"commit": commit, "dirty": False}
        (repository / "a").write_text("b")
        assert records.describe_git(repository) == {"commit": commit, "dirty": True}

    def test_git_tells_them_of_another_users_tree_and_runs_nothing_that_this_names(self):
        with open_folder() as folder:
            repository = working_tree(folder)
            monitor = folder / "monitor"
            monitor.write_text(f"#!/bin/sh\ntouch {folder}/open/run\n")
            monitor.chmod(0o755)
            (folder / "open").mkdir(mode=0o777)
            (folder / "open").chmod(0o777)
            git(repository, "config", "core.fsmonitor", str(monitor))
            code = (
                "from pathlib import Path; from l2i.provenance import records; "
                f"print(records.describe_git(Path('{repository}')))"
            )
            commit = git(repository, "rev-parse", "HEAD").strip()
            (folder / "open" / "run").unlink(missing_ok=True)
            assert str({"commit": commit, "dirty": False}) in run_python(code, as_nobody=True)
            (repository / "a").write_text("b")
            assert str({"commit": commit, "dirty": True}) in run_python(code, as_nobody=True)
            assert not (folder / "open" / "run").exists()

    def test_git_that_tells_nothing_is_said(self, tmp_path, caplog):
        (tmp_path / ".git").write_text("gitdir: nowhere")
        assert records.describe_git(tmp_path) is None
        assert f"git tells no commit of {tmp_path}" in caplog.text

    def test_the_commit_of_a_working_tree_around_the_project_is_not_the_projects(self, tmp_path):
        repository = working_tree(tmp_path)
        (repository / "unpacked").mkdir()
        (repository / "unpacked" / "a").write_text("a")
        assert records.describe_git(repository / "unpacked") is None
        (tmp_path / "link").symlink_to(repository)
        described = records.describe_git(repository)
        assert described is not None and records.describe_git(tmp_path / "link") == described

    def test_peak_memory_counts_what_was_freed(self):
        if records.peak_memory_bytes() is None:
            pytest.skip("this system has no /proc")
        # In a process of its own, whose peak nobody has raised yet.
        in_new_process(
            "before = records.peak_memory_bytes()\n"
            "block = b'x' * 100_000_000\n"
            "del block\n"
            "assert 90_000_000 < records.peak_memory_bytes() - before < 150_000_000\n"
        )

    def test_times_are_utc_to_the_second(self):
        assert records.utc_now().endswith("+00:00") and len(records.utc_now()) == 25


class TestMisuse:
    def test_a_missing_record_is_named_with_a_remedy(self, result):
        with pytest.raises(InputError, match=r"table.csv.json is missing.*delete "):
            records.load_record(result)

    @pytest.mark.parametrize("text", ["{", "{}", json.dumps({"record_version": 1})])
    def test_a_damaged_record_is_named_with_a_remedy(self, result, text):
        records.record_path(result).parent.mkdir()
        records.record_path(result).write_text(text)
        with pytest.raises(InputError, match=r"is damaged .*give your command again"):
            records.load_record(result)


class TestLibraries:
    @pytest.mark.parametrize(
        ("library", "package"),
        [
            ("/v/site-packages/numpy.libs/libscipy_openblas64_-32a4b2a6.so", "numpy"),
            ("/v/site-packages/torch/lib/libgomp.so.1", "torch"),
        ],
    )
    def test_each_is_named_by_the_package_that_it_came_in(self, library, package):
        assert records._package_with(library) == package

    def test_what_is_loaded_is_told(self):
        in_new_process(
            "import numpy\n"
            "told = records.describe_environment({'numpy': '1.0'})\n"
            "assert any('openblas' in each for each in told['libraries']), told\n"
            "assert told['departures']['numpy']['pinned'] == '1.0', told\n"
            "assert records._dotted(91900) == '9.19.0' and records._dotted(None) is None\n"
        )
