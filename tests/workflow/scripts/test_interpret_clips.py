"""Interpretations of clips, as the script writes them: of a network whose answers are known."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from torch.testing import assert_close

from helpers.known_networks import CLASSES, FRONT_END, LOW, RATE, known_pair, tones
from helpers.project import load_module
from l2i.datasets.fold import Fold
from l2i.features.spectral import log_magnitude, phase_of
from l2i.hashing import file_sha256
from l2i.interpretation.explained import ExplainedClassifier
from l2i.interpretation.relevance import soft_masked
from l2i.names import file_name
from l2i.training.task import Recordings

CLIP_SECONDS = 1.6
# Clips below full scale: both tones, for longer than is decided on; and the high one alone.
SOUNDS = {"both": 0.4 * tones(2 * RATE), "high": 0.4 * tones(round(1.6 * RATE), low=0.0)}


@pytest.fixture
def run(tmp_path):
    """Run the script; gives its facts and the folder that it wrote."""
    folder = tmp_path / "data/esc50"
    folder.mkdir(parents=True)
    rows = []
    for i, (name, x) in enumerate([("train", SOUNDS["both"]), *SOUNDS.items()]):
        soundfile.write(folder / f"{name}.wav", x.numpy(), RATE, subtype="FLOAT")
        rows.append({"clip": name, "path": f"{name}.wav", "fold": 2 - (i > 0), "label": i % 2})
        rows[-1]["sha256"] = file_sha256(folder / f"{name}.wav")
    everything = [{"clip": name} for name in SOUNDS]

    def run(
        predictor="classifier",
        multi_label=False,
        threshold=0.1,
        thresholds=0.5,
        entries=everything,
    ):
        (tmp_path / "clips.json").write_text(json.dumps(entries))
        index, name = pd.DataFrame(rows), "1"
        if multi_label:
            name = "official"
            index["split"] = np.where(index["fold"] == 1, "test", "train")
            labels = {"label_low": [1, 1, np.nan], "label_not low": [0, 0, 1], "label_never": 0}
            index = index.drop(columns=["fold", "label"]).assign(**labels)
        fold = Fold("esc50", name, index, CLASSES, FRONT_END, "absolute")
        pair = known_pair(multi_label)
        if multi_label:
            pair.classifier.thresholds.fill_(thresholds)
        recordings = Recordings(
            fold, None, None, str(tmp_path / "data"), CLIP_SECONDS, "cpu", pair.classifier
        )
        network = SimpleNamespace(
            explained=lambda classifier, **how: ExplainedClassifier(
                classifier, pair.interpreter, predictor=predictor, **how
            )
        )
        sounds = tmp_path / f"sounds-{len([*tmp_path.glob('sounds-*')])}"
        facts = load_module("interpret_clips").interpret_clips(
            recordings=recordings,
            network=network,
            path_to_clips=str(tmp_path / "clips.json"),
            path_to_sounds=str(sounds),
            threshold=threshold,
            relevance_scale="absolute",
        )
        return facts, sounds

    return run


def described(folder):
    return json.loads((folder / "interpretation.json").read_text())


class TestScript:
    def test_each_sound_stands_with_its_kind_and_what_the_predictor_hears_in_it(self, run):
        facts, folder = run()
        assert facts == {"n_clips": 2, "n_interpretations": 2}
        about = described(folder / "both/low")
        assert (about["predictor"], about["right"], about["decided"]) == ("classifier", False, True)
        assert about["front_end"] == vars(FRONT_END)
        kinds = {name: said["kind"] for name, said in about["sounds"].items()}
        parts = {"interpretation": "interpretation", "remainder": "remainder"}
        assert kinds == parts | {"component_000": "component"}
        heard = {name: said["probabilities"]["low"] for name, said in about["sounds"].items()}
        assert heard["interpretation"] > 0.99 and heard["component_000"] > 0.99
        assert heard["remainder"] < 0.01, "without the low tone it is another class"
        assert about["classifier_probabilities"]["low"] > 0.99

    def test_of_what_is_silent_nothing_is_said(self, run):
        about = described(run()[1] / "high" / file_name("not low"))
        assert about["right"] is False and about["sounds"]["remainder"]["probabilities"]
        silent = about["sounds"]["interpretation"]
        assert silent["probabilities"] is None and silent["level_dbfs"] is None

    def test_masks_follow_from_the_arrays_beside_the_sounds(self, run):
        _, folder = run()
        W, H = np.load(folder / "dictionary.npy"), np.load(folder / "both/activations.npy")
        assert W.dtype == H.dtype == np.float32 and W.shape == (513, 4)
        x, _ = soundfile.read(folder / "both/input.wav", dtype="float32")
        assert H.shape == (4, FRONT_END.n_frames(len(FRONT_END.to_whole_hops(torch.from_numpy(x)))))
        gain = described(folder / "both/low")["gain_to_original"]
        S = FRONT_END.stft(FRONT_END.to_whole_hops(torch.from_numpy(x) / gain))
        L = torch.tensor([True, False, False, False])
        taken = soft_masked(log_magnitude(S), torch.from_numpy(W), torch.from_numpy(H), L)
        sound = gain * FRONT_END.inverse(taken, phase_of(S), len(x))
        written, _ = soundfile.read(folder / "both/low/interpretation.wav", dtype="float32")
        assert_close(torch.from_numpy(written), sound, atol=1e-5, rtol=0)
        assert np.abs(FRONT_END.stft(sound).numpy()[LOW]).mean() > 1

    def test_by_design_the_interpreter_is_asked(self, run):
        about = described(run("interpreter")[1] / "both/low")
        assert about["predictor"] == "interpreter"
        # It says the same of every sound, as its activations are always the same.
        said = [each["probabilities"] for each in about["sounds"].values()]
        assert all(each == pytest.approx(about["interpreter_probabilities"]) for each in said)

    def test_a_clip_without_any_decision_is_interpreted_for_the_most_probable_class(self, run):
        facts, folder = run(multi_label=True, thresholds=1.0)
        assert facts["n_interpretations"] == 2
        about = described(folder / "both/low")
        assert about["decided"] is False and about["right"] is True
        assert described(folder / "high" / file_name("not low"))["right"] is True

    def test_what_nobody_has_labelled_is_neither_right_nor_wrong(self, run):
        _, folder = run(multi_label=True, thresholds=0.0)
        right = [described(path.parent)["right"] for path in folder.glob("high/*/*.json")]
        assert sorted(map(str, right)) == ["False", "None", "True"]

    def test_an_entry_that_names_a_class_is_interpreted_for_that_class(self, run):
        entries = [{"clip": "both", "class": "low"}, {"clip": "both", "class": "never"}]
        facts, folder = run(entries=entries)
        assert facts == {"n_clips": 1, "n_interpretations": 2}
        decided = {name: described(folder / "both" / name)["decided"] for name in ("low", "never")}
        assert decided == {"low": True, "never": False}

    def test_of_a_mixture_what_was_planted_is_written_and_held_against_what_is_heard(self, run):
        mixed = {"clip": "high", "corruption": {"kind": "class", "snr_db": 0.0, "seed": 0}}
        entries = [mixed | {"class": name} for name in ("low", "not low")]
        _, folder = run(entries=entries)
        clip = folder / file_name("high with both at 0 dB")
        x = {path.stem: soundfile.read(path)[0] for path in clip.glob("*.wav")}
        assert x["source"] + x["other"] == pytest.approx(x["input"], abs=1e-6)
        assert x["source"] == pytest.approx(SOUNDS["high"].numpy(), abs=1e-5)
        for target, should_be in [("low", ("source", "other")), ("not low", ("other", "source"))]:
            about = described(clip / file_name(target))
            assert about["corruption"] == mixed["corruption"] and about["right"] is True
            assert about["labels"] == ["low", "not low"]
            assert about["planted"]["other"] | {"level_dbfs": 0} == {
                "file": "other.wav",
                "labels": ["not low"],
                "clip": "both",
                "level_dbfs": 0,
            }
            for sound, planted in zip(("interpretation", "remainder"), should_be, strict=True):
                told = about["sounds"][sound]["truth"]
                assert told["planted"] == planted
                heard = soundfile.read(clip / file_name(target) / f"{sound}.wav")[0]
                found = decibel_along(heard, x[planted])
                assert told["si_sdr_db"] == (found and pytest.approx(found, abs=0.01))
                assert told["input_si_sdr_db"] == pytest.approx(
                    decibel_along(x["input"], x[planted]), abs=0.01
                )


def decibel_along(x, truth):
    """SI-SDR by the angle between two sounds; None of silence."""
    if not x.any():
        return None
    cosine = x @ truth / np.linalg.norm(x) / np.linalg.norm(truth)
    return 20 * np.log10(abs(cosine) / np.sqrt(1 - cosine**2))
