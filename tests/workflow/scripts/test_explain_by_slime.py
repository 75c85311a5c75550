"""SLIME's explanations of clips, as the script writes them."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from torch.testing import assert_close

from helpers.project import load_script
from l2i.checks import InputError
from l2i.datasets.fold import Fold
from l2i.features.spectral import FrontEnd
from l2i.hashing import file_sha256
from l2i.interpretation.slime import Slime
from l2i.networks.classifier import Classifier
from l2i.networks.stored_classifier import save_classifier

RATE = 44_100
FRONT_END = FrontEnd(sample_rate=RATE, n_fft=1024, hop_length=512, n_mels=128, mel_power=1)
FEATURES = {**vars(FRONT_END), "waveform_scale": "absolute"}
SETTINGS = Slime(segment_seconds=0.5, max_segments=5, n_samples=1000, kernel_width=0.25, ridge=1.0)
LENGTHS = {"train": 1.6, "short": 1.2, "exact": 1.6, "long": 2.0}


@pytest.fixture
def corpus(tmp_path):
    """Three test clips below full scale, one shorter and one longer than what is decided on."""
    noise = np.random.default_rng(3)
    folder = tmp_path / "data/esc50"
    folder.mkdir(parents=True)
    rows = []
    for i, (name, seconds) in enumerate(LENGTHS.items()):
        x = noise.uniform(-0.3, 0.3, round(seconds * RATE)).astype(np.float32)
        soundfile.write(folder / f"{name}.wav", x, RATE, subtype="FLOAT")
        rows.append({"clip": name, "path": f"{name}.wav", "fold": 2 - (i > 0), "label": i % 2})
        rows[-1]["sha256"] = file_sha256(folder / f"{name}.wav")
    pd.DataFrame(rows).to_csv(tmp_path / "index.csv", index=False)
    return tmp_path


@pytest.fixture
def run(corpus):
    """Run the script; gives its facts and the folder that it wrote."""
    choose, script = load_script("choose_clips"), load_script("explain_by_slime")
    n_written = 0

    def run(listening=("short", "exact", "long"), *, multi_label=False, entries=None, **changes):
        nonlocal n_written
        n_written += 1
        index, name = pd.read_csv(corpus / "index.csv"), "1"
        if multi_label:
            name = "official"
            index["split"] = np.where(index["fold"] == 1, "test", "train")
            index = index.assign(label_dog=[1, 0, 1, 0], label_rain=[1, 1, 1, np.nan])
            index.drop(columns=["fold", "label"]).to_csv(corpus / "index.csv", index=False)
        fold = Fold("esc50", name, index, ["dog", "rain"], FRONT_END, "absolute")
        torch.manual_seed(0)
        network = Classifier(2, width=0.125, head_units=8, multi_label=multi_label).eval()
        with torch.no_grad():
            network.output.weight.mul_(1000)  # a fresh network hardly hears a difference
            network.output.bias.copy_(-network(torch.full((1, 138, 128), -40.0))[0])
        if multi_label:
            network.thresholds.fill_(0.0)  # decides for both classes
        save_classifier(corpus / "classifier", network, **fold.identity)
        (corpus / "classes.json").write_text(json.dumps(fold.classes))
        given = {"n_samples": 60, "segment_seconds": 0.2, "max_segments": 3}
        files = {"index": "index.csv", "classes": "classes.json", "clips": "clips.json"}
        given_to_both = {f"path_to_{n}": str(corpus / p) for n, p in files.items()}
        given_to_both |= {"features": FEATURES, "dataset": "esc50", "fold": fold.name}
        choose(**given_to_both, listening=list(listening), seed=0)
        if entries:
            (corpus / "clips.json").write_text(json.dumps(entries))
        facts = script(
            **given_to_both,
            path_to_classifier=str(corpus / "classifier"),
            path_to_sounds=str(corpus / f"sounds{n_written}"),
            clip_seconds=1.6,
            slime={**vars(SETTINGS), **given, **changes.pop("slime", {})},
            data=str(corpus / "data"),
            device="cpu",
            **{"seed": 0, "run": "0"} | changes,
        )
        return facts, corpus / f"sounds{n_written}"

    return run


class TestScript:
    def test_a_clip_has_its_input_and_a_folder_with_sounds_that_add_up_to_it(self, run, corpus):
        facts, folder = run()
        assert facts == {"n_clips": 3, "n_interpretations": 3}
        assert {path.name for path in folder.iterdir()} == {"short", "exact", "long"}
        for about in folder.glob("*/*/interpretation.json"):
            description = json.loads(about.read_text())
            name = about.parent.parent.name
            original = soundfile.read(corpus / f"data/esc50/{name}.wav", dtype="float32")[0]
            sounds = {
                path.stem: soundfile.read(path, dtype="float32")[0]
                for path in [*about.parent.glob("*.wav"), about.parent.parent / "input.wav"]
            }
            assert {len(x) for x in sounds.values()} == {round(LENGTHS[name] * RATE)}
            assert np.abs(sounds["input"] - original).max() < 1e-7
            assert np.array_equal(sounds["interpretation"] + sounds["remainder"], sounds["input"])
            alone = [x for stem, x in sounds.items() if stem.startswith("segment_")]
            assert_close(sum(alone, 0 * original), sounds["interpretation"], atol=1e-6, rtol=0)
            assert set(description["sounds"]) == set(sounds) - {"input"}
            for sound in description["sounds"].values():
                assert (about.parent / sound["file"]).is_file()

    def test_each_sound_stands_with_its_kind_and_what_the_classifier_hears_in_it(self, run):
        _, folder = run()
        for path in folder.glob("*/*/interpretation.json"):
            about = json.loads(path.read_text())
            assert (about["predictor"], about["decided"]) == ("classifier", True)
            assert about["right"] is (about["interpreted_class"] in about["labels"])
            assert about["front_end"] == vars(FRONT_END)
            sounds = about["sounds"]
            assert {said["kind"] for said in sounds.values()} <= {
                *("interpretation", "remainder", "segment")
            }
            for name, said in sounds.items():
                x, _ = soundfile.read(path.parent / said["file"], dtype="float32")
                assert (said["probabilities"] is None) == (not x.any()), name
            heard = [s["probabilities"]["dog"] for s in sounds.values() if s["probabilities"]]
            assert len({*heard}) > 1, "each is heard by itself"

    def test_the_description_tells_segments_in_seconds_and_which_are_heard(self, run):
        _, folder = run()
        (about,) = (folder / "exact").glob("*/interpretation.json")
        description = json.loads(about.read_text())
        assert description["interpreted_class"] == about.parent.name
        probabilities = description["classifier_probabilities"]
        assert max(probabilities, key=probabilities.get) == about.parent.name
        segments = description["segments"]
        assert len(segments) == 8 and max(abs(s["weight"]) for s in segments) > 1e-4
        assert segments[0]["start_seconds"] == 0 and segments[-1]["end_seconds"] == 1.6
        for one, following in pairwise(segments):
            assert one["end_seconds"] == following["start_seconds"]
            assert one["end_seconds"] - one["start_seconds"] == pytest.approx(0.2, abs=0.01)
        kept = {i for i, segment in enumerate(segments) if segment["kept"]}
        best = sorted(range(8), key=lambda i: -segments[i]["weight"])[:3]
        assert kept == {i for i in best if segments[i]["weight"] > 0}
        assert {f"segment_{i:02d}" for i in kept} == {
            name for name in description["sounds"] if name.startswith("segment_")
        }

    def test_every_class_that_is_decided_for_has_a_folder(self, run):
        facts, folder = run(["exact"], multi_label=True)
        assert facts["n_interpretations"] == 2
        assert {path.name for path in (folder / "exact").iterdir()} == {"input.wav", "dog", "rain"}
        description = json.loads((folder / "exact/dog/interpretation.json").read_text())
        assert description["labels"] == ["dog", "rain"]

    def test_a_clip_is_explained_alike_in_any_company_and_otherwise_by_another_run(self, run):
        def explained(folder):
            (about,) = (folder / "long").glob("*/interpretation.json")
            return about.read_bytes()

        among_three, alone = explained(run()[1]), explained(run(["long"])[1])
        assert among_three == alone != explained(run(["long"], run="1")[1])
        assert alone != explained(run(["long"], seed=1)[1])

    def test_a_corrupted_clip_is_explained_for_its_class_beside_what_was_planted(self, run):
        noisy = {"kind": "noise", "snr_db": 3.0, "seed": 0}
        _, folder = run(entries=[{"clip": "exact", "class": "dog", "corruption": noisy}])
        (clip,) = folder.iterdir()
        source, other, mixed = (
            soundfile.read(clip / f"{name}.wav", dtype="float32")[0]
            for name in ("source", "other", "input")
        )
        assert np.abs(source + other - mixed).max() < 1e-6
        (about,) = clip.glob("*/interpretation.json")
        description = json.loads(about.read_text())
        assert (description["interpreted_class"], description["corruption"]) == ("dog", noisy)
        assert description["sounds"]["remainder"]["truth"]["planted"] == "other"
        assert description["sounds"]["interpretation"]["truth"]["input_si_sdr_db"] == pytest.approx(
            3.0, abs=0.2
        )

    def test_a_name_that_the_corpus_lacks_is_refused(self, run):
        with pytest.raises(InputError, match=r"datasets.esc50.listening names cat"):
            run(["cat"])
