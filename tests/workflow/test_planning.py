"""Planning by records, the harness and common.smk: a toy workflow that uses all for real."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers.project import PROJECT
from helpers.toy_project import EDITS, edited, make_toy, planned_by_snakemake, run_snakemake
from l2i.provenance.records import load_record, record_path


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The toy, run to its end."""
    folder = tmp_path_factory.mktemp("toy")
    make_toy(folder)
    done = run_snakemake(folder)
    assert done.returncode == 0, done.stderr
    return folder


READS = """
import hashlib
import os

real = hashlib.file_digest


def file_digest(file, *arguments):
    with open(os.environ["READS"], "a") as log:
        log.write(file.name + "\\n")
    return real(file, *arguments)


hashlib.file_digest = file_digest
"""


@pytest.fixture
def copied(finished, tmp_path):
    """The finished project elsewhere, to run again."""
    folder = tmp_path / "toy"
    shutil.copytree(finished, folder)
    return folder


def planned(folder, changes):
    """Rules that a dry run names after `changes`: {file: (before, after)}, undone afterwards."""
    with edited(folder, changes):
        return {*planned_by_snakemake(folder).values()}


class TestToyWorkflow:
    def test_results_records_and_logs_are_where_they_belong(self, finished):
        results = finished / "results/toy"
        assert (results / "scaled/a/fold2.txt").read_text() == "12 in fold 2"
        assert (results / "logs/counted/a.log").read_text() == "counted\n"
        number, parts = results / "counted/a.txt", results / "counted/a"
        made = load_record(number)
        assert made["rule"] == "count" and made["wildcards"] == {"dataset": "a"}
        assert made["output"]["path"] == "results/toy/counted/a.txt"
        used = {
            item["name"]: item for item in load_record(results / "scaled/a/fold1.txt")["inputs"]
        }
        assert used["number"]["sha256"] == made["output"]["sha256"]
        # Snakemake has put its time stamp into the folder since the record was made.
        assert (parts / ".snakemake_timestamp").exists()
        assert used["parts"]["sha256"] == load_record(parts)["output"]["sha256"]
        assert json.loads(record_path(parts).read_text())["output"]["kind"] == "folder"

    def test_rewriting_files_with_what_they_hold_plans_nothing(self, finished):
        same = {name: ("", "") for name in ("config.yaml", "workflow/scripts/count.py")}
        assert planned(finished, same | {"results/toy/counted/a.txt": ("", "")}) == set()

    def test_words_and_the_machine_plan_nothing(self, finished):
        changes = {
            "workflow/l2i/arithmetic.py": ("# a comment", "# another one"),
            "workflow/scripts/scale.py": ('"""Scale."""', '"""Multiply."""'),
            "workflow/harness/job.py": ("PROJECT =", "HOME =\\\n    "),
            "config.yaml": ("data: data, device: cpu", "data: elsewhere, device: auto"),
        }
        assert planned(finished, changes) == set()

    @pytest.mark.parametrize(
        ("changes", "rules"),
        [
            ({"workflow/l2i/arithmetic.py": ("2 * x", "x + x")}, {"count", "scale"}),
            ({"workflow/l2i/determinism.py": ("True", "False")}, {"count", "scale"}),
            ({"workflow/scripts/scale.py": ("* factor", "* factor * 1")}, {"scale"}),
            ({"config.yaml": ("seed: 0\nfactor: 2", "seed: 2\nfactor: 0")}, {"scale"}),
            ({"envs/compute.txt": ("packaging==", "packaging==9.")}, {"scale"}),
        ],
        ids=["library", "determinism", "script", "swapped settings", "environment"],
    )
    def test_an_edit_plans_exactly_the_rules_that_it_touches(self, finished, changes, rules):
        assert planned(finished, changes) == rules


class TestDigestsInAWorkflow:
    """What Snakemake makes of large files that it knows by their digests."""

    NUMBER = "results/toy/counted/a.txt"

    def test_a_large_file_is_read_for_its_hash_once(self, copied, monkeypatch):
        """By all processes together: the job that writes it, two that read it, and Snakemake."""
        shutil.rmtree(copied / "results")
        shutil.rmtree(copied / ".snakemake")
        path = copied / "workflow/l2i/provenance/hashes.py"
        path.write_text(path.read_text().replace("WORTH_A_TICK = 64 *", "WORTH_A_TICK = 1 *"))
        (copied / "other/sitecustomize.py").write_text(READS)
        monkeypatch.setenv("READS", str(copied / "reads"))
        assert run_snakemake(copied).returncode == 0
        assert planned(copied, {f"{self.NUMBER}.digest": ("", "")}) == set()
        reads = [Path(line).name for line in (copied / "reads").read_text().splitlines()]
        assert [name for name in reads if name in {"a.txt", ".part-a.txt"}] == [".part-a.txt"]
        assert "a.txt.digest" in reads  # the trace sees Snakemake
        for fold in (1, 2):
            used = load_record(copied / f"results/toy/scaled/a/fold{fold}.txt")["inputs"]
            assert {item["name"]: item["hash"] for item in used}["number"] == "known"

    def test_the_same_bytes_again_run_nothing_after_them_in_the_next_run(self, copied):
        digest = copied / f"{self.NUMBER}.digest"
        assert run_snakemake(copied).returncode == 0
        before = digest.stat().st_mtime_ns
        assert run_snakemake(copied, "--forcerun", "count", "--until", "count").returncode == 0
        assert digest.stat().st_mtime_ns > before and planned(copied, {}) == set()

    def test_other_bytes_run_what_comes_after_them(self, copied):
        config = copied / "config.yaml"
        config.write_text(config.read_text().replace("start: 3", "start: 4"))
        assert run_snakemake(copied, "--until", "count").returncode == 0
        assert planned(copied, {}) == {"scale"}

    @pytest.mark.parametrize("lost", ["file", "digest"])
    def test_what_is_lost_is_made_anew(self, copied, lost):
        path = copied / (self.NUMBER if lost == "file" else f"{self.NUMBER}.digest")
        path.unlink()
        # As with all files between: for those who need it.
        again = {"config.yaml": ("factor: 2", "factor: 3")}
        assert planned(copied, again) == {"count", "scale"}
        config = copied / "config.yaml"
        config.write_text(config.read_text().replace(*again["config.yaml"]))
        assert run_snakemake(copied).returncode == 0
        assert (copied / self.NUMBER).read_text().strip() == "6" and planned(copied, {}) == set()

    def test_a_file_changed_by_hand_is_refused_and_made_anew_as_the_message_says(self, copied):
        path = copied / self.NUMBER
        path.write_text(path.read_text().replace("6", "7"))
        done = run_snakemake(copied, "--forcerun", "scale")
        assert done.returncode == 1
        message = f"error: {self.NUMBER} is not the file that {self.NUMBER}.digest tells of"
        assert message in done.stdout + done.stderr
        (copied / f"{self.NUMBER}.digest").unlink()
        assert run_snakemake(copied, "--forcerun", "scale").returncode == 0
        assert path.read_text().strip() == "6"
        assert (copied / "results/toy/scaled/a/fold2.txt").read_text() == "12 in fold 2"


class TestRecordsDecide:
    """Not what Snakemake remembers, nor any time."""

    NUMBER = "results/toy/counted/a.txt"

    @pytest.fixture(params=["lost", "another's", "damaged"])
    def forgetful(self, copied, request):
        """A project in which Snakemake knows nothing, or what is not so."""
        memory = copied / ".snakemake"
        shutil.rmtree(memory)
        if request.param == "another's":
            shutil.copytree(PROJECT / "envs", memory / "metadata")
        elif request.param == "damaged":
            (memory / "metadata").mkdir(parents=True)
            for path in (copied / "results").rglob("*"):
                (memory / "metadata" / path.name).write_bytes(b"{")
        return copied

    def test_what_is_untouched_is_current(self, forgetful):
        assert planned(forgetful, {}) == set()

    @pytest.mark.parametrize(("changes", "rules"), EDITS)
    def test_what_was_edited_is_not(self, copied, changes, rules):
        shutil.rmtree(copied / ".snakemake")
        assert planned(copied, changes) == rules

    @pytest.mark.parametrize("order", [1, -1])
    def test_times_in_any_order_change_nothing(self, copied, order):
        files = sorted(path for path in (copied / "results").rglob("*") if path.is_file())
        for i, path in enumerate(files[::order]):
            os.utime(path, (1e9 + i, 1e9 + i))
        assert planned(copied, {}) == set()

    def test_a_result_without_a_record_is_made_anew(self, copied):
        record_path(copied / "results/toy/scaled/a/fold1.txt").unlink()
        assert planned(copied, {}) == {"scale"}

    @pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"record_version": 2}', b"\xff"])
    def test_so_is_one_with_a_damaged_record(self, copied, damage):
        record_path(copied / "results/toy/scaled/a/fold1.txt").write_bytes(damage)
        assert planned(copied, {}) == {"scale"}

    def test_so_is_one_of_inputs_that_were_other_ones(self, copied):
        """As when results of two runs are copied together."""
        path = record_path(copied / self.NUMBER)
        record = json.loads(path.read_text())
        record["output"]["sha256"] = "0" * 64
        path.write_text(json.dumps(record))
        assert planned(copied, {}) == {"scale"}

    def test_the_plan_says_what_has_changed(self, copied):
        config = copied / "config.yaml"
        config.write_text(config.read_text().replace("factor: 2", "factor: 5"))
        said = run_snakemake(copied, "--dry-run", "--printshellcmds").stdout
        assert "before: factor 2 now: factor 5" in said
        assert "--cleanup-metadata" not in said  # which would do nothing

    def test_a_job_whose_inputs_turn_out_the_same_leaves_its_results_and_log(self, copied):
        results = [copied / f"results/toy/scaled/a/fold{fold}.txt" for fold in (1, 2)]
        before = [record_path(path).read_bytes() for path in results]
        (copied / f"{self.NUMBER}.digest").unlink()
        done = run_snakemake(copied, f"{self.NUMBER}.digest", *map(str, self.relative(results)))
        assert done.returncode == 0 and "made already" in done.stderr
        assert [record_path(path).read_bytes() for path in results] == before
        assert planned(copied, {}) == set()
        for path in results:
            log = copied / "results/toy/logs/scaled/a" / path.with_suffix(".log").name
            first, *_, last = log.read_text().splitlines()
            assert first == "scaled" and last.startswith("made already")

    def test_a_file_between_that_is_lost_is_missed_by_nobody_until_it_is_asked_for(self, copied):
        (copied / self.NUMBER).unlink()
        assert planned(copied, {}) == set()
        assert run_snakemake(copied, f"{self.NUMBER}.digest").returncode == 0
        assert (copied / self.NUMBER).exists() and planned(copied, {}) == set()

    @pytest.mark.parametrize(
        ("options", "forced"),
        [
            (["--forcerun", "scale"], {"scale"}),
            (["--forcerun", "count", "scale"], {"count", "scale"}),
            (["--forcerun", "count"], {"count"}),
            (["--forceall"], {"count", "scale"}),
            (["--force", "results/toy/scaled/a/fold1.txt"], {"scale"}),
        ],
    )
    def test_what_is_forced_is_made_again_and_nothing_else(self, copied, options, forced):
        paths = {"count": self.NUMBER, "scale": "results/toy/scaled/a/fold1.txt"}
        made = {rule: record_path(copied / path).stat().st_mtime_ns for rule, path in paths.items()}
        assert run_snakemake(copied, *options).returncode == 0
        now = {rule: record_path(copied / path).stat().st_mtime_ns for rule, path in paths.items()}
        assert {rule for rule in paths if now[rule] != made[rule]} == forced
        assert not [*copied.rglob(".remake-*")]

    def test_a_run_that_forces_and_is_killed_before_it_makes_anything_loses_nothing(self, copied):
        run = subprocess.Popen(
            [sys.executable, "-m", "snakemake", "--cores", "1", "--forceall"],
            cwd=copied,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while not [*copied.rglob(".remake-*")]:
            assert run.poll() is None
            time.sleep(0.01)
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        assert run_snakemake(copied, "--unlock").returncode == 0
        assert planned(copied, {}) == set()

    @pytest.mark.parametrize("digest", [None, "", "garbage", "0" * 64 + "  a.txt\n"])
    def test_a_digest_that_is_lost_or_damaged_is_written_and_nothing_computed(self, copied, digest):
        path = copied / f"{self.NUMBER}.digest"
        before, inode = path.read_text(), (copied / self.NUMBER).stat().st_ino
        path.unlink() if digest is None else path.write_text(digest)
        done = run_snakemake(copied, f"{self.NUMBER}.digest")
        if digest is not None:  # as whoever opens it says
            assert "Nothing to be done" in done.stdout + done.stderr
            path.unlink()
            done = run_snakemake(copied, f"{self.NUMBER}.digest")
        assert "made already" in done.stdout + done.stderr
        assert path.read_text() == before and (copied / self.NUMBER).stat().st_ino == inode

    def test_a_lost_file_with_a_damaged_digest_is_made_anew(self, copied):
        (copied / self.NUMBER).unlink()
        digest = copied / f"{self.NUMBER}.digest"
        before = digest.read_text()
        digest.write_text("garbage")
        assert run_snakemake(copied, "--forcerun", "scale").returncode == 0
        assert digest.read_text() == before

    def test_a_plan_removes_nothing(self, copied):
        (copied / self.NUMBER).unlink()
        before = {*(copied / "results").rglob("*")}
        assert planned(copied, {"config.yaml": ("factor: 2", "factor: 3")}) == {"count", "scale"}
        assert {*(copied / "results").rglob("*")} == before

    def test_results_may_lie_elsewhere_behind_links(self, copied):
        folder = copied / "results/toy/counted/a"
        folder.rename(copied / "elsewhere")
        folder.symlink_to(copied / "elsewhere")
        assert planned(copied, {}) == set()
        assert run_snakemake(copied, "--forcerun", "count").returncode == 0

    def test_a_first_run_says_that_all_is_missing(self, copied):
        shutil.rmtree(copied / "results")
        said = run_snakemake(copied, "--dry-run", "--printshellcmds").stdout
        assert "Missing output files" in said and "no record" not in said

    def test_a_log_says_what_is_of_an_earlier_run_and_the_maker_keeps_its_own(self, copied):
        log = copied / "results/toy/logs/counted/a.log"
        assert run_snakemake(copied, "--forcerun", "count").returncode == 0
        assert log.read_text().count("counted") == 1
        assert run_snakemake(copied, "--dry-run", "--forceall").returncode == 0
        assert log.read_text() == "counted\n"

    @pytest.mark.parametrize("name", ["counted/a.txt", "counted/a/part"])
    def test_what_was_touched_is_refused_by_who_opens_it_and_made_anew_as_it_says(
        self, copied, name
    ):
        """Though its size and time are those of before, so that nothing else could tell."""
        path = copied / "results/toy" / name
        before = path.stat()
        path.write_bytes(path.read_bytes()[:-1] + b"!")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        config = copied / "config.yaml"
        config.write_text(config.read_text().replace("factor: 2", "factor: 3"))
        done = run_snakemake(copied)
        said = done.stdout + done.stderr
        assert done.returncode == 1 and "Traceback" not in said
        kept = copied / "results/toy/scaled/a/fold1.txt"  # of what could not be read
        assert kept.read_text() == "12 in fold 1" and load_record(kept)
        remedy = re.search(r"(?:[Rr]emove|delete) (\S+) and", said)[1]
        shutil.rmtree(copied / remedy) if (copied / remedy).is_dir() else (copied / remedy).unlink()
        assert run_snakemake(copied).returncode == 0
        assert (copied / "results/toy/scaled/a/fold1.txt").read_text() == "18 in fold 1"
        assert planned(copied, {}) == set()

    def relative(self, paths):
        return [path.relative_to(path.parents[4]) for path in paths]
