"""A copy of the project in a folder of its own, and a run of it that takes seconds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import yaml

from l2i.synthetic.esc50 import write_esc50_archive

SOURCES = ["Snakefile", "config.yaml", "config", "workflow", "envs", "profiles", "slurm"]
ABLATED = {"dataset": "esc50", "fold": 1, "system": "l2i_att"}
TINY = {
    "name": "tiny",
    "run": {
        "datasets": ["esc50"],
        "systems": ["l2i_att", "l2i_max", "l2i_bd", "nmf_linear"],
        "single_run": ["nmf_linear"],
        "folds": [1, 2],
        "seeds": [0],
    },
    "machine": {"data": "data", "device": "cpu", "threads": 1},
    "features": {"mel_power": 1},
    "datasets": {
        "esc50": {
            "download": "tiny",
            "clip_seconds": 1.6,
            "paper_comparable": False,
            "dictionary": {"n_components": 6, "n_iter": 3},
            "classifier": {
                "weights": "scratch",
                "width": 0.125,
                "head_units": 8,
                "trainable": "all",
                "n_epochs": 2,
                "batch_size": 4,
            },
            "listening": [],
        }
    },
    "ablations": {
        "table_6": [{**ABLATED, "taps": [["B6"], ["B4", "B5", "B6"]]}],
        "table_7": [],
        "figure_6": [{**ABLATED, "n_components": [4, 6]}],
        "sanity": [{**ABLATED, "targets": []}],
    },
    "systems": {
        "l2i_att": {"by_dataset": {"esc50": {"n_epochs": 2, "batch_size": 4}}},
        "l2i_bd": {"by_dataset": {"esc50": {"n_epochs": 2, "batch_size": 4}}},
        "nmf_linear": {
            "settings": {"n_iter": 5},
            "grid": {
                "representation": ["sqrt_mel"],
                "n_components": [4],
                "inverse_regularization": [0.1, 1.0],
            },
        },
    },
    "evaluation": {
        "random": {"n_draws": 1},
        "masks": {"n_steps": 1, "n_clips": 2, "slime_samples": 8},
        "sanity": {"n_draws": 1},
    },
    "corruption": {"snr_db": [0, 10], "slime_samples": 4},
    "attributions": {"n_steps": 4},
    "statistics": {"n_bootstrap": 20, "n_permutations": 20},
}


class Project:
    """A copy of the repository's sources in a folder of its own.

    `pins` are those of its archive, corpus.zip, which the download `tiny` then is.
    """

    def __init__(self, folder, repository, overlay, pins=None):
        self.folder = folder
        folder.mkdir(parents=True)
        for name in SOURCES:
            copy = shutil.copytree if (repository / name).is_dir() else shutil.copy2
            copy(repository / name, folder / name)
        self.overlay, self.pins = overlay, pins
        self.configure(overlay)
        if pins is not None:
            self.pin(pins)

    def pin(self, pins):
        """Say what the download `tiny` must be."""
        path = self.folder / "workflow/reference/downloads.yaml"
        downloads = yaml.safe_load(path.read_text())
        downloads["corpora"]["tiny"] = {"url": "file:corpus.zip", **pins}
        path.write_text(yaml.safe_dump(downloads, sort_keys=False))

    def configure(self, overlay):
        (self.folder / "overlay.yaml").write_text(yaml.safe_dump(overlay))

    def snakemake(self, *arguments, check=True):
        command = [sys.executable, "-m", "snakemake", "--configfile", "overlay.yaml", *arguments]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )
        text = done.stdout + done.stderr
        assert not check or done.returncode == 0, text
        return done.returncode, text

    def run(self, *arguments, check=True):
        return self.snakemake("--cores", "2", *arguments, check=check)

    def planned(self):
        """Names of the rules that a run would execute now; what takes all results is left out."""
        _, text = self.snakemake("--dry-run")
        if "Nothing to be done" in text:
            return set()
        table = text.partition("Job stats:")[2].splitlines()[3:]
        names = (line.split()[0] for line in table[: table.index("")] if line.strip())
        return set(names) - {"all", "compose_index", "total"}


def make_corpus(path, **changes):
    """Make the archive of a tiny ESC-50; its pins."""
    options = {"n_folds": 2, "classes": ["chirp", "knock"], "n_clips_per_fold_and_class": 2}
    return write_esc50_archive(
        path, **options | changes, clip_seconds=1.6, sample_rate=44_100, seed=1
    )


def overlay_for(listening=()):
    """The tiny configuration, in which these clips are listened to."""
    overlay = json.loads(json.dumps(TINY))
    overlay["datasets"]["esc50"]["listening"] = list(listening)
    return overlay


def results(project):
    """Where a tiny project writes."""
    return project.folder / "results" / "tiny"
