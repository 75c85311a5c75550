"""What jobs ask a scheduler for: cores, memory, time and a GPU. No targets here.

Two cores and no scheduler are enough to run everything: then only cores count.
"""

import math
import os

# Of the jobs that train, or pass clips through networks. What a CPU adds up in another order
# differs in its last bits, so the overlays that are compared from machine to machine have 1.
THREADS = config["machine"]["threads"]
GPU = 0 if config["machine"]["device"] == "cpu" else 1
# Where several jobs are submitted as one, they take turns: one GPU, and the cores of one, will do.
TURN = {"turn": 1}

# Measured on ESC-10 (0.56 h, one core, bfloat16): core-minutes and GB for an hour of audio.
USE = {
    "cache_features": (0.1, 0.0),
    "learn_dictionary": (0.8, 1.0),
    "train_classifier": (8.7, 2.0),
    "train_system": (5.2, 2.0),
    "measure": (0.6, 0.7),
    "measure_corruption": (1.2, 0.7),  # of one fold of five, ten mixtures of each of its clips
    "measure_corruption_references": (40.0, 0.7),  # with about 100 copies of each for SLIME
    "measure_sanity": (5.0, 2.0),  # of 22 networks
    "interpret_clips": (0.1, 0.7),  # of tens of clips, whatever their data set holds
    "index_dataset": (0.1, 0.0),
    "compose_atlas": (0.1, 0.1),  # of 400 clips at most
    "explain_by_attribution": (0.2, 0.1),  # of a few clips
    "measure_masks": (17.0, 0.1),
    "measure_masks_of_classifier": (72.0, 0.1),
}
OF_SOME_CLIPS = {"measure_masks", "measure_masks_of_classifier"}  # evaluation.masks.n_clips at most
# Hours of audio by the name of the download; what is not known counts as the largest.
HOURS = {"esc50": 2.8, "sonyc_ust": 51.4, "openmic": 55.6}
HOURS |= {"synthetic_esc50": 0.1, "synthetic_sonyc_ust": 0.1, "synthetic_openmic": 0.1}

START = 5  # minutes for a job to load its libraries from a slow disk
MARGIN = 3  # times what was measured; a GPU counts as the cores that feed it, to be safe
# Training goes on from its checkpoint and large arrays give way to the memory there is, so that
# asking for more than this would only make a job wait longer.
MOST_MINUTES, MOST_GB, BASE_GB = 240, 32, 4


def asks(use, gpu=False, **more):
    """Resources of a rule: `USE[use]` by the hours of its data set, growing with each attempt."""
    core_minutes, gb = USE[use]
    cores = THREADS if gpu else 1

    def runtime(wildcards, attempt):
        once = MARGIN * core_minutes * _hours(wildcards, use) / cores
        return attempt * math.ceil(min(START + once * _trainings(wildcards, use), MOST_MINUTES))

    def mem_mb(wildcards, attempt):
        return attempt * math.ceil(1000 * min(BASE_GB + gb * _hours(wildcards, use), MOST_GB))

    return {"runtime": runtime, "mem_mb": mem_mb} | (_gpu() if gpu else {}) | more


def _gpu():
    """One GPU, by the name that a cluster has for it, if any."""
    name = os.environ.get("L2I_GPU_GRES") if GPU else None
    return {"gres": name} if name else {"gpu": GPU}


def _hours(wildcards, use):
    """Hours of audio that a job goes through."""
    dataset = config["datasets"][wildcards.dataset]
    hours = HOURS.get(dataset["download"], max(HOURS.values()))
    some = config["evaluation"]["masks"]["n_clips"] * dataset["clip_seconds"] / 3600
    return min(hours, some) if use in OF_SOME_CLIPS else hours


def _trainings(wildcards, use):
    """How often a job trains: once for each combination of a grid, and with the one it takes."""
    grid = config["systems"][wildcards.system].get("grid", {}) if use == "train_system" else {}
    n = math.prod(map(len, grid.values()))
    return n + 1 if n > 1 else 1
