from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.make_corpus import TAXONOMY, make_demo_corpora
from l2i.checks import InputError
from l2i.datasets.esc50 import COLUMNS
from l2i.datasets.esc50 import index_corpus as index_esc50
from l2i.datasets.installation import install
from l2i.datasets.openmic import LABELS
from l2i.datasets.openmic import index_corpus as index_openmic
from l2i.datasets.sonyc_ust import index_corpus as index_sonyc
from l2i.synthetic import urban
from l2i.synthetic.esc50 import KINDS, write_esc50_archive
from l2i.synthetic.instruments import INSTRUMENTS, play
from l2i.synthetic.openmic import write_openmic_archive
from l2i.synthetic.packing import file_facts, ogg_bytes, wav_bytes, write_tar_gz
from l2i.synthetic.planning import deal, scattered
from l2i.synthetic.sonyc import write_sonyc_files
from l2i.synthetic.sounds import generator, harmonics

SMALL = {
    "n_folds": 2,
    "classes": list(KINDS),
    "n_clips_per_fold_and_class": 3,
    "clip_seconds": 1.0,
    "sample_rate": 44_100,
    "seed": 0,
}
SMALL_SONYC = {
    "taxonomy": TAXONOMY,
    "n_clips": {"train": 12, "validate": 6, "test": 6},
    "n_shards": 3,
    "clip_seconds": 1.0,
    "sample_rate": 24_000,
    "seed": 0,
}
SMALL_OPENMIC = {
    "n_clips": {"train": 6, "test": 3},
    "n_observed": 4,
    "clip_seconds": 1.0,
    "sample_rate": 44_100,
    "seed": 0,
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Folder and pins of the demo's corpora."""
    folder = tmp_path_factory.mktemp("corpora")
    return folder, make_demo_corpora(folder)


@pytest.fixture(scope="module")
def installed(demo, tmp_path_factory):
    """Folder of the demo's corpora, as the genuine code installs them."""
    folder, pins = demo
    data = tmp_path_factory.mktemp("data")
    for name, place in {"esc50": "", "sonyc_ust": "sonyc_ust/", "openmic": ""}.items():
        url = f"{folder.as_uri()}/{place}{{name}}"
        install(data / name, pins[name]["files"], url=url)
    return data


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("corpus") / "esc50.zip"
    return path, write_esc50_archive(path, **SMALL)


@pytest.fixture(scope="module")
def clips(made):
    """Name -> samples, of the clips in the archive."""
    with zipfile.ZipFile(made[0]) as file:
        return {
            name.split("/")[-1]: soundfile.read(io.BytesIO(file.read(name)))[0]
            for name in file.namelist()
            if name.endswith(".wav")
        }


@pytest.fixture(scope="module")
def table(demo):
    return pd.read_csv(demo[0] / "sonyc_ust" / "annotations.csv", dtype={"sensor_id": str})


@pytest.fixture(scope="module")
def tagged(demo, installed):
    return index_sonyc(installed / "sonyc_ust", labels="dcase", expect=demo[1]["sonyc_ust"])[0]


@pytest.fixture(scope="module")
def openmic(demo, installed):
    return index_openmic(installed / "openmic", expect=demo[1]["openmic"])


@pytest.fixture(scope="module")
def rows(installed):
    return pd.read_csv(installed / "openmic" / LABELS)


def labels_by_split(index):
    """(split, class) -> set of the labels that occur."""
    columns = [column for column in index if column.startswith("label_")]
    return {
        (split, column): set(part[column].dropna())
        for split, part in index.groupby("split")
        for column in columns
    }


class TestDemo:
    @pytest.mark.parametrize("name", ["esc50", "sonyc_ust", "openmic"])
    def test_it_makes_what_its_configuration_pins(self, project, demo, name):
        configured = yaml.safe_load((project / "config" / "demo.yaml").read_text())["datasets"]
        assert configured[name]["download"] == demo[1][name]

    def test_it_fits_into_an_email(self, demo):
        sizes = {n: sum(f["size_bytes"] for f in pins["files"]) for n, pins in demo[1].items()}
        assert max(sizes.values()) < 25e6


class TestEsc50:
    def test_equal_arguments_give_equal_bytes(self, made, tmp_path):
        path, facts = made
        assert write_esc50_archive(tmp_path / "esc50.zip", **SMALL) == facts
        assert (tmp_path / "esc50.zip").read_bytes() == path.read_bytes()

    def test_another_seed_gives_other_sounds(self, made, tmp_path):
        facts = write_esc50_archive(tmp_path / "esc50.zip", **{**SMALL, "seed": 1})
        assert facts["files"] != made[1]["files"]
        assert facts["csv_sha256"] == made[1]["csv_sha256"]

    def test_the_genuine_code_installs_and_indexes_it(self, made, tmp_path):
        path, facts = made
        install(tmp_path / "esc50", facts["files"], url=path.as_uri())
        index, classes, _ = index_esc50(tmp_path / "esc50", subset="all", expect=facts)
        assert len(index) == facts["n_clips"] == 30
        assert classes == list(KINDS)
        assert set(index.n_samples) == {44_100}
        assert index.sha256.is_unique
        few, some, _ = index_esc50(tmp_path / "esc50", subset="esc10", expect=facts)
        assert (len(few), some) == (18, list(KINDS)[:3])

    def test_the_top_folder_and_the_table_look_genuine(self, made):
        with zipfile.ZipFile(made[0]) as file:
            tops = {name.split("/")[0] for name in file.namelist()}
            (top,) = tops
            table = pd.read_csv(file.open(f"{top}/meta/esc50.csv"))
        assert top.startswith("ESC-50-")
        assert len(top) == len("ESC-50-") + 40
        assert tuple(table) == COLUMNS
        assert table.filename.is_monotonic_increasing

    def test_one_clip_ends_in_exact_zeros_and_one_is_very_quiet(self, clips):
        tails = [name for name, x in clips.items() if not x[-len(x) // 3 :].any()]
        quiet = [name for name, x in clips.items() if np.abs(x).max() < 0.03]
        assert len(tails) == len(quiet) == 1

    def test_every_clip_is_audible_and_none_is_clipped(self, clips):
        peaks = np.array([np.abs(x).max() for x in clips.values()])
        assert peaks.min() > 0.02
        assert peaks.max() < 0.91

    def test_clips_of_one_kind_differ(self, clips):
        spectra = {name: np.abs(np.fft.rfft(x)) for name, x in clips.items()}
        for kind, (target, _, _) in KINDS.items():
            own = [
                s / np.linalg.norm(s) for n, s in spectra.items() if n.endswith(f"-{target}.wav")
            ]
            likeness = np.array(own) @ np.array(own).T
            assert likeness[np.triu_indices(len(own), 1)].max() < 0.99, kind

    def test_the_kinds_are_where_their_descriptions_say(self, clips):
        bands = {
            1: (500, 1200),
            10: (400, 6000),
            12: (50, 500),
            30: (1500, 13_000),
            46: (100, 4000),
        }
        for name, x in clips.items():
            low, high = bands[int(name[:-4].split("-")[-1])]
            assert share_in_band(x, 44_100, low * 0.9, high * 1.1) > 0.8, name


class TestSonyc:
    def test_equal_arguments_give_equal_bytes_and_seeds_differ(self, tmp_path):
        facts = write_sonyc_files(tmp_path / "a", **SMALL_SONYC)
        assert write_sonyc_files(tmp_path / "b", **SMALL_SONYC) == facts
        for file in facts["files"]:
            a, b = (tmp_path / folder / file["name"] for folder in "ab")
            assert a.read_bytes() == b.read_bytes()
            assert file == file_facts(a)
        other = write_sonyc_files(tmp_path / "c", **{**SMALL_SONYC, "seed": 1})
        same = [f["name"] for f, g in zip(facts["files"], other["files"], strict=True) if f == g]
        assert same == ["dcase-ust-taxonomy.yaml"]

    def test_every_class_is_there_and_not_there_in_each_split(self, tagged):
        assert len(tagged) == 86  # two clips of validation were never agreed upon
        assert set(tagged.split) == {"train", "validate", "test"}
        assert all(labels == {0, 1} for labels in labels_by_split(tagged).values())

    def test_some_clips_of_each_split_hold_nothing(self, tagged):
        nothing = (tagged.filter(like="label_") == 0).all(axis=1)
        assert set(tagged.split[nothing]) == {"train", "validate", "test"}
        assert nothing[tagged.split == "train"].sum() == 7

    def test_the_rules_for_labels_differ_on_training_clips_only(self, demo, installed, tagged):
        expect = demo[1]["sonyc_ust"]
        authors = index_sonyc(installed / "sonyc_ust", labels="authors", expect=expect)[0]
        labels = [column for column in tagged if column.startswith("label_")]
        rows = (tagged[labels] != authors[labels]).any(axis=1)
        assert rows.sum() >= 3
        assert set(tagged.split[rows]) == {"train"}

    def test_the_files_look_genuine(self, demo, installed):
        folder, facts = demo[0] / "sonyc_ust", demo[1]["sonyc_ust"]
        names = [file["name"] for file in facts["files"]]
        assert names == [
            *("annotations.csv", "dcase-ust-taxonomy.yaml", "audio-0.tar.gz", "audio-1.tar.gz")
        ]
        # The md5 that the publisher gives for the file.
        assert facts["files"][1]["md5"] == "6c1cca1c4c383a6ebb0cb71cb74fe3a9"
        for k in range(2):
            with tarfile.open(folder / f"audio-{k}.tar.gz") as file:
                assert {name.split("/")[0] for name in file.getnames()} == {f"audio-{k}"}
        clips = sorted((installed / "sonyc_ust" / "audio").iterdir())
        assert len(clips) == 88
        info = soundfile.info(clips[0])
        assert (info.samplerate, info.channels, info.subtype) == (48_000, 1, "PCM_16")

    def test_every_shard_holds_clips_of_every_split(self, demo, table):
        split_of = dict(zip(table.audio_filename, table.split, strict=True))
        for k in range(2):
            with tarfile.open(demo[0] / "sonyc_ust" / f"audio-{k}.tar.gz") as file:
                splits = {split_of[Path(name).name] for name in file.getnames()}
            assert splits == {"train", "validate", "test"}

    def test_the_table_has_the_columns_of_the_genuine_one(self, table):
        names = yaml.safe_load(TAXONOMY.read_text())
        fine = [f"{c}-{f}_{name}" for c, g in names["fine"].items() for f, name in g.items()]
        assert list(table)[:12] == [
            *("split", "sensor_id", "audio_filename", "annotator_id", "year", "week", "day"),
            *("hour", "borough", "block", "latitude", "longitude"),
        ]
        assert list(table)[12:41] == [f"{name}_presence" for name in fine]
        assert list(table)[41:70] == [f"{name}_proximity" for name in fine]
        assert list(table)[70:] == [
            *("1_engine_presence", "2_machinery-impact_presence"),
            *("3_non-machinery-impact_presence", "4_powered-saw_presence"),
            *("5_alert-signal_presence", "6_music_presence"),
            *("7_human-voice_presence", "8_dog_presence"),
        ]

    def test_coarse_presence_follows_from_fine_presence(self, table):
        for column in list(table)[70:]:
            fine = table.filter(regex=rf"^{column[0]}-.*_presence$")
            assert (table[column] == fine.max(axis=1)).all()

    def test_volunteers_miss_sounds_and_the_team_leaves_classes_out(self, table):
        coarse = list(table)[70:]
        volunteers = table[table.annotator_id > 0]
        assert (volunteers.groupby("audio_filename").size() == 3).all()
        heard = volunteers.groupby("audio_filename")[coarse].sum()
        assert set(np.unique(heard)) == {0, 1, 2, 3}
        team = table[table.annotator_id < 0]
        assert ((team[coarse] == -1).sum(axis=1) == 7).all()
        members = team.groupby("audio_filename").annotator_id
        assert (members.nunique() == 2).all() and (members.size() == 8).all()
        assert team.groupby(["audio_filename", "annotator_id"]).size().max() > 1

    def test_who_annotates_what_is_as_in_the_genuine_table(self, table):
        agreed = set(table.audio_filename[table.annotator_id == 0])
        by_split = table.groupby("split").audio_filename.agg(set)
        assert by_split["test"] <= agreed
        assert len(by_split["validate"] - agreed) == 2
        assert 0 < len(by_split["train"] & agreed) < 10
        assert set(table.audio_filename[table.annotator_id < 0]) == agreed
        first = table.groupby("audio_filename").head(1)
        assert first.audio_filename.is_unique
        runs = (table.audio_filename != table.audio_filename.shift()).sum()
        assert runs == len(first) + len(agreed)  # rows of one clip are not all together

    def test_only_volunteers_say_how_near_a_sound_is(self, table):
        proximity = table.filter(regex="_proximity$")
        presence = table.filter(regex=r"^\d-.*_presence$")
        assert set(np.unique(proximity)) == {"-1", "near", "far", "notsure"}
        said = (proximity != "-1").to_numpy()
        volunteer = (table.annotator_id > 0).to_numpy()
        assert (said == ((presence == 1).to_numpy() & volunteer[:, None])).all()

    def test_some_sounds_are_of_no_known_fine_class(self, table):
        agreed = table[table.annotator_id == 0]
        unknown = agreed.filter(regex=r"^1-X_.*_presence$").iloc[:, 0] == 1
        known = agreed.filter(regex=r"^1-\d_.*_presence$").max(axis=1) == 1
        assert (unknown & ~known & (agreed["1_engine_presence"] == 1)).any()

    def test_two_recordings_are_the_same_and_of_one_sensor(self, table, installed):
        groups: dict[str, list[str]] = {}
        for path in sorted((installed / "sonyc_ust" / "audio").iterdir()):
            groups.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), []).append(path.name)
        (pair,) = [group for group in groups.values() if len(group) > 1]
        assert len(pair) == 2
        rows = table[table.audio_filename.isin(pair)]
        assert rows.sensor_id.nunique() == 1 and set(rows.split) == {"train"}

    def test_sensors_of_validation_are_met_nowhere_else_and_those_of_test_are(self, table):
        sensors = table.groupby("split").sensor_id.agg(set)
        assert not sensors["validate"] & (sensors["train"] | sensors["test"])
        assert sensors["test"] & sensors["train"]
        assert (table.audio_filename.str[:2].astype(int) == table.sensor_id.astype(int)).all()


class TestOpenmic:
    def test_equal_arguments_give_equal_bytes_and_seeds_differ(self, tmp_path):
        facts = write_openmic_archive(tmp_path / "x.tgz", **SMALL_OPENMIC)
        first = (tmp_path / "x.tgz").read_bytes()
        assert write_openmic_archive(tmp_path / "x.tgz", **SMALL_OPENMIC) == facts
        assert (tmp_path / "x.tgz").read_bytes() == first
        other = write_openmic_archive(tmp_path / "x.tgz", **{**SMALL_OPENMIC, "seed": 1})
        assert other["files"] != facts["files"]

    def test_every_class_is_there_and_not_there_in_each_split(self, openmic):
        table, classes, _ = openmic
        assert classes == list(INSTRUMENTS) and len(classes) == 20
        assert table.split.value_counts().to_dict() == {"train": 60, "test": 40}
        assert all(labels == {0, 1} for labels in labels_by_split(table).values())

    def test_most_labels_are_unknown(self, openmic):
        known = openmic[0].filter(like="label_").notna().sum(axis=1)
        assert known.max() == 8 and (known == 8).sum() >= 99

    def test_the_rows_hold_what_a_loader_may_stumble_over(self, openmic, rows):
        table, _, facts = openmic
        labels = table.set_index("clip").filter(like="label_")
        assert facts["n_duplicated_rows"] == 1
        twice = rows[rows.duplicated(["sample_key", "instrument"], keep=False)]
        first, last = twice.relevance
        assert first < 0.5 <= last and twice.index[1] - twice.index[0] > 1
        key, name = twice.iloc[0][["sample_key", "instrument"]]
        assert labels.loc[key, f"label_{name}"] == 1
        ((_, half),) = rows[rows.relevance == 0.5].iterrows()
        assert labels.loc[half.sample_key, f"label_{half.instrument}"] == 1
        assert ((labels == 1).sum(axis=1) == 0).sum() == 1
        assert rows.relevance.between(0, 1).all()

    def test_the_archive_looks_genuine(self, demo):
        with tarfile.open(demo[0] / "openmic-2018-v1.0.0.tgz") as file:
            names = file.getnames()
            shadow = file.extractfile("openmic-2018/audio/000/._000046_3840.ogg").read()
            numbers = json.load(file.extractfile("openmic-2018/class-map.json"))
            listed = file.extractfile("openmic-2018/partitions/split01_train.csv").read()
        assert {name.split("/")[0] for name in names} == {"openmic-2018"}
        assert "openmic-2018/audio/000/000046_3840.ogg" in names
        assert len({name.split("/")[2] for name in names if "/audio/" in name}) >= 2
        assert not shadow.startswith(b"OggS")
        assert [numbers[name] for name in INSTRUMENTS] == list(range(20))
        assert listed.splitlines() == sorted(listed.splitlines()) and len(listed.split()) == 60

    def test_clips_are_vorbis_in_stereo(self, openmic, installed):
        table = openmic[0]
        info = soundfile.info(installed / "openmic" / table.path[0])
        assert (info.samplerate, info.channels, info.subtype) == (44_100, 2, "VORBIS")
        assert set(table.n_samples) == {88_200}
        x, _ = soundfile.read(installed / "openmic" / table.path[0])
        left, right = np.sqrt((x**2).mean(axis=0))
        assert not 0.95 < left / right < 1.05  # instruments have their places


class TestPacking:
    def test_ogg_pages_bear_no_serial_number_and_a_right_check_sum(self):
        x = np.sin(np.arange(20_000) / 20)[:, None] * [0.5, 0.3]
        made = ogg_bytes(x, 44_100)
        assert made == ogg_bytes(x, 44_100)
        starts = [i for i in range(len(made)) if made[i : i + 4] == b"OggS"]
        assert len(starts) > 2
        for begin, end in zip(starts, [*starts[1:], len(made)], strict=True):
            page = made[begin:end]
            assert page[14:18] == bytes(4)
            blank = page[:22] + bytes(4) + page[26:]
            assert int.from_bytes(page[22:26], "little") == slow_ogg_crc(blank)

    def test_ogg_decodes_to_what_the_encoder_made(self):
        x = np.sin(np.arange(20_000) / 20)[:, None] * [0.5, 0.3]
        plain = io.BytesIO()
        soundfile.write(plain, (x * 32_767).round().astype("<i2"), 44_100, "VORBIS", format="OGG")
        plain.seek(0)
        got, rate = soundfile.read(io.BytesIO(ogg_bytes(x, 44_100)))
        assert rate == 44_100 and got.shape == (20_000, 2)
        np.testing.assert_array_equal(got, soundfile.read(plain)[0])
        assert np.abs(got - x).max() < 0.05

    def test_wav_holds_16_bit_integers(self):
        made = io.BytesIO(wav_bytes(np.array([0, 0.5, -1, 1]), 8000))
        x, rate = soundfile.read(made, dtype="int16")
        assert (x.tolist(), rate) == ([0, 16_384, -32_767, 32_767], 8000)

    @pytest.mark.parametrize("n_bytes", [0, 1, 65_535 - 10_240, 65_535, 65_536, 200_000])
    def test_a_gzipped_tar_holds_its_members_and_nothing_of_time_or_place(self, tmp_path, n_bytes):
        content = bytes(range(256)) * (n_bytes // 256) + bytes(n_bytes % 256)
        members = {"b/y": content, "a/x": b"1"}
        write_tar_gz(tmp_path / "new" / "x.tgz", members)
        packed = (tmp_path / "new" / "x.tgz").read_bytes()
        assert packed[4:8] == bytes(4)
        assert len(packed) > len(gzip.decompress(packed))  # stored: nothing for zlib to decide
        with tarfile.open(tmp_path / "new" / "x.tgz", "r:gz") as file:
            infos = file.getmembers()
            assert [info.name for info in infos] == ["a/x", "b/y"]
            assert {(i.mtime, i.uid, i.gid, i.uname, i.mode) for i in infos} == {
                (0, 0, 0, "", 0o644)
            }
            assert file.extractfile("b/y").read() == content

    def test_facts_of_a_file_are_those_of_its_bytes(self, tmp_path):
        (tmp_path / "x").write_bytes(b"abc")
        assert file_facts(tmp_path / "x") == {
            "name": "x",
            "size_bytes": 3,
            "md5": "900150983cd24fb0d6963f7d28e17f72",
            "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        }


class TestPlanning:
    @settings(deadline=None)
    @given(st.integers(1, 12), st.data())
    def test_hands_hold_different_items_and_all_items_come_up_equally_often(self, n, data):
        items = [str(i) for i in range(n)]
        sizes = data.draw(st.lists(st.integers(0, n), max_size=30))
        hands = deal(items, sizes, generator(data.draw(st.integers(0, 99))))
        assert [len(hand) for hand in hands] == sizes
        assert all(len(set(hand)) == len(hand) and set(hand) <= set(items) for hand in hands)
        counts = Counter(item for hand in hands for item in hand)
        assert max(counts[item] for item in items) - min(counts[item] for item in items) <= 2

    def test_a_hand_larger_than_the_deck_is_refused(self):
        with pytest.raises(InputError, match="3 different items needs more than 2 items"):
            deal(["a", "b"], [3], generator(0))

    def test_scattered_splits_are_mixed_evenly(self):
        clips = scattered({"train": 6, "test": 3})
        assert [split for split, _ in clips].count("test") == 3
        assert {split for split, _ in clips[:3]} == {"train", "test"}
        assert [i for split, i in clips if split == "train"] == list(range(6))


SECONDS = np.arange(44_100) / 44_100
URBAN_BANDS = {  # where nearly all energy is, in Hz
    "engine": (30, 1200),
    "machinery-impact": (700, 9000),
    "non-machinery-impact": (40, 22_050),
    "powered-saw": (2000, 12_000),
    "alert-signal": (550, 4500),
    "music": (200, 4000),
    "human-voice": (80, 4000),
    "dog": (300, 4500),
}
REGISTERS = {"bass": (35, 330), "cymbals": (4000, 20_000), "flute": (700, 4000)}


class TestSounds:
    @pytest.mark.parametrize("name", urban.KINDS)
    def test_sounds_of_the_street_are_full_scale_in_their_band_and_differ(self, name):
        sounds = [urban.KINDS[name](SECONDS, generator(0, k)) for k in range(3)]
        for x in sounds:
            assert 0.9 < np.abs(x).max() < 1.6
            assert share_in_band(x, 44_100, *URBAN_BANDS[name]) > 0.8
        assert max(likeness(a, b) for a, b in zip(sounds, sounds[1:], strict=False)) < 0.99

    @pytest.mark.parametrize("name", INSTRUMENTS)
    def test_instruments_play_at_full_scale_and_never_the_same_twice(self, name):
        sounds = [play(name, SECONDS, generator(0, k)) for k in range(3)]
        for x in sounds:
            assert x.shape == SECONDS.shape
            assert np.abs(x).max() == pytest.approx(1)
            low, high = REGISTERS.get(name, (20, 22_050))
            assert share_in_band(x, 44_100, low, high) > 0.9
        assert max(likeness(a, b) for a, b in zip(sounds, sounds[1:], strict=False)) < 0.99

    def test_kinds_of_sound_are_less_alike_than_sounds_of_a_kind(self):
        bands = {n: [profile(f(SECONDS, generator(1, k))) for k in range(4)]
                 for n, f in urban.KINDS.items()}  # fmt: skip
        centres = {name: np.mean(own, axis=0) for name, own in bands.items()}
        for name, own in bands.items():
            for p in own:
                distances = {other: np.abs(p - c).sum() for other, c in centres.items()}
                assert min(distances, key=distances.get) == name

    @pytest.mark.parametrize(
        ("name", "is_struck"),
        [("machinery-impact", True), ("non-machinery-impact", True), ("dog", True)]
        + [("engine", False), ("alert-signal", False)],
    )
    def test_strokes_and_barks_are_short_and_hums_are_long(self, name, is_struck):
        for k in range(3):
            steadiness = 2 * profile(urban.KINDS[name](SECONDS, generator(2, k)))[-1]
            assert (steadiness > 0.6) == is_struck

    def test_harmonics_are_the_sum_of_sines(self):
        phase = np.linspace(0, 40, 1000)
        wanted = 0.5 * np.sin(phase) + 0.2 * np.sin(3 * phase)
        np.testing.assert_allclose(harmonics(phase, [0.5, 0, 0.2]), wanted, atol=1e-12)


def share_in_band(x, sample_rate, low, high):
    hertz = np.fft.rfftfreq(len(x), 1 / sample_rate)
    power = np.abs(np.fft.rfft(x)) ** 2
    return power[(hertz > low) & (hertz < high)].sum() / power.sum()


def likeness(a, b):
    a, b = np.abs(np.fft.rfft(a)), np.abs(np.fft.rfft(b))
    return a @ b / np.sqrt((a @ a) * (b @ b))


def profile(x):
    """Share of energy in each octave, and how unsteady the level is."""
    octaves = [share_in_band(x, 44_100, 32 * 2**k, 64 * 2**k) for k in range(9)]
    level = np.abs(x[: len(x) // 441 * 441]).reshape(-1, 441).mean(axis=1)
    return np.array([*octaves, level.std() / level.mean() / 2])


def slow_ogg_crc(page):
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1) ^ (0x04C11DB7 if crc & 0x80000000 else 0)
            crc &= 0xFFFFFFFF
    return crc
