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

# Jobs that a fault has to end: started for the first time, they sleep for long. Those of some names
# are done at once, or fail and say in their log what the harness says after bad input, or after a
# bug. The last waits for one of them.
SNAKEFILE = """
import sys
sys.path.insert(0, "{workflow}")
from cluster import mend

mend()
LAST_WORDS = {{
    "bad": "error: clips.csv lacks a column",
    "bug": "Traceback (most recent call last)",
}}


rule all:
    input:
        "results/end.txt",


rule train:
    output:
        "results/{{name}}.txt",
    log:
        "results/{{name}}.log",
    threads: 2
    params:
        says=lambda wildcards: LAST_WORDS.get(wildcards.name, ""),
        seconds=lambda wildcards: 0 if wildcards.name == "quick" else 120,
    resources:
        gpu=lambda wildcards: 0 if "without_gpu" in wildcards.name else 1,
        mem_mb=lambda wildcards, attempt: 300 * attempt,
    shell:
        "echo begun >> results/{{wildcards.name}}.begun; "
        "if [ -n '{{params.says}}' ]; then echo '{{params.says}}' > {{log}}; exit 1; fi; "
        "[ $(wc -l < results/{{wildcards.name}}.begun) -gt 1 ] || sleep {{params.seconds}}; "
        "echo trained > {{output}}"


rule end:
    input:
        "results/quick.txt",
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
        command += ["--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "10"]
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

    def running(self, name: str, seconds: float = 120) -> dict[str, str]:
        """The first job of a rule, and of such wildcards, that is running."""
        return until(
            lambda: [j for j in self.cluster.jobs(name) if j["JobState"] == "RUNNING"], seconds
        )[0]

    def sleeping(self, name: str) -> dict[str, str]:
        """The job of a small run that makes a result, once it has begun its work."""
        until((self.folder / f"results/{name}.begun").exists, 120)
        return self.running(f"train_wildcards_{name}")

    def kill(self) -> None:
        """End the controller at once, as a reboot of the login node does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


def small_run(folder: Path, cluster: Cluster, **variables: str) -> Run:
    """A run of the jobs above, with the profile and the executor of the repository."""
    folder.mkdir()
    (folder / "Snakefile").write_text(SNAKEFILE.format(workflow=PROJECT / "workflow"))
    shutil.copytree(PROJECT / "slurm", folder / "slurm")
    return Run(folder, cluster, variables)
