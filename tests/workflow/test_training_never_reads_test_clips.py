"""The training scripts by hand: what they must never read, and what they must refuse.

Everything of the test fold is poisoned with NaN. Whatever touches it comes out as NaN or fails, so
finite results equal to those of clean data prove that nothing did.
"""

import json

import numpy as np
import pandas as pd
import pytest
from safetensors.torch import load_file

from helpers.project import load_script
from l2i.checks import InputError

FEATURES = {
    "sample_rate": 44_100,
    "n_fft": 1024,
    "hop_length": 512,
    "n_mels": 128,
    "mel_power": 1,
    "waveform_scale": "absolute",
}
DICTIONARY = {
    "solver": "hals",
    "n_components": 4,
    "n_noise_components": 0,
    "clips_per_class": None,
    "sparsity": 0.8,
    "n_iter": 3,
}
CLASSIFIER = {
    "weights": "scratch",
    "width": 0.125,
    "head_units": 8,
    "dropout": 0.2,
    "trainable": "all",
    "n_epochs": 2,
    "batch_size": 4,
    "learning_rate": 1.0e-3,
    "schedule": "constant",
    "augmentation": {},
    "positive_weight": None,
    "decision": "validate",
    "precision": "float32",
}
INTERPRETER = {
    "pooling": "attention",
    "taps": ["B4", "B5", "B6"],
    "attention": "shared",
    "dropout": 0.4,
    "reconstruction_weight": 10.0,
    "sparsity_weight": 0.8,
    "fidelity_weight": [[1, 1.0]],
    "targets": "classifier",
    "n_epochs": 2,
    "batch_size": 4,
    "learning_rate": 2.0e-4,
}
START = {"width": 0.125, "head_units": 8, "dropout": 0.2}
BY_DESIGN = {
    **{k: v for k, v in INTERPRETER.items() if k not in ("fidelity_weight", "targets")},
    "predictor": "classifier",
    "prediction_weight": 1.0,
    "fidelity_weight": 1.0,
    "schedule": "constant",
    "crop": 0.95,
}
VIBI = {
    "temperature": 0.5,
    "n_draws": 1,
    "chunk_mels": 32,
    "chunk_frames": 35,
    "ema_decay": 0.9,
    "published_sampling": False,
    "n_epochs": 1,
    "batch_size": 4,
    "learning_rate": 1e-3,
    "schedule": "constant",
    "information_weight": 0.01,
}
NEEDS = ("classifier", "dictionary", "weights")
JOB = {"features": FEATURES, "dataset": "esc50", "device": "cpu"}
N_CLIPS, N_FRAMES = 12, 140
SYSTEM = {"module": "posthoc", "clip_seconds": 1.6, "data": "nowhere", "variant": "default"}


@pytest.fixture
def files(tmp_path, rng):
    index = pd.DataFrame(
        {
            "clip": [f"clip{i}" for i in range(N_CLIPS)],
            "source": [f"source{i}" for i in range(N_CLIPS)],
            "sha256": [f"hash{i}" for i in range(N_CLIPS)],
            "fold": [1 + i % 3 for i in range(N_CLIPS)],
            "label": [i // 3 % 2 for i in range(N_CLIPS)],
        }
    )
    index.to_csv(tmp_path / "index.csv", index=False)
    (tmp_path / "classes.json").write_text(json.dumps(["dog", "rain"]))
    mel = rng.normal(-40, 10, (N_CLIPS, N_FRAMES, 128)).astype(np.float32)
    magnitude = rng.random((N_CLIPS, 513, N_FRAMES), dtype=np.float32)
    for name, array in {"mel": mel, "magnitude": magnitude}.items():
        np.save(tmp_path / f"{name}.npy", array)
        array[index["fold"] == 2] = np.nan
        np.save(tmp_path / f"{name}_poisoned.npy", array)
    return tmp_path


def chain(files, suffix, fold="2", dictionary=DICTIONARY, classifier=CLASSIFIER):
    """Dictionary, classifier and interpreter of a fold; state dicts by name."""

    def path(name):
        return str(files / f"{name}{suffix}")

    table = {
        "path_to_index": str(files / "index.csv"),
        "path_to_classes": str(files / "classes.json"),
    }
    mel = {"path_to_log_mel": path("mel") + ".npy"}
    magnitude = {"path_to_log_magnitude": path("magnitude") + ".npy"}
    load_script("learn_dictionary")(
        **table,
        **magnitude,
        path_to_dictionary=path("dictionary"),
        path_to_history=path("objective"),
        dictionary=dictionary,
        seed=0,
        fold=fold,
        checkpoints=path("parts"),
        **JOB,
    )
    load_script("train_classifier")(
        **table,
        **mel,
        path_to_weights=[],
        path_to_model=path("classifier"),
        path_to_history=path("history"),
        classifier=classifier,
        seed=0,
        fold=fold,
        checkpoints=path("checkpoints"),
        **JOB,
    )
    for name, settings, needs, start in [
        ("posthoc", INTERPRETER, ["classifier", "dictionary"], None),
        ("by_design", BY_DESIGN, ["dictionary"], START),
    ]:
        inputs = {f"path_to_{k}": [path(k)] if k in needs else [] for k in NEEDS}
        load_script("train_system")(
            **table,
            **mel,
            **magnitude,
            **inputs,
            path_to_model=path(name),
            path_to_history=path("losses"),
            **SYSTEM | {"module": name},
            system_settings=dict(settings),
            grid={},
            precision="float32",
            start=start,
            positive_weight=None,
            selection=None,
            fold=fold,
            system=name,
            run="0",
            checkpoints=path("checkpoints"),
            scratch=str(files),
            **JOB,
        )
    found = ("dictionary", "classifier", "posthoc", "by_design")
    return {name: load_file(path(name)) for name in found}


def test_no_training_ever_reads_a_test_clip(files):
    clean, poisoned = (chain(files, suffix) for suffix in ("", "_poisoned"))
    for name, state in clean.items():
        for key, value in state.items():
            assert value.isfinite().all()
            assert value.equal(poisoned[name][key]), f"{name}: {key} has seen test clips"


def test_neither_does_the_selection_of_settings(files):
    """Nor does the classifier that settings are selected on, which is not the fold's."""
    facts = []
    for suffix in ("", "_poisoned"):
        chain(files, suffix)
        facts.append(
            load_script("train_system")(
                path_to_index=str(files / "index.csv"),
                path_to_classes=str(files / "classes.json"),
                path_to_log_mel=str(files / f"mel{suffix}.npy"),
                path_to_log_magnitude=str(files / f"magnitude{suffix}.npy"),
                path_to_classifier=[str(files / f"classifier{suffix}")],
                path_to_dictionary=[],
                path_to_weights=[],
                path_to_model=str(files / f"vibi{suffix}"),
                path_to_history=str(files / f"losses{suffix}"),
                **SYSTEM | {"module": "vibi"},
                system_settings=VIBI,
                grid={"n_kept": [1, 8]},
                precision="float32",
                start=START,
                positive_weight=None,
                selection={"seed": 0, "metric": "accuracy", "classifier": CLASSIFIER},
                fold="2",
                system="vibi",
                run="0",
                checkpoints=str(files / f"checkpoints_vibi{suffix}"),
                scratch=str(files),
                **JOB,
            )
        )
    clean, poisoned = facts
    assert clean["selection_scores"] == poisoned["selection_scores"]
    assert all(each["score"] is not None for each in clean["selection_scores"])
    clean, poisoned = (load_file(files / name) for name in ("vibi", "vibi_poisoned"))
    assert all(value.equal(poisoned[key]) for key, value in clean.items())


def split_officially(files):
    """Make the corpus multi-label, with one split; which part each clip is of."""
    split = np.array(["train", "train", "validate", "test"] * (N_CLIPS // 4))
    labels = np.where(np.arange(2 * N_CLIPS).reshape(N_CLIPS, 2) % 5 < 2, 1.0, 0.0)
    index = pd.DataFrame({"clip": [f"clip{i}" for i in range(N_CLIPS)], "split": split})
    index["sha256"] = index["source"] = index["clip"]
    index[["label_dog", "label_rain"]] = labels
    index.to_csv(files / "index.csv", index=False)
    return split


def test_no_training_ever_reads_a_test_clip_of_an_official_split(files):
    """Thresholds come from the clips for validation, and those train nothing."""
    split = split_officially(files)
    for name in ("mel", "magnitude"):
        array = np.load(files / f"{name}.npy")
        for poisoned in ("test", "validate"):
            array[split == poisoned] = np.nan
            np.save(files / f"{name}_{poisoned}.npy", array)
    per_class = DICTIONARY | {"n_noise_components": 1, "clips_per_class": 2}
    clean, without_test, without_both = (
        chain(files, suffix, "official", per_class) for suffix in ("", "_test", "_validate")
    )
    for name, state in clean.items():
        for key, value in state.items():
            assert value.isfinite().all()
            assert value.equal(without_test[name][key]), f"{name}: {key} has seen test clips"
            if key != "thresholds":
                assert value.equal(without_both[name][key]), f"{name}: {key} has seen validation"
    assert clean["classifier"]["thresholds"].tolist() != [0.5, 0.5]


def test_a_classifier_that_decides_for_nothing_leaves_nothing_to_explain(files):
    split_officially(files)
    chain(files, "", "official", classifier=CLASSIFIER | {"decision": 0.9999})
    facts = load_script("measure_faithfulness")(
        path_to_index=str(files / "index.csv"),
        path_to_classes=str(files / "classes.json"),
        path_to_log_mel=str(files / "mel.npy"),
        path_to_log_magnitude=str(files / "magnitude.npy"),
        path_to_classifier=[str(files / "classifier")],
        path_to_system=str(files / "posthoc"),
        path_to_faithfulness=str(files / "faithfulness.csv"),
        thresholds=[0.1],
        random={"threshold": 0.1, "n_draws": 1, "baselines": ["all"], "n_removed": "mean"},
        relevance_pooling="model",
        relevance_scale="absolute",
        seed=0,
        fold="official",
        system="posthoc",
        run="0",
        **SYSTEM,
        **JOB,
    )
    table = pd.read_csv(files / "faithfulness.csv")
    assert table.empty and {"dataset", "clip", "class", "probability_drop"} <= set(table)
    assert (facts["n_clips"], facts["n_explained"]) == (3, 0)


def test_training_does_read_every_training_clip(files):
    for name in ("mel", "magnitude"):
        array = np.load(files / f"{name}.npy")
        array[0] = np.nan  # a clip of fold 1
        np.save(files / f"{name}_broken.npy", array)
    with pytest.raises(InputError, match=r"finite|non-negative|nan"):
        chain(files, "_broken")


def test_a_pair_that_does_not_belong_together_is_refused(files):
    chain(files, "")
    classifier = load_script("train_classifier")
    classifier(
        path_to_index=str(files / "index.csv"),
        path_to_classes=str(files / "classes.json"),
        path_to_log_mel=str(files / "mel.npy"),
        path_to_weights=[],
        path_to_model=str(files / "other"),
        path_to_history=str(files / "history"),
        classifier=CLASSIFIER,
        seed=1,
        fold="2",
        checkpoints=str(files / "checkpoints"),
        **JOB,
    )
    for system, model, reason in [
        ("l2i_max", "classifier", "system is 'posthoc', expected 'l2i_max'"),
        ("posthoc", "other", "classifier_sha256 is"),
    ]:
        with pytest.raises(InputError, match=reason):
            load_script("measure_fidelity")(
                path_to_index=str(files / "index.csv"),
                path_to_classes=str(files / "classes.json"),
                path_to_log_mel=str(files / "mel.npy"),
                path_to_log_magnitude=str(files / "magnitude.npy"),
                path_to_classifier=[str(files / model)],
                path_to_system=str(files / "posthoc"),
                path_to_fidelity=str(files / "fidelity.csv"),
                fold="2",
                system=system,
                run="0",
                **SYSTEM,
                **JOB,
            )
