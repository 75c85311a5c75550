"""Masks of clips, as the scripts measure them: of a network whose answers are known, and SLIME."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from helpers.known_networks import CLASSES, FRONT_END, RATE, Listener, known_pair, tones
from helpers.project import load_module
from helpers.small_networks import small_classifier
from l2i.datasets.fold import Fold
from l2i.evaluation.masked_scores import MASKS
from l2i.features.audio import write_wav
from l2i.features.cache import compute_features
from l2i.hashing import file_sha256
from l2i.interpretation.explained import ExplainedClassifier
from l2i.tables import read_rows
from l2i.training.task import Recordings

SECONDS = 1.6
N_TEST = 3
HOW = {"n_steps": 2, "n_clips": 9, "operators": ["log_magnitude", "noise_fill"], "seed": 0}
SLIME = {"segment_seconds": 0.4, "max_segments": 2, "kernel_width": 0.25, "ridge": 1.0}
SLIME["n_samples"] = 1  # of the clip as it is alone, from which nothing can be learned


@pytest.fixture
def recordings(tmp_path):
    """Three test clips, in whose second quarter is the tone that decides, and one to learn from."""
    rows, features = [], []
    (tmp_path / "data/esc50").mkdir(parents=True)
    for i in range(1 + N_TEST):
        x = tones(round(SECONDS * RATE), low=0.0, high=0.2)
        x[len(x) // 4 : len(x) // 2] += tones(len(x) // 4, low=0.6, high=0.0)
        x /= x.abs().max()
        path = tmp_path / f"data/esc50/clip{i}.wav"
        write_wav(path, x.numpy(), sample_rate=RATE)
        row = {"clip": f"clip{i}", "path": path.name, "fold": 2 if i == 0 else 1, "label": 0}
        rows.append(row | {"sha256": file_sha256(path), "source": f"of {i}"})
        features.append(compute_features(FRONT_END, x[None]))
    log_magnitude, log_mel = (torch.cat(each).numpy() for each in zip(*features, strict=True))

    def of(classifier):
        fold = Fold("esc50", "1", pd.DataFrame(rows), CLASSES, FRONT_END, "absolute")
        where = str(tmp_path / "data"), SECONDS, "cpu"
        return Recordings(fold, log_mel, log_magnitude, *where, classifier)

    return of


@pytest.fixture
def of_system(recordings, tmp_path):
    def run(**changes):
        pair = known_pair()
        network = SimpleNamespace(
            explained=lambda classifier, **how: ExplainedClassifier(
                classifier, pair.interpreter, **how
            )
        )
        facts = load_module("measure_masks").measure_masks(
            recordings(pair.classifier),
            network,
            str(tmp_path / "masks.csv"),
            threshold=0.1,
            relevance_pooling="model",
            relevance_scale="absolute",
            **{"system": "l2i_att", "variant": "default", "run": "0"},
            **HOW | changes,
        )
        return facts, read_rows(tmp_path / "masks.csv")

    return run


@pytest.fixture
def of_classifier(recordings, tmp_path):
    def run(classifier=None, methods=("slime",), **changes):
        paths = [str(tmp_path / f"{name}.csv") for name in methods]
        facts = load_module("measure_masks_of_classifier").measure_masks_of_classifier(
            recordings(classifier or Listener()),
            paths,
            methods=[*methods],
            **{"slime": SLIME | {"n_samples": 40}, "run": "0"},
            attributions={"n_steps": 8, "layer": "B5"},
            **HOW | changes,
        )
        return facts, *map(read_rows, paths)

    return run


def test_every_test_clip_has_a_row_for_each_operator(of_system):
    facts, rows = of_system()
    assert facts == {"n_clips": N_TEST}
    keys = ["dataset", "fold", "source", "system", "variant", "run", "clip"]
    assert list(rows) == [*keys, *MASKS]
    assert rows["clip"].tolist() == [f"clip{i}" for i in (1, 2, 3) for _ in range(2)]
    assert rows["operator"].tolist() == HOW["operators"] * N_TEST
    assert (rows["source"] == "of " + rows["clip"].str[-1]).all()
    assert (rows["class"] == "low").all()
    under = rows.set_index("operator")["probability_drop"]
    assert (under["log_magnitude"] > 0.9).all() and (under["noise_fill"] > 0.3).all()


def test_so_many_clips_are_drawn_the_same_for_systems_and_methods(of_system, of_classifier):
    facts, rows = of_system(n_clips=2)
    assert facts == {"n_clips": 2} and rows["clip"].nunique() == 2
    for seed in (3, 5, 7):  # whose draws differ between most purposes
        how = {"n_clips": 1, "seed": seed, "operators": ["linear_magnitude"]}
        (ours, theirs) = (measured(**how)[1]["clip"] for measured in (of_system, of_classifier))
        assert ours.tolist() == theirs.tolist()


def test_slime_keeps_the_time_of_the_tone_with_as_many_copies_as_are_asked_for(of_classifier):
    facts, rows = of_classifier()
    assert facts == {"n_clips": N_TEST} and (rows["system"] == "slime").all()
    assert (rows["probability_in"] > 0.9).all() and (rows["probability_drop"] > 0.9).all()
    cells = 513 * math.ceil(SECONDS * RATE / 512 + 1)
    # A quarter of the frames, or two quarters where the tone's edge lies in a neighbour.
    assert rows["complexity"].between(math.log(cells / 4.2), math.log(cells / 1.9)).all()


def test_each_method_has_a_file_of_its_own_of_the_same_decisions(of_classifier):
    methods = ["grad_cam", "slime", "integrated_gradients"]
    network = small_classifier()  # whose blocks are heard, as those of Listener are not
    facts, *tables = of_classifier(network.eval().requires_grad_(False), methods)
    assert facts == {"n_clips": N_TEST}
    for method, rows in zip(methods, tables, strict=True):
        assert {*rows["system"]} == {method} and len(rows) == N_TEST * 2
        for name in ("clip", "class", "operator", "probability_before"):
            assert rows[name].tolist() == tables[0][name].tolist()
    kept = [rows["energy_kept"].tolist() for rows in tables]
    assert kept[0] != kept[1] != kept[2]


def test_integrated_gradients_keep_the_tone_that_decides(of_classifier):
    _, rows = of_classifier(methods=["integrated_gradients"])
    assert (rows["probability_before"] > 0.99).all() and not rows["empty"].any()
    assert (rows["sparseness"] > 0.95).all() and rows["energy_kept"].between(1e-6, 0.2).all()


def test_where_nothing_is_decided_the_table_has_no_row(of_classifier):
    silent = Listener(multi_label=True)
    silent.thresholds.fill_(1.0)
    facts, rows = of_classifier(silent)
    assert facts == {"n_clips": N_TEST} and rows.empty and {*MASKS} <= {*rows}
