"""Files with flipped bits, cut off, empty or foreign: read for what they are, or refused in words.

Every reader of the library stands here once. A reader may take a damaged file, where what it reads
is still well-formed (records tell what their hashes do not fit); it may never answer with anything
but an InputError that names the file.
"""

from __future__ import annotations

import io
import json
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from l2i.checks import InputError
from l2i.datasets.archive import unpack
from l2i.datasets.installation import STAMP, comes_from
from l2i.dictionary.stored_dictionary import load_dictionary, save_dictionary
from l2i.features.cache import open_features
from l2i.networks.classifier import Classifier, from_audioset
from l2i.networks.stored_classifier import load_classifier, save_classifier
from l2i.provenance.records import load_record, record_path
from l2i.reporting.beside_paper import read_clips
from l2i.stored import read_json
from l2i.tables import read_rows
from l2i.weights import load_published

SMALL = {"width": 0.0625, "head_units": 2, "dropout": 0.0}


def bytes_of(write):
    """What `write`, called with a path, puts there."""

    def made(folder):
        write(folder / "sound")
        return (folder / "sound").read_bytes()

    return made


def write_dictionary(path):
    save_dictionary(path, torch.ones(5, 2), fold="1")


def write_classifier(path):
    network = Classifier(2, multi_label=False, **SMALL)
    save_classifier(path, network, fold="1")


def write_published(path):
    torch.save({"module.layer1.0.weight": torch.ones(2)}, path)


def write_zip(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.txt", "text" * 20)
        archive.writestr("a/c.txt", "x")


def write_tar(path):
    with tarfile.open(path, "w:gz") as archive:
        for name in ("a/b.txt", "a/c.txt"):
            info = tarfile.TarInfo(name)
            info.size = 20
            archive.addfile(info, io.BytesIO(b"x" * 20))


def write_features(path):
    with open(path, "wb") as file:
        np.save(file, np.ones((3, 4, 5), dtype="<f4"))


def write_table(path):
    rows = {"dataset": ["d"], "fold": ["1"], "clip": ["c"], "source": ["s"], "score": [0.5]}
    pd.DataFrame(rows).to_csv(path, index=False)


def unpacked(kind):
    def read(path):
        unpack(path, path.with_name("unpacked"), kind=kind)

    return read


def as_record(path):
    record_path(path).parent.mkdir()
    path.replace(record_path(path))
    return load_record(path)


def as_stamp(path):
    path.replace(path.with_name(STAMP))
    assert comes_from(path.parent, [{"name": "a", "sha256": "b"}]) in (True, False)


STAMP_TEXT = json.dumps({"url": "u", "files": [{"name": "a", "sha256": "b"}]})
READERS = {
    "dictionary": (write_dictionary, lambda path: load_dictionary(path, fold="1")),
    "classifier": (write_classifier, lambda path: load_classifier(path, device="cpu", fold="1")),
    "published weights": (write_published, lambda path: from_audioset(load_published(path))),
    "zip": (write_zip, unpacked("zip")),
    "tar": (write_tar, unpacked("tar.gz")),
    "features": (write_features, lambda path: open_features(path, n_clips=3)[:].sum()),
    "scores": (write_table, lambda path: read_clips([path])),
    "index": (write_table, lambda path: read_rows(path, columns=("clip",))),
    "classes": (lambda path: path.write_text('["a", "b"]'), lambda path: read_json(path, list)),
    "pins": (lambda path: path.write_text('{"a": 1}'), lambda path: read_json(path, dict)),
    "record": (lambda path: path.write_text('{"rule": "x"}'), as_record),
    "stamp": (lambda path: path.write_text(STAMP_TEXT), as_stamp),
}
FOREIGN = {
    "nothing": b"",
    "page": b"<!DOCTYPE html><html>",
    "zeros": bytes(4096),
    "latin": "k\xe4se,b\n1,2\n".encode("latin-1"),
    "pickle": pickle.dumps({"a": 1}),
    "numbers": b"1\n2\n3\n",
    "null": b"null",
    "deep": b"[" * 100_000,
    "table": b'a,b\n"1,2\n',
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Undamaged files of all kinds, by name."""
    folder = tmp_path_factory.mktemp("whole")
    return {name: bytes_of(write)(folder) for name, (write, _) in READERS.items()}


def read_in_words(name, content, folder):
    path = folder / "file"
    path.write_bytes(content)
    try:
        READERS[name][1](path)
    except InputError as error:
        # What is published has no file of ours to name once it is in memory.
        assert str(path) in str(error) or "published weights" in str(error)


@pytest.mark.parametrize("name", READERS)
class TestDamage:
    @pytest.mark.parametrize("kind", FOREIGN)
    def test_foreign_files_are_refused_in_words(self, name, kind, tmp_path):
        read_in_words(name, FOREIGN[kind], tmp_path)

    def test_a_folder_in_the_place_of_a_file_is_refused_in_words(self, name, tmp_path):
        (tmp_path / "file").mkdir()
        with pytest.raises(InputError) if name != "stamp" else pytest.MonkeyPatch.context():
            READERS[name][1](tmp_path / "file")

    @settings(max_examples=40, deadline=None)
    @given(data=st.data())
    def test_flipped_and_missing_bytes_are_refused_in_words(
        self, name, data, whole, tmp_path_factory
    ):
        content = bytearray(whole[name])
        place = st.integers(0, min(len(content), 700) - 1)  # headers, mostly
        for where in data.draw(st.lists(place, max_size=3)):
            content[where] = data.draw(st.integers(0, 255))
        end = data.draw(st.none() | st.integers(0, len(content)))
        read_in_words(name, bytes(content[:end]), tmp_path_factory.mktemp("damaged"))


class TestKnownAnswers:
    @pytest.mark.parametrize(
        ("array", "message"),
        [
            (np.ones((2, 4, 5), "<f4"), "holds the features of 2 clips, but 3 are indexed"),
            (np.ones((3, 4, 5), "<f8"), "holds something else than features"),
            (np.ones((3, 4), "<f4"), "holds something else than features"),
            (np.array([None]), "holds no whole array"),
        ],
    )
    def test_features_of_other_clips_or_kinds(self, tmp_path, array, message):
        np.save(tmp_path / "x.npy", array)
        with pytest.raises(InputError, match=f"x.npy {message}.*delete it and give your command"):
            open_features(tmp_path / "x.npy", n_clips=3)

    def test_a_cut_feature_file(self, tmp_path):
        write_features(tmp_path / "x.npy")
        (tmp_path / "x.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:-4])
        with pytest.raises(InputError, match=r"x.npy holds no whole array .*; delete it and give"):
            open_features(tmp_path / "x.npy")

    def test_weights_of_another_network_are_told_from_ours(self, tmp_path):
        path = Path(tmp_path / "w.pkl")
        for state in ({"fc.weight": torch.ones(1)}, {"a.b.c.d": torch.ones(1)}, {}):
            torch.save(state, path)
            with pytest.raises(InputError, match="lack layers that become blocks.B1"):
                from_audioset(load_published(path))

    @pytest.mark.parametrize("about", ["{", "5", "[" * 100_000])
    def test_weights_that_do_not_say_what_they_are(self, tmp_path, about):
        save_file({"W": torch.ones(2, 2)}, tmp_path / "w", {"l2i": about})
        with pytest.raises(InputError, match=r"/w (is not a readable|does not say).*delete it and"):
            load_dictionary(tmp_path / "w")

    @pytest.mark.parametrize(
        "bits", [b"\x00\x00\x0e\x00", b"\x00\x00\x0c\x00", b"\x00\x00\xff\xff"]
    )
    def test_an_archive_that_is_packed_in_another_way_than_it_says(self, tmp_path, bits):
        write_zip(tmp_path / "z")
        content = (tmp_path / "z").read_bytes().replace(b"\x00\x00\x08\x00", bits)
        (tmp_path / "z").write_bytes(content)
        with pytest.raises(InputError, match="/z"):
            unpack(tmp_path / "z", tmp_path / "out", kind="zip")

    def test_a_classifier_without_a_layer(self, tmp_path):
        network = Classifier(2, multi_label=False, **SMALL)
        network.output = torch.nn.Identity()
        save_classifier(tmp_path / "c", network, fold="1")
        with pytest.raises(InputError, match="does not hold what its network consists of"):
            load_classifier(tmp_path / "c", device="cpu", fold="1")
