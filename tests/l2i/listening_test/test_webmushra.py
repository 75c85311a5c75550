"""The listening test for webMUSHRA."""

from __future__ import annotations

import hashlib

import pandas as pd
import pytest
import soundfile
import yaml

from helpers.listening_tests import RATE, SECONDS, STIMULI, SYSTEMS, write_systems, write_test
from l2i.features.audio import decode
from l2i.listening_test.sounds import open_sounds
from l2i.listening_test.words import QUESTION

# What webMUSHRA's documentation for experimenters, and its source, know of each page.
KNOWN = {
    "generic": {"type", "id", "name", "content"},
    "volume": {"type", "id", "name", "content", "stimulus", "defaultVolume"},
    "mushra": {
        *("type", "id", "name", "content", "showWaveform", "enableLooping", "strict", "reference"),
        *("createAnchor35", "createAnchor70", "randomize", "showConditionNames", "stimuli"),
    },
    "finish": {"type", "name", "content", "popupContent", "showResults", "writeResults"},
}
TOP = ["testname", "testId", "bufferSize", "stopOnErrors", "showButtonPreviousPage"]
TOP += ["remoteService", "pages"]


@pytest.fixture(scope="module")
def test(tmp_path_factory):
    folder = tmp_path_factory.mktemp("test")
    return folder / "pack", write_test(folder)["test"]


@pytest.fixture(scope="module")
def told(test):
    pack, _ = test
    paths = sorted((pack / "webmushra").glob("*.yaml"))
    return {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths}


def mushra_pages(said):
    return [page for page in said["pages"] if page["type"] == "mushra"]


def test_each_participant_has_a_file_of_keys_that_are_known(test, told):
    assert list(told) == ["1", "2", "3", "4"]
    for number, said in told.items():
        assert list(said) == TOP and said["testId"] == f"l2i-{test[1]}-{number}"
        kinds = [page["type"] for page in said["pages"]]
        assert kinds == ["generic", "volume", "mushra", "mushra", "mushra", "finish"]
        assert all(set(page) == KNOWN[page["type"]] for page in said["pages"])
        ids = [page["id"] for page in said["pages"][:-1]]
        assert len(set(ids)) == len(ids)
        assert yaml.safe_load(yaml.safe_dump(said)) == said


def test_no_anchors_no_names_and_conditions_in_any_order(told):
    for page in (page for said in told.values() for page in mushra_pages(said)):
        assert not (page["createAnchor35"] or page["createAnchor70"] or page["showConditionNames"])
        assert page["randomize"] is True and list(page["stimuli"]) == ["A", "B"]
        assert QUESTION in page["content"]


def test_pages_are_the_plan_and_a_is_whose_sound_it_says(test, told, tmp_path):
    pack, name = test
    plan = pd.read_csv(pack / "participants.csv")
    stimuli = pd.read_csv(pack / "stimuli.csv").set_index("stimulus")
    sounds = write_systems(tmp_path, silent=("slime", "drops"))
    played_of = {s: open_sounds(sounds, *STIMULI[int(s[1:]) - 1]).played for s in stimuli.index}
    for number, said in told.items():
        mine = plan[plan["participant"] == int(number)].sort_values("position")
        assert [page["id"] for page in mushra_pages(said)] == mine["stimulus"].tolist()
        for page, (_, row) in zip(mushra_pages(said), mine.iterrows(), strict=True):
            clip, target = STIMULI[int(row["stimulus"][1:]) - 1]
            assert stimuli.loc[row["stimulus"], "class"] == target
            assert stimuli.loc[row["stimulus"], "clip"].endswith(clip)
            played = played_of[row["stimulus"]]
            (second,) = {*SYSTEMS} - {row["first"]}
            files = {"input": page["reference"], row["first"]: page["stimuli"]["A"]}
            files[second] = page["stimuli"]["B"]
            for system, path in files.items():
                assert path.startswith(f"configs/l2i-{name}/sounds/")
                x, rate = decode(pack / "webmushra/sounds" / path.rpartition("/")[2])
                assert rate == RATE and x[:, 0] == pytest.approx(played[system], abs=1 / 32767)


def test_sounds_are_16_bit_wav_of_one_rate_and_length(test):
    paths = sorted((test[0] / "webmushra/sounds").glob("s*.wav"))
    assert len(paths) == 3 * len(STIMULI)
    for path in paths:
        info = soundfile.info(path)
        assert (info.format, info.subtype, info.channels) == ("WAV", "PCM_16", 1)
        assert (info.samplerate, info.frames) == (RATE, round(SECONDS * RATE))
    assert soundfile.info(test[0] / "webmushra/sounds/level.wav").samplerate == RATE


def test_nothing_says_whose_sound_it_is(test):
    pack, _ = test
    texts = [path.read_text(encoding="utf-8") for path in (pack / "webmushra").glob("*.yaml")]
    names = [path.name for path in (pack / "webmushra/sounds").iterdir()]
    assert not [text for text in (*texts, *names) for s in SYSTEMS if s in text.lower()]
    # Nor does the place of a file: the same system is now the first sound, now the second.
    heard = [hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(pack.rglob("*sound1.wav"))]
    assert len(set(heard)) == len(STIMULI)


def test_classes_are_shown_and_not_obeyed_and_silence_is_told(told):
    contents = {page["id"]: page["content"] for s in told.values() for page in mushra_pages(s)}
    assert "rain &amp; &lt;b&gt;wind&lt;/b&gt;" in contents["s03"]
    assert "silence" in contents["s04"] and "silence" not in contents["s03"]
