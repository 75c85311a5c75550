"""l2i.pages.listening and what it is made with: the page of folders of interpretations."""

from __future__ import annotations

import io
import json
import re
import weakref
from base64 import b64decode

import numpy as np
import pytest
import soundfile
from PIL import Image

from helpers import heard_folders as folders
from helpers.heard_folders import data_of, heard, tone, write_heard
from l2i.checks import InputError
from l2i.disk import Refused
from l2i.pages import heard_clips, listening
from l2i.pages.listening import MOST_IN_ONE_FILE, write_listening_page


@pytest.fixture
def sounds(tmp_path):
    """A folder in which clip a is interpreted, of one component."""
    write_heard(tmp_path / "att", {"a": {}})
    return tmp_path / "att"


@pytest.fixture
def compose(tmp_path):
    """Write the page of folders; its data and its facts."""

    def compose(*given, **how):
        page = tmp_path / "listen"
        facts = write_listening_page(page, given, title="Title", **how)
        return data_of(page), facts

    return compose


@pytest.fixture
def files(tmp_path):
    """A file of the page by its address: samples of FLAC, pixels of PNG."""

    def read(address):
        path = tmp_path / "listen" / address
        if path.suffix == ".flac":
            return soundfile.read(path)[0]
        return np.asarray(Image.open(path).convert("RGBA"))

    return read


def only(clip, kind="interpretation"):
    (interpretation,) = [i for i in clip["interpretations"] if i["kind"] == kind]
    return interpretation


def by_id(interpretation):
    return {sound["id"]: sound for sound in interpretation["sounds"]}


def si_sdr(x, reference):
    """Scale-invariant signal-to-distortion ratio in dB."""
    projected = reference * (x @ reference) / (reference @ reference)
    return 10 * np.log10(np.sum(projected**2) / np.sum((x - projected) ** 2))


class TestData:
    def test_a_clip_has_all_that_its_page_shows(self, compose, sounds, tmp_path):
        data, facts = compose(heard(sounds))
        (clip,) = data["clips"]
        assert data["title"] == "Title" and len(data["notes"]) >= 2
        told = {name: clip[name] for name in ("name", "dataset", "fold", "truth", "seconds")}
        assert told == {"name": "a", "dataset": "ESC", "fold": "1", "truth": ["rain"], "seconds": 1}
        assert clip["rate_hz"] == folders.RATE and clip["timeline"] is None
        assert clip["axis"] == {"low_hz": 40.0, "high_hz": 4000.0}
        interpretation = only(clip)
        assert interpretation["target"] == "dog" and interpretation["right"] is False
        assert interpretation["system"] == "L2I" and interpretation["run"] == "0"
        assert interpretation["predictor"] == "classifier" and interpretation["threshold"] == 0.1
        assert [*by_id(interpretation)] == ["interpretation", "remainder", "component_000"]
        assert [s["title"] for s in interpretation["sounds"]][2] == "Component 0"
        assert interpretation["sounds"][2]["relevance"] == 1.0
        assert facts["n_clips"] == 1 and facts["n_sounds"] == 4
        written = sum(p.stat().st_size for p in (tmp_path / "listen").rglob("*") if p.is_file())
        assert facts["n_bytes"] == written

    def test_five_classes_are_told_and_the_target_with_them(self, compose, tmp_path):
        write_heard(tmp_path / "att", {"a": {"owl": {}}})
        before = only(compose(heard(tmp_path / "att"))[0]["clips"][0])["before"]
        assert [c for c, _ in before] == ["dog", "rain", "cat", "cow", "bee", "owl"]

    def test_by_design_the_interpreter_is_quoted(self, compose, tmp_path):
        how = {"predictor": "interpreter", "interpreter_probabilities": {"dog": 0.9, "rain": 0.1}}
        write_heard(tmp_path / "bd", {"a": {"dog": how}})
        assert only(compose(heard(tmp_path / "bd"))[0]["clips"][0])["before"][0] == ["dog", 0.9]

    def test_a_clip_of_several_systems_is_one_entry_and_its_input_is_written_once(
        self, compose, sounds, tmp_path
    ):
        write_heard(tmp_path / "max", {"a": {}, "b": {}})
        data, _ = compose(heard(sounds, "att"), heard(tmp_path / "max", "max"))
        assert [clip["name"] for clip in data["clips"]] == ["a", "b"]
        first = data["clips"][0]
        assert [i["system"] for i in first["interpretations"]] == ["att", "max"]
        assert len({i["id"] for i in first["interpretations"]}) == 2
        assert len([*(tmp_path / "listen/media").rglob("input*.flac")]) == 2

    @pytest.mark.parametrize("other", [{"dataset": "Other"}, {"fold": "2"}, {}])
    def test_other_clips_of_that_name_stay_apart(self, compose, sounds, tmp_path, other):
        write_heard(tmp_path / "max", {"a": {"x": tone(600)}})
        clips = compose(heard(sounds), heard(tmp_path / "max", **other))[0]["clips"]
        assert len({clip["id"] for clip in clips}) == 2 == len(clips)

    def test_classes_come_most_probable_first(self, compose, tmp_path):
        write_heard(tmp_path / "att", {"a": {"cat": {}, "rain": {}, "dog": {}}})
        clip = compose(heard(tmp_path / "att"))[0]["clips"][0]
        assert [i["target"] for i in clip["interpretations"]] == ["dog", "rain", "cat"]

    def test_a_timeline_is_told_by_the_classes_that_are_most_probable_anywhere(
        self, compose, sounds
    ):
        said = {c: [0.1 * i, 0.05] for i, c in enumerate("abcdefg")}
        timeline = {"start_seconds": [0, 0.4], "end_seconds": [0.6, 1.0], "probabilities": said}
        (sounds / "a/timeline.json").write_text(json.dumps(timeline))
        told = compose(heard(sounds))[0]["clips"][0]["timeline"]
        assert told["edges_seconds"] == [0, 0.5, 1.0]
        assert [row["class"] for row in told["rows"]] == ["g", "f", "e", "d", "c"]


class TestSounds:
    def test_files_are_the_sounds_as_loud_as_each_other(self, compose, sounds, files):
        clip = compose(heard(sounds))[0]["clips"][0]
        played = {"input": clip["input"], **by_id(only(clip))}
        path = {"input": sounds / "a/input.wav"}
        for name, sound in played.items():
            x, _ = soundfile.read(path.get(name, sounds / f"a/dog/{name}.wav"))
            stored = files(sound["file"])
            assert len(stored) == len(x) and np.abs(stored).max() <= 10 ** (-1 / 20)
            assert si_sdr(stored, x) > 70
            stored_level = 20 * np.log10(np.sqrt(np.mean(stored**2)))
            assert stored_level == pytest.approx(-23, abs=4), "weighted by frequency"

    def test_true_volumes_bring_the_levels_back(self, compose, sounds, files):
        clip = compose(heard(sounds))[0]["clips"][0]
        played = {"input": clip["input"], **by_id(only(clip))}
        rms = {
            name: np.sqrt(np.mean(files(s["file"]) ** 2)) * s["volume_true"]
            for name, s in played.items()
        }
        apart = 20 * np.log10(rms["interpretation"] / rms["remainder"])
        assert apart == pytest.approx(9.54, abs=0.02)
        assert max(s["volume_true"] for s in played.values()) == 1
        gain = {name: s["gain_db"] for name, s in played.items()}
        assert gain["input"] == 0 and gain["interpretation"] > gain["remainder"]
        assert played["remainder"]["level_dbfs"] == pytest.approx(-23.01, abs=0.01)

    def test_of_silence_there_is_no_file_but_words(self, compose, tmp_path):
        how = {"sounds": {}, "relevances": [0.031, -1.0]}
        write_heard(tmp_path / "att", {"a": {"dog": how}})
        interpretation = only(compose(heard(tmp_path / "att"))[0]["clips"][0])
        silent, rest = interpretation["sounds"]
        assert silent["file"] is None and silent["mask"] is None and silent["after"] == []
        assert silent["words"] == (
            "No component's relevance exceeds 0.1 (the largest is 0.031), so there is nothing to "
            "hear."
        )
        assert rest["file"] and not rest["words"]
        assert "all of the clip is in the remainder" in interpretation["notes"][0]

    def test_a_component_may_take_nothing_of_a_clip_that_can_be_heard(self, compose, tmp_path):
        parts = {"component_001": np.zeros(folders.RATE, np.float32)}
        write_heard(tmp_path / "att", {"a": {"dog": {"sounds": parts}}})
        sounds = by_id(only(compose(heard(tmp_path / "att"))[0]["clips"][0]))
        words = "Silence: the mask leaves nothing of the clip."
        assert sounds["component_001"]["words"] == sounds["interpretation"]["words"] == words

    def test_a_clip_that_is_silent_is_told(self, compose, tmp_path):
        silence = np.zeros(folders.RATE, np.float32)
        how = {"sounds": {}, "relevances": [0.0]}
        write_heard(tmp_path / "att", {"a": {"x": silence, "dog": how}})
        clip = compose(heard(tmp_path / "att"))[0]["clips"][0]
        assert clip["input"]["file"] is None
        told = [clip["input"]["words"], *(sound["words"] for sound in only(clip)["sounds"][1:])]
        assert set(told) == {"Silence, as all of the clip is."}, "also of what is left"
        assert set(clip["wave"]) == {0}

    def test_clips_of_a_few_samples_are_no_trouble(self, compose, tmp_path):
        x = tone(500)[:7]
        write_heard(tmp_path / "att", {"a": {"x": x, "dog": {"sounds": {"component_000": x}}}})
        clip = compose(heard(tmp_path / "att"))[0]["clips"][0]
        assert len(clip["wave"]) == 14 and by_id(only(clip))["component_000"]["mask"]


class TestWords:
    def test_what_is_explained_and_not_decided_is_told(self, compose, tmp_path):
        undecided = {"decided": False}
        write_heard(tmp_path / "att", {"a": {"dog": undecided, "cat": undecided, "rain": {}}})
        explained = {
            each["target"]: (each["decided"], each["notes"])
            for each in compose(heard(tmp_path / "att"))[0]["clips"][0]["interpretations"]
        }
        assert explained == {
            "dog": (
                False,
                [
                    "The classifier does not decide for dog, though no class is more probable, and "
                    "what speaks for it is explained all the same."
                ],
            ),
            "cat": (
                False,
                [
                    "The classifier does not decide for cat, and what speaks for it is explained "
                    "all the same."
                ],
            ),
            "rain": (True, []),
        }

    def test_what_was_noted_of_the_sound_is_told_first(self, compose, tmp_path):
        how = {"decided": False, "notes": ["It was mixed down."]}
        write_heard(tmp_path / "own", {"a": {"dog": how}})
        notes = only(compose(heard(tmp_path / "own"))[0]["clips"][0])["notes"]
        assert notes[0] == "It was mixed down." and len(notes) == 2

    def test_segments_are_told_by_when_they_are(self, compose, tmp_path, files):
        write_heard(tmp_path / "s", {"a": {"dog": folders.segments(1, 2)}}, components=False)
        interpretation = only(compose(heard(tmp_path / "s", "SLIME"))[0]["clips"][0])
        assert "segments of the clip along time" in interpretation["notes"][0]
        assert "43 %" in interpretation["notes"][0]
        assert interpretation["threshold"] is None
        sounds = by_id(interpretation)
        assert sounds["segment_01"]["title"] == "0.25 to 0.50 s"
        hidden = {name: files(s["mask"])[0, :, 3].mean() / 255 for name, s in sounds.items()}
        expected = {"interpretation": 0.5, "remainder": 0.5, "segment_01": 0.75}
        assert expected.items() <= hidden.items()

    def test_where_no_segment_speaks_for_the_class_that_is_told(self, compose, tmp_path):
        write_heard(tmp_path / "s", {"a": {"dog": folders.segments()}}, components=False)
        sound = only(compose(heard(tmp_path / "s"))[0]["clips"][0])["sounds"][0]
        assert sound["words"] == "No segment speaks for dog, so there is nothing to hear."


class TestPictures:
    def test_a_spectrogram_has_its_tones_where_they_are(self, compose, sounds, files):
        clip = compose(heard(sounds))[0]["clips"][0]
        picture = files(clip["picture"]).astype(int)[:, :, :3].sum((1, 2))
        n = len(picture)
        octaves = np.log2(4000 / 40)
        where = n * (1 - np.log2(500 / 40) / octaves)  # from the top
        assert abs(picture.argmax() - where) < 0.05 * n

    def test_a_mask_hides_what_is_not_of_the_component(self, compose, tmp_path, files):
        parts = {"component_001": tone(1500)}
        write_heard(tmp_path / "att", {"a": {"dog": {"sounds": parts}}})
        sounds = by_id(only(compose(heard(tmp_path / "att"))[0]["clips"][0]))
        mask, rest = (files(sounds[name]["mask"]) for name in ("component_001", "remainder"))
        assert (mask[:, :, :3] == 0).all()
        shown = 255 - mask[:, :, 3].astype(int)
        rows = len(shown) * (1 - np.log2(np.array([1500, 500]) / 40) / np.log2(100))
        inside, below = (shown[int(row)] for row in rows)
        half = shown.shape[1] // 2
        assert inside[: half - 2].max() == 0 and inside[half + 2 :].min() == 255
        assert below.max() == 0
        hidden = rest[:, :, 3].astype(int)
        assert np.abs(shown - hidden).max() <= 255 / 7 + 1, "what is not of it is of the rest"

    def test_a_component_has_the_spectrum_of_its_column_and_shares_it(self, compose, tmp_path):
        write_heard(tmp_path / "att", {"a": {}, "b": {"x": tone(500)}})
        data, _ = compose(heard(tmp_path / "att"))
        keys = [by_id(only(clip))["component_000"]["spectrum"] for clip in data["clips"]]
        assert keys[0] == keys[1]
        spectrum = np.array(data["spectra"][keys[0]])
        assert len(spectrum) == 64 and spectrum.min() == 0 and spectrum.max() == 100
        hertz = np.geomspace(40, 4000, 65)[:-1]
        assert (spectrum[hertz < 900] == 100).all() and (spectrum[hertz > 1050] == 0).all()

    def test_a_sound_has_its_levels_below_the_loudest_of_the_input(self, compose, sounds):
        data, _ = compose(heard(sounds))
        spectra = {
            name: np.array(data["spectra"][sound["spectrum"]])
            for name, sound in by_id(only(data["clips"][0])).items()
        }
        assert spectra["interpretation"].max() == 100
        # 9.5 dB softer, and spread over narrower bands below than above.
        assert 75 < spectra["remainder"].max() < 95

    def test_an_outline_is_that_of_the_waveform(self, compose, tmp_path):
        write_heard(tmp_path / "att", {"a": {"x": np.linspace(-0.5, 0.25, 8000, dtype=np.float32)}})
        wave = compose(heard(tmp_path / "att"))[0]["clips"][0]["wave"]
        assert len(wave) == 800 and wave[0] == -100 and wave[-1] == 50


class TestPrototypes:
    def test_those_of_the_explained_classes_are_shown_and_written_once(
        self, compose, tmp_path, files
    ):
        write_heard(tmp_path / "att", {"a": {}, "b": {"x": tone(500)}})
        folders.write_prototypes(tmp_path / "p", "rain", "dog")
        data, _ = compose(
            heard(tmp_path / "att"), prototypes=[heard(tmp_path / "p", "APNet", fold="1")]
        )
        found = [only(clip, "prototype") for clip in data["clips"]]
        (sound,) = found[0]["sounds"]
        assert (found[0]["system"], found[0]["target"]) == ("APNet", "dog")
        assert sound["file"] == found[1]["sounds"][0]["file"]
        assert sound["volume_true"] == sound["volume_matched"] > 0 and sound["gain_db"] is None
        assert sound["title"] == "Prototype 1" and sound["target_probability"] == 0.75
        assert "belongs to no clip" in found[0]["notes"][0]
        assert si_sdr(files(sound["file"]), tone(700)) > 70

    def test_those_of_another_fold_are_not(self, compose, sounds, tmp_path):
        folders.write_prototypes(tmp_path / "p", "dog")
        other = heard(tmp_path / "p", "APNet", fold="2")
        clip = compose(heard(sounds), prototypes=[other])[0]["clips"][0]
        assert [i["kind"] for i in clip["interpretations"]] == ["interpretation"]


class TestPlanted:
    def test_a_clip_as_it_was_recorded_has_nothing_planted(self, compose, sounds):
        data, _ = compose(heard(sounds))
        (clip,) = data["clips"]
        assert (clip["kind"], clip["snr_db"], clip["planted"]) == ("clean", None, [])
        assert not [note for note in data["notes"] if "SI-SDR" in note]
        assert {sound["truth"] for sound in only(clip)["sounds"]} == {None}

    @pytest.mark.parametrize(
        ("kind", "called", "other"),
        [("class", "mixture", "rain"), ("noise", "noise", "white noise")],
    )
    def test_what_was_planted_is_told_and_written(
        self, compose, files, tmp_path, kind, called, other
    ):
        folders.write_mixture(tmp_path / "att", "a in company", kind)
        data, facts = compose(heard(tmp_path / "att"))
        (clip,) = data["clips"]
        assert (clip["kind"], clip["snr_db"]) == (called, 9.5)
        told = [(each["id"], each["kind"], each["title"]) for each in clip["planted"]]
        assert told == [("source", "source", "dog"), ("other", "other", other)]
        assert facts["n_sounds"] == 6 and [note for note in data["notes"] if "SI-SDR" in note]
        for planted, x in zip(clip["planted"], (tone(500), tone(2500, 0.1)), strict=True):
            assert si_sdr(files(planted["file"]), x) > 70

    def test_it_is_as_loud_as_other_sounds_or_keeps_its_level(self, compose, files, tmp_path):
        folders.write_mixture(tmp_path / "att", "a in company")
        clip = compose(heard(tmp_path / "att"))[0]["clips"][0]
        source, other = clip["planted"]
        sounds = by_id(only(clip))
        assert source["gain_db"] == sounds["interpretation"]["gain_db"]  # the same tone
        assert source["volume_matched"] == sounds["interpretation"]["volume_matched"] > 0
        rms = [np.sqrt(np.mean(files(s["file"]) ** 2)) * s["volume_true"] for s in (source, other)]
        assert 20 * np.log10(rms[0] / rms[1]) == pytest.approx(9.54, abs=0.02)

    def test_it_is_written_once_for_all_systems(self, compose, tmp_path):
        for name in ("att", "max"):
            folders.write_mixture(tmp_path / name, "a in company")
        (clip,) = compose(heard(tmp_path / "att"), heard(tmp_path / "max", "MAX"))[0]["clips"]
        assert len(clip["interpretations"]) == 2 == len(clip["planted"])
        assert len([*(tmp_path / "listen/media").rglob("source.flac")]) == 1

    def test_how_near_a_sound_is_to_it_comes_with_the_sound(self, compose, tmp_path):
        folders.write_mixture(tmp_path / "att", "a in company")
        (path,) = (tmp_path / "att").glob("*/dog/interpretation.json")
        truth = {"planted": "source", "si_sdr_db": 12.0, "input_si_sdr_db": 9.5}
        about = json.loads(path.read_text())
        about["sounds"]["interpretation"]["truth"] = truth
        path.write_text(json.dumps(about))
        sounds = by_id(only(compose(heard(tmp_path / "att"))[0]["clips"][0]))
        assert sounds["interpretation"]["truth"] == truth
        assert sounds["component_000"]["truth"] is None

    def test_what_is_silent_of_it_says_so(self, compose, tmp_path):
        folders.write_mixture(tmp_path / "att", "a in company", other=0 * tone(500))
        planted = compose(heard(tmp_path / "att"))[0]["clips"][0]["planted"]
        assert planted[1]["file"] is None and planted[1]["words"] == "Silence."


VILE = ["../../etc", "</script><script>alert(1)</script>", "a/b", "\u2028x", "犬の声", "CON", "-->"]


class TestNames:
    @pytest.mark.parametrize("name", VILE)
    def test_any_name_is_shown_as_it_is_and_names_no_file(self, compose, tmp_path, name):
        write_heard(tmp_path / "att", {name: {name: {}}})
        data, _ = compose(heard(tmp_path / "att", f"{name} w/ ATT", dataset=name))
        (clip,) = data["clips"]
        assert (clip["name"], only(clip)["target"], clip["dataset"]) == (name, name, name)
        page = tmp_path / "listen"
        assert {p.name for p in page.iterdir()} == {"index.html", "data.js", "media"}
        for path in (page / "media").rglob("*"):
            assert re.fullmatch(r"[A-Za-z0-9_-]+(\.flac|\.png)?", path.name), path
        addresses = re.findall(r'"(media/[^"]*)"', (page / "data.js").read_text())
        assert addresses and all((page / address).is_file() for address in addresses)
        assert (page / "data.js").read_bytes().isascii() and "<" not in (
            page / "data.js"
        ).read_text()

    def test_a_sound_that_is_no_file_of_its_folder_is_refused(self, compose, sounds):
        about = sounds / "a/dog/interpretation.json"
        text = about.read_text().replace('"remainder.wav"', '"../input.wav"')
        about.write_text(text)
        with pytest.raises(InputError, match=r"'../input.wav' is no name of a file in it"):
            compose(heard(sounds))


class TestSingleFile:
    def test_everything_is_inside(self, sounds, tmp_path):
        page = tmp_path / "listen"
        facts = write_listening_page(page, [heard(sounds)], title="<One>", single_file=True)
        assert [path.name for path in page.iterdir()] == ["index.html"]
        text = (page / "index.html").read_text(encoding="utf-8")
        assert facts["n_bytes"] == len(text.encode())
        (data,) = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.S)
        (clip,) = json.loads(data)["clips"]
        kind, content = clip["input"]["file"].split(";base64,")
        assert kind == "data:audio/flac"
        assert len(soundfile.read(io.BytesIO(b64decode(content)))[0]) == folders.RATE
        assert clip["picture"].startswith("data:image/png;base64,")

    def test_of_too_many_clips_it_is_refused_before_anything_is_written(self, tmp_path):
        write_heard(tmp_path / "att", {})
        for i in range(MOST_IN_ONE_FILE + 1):
            (tmp_path / f"att/{i}").mkdir()
            (tmp_path / f"att/{i}/input.wav").touch()
        with pytest.raises(InputError, match="at most 20 clips, and these are 21"):
            write_listening_page(
                tmp_path / "listen", [heard(tmp_path / "att")], title="", single_file=True
            )
        assert not (tmp_path / "listen").exists()


class TestWriting:
    def test_a_page_in_its_place_is_replaced(self, compose, sounds, tmp_path):
        compose(heard(sounds))
        (tmp_path / "listen/media/old.flac").touch()
        (tmp_path / "listen/mine.txt").touch()
        compose(heard(sounds))
        assert not (tmp_path / "listen/media/old.flac").exists()
        assert (tmp_path / "listen/mine.txt").exists()

    @pytest.mark.parametrize("single_file", [False, True])
    def test_what_fails_leaves_no_page(self, compose, sounds, tmp_path, single_file):
        compose(heard(sounds))
        (sounds / "a/dog/remainder.wav").write_bytes(b"RIFF")
        with pytest.raises(InputError, match=r"remainder\.wav"):
            compose(heard(sounds), single_file=single_file)
        assert [*(tmp_path / "listen").iterdir()] == []

    def test_a_page_is_there_when_all_else_is(self, compose, sounds, tmp_path, monkeypatch):
        seen = []

        def last(path, text):
            seen.append(sorted(p.name for p in path.parent.iterdir()))
            raise Refused("the disk is full")

        monkeypatch.setattr(listening, "replace_text", last)
        with pytest.raises(Refused):
            compose(heard(sounds))
        assert seen == [["data.js", "media"]] and [*(tmp_path / "listen").iterdir()] == []

    def test_without_any_clip_there_is_a_page_all_the_same(self, compose, tmp_path):
        write_heard(tmp_path / "att", {})
        data, facts = compose(heard(tmp_path / "att"))
        assert data["clips"] == [] and facts["n_clips"] == 0

    def test_the_same_folders_make_the_same_bytes(self, compose, sounds, tmp_path):
        def bytes_of_all():
            compose(heard(sounds))
            files = sorted(path for path in (tmp_path / "listen").rglob("*") if path.is_file())
            return {path: path.read_bytes() for path in files}

        assert bytes_of_all() == bytes_of_all()

    def test_only_one_sound_is_held_at_a_time(self, compose, tmp_path, monkeypatch):
        write_heard(tmp_path / "att", {name: {} for name in "abc"})
        alive = []

        class Watched(np.ndarray):
            pass

        def watched(folder, said, real=heard_clips.samples_of):
            alive[:] = [ref for ref in alive if ref() is not None]
            assert len(alive) <= 1
            x = real(folder, said).view(Watched)
            alive.append(weakref.ref(x))
            return x

        monkeypatch.setattr(heard_clips, "samples_of", watched)
        compose(heard(tmp_path / "att"))

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("dictionary.npy", b"no", "holds no whole array"),
            ("a/dog/interpretation.json", b"{", "no JSON that can be read"),
            ("a/dog/interpretation.json", b'{"clip": "a"}', "says nothing of front_end, interp"),
            ("a/activations.npy", np.ones((3, 9), "f4"), "do not fit what was selected"),
            ("a/activations.npy", np.ones(9, "f4"), "something else than a matrix"),
        ],
    )
    def test_what_is_damaged_is_named_with_what_to_do(
        self, compose, sounds, name, content, message
    ):
        path = sounds / name
        path.write_bytes(content) if isinstance(content, bytes) else np.save(path, content)
        with pytest.raises(InputError, match=rf"{message}.*; delete it and give"):
            compose(heard(sounds))

    def test_a_clip_that_nothing_interprets_is_named(self, compose, sounds):
        (sounds / "b").mkdir()
        (sounds / "b/input.wav").write_bytes((sounds / "a/input.wav").read_bytes())
        with pytest.raises(InputError, match=r"att/b holds no interpretation"):
            compose(heard(sounds))
