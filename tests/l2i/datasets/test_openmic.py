from __future__ import annotations

import hashlib
import json
import logging
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from l2i.checks import InputError
from l2i.datasets.openmic import LABELS, PARTITIONS, label_table, read_partitions
from l2i.datasets.openmic import index_corpus as index_openmic

CLASSES = {"voice": 2, "bass": 0, "organ": 1}  # the file need not be in order
SPLITS = {
    "train": ["000046_3840", "000135_483840", "012000_0"],
    "test": ["000178_3840", "155310_30720"],
}
ROWS = [
    ("000046_3840", "bass", 0.9),
    ("000046_3840", "organ", 0.2),
    ("000135_483840", "organ", 0.5),  # exactly between: present
    ("000135_483840", "voice", 0.49999),
    ("012000_0", "voice", 1),
    ("000178_3840", "bass", 0),
    ("155310_30720", "bass", 0.7),
]
NO_GROUPS = {"n_identical_groups": 0, "n_identical_groups_across_splits": 0}
INDEX_COLUMNS = (
    *("clip", "path", "source", "split", "label_bass", "label_organ", "label_voice"),
    *("n_samples", "sample_rate", "n_channels", "duration_seconds", "maximum", "sha256"),
)


def write_labels(folder, rows):
    table = pd.DataFrame(rows, columns=["sample_key", "instrument", "relevance"])
    table.assign(num_responses=3).to_csv(folder / LABELS, index=False)


def write_partition(folder, split, keys):
    path = folder / PARTITIONS[split]
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{key}\n" for key in keys))


def clip_path(folder, key):
    return folder / "audio" / key[:3] / f"{key}.ogg"


def write_clip(folder, key, x, rate=8000):
    path = clip_path(folder, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, x, rate, format="OGG", subtype="VORBIS")


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "openmic"
    rng = np.random.default_rng(0)
    for split, keys in SPLITS.items():
        for key in keys:
            write_clip(folder, key, 0.1 * rng.standard_normal((800, 2)))
        write_partition(folder, split, keys)
    write_labels(folder, ROWS)
    (folder / "class-map.json").write_text(json.dumps(CLASSES))
    return folder


def data_folder(name: str) -> Path:
    root = os.environ.get("L2I_DATA")
    if not root:
        pytest.skip("L2I_DATA is not set: it names a folder of real corpora")
    if not (Path(root) / name).exists():
        pytest.skip(f"{root} holds no {name}")
    return Path(root) / name


def labels_of(index):
    """(clip, class) -> label, of what was observed."""
    return {
        (row["clip"], name): row[f"label_{name}"]
        for row in index.to_dict("records")
        for name in CLASSES
        if not pd.isna(row[f"label_{name}"])
    }


class TestIndex:
    def test_rows_are_sorted_and_say_what_the_files_are(self, corpus):
        index, classes, facts = index_openmic(corpus)
        assert tuple(index) == INDEX_COLUMNS
        assert classes == ["bass", "organ", "voice"]
        assert list(index["clip"]) == sorted(SPLITS["train"] + SPLITS["test"])
        split = dict(zip(index["clip"], index.split, strict=True))
        assert split == {key: split for split, keys in SPLITS.items() for key in keys}
        row = index.set_index("clip").loc["000135_483840"]
        assert row.path == "audio/000/000135_483840.ogg"
        assert row[["n_samples", "sample_rate", "n_channels"]].tolist() == [800, 8000, 2]
        assert row.duration_seconds == 0.1
        assert row.sha256 == hashlib.sha256((corpus / row.path).read_bytes()).hexdigest()
        counts = {"n_labels": 7, "n_duplicated_rows": 0, "n_clips_without_label": 0}
        assert facts == counts | {"n_sources": 5} | NO_GROUPS

    def test_a_source_is_a_track(self, corpus):
        later = "000178_90000"
        write_clip(corpus, later, 0.1 * np.random.default_rng(9).standard_normal((800, 2)))
        write_partition(corpus, "test", [*SPLITS["test"], later])
        index, _, facts = index_openmic(corpus)
        source = index.set_index("clip")["source"]
        assert source["000178_3840"] == source[later] == "000178"
        assert facts["n_sources"] == 5 and len(index) == 6

    def test_half_is_a_presence_and_what_nobody_listened_for_is_missing(self, corpus):
        index, _, _ = index_openmic(corpus)
        assert labels_of(index) == {(key, name): int(r >= 0.5) for key, name, r in ROWS}

    def test_the_csv_holds_1_0_and_nothing(self, corpus, tmp_path):
        index_openmic(corpus)[0].to_csv(tmp_path / "index.csv", index=False)
        text = pd.read_csv(tmp_path / "index.csv", dtype=str, keep_default_na=False)
        assert set(text.filter(like="label_").to_numpy().ravel()) == {"1", "0", ""}

    @pytest.mark.parametrize(("values", "label"), [((0.9, 0.1), 0), ((0.1, 0.3, 0.9), 1)])
    def test_the_last_of_several_rows_counts(self, corpus, values, label):
        # What lies between the rows for one pair, and the mean of them, does not matter.
        first, *later = [("000046_3840", "voice", value) for value in values]
        write_labels(corpus, [first, *ROWS, *later])
        index, _, facts = index_openmic(corpus)
        assert labels_of(index)["000046_3840", "voice"] == label
        assert (facts["n_labels"], facts["n_duplicated_rows"]) == (8, len(later))

    def test_labels_equal_those_that_a_loop_finds(self):
        keys, names = ["000001_0", "000002_0", "000003_0"], ["bass", "organ"]
        draw = np.random.default_rng(0)
        pairs = [(k, n) for k in keys for n in names]
        for _ in range(20):
            chosen = [pair for pair in pairs if draw.random() < 0.6]
            rows = [(*pair, round(draw.random(), 1)) for pair in chosen]
            table = pd.DataFrame(rows, columns=["sample_key", "instrument", "relevance"])
            got = label_table(table.astype({"relevance": float}), pd.Index(keys), names)
            assert list(got.index) == keys and list(got) == names
            wanted = {(k, n): int(r >= 0.5) for k, n, r in rows}
            for k, n in pairs:
                assert got.loc[k, n] is pd.NA if (k, n) not in wanted else True
                assert (k, n) not in wanted or got.loc[k, n] == wanted[k, n]

    def test_clips_without_label_are_kept_and_warned_of(self, corpus, caplog):
        write_labels(corpus, [row for row in ROWS if row[0] != "000178_3840"])
        with caplog.at_level(logging.WARNING):
            index, _, facts = index_openmic(corpus)
        assert "1 clips have no label" in caplog.text and "000178_3840" in caplog.text
        assert len(index) == 5 and facts["n_clips_without_label"] == 1

    def test_a_test_split_without_a_class_is_legal(self, corpus):
        assert "organ" not in {
            name for key, name in labels_of(index_openmic(corpus)[0]) if key in SPLITS["test"]
        }

    def test_shadow_files_and_the_pickled_arrays_are_left_alone(self, corpus):
        before = index_openmic(corpus)[0]
        shadow = clip_path(corpus, "000046_3840")
        shadow.with_name(f"._{shadow.name}").write_bytes(b"Mac OS X")
        (corpus / "openmic-2018.npz").write_bytes(b"not what numpy writes")
        pd.testing.assert_frame_equal(before, index_openmic(corpus)[0])

    def test_line_ends_of_other_systems_change_nothing(self, corpus):
        before = index_openmic(corpus)[0]
        path = corpus / PARTITIONS["train"]
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        pd.testing.assert_frame_equal(before, index_openmic(corpus)[0])

    def test_mono_clips_of_other_rates_and_lengths_are_legal(self, corpus):
        write_clip(corpus, "012000_0", np.sin(np.arange(480)), 48_000)
        row = index_openmic(corpus)[0].set_index("clip").loc["012000_0"]
        assert row[["n_samples", "sample_rate", "n_channels"]].tolist() == [480, 48_000, 1]


class TestMisuse:
    def refused(self, corpus, match, **options):
        with pytest.raises(InputError, match=match):
            index_openmic(corpus, **options)

    def test_a_clip_in_both_lists_is_named(self, corpus):
        write_partition(corpus, "test", [*SPLITS["test"], "012000_0"])
        self.refused(corpus, "clip 012000_0 stands in .*_train.csv and in .*_test.csv; remove it")

    def test_a_clip_listed_twice_is_named(self, corpus):
        write_partition(corpus, "test", SPLITS["test"] * 2)
        self.refused(corpus, r"2 problems(.|\n)*clip 000178_3840 stands in .*_test.csv twice")

    def test_a_labelled_clip_in_neither_list_is_named(self, corpus):
        write_labels(corpus, [*ROWS, ("099999_0", "bass", 1)])
        self.refused(corpus, "clip 099999_0 is in neither of the lists")

    @pytest.mark.parametrize("key", ["../../etc", "46_3840", "000046", "000046_3840.ogg", "split"])
    def test_what_is_no_sample_key_is_named_and_no_path_is_made_of_it(self, corpus, key):
        write_partition(corpus, "train", [*SPLITS["train"], key])
        self.refused(corpus, f"1 problem\n.*split01_train.csv: '{key}' is no sample key")

    def test_an_unknown_instrument_is_named(self, corpus):
        write_labels(corpus, [*ROWS, ("012000_0", "kazoo", 1)])
        self.refused(corpus, "instrument 'kazoo' is not in class-map.json")

    @pytest.mark.parametrize("value", [-0.1, 1.01, "nan", "", "yes", "inf"])
    def test_a_relevance_that_is_none_is_named_with_its_line(self, corpus, value):
        write_labels(corpus, [*ROWS, ("012000_0", "bass", value)])
        self.refused(corpus, rf"line 9, 012000_0, bass: relevance '{value}' is not 0 to 1")

    def test_a_class_that_no_training_clip_has_is_named(self, corpus):
        write_labels(corpus, [row for row in ROWS if row != ("012000_0", "voice", 1)])
        self.refused(corpus, "no training clip has a label 1 for voice")
        write_labels(corpus, [])
        self.refused(corpus, r"3 problems(.|\n)*for bass(.|\n)*for organ(.|\n)*for voice")

    def test_a_positive_of_the_test_split_does_not_help_a_class(self, corpus):
        rows = [row for row in ROWS if row != ("012000_0", "voice", 1)]
        write_labels(corpus, [*rows, ("000178_3840", "voice", 1)])
        self.refused(corpus, "no training clip has a label 1 for voice")

    def test_missing_and_surplus_files_are_listed_in_one_error(self, corpus):
        clip_path(corpus, "012000_0").rename(corpus / "audio" / "155" / "012001_0.ogg")
        self.refused(
            corpus,
            r"2 problems\n.*audio/155/012001_0\.ogg has no row in the lists of partitions; add.*\n"
            r".*012000_0\.ogg has a row in the lists of partitions and no file below audio",
        )

    def test_bad_audio_is_listed_with_its_reasons_in_one_error(self, corpus):
        write_clip(corpus, "000046_3840", np.zeros((800, 2)))
        clip_path(corpus, "012000_0").write_bytes(b"no sound")
        whole = clip_path(corpus, "000178_3840").read_bytes()
        clip_path(corpus, "000178_3840").write_bytes(whole[:-100])
        clip_path(corpus, "155310_30720").write_bytes(b"")
        with pytest.raises(InputError, match="4 problems") as error:
            index_openmic(corpus)
        for reason in ("is silent", "cannot be decoded", "is truncated", "is an empty file"):
            assert reason in str(error.value)

    def test_all_kinds_of_problems_stand_in_one_error(self, corpus):
        write_partition(corpus, "test", [*SPLITS["test"], "012000_0"])
        write_labels(corpus, [*ROWS, ("099999_0", "kazoo", 2)])
        clip_path(corpus, "000046_3840").unlink()
        write_clip(corpus, "000178_3840", np.zeros((800, 2)))
        self.refused(corpus, "6 problems")

    @pytest.mark.parametrize("name", [LABELS, "class-map.json", *PARTITIONS.values(), "audio"])
    def test_what_is_missing_is_named(self, corpus, name):
        (corpus / name).rename(corpus / "elsewhere")
        self.refused(corpus, rf"{name}: no such")

    def test_an_absent_corpus_is_told_so(self, tmp_path):
        self.refused(tmp_path / "absent", "no such file; put the corpus there")

    def test_missing_columns_are_named(self, corpus):
        table = pd.read_csv(corpus / LABELS).drop(columns="relevance")
        table.to_csv(corpus / LABELS, index=False)
        self.refused(corpus, "lacks the columns relevance")

    @pytest.mark.parametrize(
        "text", ["{", "[]", "3", '{"bass": 0, "organ": 2}', '{"bass": "0"}', "{}", "\xff"]
    )
    def test_a_class_map_that_is_none_is_refused(self, corpus, text):
        (corpus / "class-map.json").write_bytes(text.encode("latin-1"))
        self.refused(corpus, r"class-map\.json: (maps no|must give|is no text)")

    def test_a_pinned_corpus_may_hold_silence_with_a_warning(self, corpus, caplog):
        write_clip(corpus, "000046_3840", np.zeros((800, 2)))
        with caplog.at_level(logging.WARNING):
            assert len(index_openmic(corpus, expect={"n_clips": 5})[0]) == 5
        assert "is silent throughout, as published" in caplog.text

    @pytest.mark.parametrize(
        ("expect", "match"),
        [
            ({"n_clips": 6}, "5 clips, the pinned corpus has 6"),
            ({"n_clips_per_split": {"train": 4, "test": 2}}, "train.csv: has 3 clips.* has 4"),
            ({"n_clips_per_split": {"train": 3, "test": 1}}, "test.csv: has 2 clips.* has 1"),
            ({"n_labels": 8}, "7 labels, the pinned corpus has 8"),
            ({"partition_sha256": {"test": "0" * 64}}, "test.csv: sha256 is .*, pinned is 000"),
        ],
    )
    def test_a_pinned_corpus_must_be_what_the_pins_say(self, corpus, expect, match):
        self.refused(corpus, rf"1 problem\n.*{match}", expect=expect)

    def test_pins_that_hold_change_nothing(self, corpus):
        lists = {s: (corpus / name).read_bytes() for s, name in PARTITIONS.items()}
        expect = {
            "files": [{"name": "openmic-2018-v1.0.0.tgz"}],
            "n_clips": 5,
            "n_clips_per_split": {"train": 3, "test": 2},
            "n_labels": 7,
            "partition_sha256": {s: hashlib.sha256(b).hexdigest() for s, b in lists.items()},
        }
        index, _, _ = index_openmic(corpus, expect=expect)
        pd.testing.assert_frame_equal(index, index_openmic(corpus)[0])


GENUINE = {
    "n_clips": 20_000,
    "n_clips_per_split": {"train": 14_915, "test": 5085},
    "partition_sha256": {
        "train": "41cbcd56479c2cc5d4f269edd4a61760cfee6d0f44a0f8089462a1e356311e8d",
        "test": "aa438f94207166b8a0dcec072ac89e5f413c591a913a00f8084a7a4c4808ccf7",
    },
}


class TestGenuineCorpora:
    def test_the_genuine_lists_are_read_whole(self, tmp_path):
        genuine = data_folder("genuine-metadata")
        (tmp_path / "partitions").mkdir()
        for name in PARTITIONS.values():
            (tmp_path / name).write_bytes((genuine / Path(name).name).read_bytes())
        splits, problems = read_partitions(tmp_path, GENUINE)
        assert problems == []
        assert splits.value_counts().to_dict() == GENUINE["n_clips_per_split"]
        # What a reader that takes the first line for a header would lose.
        assert (splits["000046_3840"], splits["000178_3840"]) == ("train", "test")
        listed = pd.read_csv(genuine / "openmic-2018-audio.csv", index_col=0).index
        assert set(splits.index) == set(listed)

    def test_labels_of_the_mini_corpus_are_those_of_its_arrays(self):
        folder = data_folder("openmic_mini")
        splits, problems = read_partitions(folder)
        assert problems == [] and len(splits) == 380
        classes = sorted(json.loads((folder / "class-map.json").read_text()))
        rows = pd.read_csv(folder / LABELS)
        got = label_table(rows, splits.index, classes)
        with np.load(folder / "openmic-2018.npz", allow_pickle=True) as arrays:  # of our own making
            keys, mask = arrays["sample_key"], arrays["Y_mask"]
            truth = arrays["Y_true"] >= 0.5
        got = got.loc[keys]
        assert (got.notna().to_numpy() == mask).all()
        assert (got.fillna(0).to_numpy().astype(bool)[mask] == truth[mask]).all()
