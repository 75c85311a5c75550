"""A toy workflow around the real harness, planning, common.smk and profile."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager

from helpers.project import PROJECT

IMPORTS = """from beginning import tell_of_no_gpu
from embedding import asked_of
from l2i.provenance.runs import note_run
from planning import before_first_job, plan_by_records
"""
SNAKEFILE = """
ASKED = asked_of(workflow, config)
OUTSIDE = {}
plan_by_records()


configfile: PROJECT / "config.yaml"


include: "workflow/rules/common.smk"


PLACED = RESULTS


rule all:
    input:
        over_runs(RESULTS + "/scaled/{dataset}/fold{fold}.txt"),


rule count:
    output:
        number=RESULTS + "/counted/{dataset}.txt.digest",
        parts=directory(RESULTS + "/counted/{dataset}"),
    log:
        log_of(RESULTS + "/counted/{dataset}.log"),
    params:
        **identity("count", settings("datasets/{dataset}/start")),
    script:
        "workflow/scripts/count.py"


rule scale:
    input:
        number=RESULTS + "/counted/{dataset}.txt.digest",
        parts=RESULTS + "/counted/{dataset}",
    output:
        scaled=RESULTS + "/scaled/{dataset}/fold{fold}.txt",
    log:
        log_of(RESULTS + "/scaled/{dataset}/fold{fold}.log"),
    params:
        **identity("scale", settings("factor", "seed")),
    script:
        "workflow/scripts/scale.py"
"""

CONFIG = """
name: toy
seed: 0
factor: 2
run: {datasets: [a], systems: [s], folds: [1, 2], seeds: [0], single_run: []}
machine: {data: data, device: cpu, urls: {}}
datasets: {a: {start: 3, corpus: {layout: esc50}}}
ablations: {}
systems: {s: {measures: [fidelity]}}
"""

COUNT = '''
"""Count."""

from pathlib import Path

from harness import perform
from l2i.arithmetic import twice


def count(path_to_number, path_to_parts, *, start):
    # Of a size at which a file is waited for, so that its hash is known from then on.
    Path(path_to_number).write_text(str(twice(start)) + " " * 2_000_000)
    Path(path_to_parts).mkdir()
    (Path(path_to_parts) / "part").write_text("part")
    print("counted")


if __name__ == "__main__":
    perform(snakemake, count)
'''

SCALE = '''
"""Scale."""

from pathlib import Path

from packaging.version import Version

from harness import perform


def scale(path_to_number, path_to_parts, path_to_scaled, *, factor, seed, fold):
    number = int(Path(path_to_number).read_text()) * Version("1.0").major
    Path(path_to_scaled).write_text(f"{number * factor} in fold {fold}")
    print("scaled")


if __name__ == "__main__":
    perform(snakemake, scale)
'''

ARITHMETIC = '''
"""Arithmetic."""


def twice(x):
    """Two times x."""
    return 2 * x  # a comment
'''


def run_snakemake(folder, *arguments):
    """Run Snakemake where another `l2i` comes first on the import path."""
    (folder / "other/l2i").mkdir(parents=True, exist_ok=True)
    (folder / "other/l2i/__init__.py").write_text("raise ImportError('the wrong library')\n")
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder / "other")},
        capture_output=True,
        text=True,
        timeout=120,
    )


def run_l2i(folder, *arguments, cwd=None):
    """Run the command l2i of the project in `folder`, as a rule from there."""
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *map(str, arguments)],
        cwd=cwd or folder,
        env=os.environ | {"PYTHONPATH": str(folder / "workflow")},
        capture_output=True,
        text=True,
        timeout=120,
    )


# What is edited, and the rules that are run again; what follows them has its own reasons or none.
EDITS = [
    ({"workflow/l2i/arithmetic.py": ("2 * x", "x + x")}, {"count", "scale"}),
    ({"config.yaml": ("factor: 2", "factor: 3")}, {"scale"}),
    ({"config.yaml": ("start: 3", "start: 4")}, {"count", "scale"}),
    ({"envs/compute.txt": ("packaging==", "packaging==9.")}, {"scale"}),
]


@contextmanager
def edited(folder, changes):
    """The project after `changes`: {file: (before, after)}, undone afterwards."""
    originals = {name: (folder / name).read_text() for name in changes}
    try:
        for name, (before, after) in changes.items():
            assert before in originals[name]
            (folder / name).write_text(originals[name].replace(before, after))
        yield
    finally:
        for name, text in originals.items():
            (folder / name).write_text(text)


def planned_by_snakemake(folder, *arguments):
    """Outputs that a dry run would make, and their rules; of all rules but `all`."""
    done = run_snakemake(folder, "--dry-run", "--printshellcmds", *arguments)
    assert done.returncode == 0, done.stderr
    blocks = re.findall(
        r"^(?:local)?rule (\w+):\n(?:    .*\n)*?    output: (.*)$",
        done.stdout + done.stderr,
        re.MULTILINE,
    )
    return {path: rule for rule, outputs in blocks for path in outputs.split(", ")}


def make_toy(folder, **changes):
    """Write the project; `changes` are texts in the place of those of scripts, by their names."""
    for name in (
        "workflow/rules/common.smk",
        "workflow/beginning.py",
        "workflow/planning.py",
        "workflow/embedding.py",
        "envs/compute.txt",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, folder / name)
    for name in (
        "workflow/cli",
        "workflow/harness",
        "workflow/l2i",
        "workflow/configuration",
        "workflow/schemas",
        "workflow/reference",
        "profiles",
    ):
        shutil.copytree(PROJECT / name, folder / name)
    # Where code is found is stated by the real Snakefile.
    header, _, rest = (PROJECT / "Snakefile").read_text().partition("from beginning")
    on_start = rest.partition("onstart:\n")[2].partition("\n\nonsuccess:")[0]
    files = {
        "Snakefile": f"{header}{IMPORTS}{SNAKEFILE}\n\nonstart:\n{on_start}",
        "config.yaml": CONFIG,
        "workflow/l2i/arithmetic.py": ARITHMETIC,
    }
    scripts = {"count": COUNT, "scale": SCALE} | changes
    files |= {f"workflow/scripts/{name}.py": text for name, text in scripts.items()}
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text.lstrip())
