"""The model that ships: small, safe to read, and as good as its card says."""

import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from helpers.project import PROJECT
from l2i.features.cache import load_waveform
from l2i.models import SHIPPED, load
from l2i.names import CLASSIFIER
from l2i.pages.model_card import model_card
from l2i.weights import read_identity

FOLDER = SHIPPED.parent
CARD = read_identity(SHIPPED)["card"]


def configured():
    return yaml.safe_load((PROJECT / "config/listener.yaml").read_text())


def test_all_of_it_together_takes_4_megabytes_at_most():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 4_000_000
    assert {path.name for path in FOLDER.iterdir()} == {
        *("model.safetensors", "MODEL_CARD.md", "about.yaml")
    }


def test_the_card_in_words_is_of_the_facts_in_the_file():
    assert (FOLDER / "MODEL_CARD.md").read_text(encoding="utf-8") == model_card(CARD, SHIPPED.name)
    about = yaml.safe_load((FOLDER / "about.yaml").read_text(encoding="utf-8"))
    assert CARD["about"] == [[*each] for each in about.items()]


def test_it_was_made_by_the_shipped_configuration_of_committed_code():
    config, made = configured(), CARD["made_by"]
    assert CARD["name"] == config["name"] and [int(CARD["fold"])] == config["run"]["folds"]
    assert made["commit"] and made["uncommitted_changes"] is False


def test_the_card_gives_accuracy_fidelity_and_faithfulness_with_intervals():
    said = {(each["system"] == CLASSIFIER, each["metric"]): each for each in CARD["measured"]}
    for key in [(True, "accuracy"), (False, "top_1_fidelity"), (False, "ff_median")]:
        assert said[key]["low"] < said[key]["mean"] < said[key]["high"]
    assert CARD["clips"] | {"test": 80, "train": 320} == CARD["clips"]


def test_rounding_changed_next_to_nothing():
    stored = CARD["stored_as"]
    assert stored["n_same_class"] >= stored["n_clips"] - 1
    assert stored["share_of_components_selected_otherwise"] < 0.005


def test_its_front_end_is_that_of_the_configuration():
    config = yaml.safe_load((PROJECT / "config.yaml").read_text())["features"]
    config |= configured()["features"]
    model = load()
    assert asdict(model.front_end) | {"waveform_scale": model.waveform_scale} == config


@pytest.mark.skipif("L2I_DATA" not in os.environ, reason="needs real recordings: set L2I_DATA")
def test_on_the_clips_of_its_test_fold_it_scores_what_its_card_says():
    folder = Path(os.environ["L2I_DATA"]) / "esc10"
    table = pd.read_csv(folder / "meta/esc50.csv")
    table = table[table["fold"] == int(CARD["fold"])]
    assert len(table) == CARD["clips"]["test"]
    found = {path.stem: path for path in (folder / "audio").rglob("*.*")}
    model, right, same = load(), [], []
    clips = table["filename"].str.rsplit(".", n=1).str[0]
    for clip, name in zip(clips, table["category"], strict=True):
        x = load_waveform(
            found[clip],
            sample_rate=model.front_end.sample_rate,
            scale=model.waveform_scale,
            n_samples=round(model.clip_seconds * model.front_end.sample_rate),
        )
        M = model.front_end.log_mel(model.front_end.stft(torch.from_numpy(x)))[None]
        logits, interpretation = model.explained.explain(M, M.shape[1])
        right.append(model.classes[int(logits.argmax())] == name)
        same.append(int(logits.argmax()) == int(interpretation.logits.argmax()))
    said = {each["metric"]: each["mean"] for each in CARD["measured"]}
    one = 100 / len(table)  # rounding and the format of numbers in training may turn one clip
    assert abs(100 * np.mean(right) - said["accuracy"]) <= one * 1.01
    assert abs(100 * np.mean(same) - said["top_1_fidelity"]) <= one * 1.01
