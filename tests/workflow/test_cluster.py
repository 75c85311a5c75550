"""What becomes of SLURM's answers; tests/workflow/test_slurm.py holds it against a real one."""

import asyncio
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from types import SimpleNamespace

import pytest
import yaml
from snakemake.api import SnakemakeApi
from snakemake.resources import Resources, ResourceScopes
from snakemake.settings.types import (
    ConfigSettings,
    GroupSettings,
    OutputSettings,
    Quietness,
    ResourceSettings,
)
from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry

import cluster
from configuration.costs import Costs
from documentation.costs_page import jobs_of, paper
from helpers.loaded_workflow import loaded_workflow
from helpers.project import PROJECT
from helpers.tiny_project import Project, make_corpus, overlay_for

PAPER = paper()
COSTS = Costs(PAPER)
JOB = {"system": "l2i_att", "variant": "default", "run": "0"}


class Executor:
    """Stands for the plugin's: notes what is reported."""

    run_uuid = "a-run"
    output = ()

    def __init__(self):
        self.succeeded, self.failed, self.warnings = [], [], []
        self.next_seconds_between_status_checks = None
        self.logger = SimpleNamespace(warning=self.warnings.append)
        settings = SimpleNamespace(init_seconds_before_status_checks=40)
        self.workflow = SimpleNamespace(executor_settings=settings)

    def report_job_success(self, job):
        self.succeeded.append(job.external_jobid)

    def report_job_error(self, job, msg, aux_logs):
        self.failed.append((job.external_jobid, msg))


@pytest.fixture
def executor():
    return Executor()


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Commands of SLURM that answer as they are told."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def answer(**commands):
        for name, text in commands.items():
            script = "#!/bin/sh\nexit 1" if text is None else f"#!/bin/sh\ncat <<'END'\n{text}\nEND"
            (tmp_path / name).write_text(f"{script}\n")
            (tmp_path / name).chmod(0o755)

    answer(squeue="", sacct=None)
    return answer


def check(executor, *ids):
    """Ids of the jobs that are still waited for after one check."""

    async def waited():
        aux, job = {"slurm_logfile": "x.log"}, SimpleNamespace(output=executor.output)
        jobs = [SimpleNamespace(external_jobid=i, aux=aux, job=job) for i in ids]
        return [job.external_jobid async for job in cluster.check_active_jobs(executor, jobs)]

    return asyncio.run(waited())


class TestStates:
    @pytest.mark.parametrize("state", ["PENDING", "RUNNING", "COMPLETING", "SUSPENDED", "REQUEUED"])
    def test_a_job_in_the_queue_is_waited_for(self, executor, slurm, state):
        slurm(squeue=f"1|{state}|None")
        assert check(executor, "1") == ["1"]
        assert executor.next_seconds_between_status_checks == 40

    @pytest.mark.parametrize("state", sorted(cluster.FAILED - {"GONE"}))
    def test_a_job_that_ended_otherwise_than_well_has_failed(self, executor, slurm, state):
        slurm(squeue=f"1|COMPLETED|None\n2|{state}|None")
        assert check(executor, "1", "2") == []
        assert executor.succeeded == ["1"] and "2" in executor.failed[0]
        assert state in executor.failed[0][1]

    def test_accounting_tells_of_a_job_that_left_the_queue(self, executor, slurm):
        slurm(sacct="1|CANCELLED by 0\n2|COMPLETED\n3|OUT_OF_MEMORY")
        assert check(executor, "1", "2", "3") == []
        assert executor.succeeded == ["2"]
        assert sorted(job for job, _ in executor.failed) == ["1", "3"]

    def test_without_accounting_the_outputs_of_such_a_job_tell(self, executor, slurm):
        assert check(executor, "1") == []
        assert executor.succeeded == ["1"]  # as Snakemake then looks for its outputs

    def test_outputs_of_an_earlier_run_are_not_taken_for_those_of_a_job_that_is_gone(
        self, executor, slurm, tmp_path
    ):
        old = tmp_path / "model.safetensors.digest"
        old.write_text("of last week")
        os.utime(old, (0, 0))
        executor.output = [str(old)]
        assert check(executor, "1") == []
        assert not executor.succeeded and "GONE" in executor.failed[0][1]

    def test_accounting_that_lags_behind_is_given_time_but_not_for_ever(self, executor, slurm):
        slurm(sacct="1|RUNNING")
        waits = [check(executor, "1") for _ in range(cluster.PATIENCE + 1)]
        assert waits == [["1"]] * cluster.PATIENCE + [[]]
        assert executor.succeeded == ["1"]

    def test_a_job_of_a_lost_node_is_given_time_to_be_requeued(self, executor, slurm):
        slurm(squeue="1|NODE_FAIL|None")
        waits = [check(executor, "1") for _ in range(cluster.PATIENCE + 1)]
        assert waits == [["1"]] * cluster.PATIENCE + [[]]
        assert "NODE_FAIL" in executor.failed[0][1]

    def test_one_that_is_given_up_is_cancelled_so_that_it_does_not_come_back(
        self, executor, slurm, tmp_path
    ):
        slurm(squeue="1|PREEMPTED|None")
        asked = tmp_path / "cancelled"
        (tmp_path / "scancel").write_text(f"#!/bin/sh\necho $* >> {asked}\n")
        (tmp_path / "scancel").chmod(0o755)
        for _ in range(cluster.PATIENCE + 1):
            check(executor, "1")
        assert asked.read_text() == "1\n"

    def test_what_a_job_of_several_preemptions_was_waited_for_does_not_add_up(
        self, executor, slurm
    ):
        for _ in range(3):
            slurm(squeue="1|PREEMPTED|None")
            assert [check(executor, "1") for _ in range(cluster.PATIENCE)][-1] == ["1"]
            slurm(squeue="1|RUNNING|None")
            assert check(executor, "1") == ["1"]

    def test_a_controller_that_does_not_answer_is_waited_for_and_named_once(self, executor, slurm):
        slurm(squeue=None)
        assert [check(executor, "1") for _ in range(3)] == [["1"]] * 3
        assert len(executor.warnings) == 1 and "SLURM does not answer" in executor.warnings[0]

    def test_why_a_job_cannot_begin_is_said_once(self, executor, slurm):
        slurm(squeue="1|PENDING|PartitionTimeLimit\n2|PENDING|Priority")
        assert [check(executor, "1", "2") for _ in range(2)] == [["1", "2"]] * 2
        assert len(executor.warnings) == 1 and "runtime" in executor.warnings[0]


class TestWhatIsTriedAgain:
    @pytest.mark.parametrize(
        ("text", "final"),
        [
            ("opening\nerror: index.csv lacks a column\nput it back", True),
            ("error: stopped with exit status 143 (SIGTERM)", False),
            ("error: first\nTraceback (most recent call last):\nRuntimeError: CUDA", False),
            ("Traceback (most recent call last):\nMemoryError\n", False),
            ("", False),
            ("error: index.csv lacks a column\n\n--- started again today\nepoch 1", False),
            ("Traceback\n--- started again today\nerror: index.csv lacks a column", True),
            ("job ended: SLURM gave this job GPU 0, but PyTorch sees none", False),
        ],
    )
    def test_the_last_words_of_a_log_tell_bad_input_from_other_failures(
        self, tmp_path, text, final
    ):
        log = tmp_path / "job.log"
        log.write_text(text)
        assert cluster._tells_of_bad_input(log) is final

    def test_the_log_of_an_earlier_run_tells_nothing(self, tmp_path):
        log = tmp_path / "job.log"
        log.write_text("error: index.csv lacks a column")
        os.utime(log, (0, 0))
        assert not cluster._tells_of_bad_input(log)
        assert not cluster._tells_of_bad_input(tmp_path / "none.log")

    @pytest.mark.parametrize(
        ("refusal", "resources", "variable"),
        [
            ("Requested node configuration is not available", {"gpu": 1}, "L2I_GPU_PARTITION"),
            ("invalid partition specified: x", {}, "L2I_CPU_PARTITION"),
            ("Invalid generic resource (gres) specification", {"gres": "gpu:1"}, "L2I_GPU_GRES"),
            ("Invalid account or account/partition combination", {}, "L2I_SLURM_ACCOUNT"),
            ("Invalid qos specification", {}, "L2I_SLURM_QOS"),
            ("Invalid feature specification", {}, "L2I_SLURM_CONSTRAINT"),
        ],
    )
    def test_a_refusal_names_the_variable_that_decides(self, refusal, resources, variable):
        job = SimpleNamespace(resources=resources)
        assert variable in cluster._about_refusal(job, f"SLURM sbatch failed. '{refusal}'")


class TestRefusals:
    @pytest.fixture
    def job(self):
        return SimpleNamespace(attempt=1, _attempt=1, restart_times=2, log=[], resources={})

    @pytest.fixture
    def reported(self, executor):
        messages = []
        executor.as_published = {
            "report_job_error": lambda self, info, msg: messages.append((info.job._attempt, msg))
        }
        return messages

    def refuse(self, executor, job, words):
        cluster.report_job_error(
            executor, SimpleNamespace(job=job), f"SLURM sbatch failed. The error was '{words}'"
        )

    def test_one_for_good_has_had_its_last_attempt(self, executor, job, reported):
        self.refuse(executor, job, "Invalid account")
        ((attempt, message),) = reported
        assert attempt == 3 and "L2I_SLURM_ACCOUNT" in message

    @pytest.mark.parametrize("words", ["Unable to contact slurm controller", "AssocMaxSubmitLimit"])
    def test_one_for_the_time_being_is_submitted_again_later_and_costs_no_attempt(
        self, executor, job, reported, monkeypatch, words
    ):
        monkeypatch.setattr(cluster, "PAUSE_SECONDS", 0.05)
        self.refuse(executor, job, words)
        assert not reported
        time.sleep(0.5)
        ((attempt, _),) = reported
        assert attempt == 0  # Snakemake adds one

    def test_a_log_of_an_earlier_run_is_kept_and_not_shown_as_the_cause(
        self, executor, job, reported, tmp_path
    ):
        old, new = tmp_path / "old.log", tmp_path / "new.log"
        old.write_text("error: of yesterday")
        os.utime(old, (0, 0))
        new.write_text("of today")
        job.log = [str(old), str(new), str(tmp_path / "none.log")]
        cluster.report_job_error(executor, SimpleNamespace(job=job), "SLURM job 1 ended as FAILED.")
        ((attempt, message),) = reported
        assert attempt == 1 and message.endswith(f"is of an earlier run ({old}). ")
        assert old.exists()


class TestJobsOfAnEarlierRun:
    """The controller was killed, and the same command is given again."""

    @pytest.fixture
    def cancelled(self, slurm, tmp_path):
        asked = tmp_path / "cancelled"
        (tmp_path / "scancel").write_text(f"#!/bin/sh\necho $* >> {asked}\n")
        (tmp_path / "scancel").chmod(0o755)
        return lambda: asked.read_text().split() if asked.exists() else []

    def test_those_that_wait_in_this_folder_are_cancelled_and_no_others(
        self, executor, slurm, cancelled, tmp_path, monkeypatch
    ):
        monkeypatch.chdir(tmp_path)
        executor.as_published = {"get_partition_arg": lambda self, job: ""}
        slurm(
            squeue=f"1|old-run|rule_train_system_wildcards_a|{tmp_path}\n"
            f"2|a-run|rule_train_system|{tmp_path}\n"
            f"3|old-run|rule_train_system|{tmp_path}/elsewhere\n"
            f"4|notebook|(null)|{tmp_path}"
        )
        for _ in range(2):
            cluster.get_partition_arg(executor, SimpleNamespace(resources={}))
        assert cancelled() == ["1"]
        assert len(executor.warnings) == 1 and "left waiting: 1" in executor.warnings[0]

    def test_where_slurm_cannot_be_asked_nothing_is_cancelled(self, executor, slurm, cancelled):
        executor.as_published = {"get_partition_arg": lambda self, job: ""}
        slurm(squeue=None)
        cluster.get_partition_arg(executor, SimpleNamespace(resources={}))
        assert not cancelled() and not executor.warnings


class TestAccount:
    @pytest.mark.parametrize(
        ("resources", "account"),
        [({}, ""), ({"slurm_account": "lab"}, " -A lab"), ({"slurm_account": "a b"}, " -A 'a b'")],
    )
    def test_it_is_the_one_that_is_set_and_no_other_is_guessed(
        self, executor, monkeypatch, tmp_path, resources, account
    ):
        monkeypatch.setenv("PATH", str(tmp_path))  # not even sacct is there
        job = SimpleNamespace(resources=resources)
        assert [*cluster.get_account_arg(executor, job)] == [account]


class TestSignals:
    def test_snakemake_in_a_job_outlives_what_warns_of_the_time_limit(self):
        job = subprocess.run(
            [sys.executable, "-c", OUTLIVES],
            env=os.environ | {"SLURM_JOB_ID": "7", "PYTHONPATH": str(PROJECT / "workflow")},
            check=True,
        )
        assert job.returncode == 0

    def test_elsewhere_signals_mean_what_they_meant(self):
        environment = os.environ | {"PYTHONPATH": str(PROJECT / "workflow")}
        environment.pop("SLURM_JOB_ID", None)
        here = subprocess.run([sys.executable, "-c", OUTLIVES], env=environment)
        assert here.returncode == -signal.SIGUSR1


class TestPartition:
    @pytest.fixture(autouse=True)
    def published(self, executor, monkeypatch):
        executor.as_published = {"get_partition_arg": lambda self, job: " -p plugin"}
        for name in ("GPU", "CPU"):
            monkeypatch.setenv(f"L2I_{name}_PARTITION", name.lower())

    @pytest.mark.parametrize(
        ("resources", "partition"),
        [({"gpu": 1}, "gpu"), ({"gres": "gpu:a100:1"}, "gpu"), ({"gpu": 0}, "cpu"), ({}, "cpu")],
    )
    def test_it_follows_the_gpu(self, executor, resources, partition):
        job = SimpleNamespace(resources=resources)
        assert cluster.get_partition_arg(executor, job) == f" -p '{partition}'"

    def test_one_that_a_job_names_comes_first(self, executor):
        job = SimpleNamespace(resources={"gpu": 1, "slurm_partition": "mine"})
        assert cluster.get_partition_arg(executor, job) == " -p plugin"

    def test_with_no_variable_the_cluster_decides(self, executor, monkeypatch):
        monkeypatch.delenv("L2I_GPU_PARTITION")
        monkeypatch.delenv("L2I_CPU_PARTITION")
        assert cluster.get_partition_arg(executor, SimpleNamespace(resources={})) == " -p plugin"


# The child stands for a script, which must not find the signals ignored.
OUTLIVES = """
import cluster, signal, subprocess, sys
cluster.mend()
for warning in cluster.WARNINGS:
    signal.raise_signal(warning)
child = "import signal; signal.raise_signal(signal.SIGUSR1)"
assert subprocess.run([sys.executable, "-c", child]).returncode == -signal.SIGUSR1
"""


def test_the_methods_that_are_replaced_are_those_of_the_plugin():
    plugin = pytest.importorskip("snakemake_executor_plugin_slurm")
    cluster.mend()
    cluster.mend()  # once more does no harm
    for name in (
        *("check_active_jobs", "get_account_arg", "get_partition_arg", "report_job_error"),
    ):
        assert getattr(plugin.Executor, name) is getattr(cluster, name)
        assert plugin.Executor.as_published.get(name) is not getattr(cluster, name)


@pytest.mark.slow
def test_a_run_without_slurm_asks_a_cluster_that_may_be_down_once_and_its_jobs_never(
    tmp_path, slurm
):
    slurm(sinfo="")
    asked = tmp_path / "asked"
    (tmp_path / "scontrol").write_text(f"#!/bin/sh\necho conf=$SLURM_CONF >> {asked}\nexit 1\n")
    (tmp_path / "scontrol").chmod(0o755)
    pins = make_corpus(tmp_path / "corpus.zip")
    project = Project(tmp_path / "project", PROJECT, overlay_for(), pins)
    shutil.copy(tmp_path / "corpus.zip", project.folder)
    project.run("results/tiny/datasets/esc50/fetched.json")
    assert asked.read_text().splitlines() == ["conf="]


@pytest.fixture(scope="module")
def submissions(tmp_path_factory):
    """What `snakemake --profile slurm` submits of the paper's configuration: jobs, and groups."""
    profile = yaml.safe_load((PROJECT / "slurm/config.yaml").read_text())
    groups = dict(line.split("=") for line in profile["groups"])
    components = dict(line.split("=") for line in profile["group-components"])
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        planned = api.workflow(
            resource_settings=ResourceSettings(
                nodes=profile["jobs"],
                resources=Resources.parse(profile["resources"], allow_expressions=False),
                overwrite_resource_scopes=ResourceScopes(
                    line.split("=") for line in profile["set-resource-scopes"]
                ),
            ),
            config_settings=ConfigSettings(config={"machine": {"device": "auto"}}),
            snakefile=PROJECT / "Snakefile",
            workdir=tmp_path_factory.mktemp("paper"),
        )
        together = GroupSettings(groups, {name: int(n) for name, n in components.items()})
        planned.dag().execute_workflow("dryrun", group_settings=together)
        workflow = planned._workflow
        workflow._executor_plugin = ExecutorPluginRegistry().get_plugin("slurm")  # planned for that
        dag = workflow.dag
        for group in dag._group.values():
            group._resources = None
        jobs = {dag._group.get(job, job) for job in dag.jobs if not job.is_local}
        yield [job for job in jobs if getattr(job, "name", "") != "all"]


class TestSubmissionsOfThePaper:
    def test_there_are_at_most_two_hundred(self, submissions):
        assert 150 < len(submissions) <= 200, len(submissions)

    def test_the_measures_and_interpretations_of_a_system_on_a_data_set_are_one_each(
        self, submissions
    ):
        names = [job.groupid for job in submissions if job.is_group()]
        interpreted = ("l2i_att", "l2i_max", "l2i_bd")
        assert len(names) == len(set(names)) == 3 * 10 + 3 * len(interpreted) + 3
        assert "measures_esc50_l2i_att" in names and "classifier_openmic" in names
        assert {f"interpretations_openmic_{system}" for system in interpreted} < set(names)

    def test_no_job_is_given_more_than_four_hours_at_first_nor_a_group_a_day_at_last(
        self, submissions
    ):
        jobs = [job for each in submissions for job in getattr(each, "jobs", [each])]
        assert max(job.resources.get("runtime", 60) for job in jobs) == 240  # the profile's: 60
        longest = max(job.resources.get("runtime", 60) for job in submissions)
        n_attempts = 1 + yaml.safe_load((PROJECT / "slurm/config.yaml").read_text())["retries"]
        assert n_attempts * longest < 24 * 60

    def test_each_asks_for_one_gpu_or_none_and_for_the_cores_of_one_job(self, submissions):
        for job in submissions:
            rules = {each.rule.name for each in (job.jobs if job.is_group() else [job])}
            without = rules <= {"index_dataset", "project_relevances"}
            assert job.resources.get("gpu", 0) == (0 if without else 1), rules
            assert job.threads == (1 if without else 4)

    def test_memory_and_time_are_those_of_its_rule_and_data_set(self, submissions):
        asked = {
            (job.rule.name, job.wildcards.dataset, job.wildcards.get("system")): job.resources
            for job in submissions
            if not job.is_group() and job.wildcards.get("variant", "default") == "default"
        }
        small, large = (asked["train_system", name, "l2i_att"] for name in ("esc50", "openmic"))
        expected = {
            name: COSTS.of("train_system", JOB | {"dataset": name, "fold": fold})
            for name, fold in (("esc50", "1"), ("openmic", "official"))
        }
        assert small["runtime"] < large["runtime"] <= 240
        for name, given in (("esc50", small), ("openmic", large)):
            assert given["mem_mb"] == math.ceil(2000 + 1.5 * expected[name].memory_bytes / 1e6)
            seconds = min(expected[name].core_seconds / 4, expected[name].gpu_seconds)
            assert given["runtime"] == math.ceil(min(5 + 3 * seconds / 60, 240))
        assert small["runtime"] < asked["train_system", "esc50", "vibi"]["runtime"] <= 240
        group = next(
            j for j in submissions if getattr(j, "groupid", "") == "measures_esc50_l2i_att"
        )
        each = [job.resources["runtime"] for job in group.jobs]
        assert group.resources["runtime"] == sum(each)
        assert group.resources["mem_mb"] == max(job.resources["mem_mb"] for job in group.jobs)

    def test_the_page_of_costs_counts_the_same_jobs(self, submissions):
        """docs/run/costs.md, by documentation.costs_page."""
        jobs = [job for each in submissions for job in getattr(each, "jobs", [each])]
        planned = Counter((job.rule.name, job.wildcards.dataset) for job in jobs)
        counted = Counter(
            (rule, name) for name in PAPER["run"]["datasets"] for rule, _ in jobs_of(PAPER, name)
        )
        assert counted == planned

    def test_tables_and_figures_are_made_where_the_command_is_typed(self, submissions):
        rules = {each.rule.name for job in submissions for each in getattr(job, "jobs", [job])}
        assert not [
            name for name in rules if name.startswith(("tabulate", "draw", "compare", "list"))
        ]


def test_where_the_command_is_typed_nothing_is_tried_again_and_what_is_submitted_always():
    """Of a submitted job, the log decides: see above."""
    with loaded_workflow() as workflow:
        tried = {rule.name: rule._restart_times for rule in workflow.rules if not rule.norun}
        local = workflow._localrules & tried.keys()  # targets run nothing
        assert {name for name, retries in tried.items() if retries == 0} == local
        assert {retries for name, retries in tried.items() if name not in local} == {None}
        assert {"fetch_dataset", "check_dataset", "compare_systems"} < local
