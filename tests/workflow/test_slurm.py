"""`snakemake --profile slurm` on a real SLURM, through faults.

Most runs here are of two jobs that sleep: what is tested is that the controller notices. The
workflow itself runs once, as a user types it.
"""

import pytest

from helpers.slurm_cluster import Cluster, NoSlurm, unpacked, until
from helpers.slurm_runs import small_run

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


GPU = {"L2I_GPU_PARTITION": "gpu", "L2I_CPU_PARTITION": "cpu"}


class TestAJobThatEnds:
    def test_a_job_that_was_cancelled_is_tried_again(self, cluster, tmp_path):
        run = small_run(tmp_path / "run", cluster, **GPU).start()
        cluster.run("scancel", run.running("train"))
        assert run.finished() == 0
        assert "ended as CANCELLED" in run.text
        first, second = cluster.jobs("train")[-2:]
        assert (first["JobState"], second["JobState"]) == ("CANCELLED", "COMPLETED")
        assert second["MinMemoryNode"] == "600M"  # twice as much at the second attempt

    def test_a_job_past_its_time_limit_is_tried_again(self, cluster, tmp_path):
        run = small_run(tmp_path / "run", cluster, seconds=8, **GPU).start()
        cluster.run("scontrol", "update", f"jobid={run.running('train')}", "EndTime=now")
        assert run.finished() == 0
        assert "ended as TIMEOUT" in run.text

    def test_slurm_begins_anew_what_is_requeued_and_the_controller_waits(self, cluster, tmp_path):
        run = small_run(tmp_path / "run", cluster, **GPU).start()
        job = run.running("train")
        until((tmp_path / "run/results/a.begun").exists, 120)
        cluster.run("scontrol", "requeue", job)
        assert run.finished() == 0
        assert "Trying to restart" not in run.text
        assert (tmp_path / "run/results/a.begun").read_text().count("begun") == 2

    def test_slurm_moves_a_job_from_a_node_that_is_down(self, cluster, tmp_path):
        run = small_run(tmp_path / "run", cluster, **GPU).start()
        job = run.running("train")
        (node,) = [j["NodeList"] for j in cluster.jobs("train") if j["JobId"] == job]
        cluster.run("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
        try:
            assert run.finished() == 0
        finally:
            cluster.run("scontrol", "update", f"nodename={node}", "state=resume")
        assert cluster.jobs("train")[-1]["NodeList"] != node


class TestWhereJobsGo:
    def test_gpus_cores_and_memory_are_asked_for_where_they_are(self, cluster, tmp_path):
        run = small_run(tmp_path / "run", cluster, **GPU).start()
        assert run.finished() == 0
        train, end = cluster.jobs("train")[-1], cluster.jobs("end")[-1]
        assert (train["Partition"], train["TresPerJob"]) == ("gpu", "gres:gpu:1")
        assert (train["NumCPUs"], train["MinMemoryNode"]) == ("2", "300M")
        assert end["Partition"] == "cpu" and "TresPerJob" not in end

    def test_without_a_gpu_a_rule_goes_where_the_others_go(self, cluster, tmp_path):
        run = small_run(tmp_path / "run", cluster, **GPU).start("--config", "gpu=0")
        assert run.finished() == 0
        assert cluster.jobs("train")[-1]["Partition"] == "cpu"

    def test_a_refusal_names_the_variable_and_is_not_repeated(self, cluster, tmp_path):
        run = small_run(tmp_path / "run", cluster).start()
        assert run.finished() == 1
        assert "L2I_GPU_PARTITION=(not set)" in run.text
        assert run.text.count("sbatch failed") == 1 and "Trying to restart" not in run.text


class TestBadInput:
    def test_it_is_not_tried_again_and_its_log_is_shown(self, cluster, tmp_path):
        run = small_run(tmp_path / "run", cluster, **GPU)
        run.start("--config", "says=error: clips.csv lacks a column")
        assert run.finished() == 1
        assert "Trying to restart" not in run.text
        assert "error: clips.csv lacks a column" in run.text

    def test_any_other_failure_is_tried_twice_more(self, cluster, tmp_path):
        run = small_run(tmp_path / "run", cluster, **GPU)
        run.start("--config", "says=Traceback (most recent call last):")
        assert run.finished() == 1
        assert run.text.count("Trying to restart") == 2


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"min_job_age": 2}, id="no-accounting"),
        pytest.param({"min_job_age": 2, "sacct": False}, id="no-sacct"),
        pytest.param({"min_job_age": 2, "accounting": True}, id="accounting"),
    ],
)
def test_jobs_that_leave_the_queue_at_once_are_not_waited_for(options, tmp_path_factory):
    folder = tmp_path_factory.mktemp("c")
    with Cluster(folder / "slurm", **options) as cluster:
        run = small_run(folder / "run", cluster, **GPU).start()
        assert run.finished() == 0
        again = small_run(folder / "again", cluster, seconds=30, **GPU).start()
        cluster.run("scancel", again.running("train"))
        assert again.finished() == 0
        assert "Trying to restart" in again.text
