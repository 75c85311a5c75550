"""l2i plan: exactly what Snakemake would run, and what of the tables that makes invalid."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import jsonschema
import pandas as pd
import pytest
import yaml

from cli.opening import Asked
from cli.plan import forecast, spelt
from cli.planned import Command, planned_in
from helpers.hollow_run import make_hollow_run
from helpers.project import PROJECT
from helpers.toy_project import edited, make_toy, run_l2i, run_snakemake
from l2i.checks import InputError
from l2i.provenance.records import record_path
from l2i.tables import write_rows

SCHEMA = yaml.safe_load((PROJECT / "workflow/schemas/plan.schema.yaml").read_text())
JOB = re.compile(r"^(?:local)?rule (\w+):\n((?:    .+\n)*)", re.MULTILINE)


def jobs_in(said):
    """Rule and wildcards of the jobs that a dry run prints, but for `all`."""
    found = set()
    for rule, lines in JOB.findall(said):
        wildcards = re.search(r"^    wildcards: (.*)$", lines, re.MULTILINE)
        if "    output:" in lines:
            found.add((rule, *sorted(wildcards[1].split(", ") if wildcards else [])))
    return found


def jobs_of(facts):
    return {
        (job["rule"], *sorted(f"{name}={value}" for name, value in job["wildcards"].items()))
        for job in facts["jobs"]
    }


def valid(facts):
    jsonschema.Draft202012Validator(SCHEMA).validate(facts)
    return facts


# ------------------------------------------------------------ beside Snakemake


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


FIRST = "results/toy/scaled/a/fold1.txt"
LATER = {
    "nothing": ({}, [], [], None),
    "a setting": (
        {"config.yaml": ("factor: 2", "factor: 3")},
        [],
        [],
        "setting factor: was 2, now 3",
    ),
    "a line of code": (
        {"workflow/l2i/arithmetic.py": ("2 * x", "x + x")},
        [],
        [],
        "code of l2i/arithmetic.py: twice changed",
    ),
    "a deleted result": ({}, [FIRST], [], "made once, but it or its digest is lost"),
    "nothing is there": ({}, ["results"], [FIRST], "not made yet"),
}


@pytest.mark.parametrize(("changes", "deleted", "targets", "why"), LATER.values(), ids=LATER)
def test_it_names_exactly_the_jobs_that_snakemake_would_run(copied, changes, deleted, targets, why):
    for path in deleted:
        shutil.rmtree(copied / path) if (copied / path).is_dir() else (copied / path).unlink()
    with edited(copied, changes), ThreadPoolExecutor() as both:
        ours = both.submit(run_l2i, copied, "plan", "--json", *targets)
        theirs = both.submit(run_snakemake, copied, "--dry-run", "--printshellcmds", *targets)
        done, said = ours.result(), theirs.result()
    assert done.returncode == said.returncode == 0, done.stderr + said.stderr
    facts = valid(json.loads(done.stdout))
    assert jobs_of(facts) == jobs_in(said.stdout + said.stderr)
    assert bool(facts["jobs"]) == bool(why) and facts["n_jobs"] == (2 if targets else 3)
    told = {reason["text"] for job in facts["jobs"] for reason in job["reasons"]}
    assert told == ({why} if why else set())


def test_what_it_says_is_to_be_typed_leaves_nothing_to_do(copied):
    with edited(copied, {"config.yaml": ("start: 3", "start: 4")}):
        said = run_l2i(copied, "plan", "--config", "factor=5", "--cores", "1").stdout
        assert "3 of 3 jobs would run" in said and "setting start: was 3, now 4" in said
        command = said.partition("To run it:\n")[2].split("\n")[0].strip()
        program, *arguments = shlex.split(command)
        assert program == "snakemake"
        ran = subprocess.run([sys.executable, "-m", program, *arguments], cwd=copied, timeout=120)
        assert ran.returncode == 0
        again = run_l2i(copied, "plan", "--config", "factor=5")
        assert again.stdout == "results/toy: all 3 jobs are done\n"


# ------------------------------------------------------------ of the real workflow


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    """The demo's configuration, finished, though nothing was computed but two tables."""
    folder = tmp_path_factory.mktemp("made_up")
    run = make_hollow_run(folder, "config/demo.yaml")
    for name in ("table_4", "table_8"):
        write_rows(pd.DataFrame(ROWS), run / f"tables/{name}.csv")
    return folder


ESC50, SONYC = "synthetic_esc50", "synthetic_sonyc_ust"
ROWS = [
    {"system": system, "dataset": dataset, "metric": metric, "condition": "", "mean": 0.5}
    for system in ("flint", "l2i_att")
    for dataset in (ESC50, SONYC)
    for metric in ("top_1_fidelity", "top_3_fidelity")
]


def forecast_of(folder, *assignments, targets=(), cores=2, gpu=False):
    asked = Asked([str(PROJECT / "config/demo.yaml")], [*assignments])
    command = Command(tuple(targets), cores)
    with planned_in(folder, asked, command) as found:
        return forecast(found, command, gpu=gpu)


def invalid(report, table):
    """How many numbers, by data set and system; None where the table is left as it is."""
    (found,) = [each for each in report.tables if each.table == table] or [None]
    return found and {(each.dataset, each.system): len(each.names) for each in found.numbers}


class TestTheRealWorkflow:
    def test_a_setting_of_a_system_hits_its_numbers_alone(self, made_up):
        one = f"systems={{flint: {{by_dataset: {{{ESC50}: {{n_epochs: 21}}}}}}}}"
        report = forecast_of(made_up, one)
        facts = valid({"outcome": "fine", **report.facts()})
        assert invalid(report, "table_4") == {(ESC50, "flint"): 2}
        (told,) = [table for table in facts["tables"] if table["table"] == "table_4"]
        assert (told["n_numbers"], told["n_invalid"]) == (len(ROWS), 2)
        trained = [job for job in facts["jobs"] if job["rule"] == "train_system"]
        reason = {"kind": "setting", "name": "system_settings.n_epochs", "before": "20"}
        reason |= {"after": "21", "text": "setting system_settings.n_epochs: was 20, now 21"}
        assert trained and all(job["reasons"] == [reason] for job in trained)
        assert {job["wildcards"]["system"] for job in trained} == {"flint"}
        assert facts["cost"]["n_jobs_by"] == {"own_record": len(facts["jobs"])}

    def test_a_new_run_hits_the_numbers_that_it_is_one_more_of(self, made_up):
        report = forecast_of(made_up, "run={seeds: [0, 1, 2]}")
        assert invalid(report, "table_4") == {(SONYC, "l2i_att"): 2}  # flint has a single run
        by = {each.expense.by for each in report.to_run if each.job.rule == "train_system"}
        assert by == {"jobs_alike"}  # of the runs before

    def test_what_a_table_says_itself_hits_all_of_it(self, made_up):
        found = invalid(forecast_of(made_up, "statistics={n_bootstrap: 7}"), "table_4")
        assert sum(found.values()) == len(ROWS)

    def test_a_lost_file_of_scores_hits_what_rests_on_it(self, made_up):
        (lost, *_) = sorted(
            made_up.glob(f"results/demo/evaluation/{ESC50}/*/l2i_att/default/*/fid*")
        )
        kept, record = lost.read_bytes(), record_path(lost).read_bytes()
        try:
            lost.unlink()
            record_path(lost).unlink()
            report = forecast_of(made_up, targets=["tables"])
        finally:
            lost.write_bytes(kept)
            record_path(lost).write_bytes(record)
        assert invalid(report, "table_4") == {(ESC50, "l2i_att"): 2}
        assert {each.status for each in report.to_run} == {"missing", "follows"}
        (first,) = [each for each in report.to_run if each.status == "missing"]
        assert first.job.rule == "measure_fidelity" and not report.figures

    def test_more_cores_take_less_time_and_cost_the_same(self, made_up):
        one, many = (forecast_of(made_up, "seed=1", cores=n) for n in (1, 16))
        assert one.wall_seconds > 4 * many.wall_seconds
        costs = [report.facts()["cost"]["core_seconds"] for report in (one, many)]
        assert costs[0] == costs[1] == pytest.approx(one.wall_seconds)

    def test_jobs_take_turns_on_the_one_gpu(self, tmp_path):
        report = forecast_of(tmp_path, cores=64, gpu=True)
        cost = valid({"outcome": "fine", **report.facts()})["cost"]
        assert cost["n_gpus"] == 1 and cost["wall_seconds"] > cost["gpu_seconds"] > 100
        assert "--resources gpu=1 --cores 64" in " ".join(report._command())
        assert forecast_of(tmp_path).n_gpus == 0

    def test_of_a_run_that_is_not_there_all_is_to_be_made(self, tmp_path):
        report = forecast_of(tmp_path)
        assert len(report.to_run) == report.n_jobs > 200 and not any(tmp_path.iterdir())
        assert {each.table for each in report.tables if each.n_numbers == 0} >= {"table_4"}
        facts = valid({"outcome": "fine", **report.facts()})
        assert facts["cost"]["n_jobs_by"] == {"formula": report.n_jobs}

    def test_a_target_that_there_is_not_is_refused(self, tmp_path):
        with pytest.raises(InputError, match=r"nonsense.*snakemake --dry-run nonsense --config"):
            forecast_of(tmp_path, targets=["nonsense"])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (11.2, "12 s"), (59.9, "60 s"), (60, "1 min"), (3599, "1 h")]
    + [(4800, "1 h 20 min"), (7200, "2 h"), (36_060, "10 h"), (200_000, "55 h")],
)
def test_times_are_told_in_two_units_at_most(seconds, text):
    assert spelt(seconds) == text
