"""l2i audit accept: with the real Snakemake, which then has nothing to do."""

from __future__ import annotations

import json
import shutil

import pytest

from helpers.toy_project import (
    EDITS,
    edited,
    make_toy,
    planned_by_snakemake,
    run_l2i,
    run_snakemake,
)
from l2i.provenance.acceptance import load_acceptance
from l2i.provenance.records import acceptance_path, record_path

RESULTS = "results/toy"
NUMBER, PARTS = f"{RESULTS}/counted/a.txt", f"{RESULTS}/counted/a"
SCALED = [f"{RESULTS}/scaled/a/fold{fold}.txt" for fold in (1, 2)]
CODE, FACTOR, START = (changes for changes, _ in EDITS[:3])
FURTHER = {"config.yaml": ("factor: 2", "factor: 4")}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The toy, run to its end."""
    folder = tmp_path_factory.mktemp("toy")
    make_toy(folder)
    done = run_snakemake(folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def copied(finished, tmp_path):
    """The same elsewhere, to be changed."""
    shutil.copytree(finished, tmp_path / "toy")
    return tmp_path / "toy"


def accept(folder, *arguments):
    done = run_l2i(folder, "audit", "accept", *arguments)
    assert "Traceback" not in done.stderr
    return done


def accepted_in(folder):
    return sorted(path.name for path in folder.rglob("*.accepted.json"))


def rules_planned(folder):
    return {*planned_by_snakemake(folder).values()}


def stale_in(folder):
    return run_l2i(folder, "audit", "stale").returncode


class TestWhatIsAccepted:
    def test_snakemake_has_nothing_to_do_until_a_further_change_or_until_it_is_revoked(
        self, copied
    ):
        with edited(copied, CODE):
            done = accept(copied, RESULTS, "--reason", "the same sum")
            assert done.returncode == 0, done.stderr
            assert rules_planned(copied) == set() and stale_in(copied) == 0
            with edited(copied, FACTOR):
                assert rules_planned(copied) == {"scale"} and stale_in(copied) == 2
        assert rules_planned(copied) == set()  # the code that it was made with
        with edited(copied, CODE):
            assert accept(copied, RESULTS, "--revoke").returncode == 0
            assert accepted_in(copied) == [] and rules_planned(copied) == {"count", "scale"}

    def test_all_results_of_the_job_together_and_those_of_no_other(self, copied):
        with edited(copied, CODE | FACTOR):
            assert accept(copied, PARTS, "--reason", "the same sum").returncode == 0
            assert accepted_in(copied) == ["a.accepted.json", "a.txt.accepted.json"]
            found = load_acceptance(copied / NUMBER)
            assert {*found["outputs"]} == {NUMBER, PARTS}
            assert rules_planned(copied) == {"scale"}
            assert accept(copied, f"{NUMBER}.digest", "--revoke").returncode == 0
            assert accepted_in(copied) == []

    def test_what_is_made_anew_has_no_acceptance_any_more(self, copied):
        with edited(copied, CODE | FACTOR):
            assert accept(copied, RESULTS, "--reason", "the same").returncode == 0
            assert len(accepted_in(copied)) == 4
            assert run_snakemake(copied, "--forcerun", "scale").returncode == 0
            assert accepted_in(copied) == ["a.accepted.json", "a.txt.accepted.json"]
            assert rules_planned(copied) == set()

    def test_a_job_that_runs_all_the_same_finds_it_made(self, copied):
        with edited(copied, CODE | FACTOR):
            assert accept(copied, RESULTS, "--reason", "the same").returncode == 0
            before = {path: record_path(copied / path).read_bytes() for path in SCALED}
            (copied / f"{NUMBER}.digest").unlink()
            done = run_snakemake(copied, f"{NUMBER}.digest", *SCALED)
            assert done.returncode == 0 and "made already" in done.stderr
            assert {p: record_path(copied / p).read_bytes() for p in SCALED} == before
            assert len(accepted_in(copied)) == 4 and rules_planned(copied) == set()

    def test_departures_from_the_lock_too(self, copied):
        record = json.loads(record_path(copied / SCALED[0]).read_text())
        record["departures"] = {"packaging": {"pinned": "25.0", "installed": "24.9"}}
        record_path(copied / SCALED[0]).write_text(json.dumps(record))
        assert stale_in(copied) == 2
        assert accept(copied, SCALED[0], "--reason", "a patch release").returncode == 0
        assert stale_in(copied) == 0 and accepted_in(copied) == ["fold1.txt.accepted.json"]


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("paths", "reason", "message"),
        [
            ([RESULTS], "", "an acceptance needs a reason"),
            ([SCALED[0]], "why", f"{SCALED[0]} itself has not changed: it is of {NUMBER}"),
            ([f"{RESULTS}/nothing"], "why", f"{RESULTS}/nothing is no result"),
            (["config.yaml"], "why", "lies in no run"),
        ],
    )
    def test_what_is_no_question_of_acceptance(self, copied, paths, reason, message):
        with edited(copied, START):
            done = accept(copied, *paths, "--reason", reason)
        assert done.returncode == 4 and message in done.stderr and accepted_in(copied) == []

    def test_what_is_current(self, copied):
        done = accept(copied, SCALED[0], "--reason", "why")
        assert done.returncode == 4 and f"{SCALED[0]} is current" in done.stderr

    def test_what_was_changed_by_hand_has_no_record_or_is_not_there(self, copied):
        with edited(copied, FACTOR):
            path = copied / SCALED[0]
            text = path.read_text()
            path.write_text("13 in fold 1")
            done = accept(copied, RESULTS, "--reason", "why")
            assert done.returncode == 4 and accepted_in(copied) == []
            assert f"{SCALED[0]} was changed after" in done.stderr and "delete" in done.stderr
            path.write_text(text)
            record_path(path).rename(copied / "kept")
            done = accept(copied, SCALED[0], "--reason", "why")
            assert done.returncode == 4 and "nothing vouches for it" in done.stderr
            (copied / "kept").rename(record_path(path))
            path.unlink()
            done = accept(copied, SCALED[0], "--reason", "why")
            assert done.returncode == 4 and "nothing to accept" in done.stderr
            assert accept(copied, SCALED[1], "--reason", "why").returncode == 0
            assert acceptance_path(copied / SCALED[1]).exists()

    def test_what_is_of_an_input_without_a_record(self, copied):
        record_path(copied / PARTS).unlink()
        with edited(copied, FACTOR):
            done = accept(copied, SCALED[0], "--reason", "why")
        assert done.returncode == 4 and f"{PARTS}, of which {SCALED[0]} is made" in done.stderr
        assert accepted_in(copied) == []
