"""Jobs that are killed at any moment: nothing is lost, stale, half-written or in the way."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from harness import perform
from helpers.kills import HALF, die, killed, moments
from helpers.records import write_result
from l2i.provenance import records
from l2i.provenance.currency import Identity, KnownRecords, differences
from l2i.provenance.digests import digest_path
from l2i.provenance.records import load_record
from l2i.training import checkpoints
from l2i.training.checkpoints import checkpoint_path
from l2i.training.loop import Plan, train
from l2i.training.optimizers import Adam
from l2i.weights import save_weights

CODE, ENV = "c" * 64, "{}"
# What may differ between two records of the same work.
OF_THE_DAY = {"started_at", "finished_at", "seconds", "runtime"}


class Named(dict):
    """Stands for Snakemake's lists with names."""


def work(
    path_to_clips, path_to_table, path_to_audio, path_to_array, *, factor, scratch, checkpoints
):
    """Write a table, a folder and a large file, with all that a job may leave on its way."""
    Path(scratch, "maps").write_text("maps")
    Path(checkpoints).mkdir(exist_ok=True)
    Path(checkpoints, "network.pt").write_text("weights")
    print("at work")
    Path(path_to_table).write_text(Path(path_to_clips).read_text() * factor)
    Path(path_to_audio, "deep").mkdir(parents=True)
    for name in ("a.wav", "deep/b.wav"):
        Path(path_to_audio, name).write_text(f"sound {factor}")
    Path(path_to_array).write_text(f"array {factor}")


class Job:
    """A job of `factor` in a project of its own, and what should come of it."""

    def __init__(self, folder: Path, factor: int) -> None:
        results = folder / "results/run"
        self.files = [results / name for name in ("table.csv", "audio", "array.npy")]
        table, audio, array = map(str, self.files)
        self.described = SimpleNamespace(
            rule="work",
            input=Named(clips=str(folder / "results/clips.csv")),
            output=Named(table=table, audio=audio, array=str(digest_path(array))),
            params=SimpleNamespace(settings=json.dumps({"factor": factor}), code=CODE, env=ENV),
            wildcards=Named(fold="1"),
            log=[str(results / "work.log")],
            threads=1,
            config={"machine": {}},
        )

    def perform(self) -> None:
        perform(self.described, work)

    def is_current(self) -> bool:
        """Whether the planner would leave it: all that it declares exists, by the right records."""
        job, known = self.described, KnownRecords()
        clips = job.input["clips"]
        today = Identity(
            rule=job.rule,
            wildcards=dict(job.wildcards),
            settings=json.loads(job.params.settings),
            code=CODE,
            pins={},
            inputs=[("clips", clips, known.sha256_of(clips))],
        )
        return all(Path(path).exists() for path in job.output.values()) and not any(
            differences(known.identity_of(path), today) for path in self.files
        )

    def content(self) -> dict[str, str]:
        """All that its files hold, with what is the same in the records of every such job."""
        found = {}
        for path in self.files:
            each = sorted(path.rglob("*.wav")) if path.is_dir() else [path]
            found |= {str(file): file.read_text() for file in each}
            record = load_record(path)
            record["inputs"] = [used | {"hash": ""} for used in record["inputs"]]
            lasting = {key: value for key, value in record.items() if key not in OF_THE_DAY}
            found[f"{path} record"] = json.dumps(lasting)
        return found | {"digest": digest_path(self.files[-1]).read_text()}


def names_below(folder: Path) -> set[str]:
    """Names of all that lies there, but for what is known of hashes, which may be lost."""
    paths = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    return {path for path in paths if not re.fullmatch(r"results/\.hashes/\w+\.json", path)}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The folder of a project with one input, in which the jobs work."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "project"
    (folder / "results/run").mkdir(parents=True)
    clips = folder / "results/clips.csv"
    write_result(clips, "clip\na\n")
    monkeypatch.chdir(folder)
    # Asking git and the package index of Python takes longer than all the rest.
    monkeypatch.setattr(records, "describe_git", lambda folder: None)
    told = {"pins": {}, "software": {"python": "3"}, "departures": {}, "libraries": []}
    monkeypatch.setattr(records, "describe_environment", lambda pins: told)
    return folder


def put_back(template: Path, folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path)
    shutil.copytree(template, folder, dirs_exist_ok=True)


def an_hour_later(folder: Path) -> None:
    """Whom nobody can ask whether it lives is known by its silence."""
    for path in folder.rglob("*"):
        if path.is_file() and ("/.part" in str(path) or "/.lock-" in str(path)):
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 3600))


@pytest.mark.parametrize("before", ["nothing", "other settings", "the same"])
def test_a_job_killed_at_any_moment(project, tmp_path, before):
    """It is then not taken for made, and done again it is as if it had never been killed."""
    jobs, right, names = {2: Job(project, 2), 3: Job(project, 3)}, {}, {}
    template = tmp_path / "template"
    shutil.copytree(project, template)
    for factor, each in jobs.items():
        each.perform()
        right[factor], names[factor] = each.content(), names_below(project)
        put_back(template, project)
    if before != "nothing":
        jobs[3 if before == "the same" else 2].perform()
        shutil.copytree(project, template, dirs_exist_ok=True)
    for path in filter(Path.is_file, template.rglob("*")):
        os.utime(path, (1e9, 1e9))  # so old that hashes are remembered, in each life alike
    put_back(template, project)
    job, problems = jobs[3], []
    lived = [*moments(job.perform, project)]
    for moment in lived:
        put_back(template, project)
        die(job.perform, project, moment)
        for factor, each in jobs.items():
            if each.is_current() and each.content() != right[factor]:
                problems.append(f"{moment}: something else is taken for what {factor} makes")
        an_hour_later(project)
        job.perform()
        if job.content() != right[3]:
            problems.append(f"{moment}: done again, it is not the same")
        if "at work" not in Path(job.described.log[0]).read_text():
            problems.append(f"{moment}: the log of who made it is lost")
        if left := names_below(project) ^ names[3]:
            problems.append(f"{moment}: {left} too much or too few")
    assert not problems, "\n".join(problems)
    assert len(lived) > (20 if before == "the same" else 80), "else nothing is tried"


def learn(path_to_clips, path_to_weights, *, seed, checkpoints):
    """Train a small network with random numbers in each step, and a checkpoint after it."""
    torch.manual_seed(seed)
    network = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Dropout(0.3))

    def batch_losses(rows, epoch):
        x = torch.stack([rows, rows.cos()], dim=1) + torch.randn(len(rows), 2)
        return {"total": network(x).square().mean()}

    path = checkpoint_path(Path(checkpoints), "cpu", torch.float32)
    train(network, batch_losses, 11, Plan(3, 4, 1e-2), checkpoint=path)
    save_weights(path_to_weights, network.state_dict(), kind="any")


class TestTraining:
    """Of three epochs of three steps."""

    @pytest.fixture
    def training(self, project, monkeypatch):
        """A job that trains; the bytes that it makes if it lives, and the files that are then."""
        monkeypatch.setattr(checkpoints, "INTERVAL_SECONDS", 0.0)
        described = Job(project, 2).described
        described.output = Named(weights=str(project / "results/run/weights.safetensors"))
        described.params.settings = '{"seed": 3}'

        def work():
            perform(described, learn)
            return Path(described.output["weights"]).read_bytes(), names_below(project)

        whole = work()
        shutil.rmtree(project / "results/run")
        (project / "results/run").mkdir()
        return work, whole

    @pytest.mark.parametrize("step", range(1, 10))
    def test_killed_in_a_step(self, training, monkeypatch, step):
        work, whole = training
        with monkeypatch.context() as context:
            context.setattr(Adam, "step", dies_in_call(step, Adam.step))
            killed(work)
        assert len([*Path().rglob(".checkpoints-*/*.pt")]) == (step > 1)
        assert work() == whole

    @pytest.mark.parametrize("number", range(1, 10))
    def test_killed_when_half_of_a_checkpoint_is_written(self, training, monkeypatch, number):
        work, whole = training
        with monkeypatch.context() as context:
            context.setattr(torch, "save", dies_in_call(number, torch.save, leaving=HALF))
            killed(work)
        assert [path.read_bytes() for path in Path().rglob(".part-*.pt")] == [HALF]
        assert work() == whole


def dies_in_call(number, real, *, leaving=None):
    """A function in the place of another, which kills its process in one of its calls."""
    calls = itertools.count(1)

    def function(first, *arguments, **options):
        if next(calls) == number:
            if leaving is not None:
                arguments[0].write(leaving)
                arguments[0].flush()
            os.kill(os.getpid(), signal.SIGKILL)
        return real(first, *arguments, **options)

    return function
