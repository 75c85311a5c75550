"""Runs of Snakemake on a cluster of tests, with the profile of the repository."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from helpers.project import PROJECT
from helpers.slurm_cluster import Cluster, until

# A job that holds a GPU for seconds, and one without a GPU after it. The first may fail, and then
# says in its log what the harness says after bad input, or after a bug.
SNAKEFILE = """
import sys
sys.path.insert(0, "{workflow}")
from cluster import mend

mend()
LAST_WORDS = {{
    "bad": "error: clips.csv lacks a column",
    "bug": "Traceback (most recent call last)",
}}
SAYS = LAST_WORDS.get(config.get("fails"), "")


rule all:
    input:
        "results/end.txt",


rule train:
    output:
        "results/{{name}}.txt",
    log:
        "results/{{name}}.log",
    threads: 2
    resources:
        gpu=int(config.get("gpu", 1)),
        mem_mb=lambda wildcards, attempt: 300 * attempt,
    shell:
        "echo begun >> results/{{wildcards.name}}.begun; "
        "if [ -n '{{SAYS}}' ]; then echo '{{SAYS}}' > {{log}}; exit 1; fi; "
        "sleep {seconds}; echo trained > {{output}}"


rule end:
    input:
        "results/a.txt",
    output:
        "results/end.txt",
    shell:
        "cat {{input}} > {{output}}"
"""


class Run:
    """`snakemake --profile slurm` in a folder of its own, on a cluster, in the background."""

    def __init__(self, folder: Path, cluster: Cluster, variables: Mapping[str, str]) -> None:
        self.folder, self.cluster = folder, cluster
        clean = {k: v for k, v in os.environ.items() if not k.startswith("L2I_")}
        path = cluster.environment()["PATH"]
        self.environment = clean | {"PATH": path, "PYTHONUNBUFFERED": "1"} | dict(variables)

    def start(self, *arguments: str) -> Run:
        """Begin; what it prints is in `text`."""
        command = [sys.executable, "-m", "snakemake", "--profile", "slurm"]
        command += ["--slurm-init-seconds-before-status-checks", "5", "--latency-wait", "10"]
        with (self.folder / "run.out").open("w") as out:
            self.process = subprocess.Popen(
                [*command, *arguments],
                cwd=self.folder,
                env=self.environment,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        return self

    @property
    def text(self) -> str:
        """What was printed so far."""
        return (self.folder / "run.out").read_text(encoding="utf-8")

    def finished(self, seconds: float = 300) -> int:
        """Exit status; a run that takes longer has hung, and is ended."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it hangs: {self.text[-3000:]}") from None
        finally:
            self.kill()

    def running(self, name: str, seconds: float = 120) -> str:
        """Id of the first job of a rule or group that is running and has begun its work."""
        jobs = until(
            lambda: [j for j in self.cluster.jobs(name) if j["JobState"] == "RUNNING"], seconds
        )
        return jobs[0]["JobId"]

    def kill(self) -> None:
        """End the controller at once, as a reboot of the login node does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


def small_run(folder: Path, cluster: Cluster, *, seconds: int = 5, **variables: str) -> Run:
    """A run of two jobs that take seconds, with the profile and the executor of the repository."""
    folder.mkdir()
    text = SNAKEFILE.format(workflow=PROJECT / "workflow", seconds=seconds)
    (folder / "Snakefile").write_text(text)
    shutil.copytree(PROJECT / "slurm", folder / "slurm")
    return Run(folder, cluster, variables)
