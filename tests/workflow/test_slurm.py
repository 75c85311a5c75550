"""`snakemake --profile slurm` on a real SLURM, through faults.

Most runs here are of jobs that sleep: what is tested is that the controller notices. The workflow
itself runs once, as a user types it. What is marked `cluster` runs by `make cluster` alone.
"""

import json
import shutil

import pytest

from helpers.project import PROJECT
from helpers.slurm_cluster import Cluster, NoSlurm, unpacked, until
from helpers.slurm_runs import Run, small_run
from helpers.tiny_project import Project, make_corpus, overlay_for, results

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def slurm():
    """SLURM's programs; without them the tests are skipped, with the reason."""
    try:
        return unpacked()
    except NoSlurm as reason:
        pytest.skip(f"no SLURM here: {reason}")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster without accounting, which `sacct` says, that forgets jobs late."""
    with Cluster(tmp_path_factory.mktemp("c")) as cluster:
        yield cluster


TRAIN = "results/a.txt"  # of small runs: the job with a GPU alone
GPU = {"L2I_GPU_PARTITION": "gpu", "L2I_CPU_PARTITION": "cpu"}


class TestAJobThatEnds:
    def test_a_job_that_was_cancelled_is_tried_again(self, cluster, tmp_path):
        run = small_run(tmp_path / "run", cluster, **GPU).start(TRAIN)
        cluster.run("scancel", run.running("train"))
        assert run.finished() == 0
        assert "ended as CANCELLED" in run.text
        first, second = cluster.jobs("train")[-2:]
        assert (first["JobState"], second["JobState"]) == ("CANCELLED", "COMPLETED")
        assert second["MinMemoryNode"] == "600M"  # twice as much at the second attempt

    @pytest.mark.cluster
    def test_a_job_past_its_time_limit_is_tried_again(self, cluster, tmp_path):
        run = small_run(tmp_path / "run", cluster, seconds=8, **GPU).start(TRAIN)
        cluster.run("scontrol", "update", f"jobid={run.running('train')}", "EndTime=now")
        assert run.finished() == 0
        assert "ended as TIMEOUT" in run.text

    def test_slurm_begins_anew_what_is_requeued_and_the_controller_waits(self, cluster, tmp_path):
        run = small_run(tmp_path / "run", cluster, **GPU).start(TRAIN)
        job = run.running("train")
        until((tmp_path / "run/results/a.begun").exists, 120)
        cluster.run("scontrol", "requeue", job)
        assert run.finished() == 0
        assert "Trying to restart" not in run.text
        assert (tmp_path / "run/results/a.begun").read_text().count("begun") == 2

    def test_slurm_begins_anew_what_ran_on_a_node_that_went_down(self, cluster, tmp_path):
        run = small_run(tmp_path / "run", cluster, **GPU).start(TRAIN)
        job = run.running("train")
        (node,) = [j["NodeList"] for j in cluster.jobs("train") if j["JobId"] == job]
        cluster.run("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
        assert run.finished() == 0
        assert cluster.jobs("train")[-1]["Restarts"] == "1"
        cluster.run("scontrol", "update", f"nodename={node}", "state=resume", check=False)
        until(lambda: cluster.states() == {"idle"}, 60)


class TestWhereJobsGo:
    def test_gpus_cores_and_memory_are_asked_for_where_they_are(self, cluster, tmp_path):
        run = small_run(tmp_path / "run", cluster, **GPU).start()
        assert run.finished() == 0
        train, end = cluster.jobs("train")[-1], cluster.jobs("end")[-1]
        assert (train["Partition"], train["TresPerJob"]) == ("gpu", "gres:gpu:1")
        assert (train["NumCPUs"], train["MinMemoryNode"]) == ("2", "300M")
        assert end["Partition"] == "cpu" and "TresPerJob" not in end

    @pytest.mark.cluster
    def test_without_a_gpu_a_rule_goes_where_the_others_go(self, cluster, tmp_path):
        run = small_run(tmp_path / "run", cluster, **GPU).start(TRAIN, "--config", "gpu=0")
        assert run.finished() == 0
        assert cluster.jobs("train")[-1]["Partition"] == "cpu"

    def test_a_refusal_names_the_variable_and_is_not_repeated(self, cluster, tmp_path):
        run = small_run(tmp_path / "run", cluster).start(TRAIN)
        assert run.finished() == 1
        assert "L2I_GPU_PARTITION=(not set)" in run.text
        assert run.text.count("sbatch failed") == 1 and "Trying to restart" not in run.text


class TestBadInput:
    def test_it_is_not_tried_again_and_its_log_is_shown(self, cluster, tmp_path):
        run = small_run(tmp_path / "run", cluster, **GPU)
        run.start(TRAIN, "--config", "fails=bad")
        assert run.finished() == 1
        assert "Trying to restart" not in run.text
        assert "error: clips.csv lacks a column" in run.text

    @pytest.mark.cluster
    def test_any_other_failure_is_tried_twice_more(self, cluster, tmp_path):
        run = small_run(tmp_path / "run", cluster, **GPU)
        run.start(TRAIN, "--config", "fails=bug")
        assert run.finished() == 1
        assert run.text.count("Trying to restart") == 2


class TestTheWorkflow:
    """The literal command, from a path with a space: ESC-50 of the tiny project, one system."""

    @pytest.fixture(scope="class")
    def project(self, tmp_path_factory):
        folder = tmp_path_factory.mktemp("tiny")
        pins = make_corpus(folder / "corpus.zip")
        overlay = overlay_for()
        overlay["run"] |= {"systems": ["l2i_att"], "folds": [1]}
        overlay["machine"] |= {"device": "any", "threads": 2}  # its GPUs are none
        overlay["systems"] = {"l2i_att": overlay["systems"]["l2i_att"]}
        # Long enough to be ended in the middle.
        overlay["systems"]["l2i_att"]["by_dataset"]["esc50"]["n_epochs"] = 200
        overlay["ablations"] = {"table_6": [], "table_7": [], "figure_6": []}
        overlay["listening"] = {"slime": False}
        project = Project(folder / "a project", PROJECT, overlay, pins)
        shutil.copy(folder / "corpus.zip", project.folder)
        return project

    @pytest.fixture(scope="class")
    def finished(self, project, cluster):
        run = Run(project.folder, cluster, GPU).start("--configfile", "overlay.yaml")
        assert run.finished(900) == 0, run.text[-3000:]
        return project

    def test_it_writes_its_tables_and_keeps_the_logs(self, finished):
        assert (results(finished) / "tables/table_4.csv").is_file()
        logs = finished.folder / "results/logs/slurm"
        assert list(logs.glob("rule_train_system/*/*.log"))

    def test_jobs_ask_for_what_their_rules_say(self, finished, cluster):
        train = cluster.jobs("train_system")[-1]
        assert (train["Partition"], train["TresPerJob"], train["NumCPUs"]) == (
            "gpu",
            "gres:gpu:1",
            "2",
        )
        assert cluster.jobs("index_dataset")[-1]["Partition"] == "cpu"

    def test_the_measures_of_a_system_are_one_job_with_one_gpu(self, finished, cluster):
        jobs = cluster.jobs("measures_")
        assert [job["TresPerJob"] for job in jobs] == ["gres:gpu:1"]
        assert not cluster.jobs("tabulate")

    def test_the_record_names_the_job_and_its_node(self, finished):
        record = next(results(finished).rglob("model.safetensors.record.json"))
        assert json.loads(record.read_text())["slurm"]["node"] in {"gpu1", "gpu2"}

    @pytest.fixture(scope="class")
    def trained(self, finished):
        """The weights of the system: their path in the project, and what they are."""
        (path,) = results(finished).glob("systems/**/model.safetensors")
        return path.relative_to(finished.folder), path.read_bytes()

    @pytest.fixture
    def again(self, trained):
        """A command that wants the weights themselves: the tables do not need them any more."""
        return [f"{trained[0]}.digest", "--configfile", "overlay.yaml"]

    @pytest.fixture
    def retraining(self, finished, trained, again, cluster):
        """A run that trains the system again, and its job; the same weights must come of it."""
        model = finished.folder / trained[0]
        model.unlink(missing_ok=True)
        run = Run(finished.folder, cluster, GPU).start(*again)
        job = run.running("train_system")
        log = model.with_name("train_system.log")
        until(lambda: log.is_file() and "epoch 3 " in log.read_text(), 120)
        yield run, job
        assert model.read_bytes() == trained[1]

    @pytest.mark.parametrize(
        "fault",
        [
            pytest.param(("scancel", "{job}"), id="scancel"),
            pytest.param(("scontrol", "requeue", "{job}"), id="requeue"),
            pytest.param(
                ("scontrol", "update", "jobid={job}", "EndTime=now"),
                id="time-out",
                marks=pytest.mark.cluster,
            ),
            pytest.param(
                ("scontrol", "update", "nodename={node}", "state=down", "reason=test"),
                id="node-down",
                marks=pytest.mark.cluster,
            ),
        ],
    )
    def test_weights_are_the_same_bytes_after_a_fault(self, retraining, cluster, fault):
        run, job = retraining
        (node,) = {j["NodeList"] for j in cluster.jobs("train_system") if j["JobId"] == job}
        cluster.run(*(word.format(job=job, node=node) for word in fault))
        try:
            assert run.finished(900) == 0, run.text[-3000:]
        finally:
            cluster.run("scontrol", "update", f"nodename={node}", "state=resume", check=False)

    def test_weights_are_the_same_bytes_after_a_killed_controller(self, retraining, again):
        """Whatever still runs: the later job waits for the earlier one, or takes over from it."""
        run, _ = retraining
        run.kill()
        run.start("--configfile", "overlay.yaml", "--unlock")
        assert run.finished() == 0
        run.start(*again)
        assert run.finished(900) == 0, run.text[-3000:]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"min_job_age": 2}, id="no-accounting"),
        pytest.param({"min_job_age": 2, "sacct": False}, id="no-sacct", marks=pytest.mark.cluster),
        pytest.param({"min_job_age": 2, "accounting": True}, id="accounting"),
    ],
)
def test_jobs_that_leave_the_queue_at_once_are_not_waited_for(options, tmp_path_factory):
    folder = tmp_path_factory.mktemp("c")
    with Cluster(folder / "slurm", **options) as cluster:
        run = small_run(folder / "run", cluster, **GPU).start(TRAIN)
        assert run.finished() == 0
        again = small_run(folder / "again", cluster, seconds=30, **GPU).start(TRAIN)
        cluster.run("scancel", again.running("train"))
        assert again.finished() == 0
        assert "Trying to restart" in again.text
