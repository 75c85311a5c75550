"""l2i audit stale: what it tells, and that it tells what Snakemake would run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter

import pytest

from cli.opening import Asked
from cli.planned import planned
from cli.stale import DEPARTURE, staleness
from helpers.hollow_run import make_hollow_run
from helpers.project import PROJECT
from helpers.tampering import EDITED_LATER
from helpers.toy_project import (
    EDITS,
    edited,
    make_toy,
    planned_by_snakemake,
    run_l2i,
    run_snakemake,
)
from l2i.checks import InputError
from l2i.provenance.records import record_path
from l2i.provenance.runs import Run

RESULTS = "results/toy"
NUMBER, PARTS = f"{RESULTS}/counted/a.txt", f"{RESULTS}/counted/a"
SCALED = [f"{RESULTS}/scaled/a/fold{fold}.txt" for fold in (1, 2)]


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


def facts_of(folder, *arguments, **more):
    """What the verb says as JSON, and its exit code."""
    done = run_l2i(folder, "audit", "stale", "--json", *arguments, **more)
    assert done.returncode in (0, 2), done.stderr
    return json.loads(done.stdout), done.returncode


def told(facts):
    """Texts of reasons by path, of the results that have some of their own."""
    return {
        each["path"]: [reason["text"] for reason in each["reasons"]]
        for each in facts["results"]
        if each["status"] != "follows"
    }


def status(facts):
    return {each["path"]: each["status"] for each in facts["results"]}


def change_record(path, **changes):
    record = json.loads(record_path(path).read_text())
    record_path(path).write_text(json.dumps(record | changes))


class TestTheReasons:
    def test_a_finished_run_is_current_and_nothing_of_the_project_is_touched(self, copied):
        shutil.rmtree(copied / ".snakemake")
        before = states_below(copied)
        facts, code = facts_of(copied)
        assert code == 0 and facts["results"] == [] and facts["n_current"] == 4
        assert facts["outcome"] == "fine" and states_below(copied) == before

    @pytest.mark.parametrize(
        ("changes", "text"),
        EDITED_LATER.values(),
        ids=EDITED_LATER,
    )
    def test_each_is_told_by_name_and_what_follows_under_it(self, copied, changes, text):
        rules = {"count": [NUMBER, PARTS], "scale": SCALED}
        with edited(copied, changes):
            facts, code = facts_of(copied)
            plain = run_l2i(copied, "audit", "stale")
            assert run_l2i(copied, "audit", "verify").returncode == 0
        roots = "count" if "start" in text or "code" in text else "scale"
        expected = dict.fromkeys(rules[roots], "stale")
        expected |= dict.fromkeys(SCALED, "follows") if roots == "count" else {}
        assert code == plain.returncode == 2 and status(facts) == expected
        for path in rules[roots]:
            (reason,) = told(facts)[path]
            assert reason.startswith(text) and reason in plain.stdout
        if roots == "count":
            assert "and 2 results (scale 2) follow" in plain.stdout
            follower = next(each for each in facts["results"] if each["path"] == SCALED[0])
            assert sorted(follower["inputs_to_come"]) == sorted(rules["count"])

    def test_code_of_which_nothing_was_noted_is_told_by_its_commit(self, copied):
        shutil.rmtree(copied / RESULTS / ".run/code")
        for path in (NUMBER, PARTS):
            change_record(copied / path, git={"commit": "c" * 40, "dirty": True})
        with edited(copied, EDITS[0][0]):
            facts, _ = facts_of(copied)
        (reason,) = told(facts)[NUMBER]
        assert "at commit cccccccccccc with changes that were not committed" in reason

    def test_results_of_other_packages_are_told_though_snakemake_leaves_them(self, copied):
        departures = {"packaging": {"pinned": "25.0", "installed": "24.9"}}
        change_record(copied / SCALED[0], departures=departures)
        facts, code = facts_of(copied)
        assert code == 2 and told(facts) == {SCALED[0]: ["ran with packaging 24.9, pinned 25.0"]}
        assert facts["results"][0]["remade_by"] == f"snakemake --forcerun {SCALED[0]}"
        assert "snakemake --forcerun scale" in run_l2i(copied, "audit", "stale").stdout
        assert planned_by_snakemake(copied) == {}

    def test_what_is_missing_is_not_stale_and_what_nobody_asks_for_is_no_failure(self, copied):
        (copied / SCALED[0]).unlink()
        record_path(copied / SCALED[0]).unlink()
        facts, code = facts_of(copied)
        assert code == 0 and status(facts) == {SCALED[0]: "missing"}
        with edited(copied, {"config.yaml": ("folds: [1, 2]", "folds: [2]")}):
            facts, code = facts_of(copied)
        assert code == 0 and facts["results"] == [] and facts["not_asked_for"] == []
        with edited(copied, {"config.yaml": ("folds: [1, 2]", "folds: [1]")}):
            facts, code = facts_of(copied)
        assert code == 0 and facts["not_asked_for"] == [SCALED[1]]

    def test_no_record_another_input_and_one_changed_by_hand(self, copied):
        record_path(copied / SCALED[0]).unlink()
        facts, _ = facts_of(copied)
        assert told(facts) == {SCALED[0]: ["it has no record that can be read"]}
        output = json.loads(record_path(copied / PARTS).read_text())["output"]
        change_record(copied / PARTS, output=output | {"sha256": "0" * 64})
        facts, _ = facts_of(copied)
        assert f"input parts {PARTS}: was sha256" in told(facts)[SCALED[1]][0]

    def test_an_input_changed_by_hand(self, copied):
        digest = copied / f"{NUMBER}.digest"
        digest.write_text(digest.read_text().replace("a.txt", "b.txt"))
        facts, _ = facts_of(copied)
        assert f"input {NUMBER}: was changed" in told(facts)[SCALED[1]][0]
        assert {*planned_by_snakemake(copied).values()} == {"scale"}


class TestHowARunIsFound:
    def test_as_it_was_asked_for_last_or_as_is_said(self, copied):
        assert run_snakemake(copied, "--config", "factor=7").returncode == 0
        facts, code = facts_of(copied)
        assert code == 0 and facts["asked_for"]["assignments"] == ["factor=7"]
        facts, _ = facts_of(copied, "--config", "factor=8")
        assert told(facts)[SCALED[0]] == ["setting factor: was 7, now 8"]

    def test_from_anywhere_and_for_a_copy_that_lies_anywhere(self, copied, tmp_path):
        with edited(copied, EDITS[1][0]):
            shutil.copytree(copied / RESULTS, tmp_path / "copy/of/it")
            for folder in (copied / RESULTS, "copy/of/it"):
                facts, code = facts_of(copied, folder, cwd=tmp_path)
                assert code == 2 and {*status(facts)} == {*SCALED}

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (
                ["--config", "name=other"],
                "is results/toy, but the configuration is of results/other",
            ),
            (["--configfile", "nowhere.yaml"], "nowhere.yaml"),
        ],
    )
    def test_what_cannot_be_planned_is_said_in_words(self, copied, arguments, message):
        done = run_l2i(copied, "audit", "stale", *arguments)
        assert done.returncode == 4 and done.stdout == ""
        assert message in done.stderr and "Traceback" not in done.stderr

    def test_no_result_is_opened(self, copied):
        """Nor is any file read that takes long."""
        (copied / "workflow/sitecustomize.py").write_text(OPENED)
        with edited(copied, EDITS[0][0]):
            facts_of(copied)
        opened = (copied / "opened").read_text().splitlines()
        assert [path for path in opened if path.endswith(".records/a.txt.json")]
        results = [os.path.abspath(copied / path) for path in (NUMBER, *SCALED)]
        assert not {*results} & {*opened}


OPENED = """
import os
import sys

log = os.open(os.path.join(os.getcwd(), "opened"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def note(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        os.write(log, os.fsencode(os.path.abspath(arguments[0])) + b"\\n")


sys.addaudithook(note)
"""


def states_below(folder):
    """All files and folders with their times, but for caches of Python."""
    return {
        str(path): path.lstat().st_mtime_ns
        for path in folder.rglob("*")
        if "__pycache__" not in path.parts and not (path / "__pycache__").exists()
    }


@pytest.mark.parametrize(("changes", "rules"), EDITS)
def test_it_tells_exactly_what_snakemake_would_run(copied, changes, rules):
    with edited(copied, changes):
        for forgotten in (False, True):
            if forgotten:
                shutil.rmtree(copied / ".snakemake")
            facts, _ = facts_of(copied)
            by_snakemake = planned_by_snakemake(copied)
            assert declared(status(facts), copied) == {*by_snakemake}
            assert {*by_snakemake.values()} == rules


def declared(paths, folder):
    """As Snakemake knows them."""
    digests = {path: f"{path}.digest" for path in paths}
    return {digests[p] if (folder / digests[p]).exists() else p for p in paths}


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    """The demo's configuration, finished, though nothing was computed."""
    return make_hollow_run(tmp_path_factory.mktemp("made_up"), "config/demo.yaml")


class TestTheRealWorkflow:
    def staleness_of(self, folder, *assignments):
        demo = Asked([str(PROJECT / "config/demo.yaml")], [*assignments])
        with planned(Run(folder), demo) as plan:
            return staleness(plan)

    def said(self, folder, assignment, question):
        """Lines of Snakemake's answer."""
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", "--snakefile", PROJECT / "Snakefile", question]
            + ["--configfile", PROJECT / "config/demo.yaml", "--config", assignment],
            cwd=folder.parents[1],
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def test_it_is_current(self, made_up):
        found = self.staleness_of(made_up)
        assert found.findings == [] and found.not_asked_for == [] and found.n_current > 200

    @pytest.mark.parametrize(
        "assignment",
        [
            "seed=1",
            "coherence={perplexity: 3}",
            "features={waveform_scale: none}",
            "systems={l2i_att: {title: another}}",
            "run={folds: [1]}",
            "run={seeds: [0, 1, 2]}",
        ],
    )
    def test_of_each_leaf_it_tells_exactly_what_snakemake_would_run(self, made_up, assignment):
        found = self.staleness_of(made_up, assignment)
        table = [line.split("\t") for line in self.said(made_up, assignment, "--summary")]
        pending = {path for path, *_, plan in table if plan == "update pending"}
        assert {each.declared for each in found.findings} == pending != set()
        jobs = {(each.rule, *sorted(each.wildcards.items())) for each in found.findings}
        counted = [line.split() for line in self.said(made_up, assignment, "-np")]
        n_jobs = {line[0]: int(line[1]) for line in counted if len(line) == 2 and line[1].isdigit()}
        of_rules = Counter(rule for rule, *_ in jobs)
        assert n_jobs == of_rules | {"all": 1, "total": of_rules.total() + 1, "jobid:": 0}
        kinds = Counter(reason.kind for each in found.findings for reason in each.reasons)
        assert {*kinds} <= {"setting", "missing", "input", "order", "wildcards"}
        assert DEPARTURE not in kinds

    def test_a_configuration_that_is_refused_is_told_as_by_snakemake(self, made_up):
        with pytest.raises(InputError, match="nonsense is not a known key"):
            self.staleness_of(made_up, "nonsense=1")
