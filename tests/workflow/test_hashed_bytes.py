"""How much is read for hashes, all in all: the paper's configuration, at its real sizes."""

from __future__ import annotations

import re
from pathlib import Path, PurePath
from typing import NamedTuple

import pytest
import yaml

from helpers.loaded_workflow import jobs_of_paper
from helpers.project import PROJECT
from l2i.provenance.digests import file_of, is_digest

GB = 10**9
# Clips, those of one test split, frames of a clip, and bytes of the archives and of the clips.
CORPORA = {
    "esc50": (2000, 400, 431, 0.65 * GB, 0.9 * GB),
    "sonyc_ust": (18_510, 664, 862, 13.6 * GB, 18 * GB),
    "openmic": (20_000, 5085, 862, 2.6 * GB, 2.6 * GB),
}
# Bytes of other files at most, by the end of their paths; first match decides. The network of 14
# layers takes 0.32 GB, and a system by design holds one and what listens to it.
SIZES = {
    "dictionary.safetensors": 1e6,
    "/weights/audioset.safetensors": 0.33 * GB,
    "model.safetensors": 0.5 * GB,
    "index.csv": 7e6,
    "faithfulness.csv": 5e7,
    "relevances.csv": 6e7,
    "relevances_exchanged.csv": 6e7,
    ".csv": 5e6,
    ".json": 1e5,
    ".md": 1e5,
    ".tex": 1e5,
    ".svg": 1e6,
    ".png": 1e6,
    ".html": 1e6,
    "/provenance": 2e7,  # a folder of pages
    "/listen": 2e9,  # the listening page, of all folders of sounds
}
SOUNDS = 0.5 * GB  # of a folder of listening, stimuli, prototypes, an atlas or a listening test


class Job(NamedTuple):
    rule: str
    inputs: list[str]
    outputs: list[str]


def size_of(path):
    """Bytes of a file or folder of results."""
    if is_digest(path):
        return 100
    found = re.search(r"/features/(\w+)/log_(\w+)\.npy$", path)
    if found:
        n_clips, _, n_frames, *_ = CORPORA[found[1]]
        return n_clips * n_frames * {"magnitude": 513, "mel": 128}[found[2]] * 4
    for end, size in SIZES.items():
        if path.endswith(end):
            return size
    stages = ("listening", "corrupted", "stimuli", "listening_test", "prototypes", "atlas")
    assert any(f"/{stage}/" in path for stage in stages), path
    return SOUNDS


def is_folder(path):
    return not Path(path).suffix


@pytest.fixture(scope="module")
def jobs():
    """All jobs of the paper's configuration."""
    return [
        Job(job.rule.name, [*map(str, job.input)], [*map(str, job.output)])
        for job in jobs_of_paper()
        if not job.rule.norun
    ]


@pytest.fixture(scope="module")
def limit():
    """Bytes up to which Snakemake compares contents."""
    text = yaml.safe_load((PROJECT / "profiles/default/config.yaml").read_text())
    number, unit = re.fullmatch(r"(\d+)(MB)", text["max-checksum-file-size"]).groups()
    return int(number) * 10**6


def read_by_snakemake(jobs, limit):
    """After every job all inputs that are small enough, once for each of its outputs."""
    return sum(
        len(job.outputs) * size_of(path)
        for job in jobs
        for path in job.inputs
        if size_of(path) <= limit and not is_folder(path)
    )


def read_by_jobs(jobs):
    """Every output once; and again what is plain, for Snakemake touches it after the job.

    Of a folder it touches a file of its own, so that the hashes of the others stay known.
    """
    written = sum(size_of(file_of(path)) for job in jobs for path in job.outputs)
    return written + sum(
        size_of(path)
        for job in jobs
        for path in job.inputs
        if not is_digest(path) and not is_folder(path)
    )


def read_of_corpora(jobs):
    """Archives by two kinds of hashes; clips when they are listed, and when they are decoded."""
    archives = sum(archive for *_, archive, _ in CORPORA.values())
    clips = sum(clips for *_, clips in CORPORA.values())
    tested = sum(
        clips * n_test / n_clips
        for job in jobs
        if job.rule == "measure_faithfulness"  # takes components out of waveforms
        for name, (n_clips, n_test, *_, clips) in CORPORA.items()
        if f"/{name}/" in job.outputs[0]
    )
    return 2 * archives + 2 * clips + tested


def test_all_jobs_are_there(jobs):
    assert len(jobs) > 300 and all(job.outputs for job in jobs)
    assert {"train_system", "tabulate_cost"} <= {job.rule for job in jobs}


def test_less_than_a_third_of_a_terabyte_is_read_for_hashes(jobs, limit):
    by_snakemake, by_jobs = read_by_snakemake(jobs, limit), read_by_jobs(jobs)
    of_corpora = read_of_corpora(jobs)
    print(
        f"Snakemake {by_snakemake / GB:.1f} GB, jobs {by_jobs / GB:.1f} GB, "
        f"corpora {of_corpora / GB:.1f} GB"
    )
    assert by_snakemake + by_jobs + of_corpora < 1000 * GB / 3


def test_what_is_large_and_read_by_rules_is_declared_by_its_digest(jobs, limit):
    read = {path for job in jobs for path in job.inputs}
    folders = {path for path in read if is_folder(path)}  # which Snakemake never reads
    assert {PurePath(path).parts[2] for path in folders} == {
        "listening",
        "corrupted",
        "stimuli",
        "prototypes",
        *("listen", "listening_test", "provenance"),  # the first page leads to them
    }
    assert [path for path in sorted(read - folders) if size_of(path) > limit] == []
    digested = {path for job in jobs for path in job.outputs if is_digest(path)}
    assert digested == {path for path in read if is_digest(path)}
