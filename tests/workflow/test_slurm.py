"""`snakemake --profile slurm` on a real SLURM, through faults.

Most runs here are of jobs that sleep: what is tested is that the controller notices. The workflow
itself runs once, as a user types it.
"""

import json
import re
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


GPU = {"L2I_GPU_PARTITION": "gpu", "L2I_CPU_PARTITION": "cpu"}


class TestManyFaultsAtOnce:
    """One run, of which each job meets another fault."""

    NAMES = ("lost", "cancelled_without_gpu", "late_without_gpu", "requeued_without_gpu")
    FAULTS = {
        "lost": "update nodename={NodeList} state=down reason=test",
        "late_without_gpu": "update jobid={JobId} EndTime=now",
        "requeued_without_gpu": "requeue {JobId}",
    }

    @pytest.fixture(scope="class")
    @classmethod
    def run(cls, cluster, tmp_path_factory):
        run = small_run(tmp_path_factory.mktemp("faults") / "run", cluster, **GPU)
        targets = [f"results/{name}.txt" for name in (*cls.NAMES, "bad", "bug")]
        run.start(*targets, "results/end.txt")
        cluster.run("scancel", run.sleeping("cancelled_without_gpu")["JobId"])
        for name, fault in cls.FAULTS.items():
            cluster.run("scontrol", *fault.format_map(run.sleeping(name)).split())
        try:
            run.status = run.finished()
        finally:
            cluster.resume_nodes()
        return run

    def test_all_that_can_be_made_is_made_whatever_has_failed_and_the_status_tells(self, run):
        made = {path.name for path in (run.folder / "results").glob("*.txt")}
        assert made == {f"{name}.txt" for name in (*self.NAMES, "quick", "end")}
        assert run.status == 1

    def test_a_job_that_was_cancelled_is_tried_again_with_more_memory(self, run, cluster):
        first, second = cluster.jobs("train_wildcards_cancelled")
        assert (first["JobState"], second["JobState"]) == ("CANCELLED", "COMPLETED")
        assert (first["MinMemoryNode"], second["MinMemoryNode"]) == ("300M", "600M")

    def test_a_job_past_its_time_limit_is_tried_again(self, run, cluster):
        first, second = cluster.jobs("train_wildcards_late")
        assert (first["JobState"], second["JobState"]) == ("TIMEOUT", "COMPLETED")
        assert second["TimeLimit"] == "02:00:00"  # twice as long

    @pytest.mark.parametrize("name", ["requeued", "lost"])
    def test_slurm_begins_anew_what_is_requeued_or_lost_and_the_controller_waits(
        self, run, cluster, name
    ):
        (job,) = cluster.jobs(f"train_wildcards_{name}")
        assert (job["JobState"], job["Restarts"]) == ("COMPLETED", "1")

    def test_bad_input_is_not_tried_again_and_its_log_is_shown(self, run, cluster):
        assert len(cluster.jobs("train_wildcards_bad")) == 1
        assert "error: clips.csv lacks a column" in run.text
        assert "Not tried again" in run.text

    def test_any_other_failure_is_tried_twice_more(self, run, cluster):
        jobs = cluster.jobs("train_wildcards_bug")
        assert [job["JobState"] for job in jobs] == ["FAILED"] * 3

    def test_gpus_cores_and_memory_are_asked_for_where_they_are(self, run, cluster):
        (train,) = cluster.jobs("train_wildcards_quick")
        assert (train["Partition"], train["TresPerJob"]) == ("gpu", "gres:gpu:1")
        assert (train["NumCPUs"], train["MinMemoryNode"]) == ("2", "300M")
        for name in ("end", "train_wildcards_late"):  # one asks for no GPU, and one for none
            without = cluster.jobs(name)[0]
            assert without["Partition"] == "cpu" and "TresPerJob" not in without


def test_a_refusal_names_the_variable_and_is_not_repeated(cluster, tmp_path):
    run = small_run(tmp_path / "run", cluster).start("results/quick.txt")
    assert run.finished() == 1
    assert "L2I_GPU_PARTITION=(not set)" in run.text
    assert run.text.count("sbatch failed") == 1 and "Trying to restart" not in run.text


class TestTheWorkflow:
    """The literal command, from a path with a space: ESC-50 of the tiny project, one system."""

    @pytest.fixture(scope="class")
    @classmethod
    def project(cls, tmp_path_factory):
        folder = tmp_path_factory.mktemp("tiny")
        pins = make_corpus(folder / "corpus.zip")
        overlay = overlay_for()
        overlay["run"] |= {"systems": ["l2i_att"], "folds": [1]}
        overlay["machine"] |= {"device": "any", "threads": 2}  # its GPUs are none
        overlay["systems"] = {"l2i_att": overlay["systems"]["l2i_att"]}
        # Long enough to be ended in the middle.
        overlay["systems"]["l2i_att"]["by_dataset"]["esc50"]["n_epochs"] = 400
        overlay["ablations"] = {"table_6": [], "table_7": [], "figure_6": [], "sanity": []}
        overlay["listening"] = {"slime": False, "attributions": False}
        project = Project(folder / "a project", PROJECT, overlay, pins)
        shutil.copy(folder / "corpus.zip", project.folder)
        return project

    @pytest.fixture(scope="class")
    @classmethod
    def finished(cls, project, cluster):
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

    @pytest.mark.parametrize("group", ["measures_", "interpretations_", "classifier_"])
    def test_what_is_asked_of_one_network_is_one_job_with_one_gpu(self, finished, cluster, group):
        assert [job["TresPerJob"] for job in cluster.jobs(group)] == ["gres:gpu:1"]
        assert not cluster.jobs("tabulate")

    def test_the_record_names_the_job_and_its_node(self, finished):
        record = next(results(finished).rglob(".records/model.safetensors.json"))
        assert json.loads(record.read_text())["slurm"]["node"] in {"gpu1", "gpu2"}

    def test_weights_are_the_same_bytes_after_every_fault(self, finished, cluster):
        """One training, ended again and again, each time when it has come further.

        When the controller is killed and started again, the job that it has left runs on: the
        later one waits for it, or takes over from it.
        """
        (model,) = results(finished).glob("systems/**/model.safetensors")
        before = model.read_bytes()
        training = Training(finished.folder, cluster, model)
        training.start("--retries", "3")
        # SLURM looks at time limits twice a minute; until then, training must not come to its end.
        late = "scontrol update jobid={JobId} EndTime=now"
        training.strike("scancel --signal=STOP {JobId}", late)
        training.strike("scancel {JobId}")
        training.strike("scancel --signal=USR1 {JobId}")  # as sbatch --signal=USR1@60 sends it
        training.strike("scontrol requeue {JobId}")
        training.strike("scontrol update nodename={NodeList} state=down reason=test", told=False)
        training.kill()
        training.start("--unlock")
        assert training.finished() == 0
        training.start()
        assert training.finished(600) == 0, training.text[-3000:]
        cluster.resume_nodes()
        assert model.read_bytes() == before


class Training(Run):
    """A run that trains one system anew, in a log that goes on from start to start."""

    def __init__(self, folder, cluster, model):
        super().__init__(folder, cluster, GPU)
        self.target = f"{model.relative_to(folder)}.digest"  # no table needs it any more
        below = model.relative_to(results(self)).with_name("train_system.log")
        self.log = results(self) / "logs" / below
        self.n_starts = self.n_seen = 0
        for path in (model, self.log, self.log.with_suffix(".history.csv")):
            path.unlink()

    def start(self, *arguments):
        return super().start(self.target, *arguments, "--configfile", "overlay.yaml")

    def went_on_after(self):
        """The epoch from which each start of the job went on, the earliest first; None of none."""
        logs = [self.log, *self.log.parent.glob(f".log-*-{self.log.name}")]  # see harness/log.py
        text = max((log.read_text() for log in logs if log.exists()), key=len, default="")
        starts = re.split("--- started (?!again)", text)[1:]
        found = [re.search(r"^going on after epoch (\d+)", s, re.MULTILINE) for s in starts]
        return [each and int(each[1]) for each in found]

    def n_epochs(self):
        """How many epochs the history tells of while it grows, which must be none twice."""
        grown = self.log.with_suffix(".history.csv")
        rows = grown.read_text().splitlines()[1:] if grown.exists() else []
        epochs = [int(row.split(",")[0]) for row in rows]
        assert epochs == [*range(1, len(epochs) + 1)]
        return len(epochs)

    def strike(self, *faults, told=True):
        """Have faults end the job when it has come further than before, and wait until it goes on.

        From where it was, if the job was told to end: it writes a checkpoint then.
        """
        began = self.n_seen
        until(
            lambda: len(self.went_on_after()) > self.n_starts and self.n_epochs() > began + 3, 120
        )
        job, self.n_starts = self.running("train_system"), len(self.went_on_after())
        for fault in faults:
            self.cluster.run(*fault.format_map(job).split())

        def goes_on():
            starts = self.went_on_after()
            if len(starts) == self.n_starts:
                self.n_seen = max(self.n_seen, self.n_epochs())
            return len(starts) > self.n_starts and starts[-1]

        until(goes_on, 120)
        after = self.went_on_after()[self.n_starts]
        assert after >= self.n_seen or (not told and after > 0), (faults, after, self.n_seen)
        self.n_seen = after


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
        run = small_run(folder / "run", cluster, **GPU)
        run.start("results/quick.txt", "results/cancelled.txt")
        cluster.run("scancel", run.sleeping("cancelled")["JobId"])
        assert run.finished() == 0
        assert run.text.count("Trying to restart") == 1
