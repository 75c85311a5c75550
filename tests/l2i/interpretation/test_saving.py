"""l2i.interpretation.saving: folders that are whole or not there, and overwrite nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from helpers.known_networks import RATE
from helpers.own_sounds import SECONDS, heard_tones, known_model
from l2i.checks import InputError
from l2i.interpretation.saving import (
    MARK,
    fresh_folder,
    mark,
    require_ours,
    write_dictionary,
    write_explanations,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


class TestFolder:
    def test_it_takes_its_name_when_it_is_whole(self, tmp_path):
        with fresh_folder(tmp_path / "deep/page") as fresh:
            (fresh / "a").write_text("a")
            assert not (tmp_path / "deep/page").exists()
        assert names(tmp_path / "deep") == ["page"] and names(tmp_path / "deep/page") == ["a"]

    def test_what_fails_leaves_what_was_there(self, tmp_path):
        folder = tmp_path / "page"
        with fresh_folder(folder) as fresh:
            mark(fresh, known_model(), ["old"])
        with pytest.raises(RuntimeError), fresh_folder(folder) as fresh:
            (fresh / "half").write_text("a")
            raise RuntimeError
        assert names(tmp_path) == ["page"] and names(folder) == [MARK]

    def test_its_own_is_replaced_as_a_whole(self, tmp_path):
        for name in ("one", "two"):
            with fresh_folder(tmp_path / "page") as fresh:
                (fresh / name).write_text("")
                mark(fresh, known_model(), [name])
        assert names(tmp_path / "page") == [MARK, "two"]

    def test_an_empty_folder_is_taken(self, tmp_path):
        (tmp_path / "page").mkdir()
        with fresh_folder(tmp_path / "page") as fresh:
            (fresh / "a").write_text("")
        assert names(tmp_path / "page") == ["a"]

    def test_what_came_to_its_own_later_is_not_overwritten(self, tmp_path):
        with fresh_folder(tmp_path / "page") as fresh:
            (fresh / "sounds").mkdir()
            mark(fresh, known_model(), ["one"])
        (tmp_path / "page/sounds/notes.txt").write_text("heard twice")
        with pytest.raises(InputError, match="page/sounds/notes.txt is something else"):
            require_ours(tmp_path / "page")

    @pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
    def test_nothing_else_is_overwritten(self, tmp_path, kind):
        place = tmp_path / "precious"
        if kind == "folder":
            place.mkdir()
            (place / "thesis.tex").write_text("years")
        elif kind == "file":
            place.write_text("years")
        else:
            place.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(InputError, match="precious.* is something else, which would"):
            require_ours(place)
        with pytest.raises(InputError, match="name another folder"), fresh_folder(place):
            raise AssertionError("nothing is begun")
        assert names(tmp_path) == ["precious"]


class TestSounds:
    def test_a_long_sound_comes_with_its_timeline(self, tmp_path):
        model = known_model()
        explained = model.explain(heard_tones(5), sample_rate=RATE)
        write_dictionary(tmp_path / "sounds", model)
        (said,) = write_explanations(tmp_path / "sounds", explained, ["low"])
        folder = tmp_path / "sounds/sound"
        timeline = json.loads((folder / "timeline.json").read_text())
        n = len(timeline["start_seconds"])
        assert n == len(timeline["end_seconds"]) == len(timeline["probabilities"]["never"]) > 4
        W, H = np.load(tmp_path / "sounds/dictionary.npy"), np.load(folder / "activations.npy")
        assert W.shape == (513, 4) and H.shape == (4, 1 + -(-5 * RATE // 512))
        x, rate = soundfile.read(folder / "input.wav", dtype="float32")
        assert rate == RATE and (x == explained.waveform).all()
        sound, _ = soundfile.read(folder / "low/interpretation.wav", dtype="float32")
        assert (sound == explained.interpretation).all()
        assert said == json.loads((folder / "low/interpretation.json").read_text())

    def test_more_than_can_be_written_is_refused_with_the_remedy(self, tmp_path, monkeypatch):
        model = known_model()
        explained = model.explain(heard_tones(SECONDS), sample_rate=RATE)
        monkeypatch.setattr("l2i.interpretation.saving.MOST_SAMPLES", 3 * len(explained.waveform))
        write_dictionary(tmp_path / "sounds", model)
        with pytest.raises(InputError, match="its 4 sounds .* raise the threshold above 0.1"):
            write_explanations(tmp_path / "sounds", explained, ["low"])
        write_explanations(tmp_path / "sounds", explained, ["never"])  # no component

    def test_one_that_is_too_long_for_a_page_is_refused_with_the_remedy(
        self, tmp_path, monkeypatch
    ):
        model = known_model()
        explained = model.explain(heard_tones(SECONDS), sample_rate=RATE)
        monkeypatch.setattr("l2i.interpretation.saving.LONGEST", 1)
        with pytest.raises(InputError, match="cut it into several files"):
            write_explanations(tmp_path, explained, ["low"])
        assert names(tmp_path) == []

    def test_a_failure_leaves_no_half_of_a_sound(self, tmp_path, monkeypatch):
        model = known_model()
        explained = model.explain(heard_tones(SECONDS), sample_rate=RATE)
        write_dictionary(tmp_path / "sounds", model)

        def fails(*arguments, **options):
            raise InputError("the disk is full")

        monkeypatch.setattr("l2i.interpretation.saving.write_heard", fails)
        with pytest.raises(InputError, match="the disk is full"):
            write_explanations(tmp_path / "sounds", explained, ["low"])
        assert names(tmp_path / "sounds") == ["dictionary.npy"]

    def test_that_no_class_was_decided_for_is_said(self, tmp_path):
        model = known_model(multi_label=True)
        explained = model.explain(heard_tones(SECONDS), sample_rate=RATE)
        write_dictionary(tmp_path / "sounds", model)
        model.explained.classifier.thresholds[:] = 2
        nothing = model.explain(heard_tones(SECONDS), sample_rate=RATE)
        assert explained.decided == ["low"] and nothing.decided == []
        (said,) = write_explanations(tmp_path / "sounds", nothing, [nothing.most_probable])
        assert said["decided"] is False

    def test_a_class_that_is_asked_for_is_not_decided_for_by_that(self, tmp_path):
        model = known_model()
        asked = model.explain(heard_tones(SECONDS), sample_rate=RATE, target="not low")
        write_dictionary(tmp_path / "sounds", model)
        targets = ["not low", *asked.decided]
        said = write_explanations(tmp_path / "sounds", asked, targets)
        assert [each["decided"] for each in said] == [False, True]
