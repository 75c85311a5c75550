"""Disks that are full, read-only or not ours: each kind of file that jobs write, on a real one."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from matplotlib.figure import Figure

from harness import perform
from helpers.disks import small_disk
from helpers.tiny_project import Project, make_corpus, overlay_for
from helpers.users import open_folder, run_python
from l2i import disk, saved_state
from l2i.checks import InputError
from l2i.datasets import archive, installation
from l2i.datasets.installation import install
from l2i.dictionary.stored_dictionary import save_dictionary
from l2i.features import cache
from l2i.features.audio import write_wav
from l2i.features.spectral import FrontEnd
from l2i.hashing import file_sha256
from l2i.provenance.records import record_path
from l2i.reporting.figures.saving import save
from l2i.synthetic.esc50 import write_esc50_archive
from l2i.tables import write_rows
from l2i.training.cached_rows import SCRATCH, CachedRows
from l2i.weights import save_weights

pytestmark = pytest.mark.usefixtures("torch_as_before")
FRONT_END = FrontEnd(sample_rate=8000, n_fft=512, hop_length=128, n_mels=64, mel_power=1)
AMOUNT = r"\d[\d.]* (bytes|kB|MB)"


@pytest.fixture
def full(tmp_path):
    """A disk of a quarter of a megabyte."""
    with small_disk(tmp_path / "disk", "256k") as mounted:
        yield mounted


@pytest.fixture
def job(full, tmp_path, tmp_path_factory, monkeypatch):
    """A job that writes one result to the full disk, under a name that each case chooses."""
    monkeypatch.chdir(tmp_path_factory.mktemp("project"))  # where hashes are remembered

    def described(name):
        return SimpleNamespace(
            rule="fill",
            input={},
            output={"result": str(full.folder / name)},
            params=SimpleNamespace(settings="{}", code="c" * 64, env="{}"),
            wildcards={},
            log=[str(tmp_path / "fill.log")],
            threads=1,
            config={"machine": {"device": "cpu"}},
        )

    return described


def noise(n):
    return np.random.default_rng(0).standard_normal(n).astype("float32")


def write_features(path):
    sounds = [Path("sound.wav")] * 40
    soundfile.write(sounds[0], noise(16_000) / 10, 8000)
    cache.cache_features(
        sounds,
        path,
        f"{path}.mel",
        sha256=[file_sha256(sounds[0])] * 40,
        front_end=FRONT_END,
        scale="none",
        n_samples=16_000,
    )


def write_figure(path):
    figure = Figure()
    figure.subplots().imshow(noise(3 * 300 * 300).reshape(300, 300, 3).clip(0, 1))
    save(figure, path, path, {"title": "Figure 0: noise", "text": "Noise."})


def write_sounds(path):
    Path(path).mkdir()
    for i in range(9):
        write_wav(Path(path) / f"{i}.wav", noise(16_000), sample_rate=8000)


def write_table(path):
    write_rows(pd.DataFrame({"x": noise(100_000)}), path)


KINDS = {
    "features": ("log_magnitude.npy", write_features),
    "dictionary": (
        "dictionary.safetensors",
        lambda path: save_dictionary(path, torch.ones(1000, 100), fold="1"),
    ),
    "weights": (
        "model.safetensors",
        lambda path: save_weights(path, {"a": torch.ones(300, 300)}, kind="network"),
    ),
    "table": ("scores.csv", write_table),
    "page": ("table.md", lambda path: disk.write_text(path, "| cell |\n" * 100_000)),
    "figure": ("figure.png", write_figure),
    "sounds": ("sounds", write_sounds),
}


def leftovers(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.name != "filler")


def refused(job, function, capsys, **more):
    """Run a job that must fail in words; what it says."""
    with pytest.raises(SystemExit) as end:
        perform(job, function, **more)
    assert end.value.code == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said and said.count("error: ") == 1, said
    return said[said.index("error: ") :].strip()


class TestFull:
    @pytest.mark.parametrize("kind", KINDS)
    def test_one_message_names_file_room_and_remedy_and_nothing_is_left(
        self, kind, job, full, capsys
    ):
        name, write = KINDS[kind]
        said = refused(job(name), lambda path_to_result: write(path_to_result), capsys)
        numbers = rf"{AMOUNT} are needed, and {AMOUNT} are free on the disk of {full.folder}"
        assert re.search(numbers, said), said
        assert said.count("\n") == 0 and "make room there and give your command again" in said
        if kind != "features":  # of which room is asked for before there are any
            assert f"{full.folder}/{name}" in said
        assert leftovers(full.folder) in ([], [".records"])
        needed, free = re.findall(AMOUNT.replace("(", "(?:"), said)[-2:]
        units = {"bytes": 1, "kB": 1e3, "MB": 1e6}
        amounts = [float(a.split()[0]) * units[a.split()[1]] for a in (needed, free)]
        assert amounts[0] > amounts[1] or kind == "sounds", said  # of which each is told alone

    def test_no_clip_is_heard_before_there_is_room_for_all(self, job, capsys, monkeypatch):
        monkeypatch.setattr(cache, "load_waveform", None)
        said = refused(job("x.npy"), lambda path_to_result: write_features(path_to_result), capsys)
        assert said.startswith("error: spectrograms of 40 clips: ")

    def test_room_that_goes_while_spectrograms_are_computed(self, job, full, capsys, monkeypatch):
        monkeypatch.setattr(cache, "require_room", lambda *_: None)
        said = refused(job("x.npy"), lambda path_to_result: write_features(path_to_result), capsys)
        assert f"{full.folder}/x.npy: cannot be written" in said and "MB are needed" in said
        assert leftovers(full.folder) in ([], [".records"])

    def test_a_scratch_file_is_reserved_before_it_is_mapped(self, job, full, capsys):
        def use(path_to_result, scratch):
            CachedRows(
                (1000, 100), torch.float32, place=SCRATCH, device="cpu", scratch=Path(scratch)
            )

        said = refused(job("x"), use, capsys)
        assert f"{full.folder}/scratch: cannot be written, 400 kB are needed" in said
        assert leftovers(full.folder) in ([], [".records"])

    def test_a_record_takes_its_result_along(self, job, full, capsys):
        def small_result_large_record(path_to_result):
            Path(path_to_result).write_text("x")
            return {"numbers": list(range(100_000))}

        said = refused(job("x"), small_result_large_record, capsys)
        assert f"{full.folder}/.records/x.json: cannot be written" in said
        assert leftovers(full.folder) in ([], [".records"])

    def test_a_library_that_writes_by_itself(self, job, full, capsys):
        def write(path_to_result):
            with open(path_to_result, "wb") as file:
                file.write(bytes(10**6))

        said = refused(job("x"), write, capsys)
        # After what was written of it is gone, and without its size, which nobody told.
        assert re.search(rf"{full.folder}: cannot be written, more is needed, and 2\d\d kB", said)
        assert leftovers(full.folder) in ([], [".records"])

    def test_a_job_that_cannot_even_begin(self, job, full, capsys):
        full.fill()
        said = refused(job("x"), lambda path_to_result: None, capsys)
        assert f"{full.folder}: cannot be written, more is needed, and 0 bytes are free" in said
        assert leftovers(full.folder) in ([], [".records"])

    def test_no_more_files(self, job, full, capsys):
        full.remount("nr_inodes=4")
        said = refused(job("sounds"), lambda path_to_result: write_sounds(path_to_result), capsys)
        assert f"the disk of {full.folder}" in said and "can hold no more files" in said
        assert leftovers(full.folder) in ([], [".records"])


class TestWhatIsNoResult:
    """Without it the work goes on."""

    @pytest.fixture(autouse=True)
    def unwarned(self, monkeypatch):
        monkeypatch.setattr(saved_state, "_warned_of", set())

    def test_a_checkpoint_warns_once_and_is_tried_again(self, job, full, capsys):
        def train(path_to_result, checkpoints):
            path = Path(checkpoints) / "cpu-float32.pt"
            for size in (100, 1000, 1100):
                saved_state.save_state({"a": torch.ones(size, 100)}, path)
            assert saved_state.load_state(path)["a"].shape == (100, 100), "the last that fits"
            saved_state.save_state({"a": torch.ones(101, 100)}, path)
            assert saved_state.load_state(path)["a"].shape == (101, 100)
            assert [p.name for p in path.parent.iterdir()] == [path.name]
            Path(path_to_result).write_text("x")

        perform(job("x"), train)
        said = capsys.readouterr().err
        found = rf"cpu-float32.pt: cannot be written, 400 kB are needed, and {AMOUNT} are free"
        assert len(re.findall(found, said)) == 1 and said.count("cannot be written") == 1
        assert leftovers(full.folder) == [".records", ".records/x.json", "x"]

    def test_a_log_and_hashes(self, job, full, tmp_path, capfd, monkeypatch):
        full.fill()
        monkeypatch.chdir(full.folder)
        described = job("x")
        monkeypatch.chdir(full.folder)  # hashes are remembered there
        described.output = {"result": str(tmp_path / "x")}
        described.log = [str(full.folder / "fill.log")]

        def talk(path_to_result):
            for _ in range(3):
                print("words " * 2000)
            logging.getLogger().warning("more words")
            Path(path_to_result).write_text("x" * 2**20)

        perform(described, talk)
        said = capfd.readouterr()
        assert "words" in said.out
        assert said.err.count("fill.log: cannot be written") == 1
        assert "The job goes on without its log" in said.err and "Traceback" not in said.err
        assert record_path(tmp_path / "x").exists()


class TestCorpora:
    @pytest.fixture
    def source(self, tmp_path):
        path = tmp_path / "corpus.zip"
        options = {"n_folds": 2, "classes": ["chirp", "knock"], "n_clips_per_fold_and_class": 2}
        return path, write_esc50_archive(
            path, **options, clip_seconds=1.6, sample_rate=8000, seed=1
        )

    def test_room_is_asked_for_before_the_first_byte(self, source, full):
        path, pins = source
        full.remount("size=400k")  # enough for the archive, and not for its content beside it
        assert path.stat().st_size < 400_000
        with pytest.raises(disk.Refused, match=rf"unpacking 1 files: {AMOUNT} are needed"):
            install(full.folder / "esc50", pins["files"], url=f"file:{path}")
        assert leftovers(full.folder) in ([], [".records"])

    def test_room_that_goes_while_it_is_unpacked(self, source, full, monkeypatch):
        path, pins = source
        for module in (installation, archive):
            monkeypatch.setattr(module, "require_room", lambda *_, **__: None)
        full.remount("size=400k")
        with pytest.raises(InputError, match=rf"unpacked: cannot be written, {AMOUNT} are needed"):
            install(full.folder / "esc50", pins["files"], url=f"file:{path}")
        # What was fetched is kept: the next run goes on with it.
        assert [Path(p).name for p in leftovers(full.folder)][-1:] == [pins["files"][0]["name"]]


class TestOtherRefusals:
    def test_a_file_system_that_is_read_only(self, job, full, capsys):
        described = job("x")
        described.log = [str(full.folder / "x.log")]
        full.remount("ro")
        said = refused(described, lambda path_to_result: None, capsys)
        assert f"{full.folder}: cannot be written, its file system is read-only" in said

    def test_a_folder_of_another_user(self):
        with open_folder() as folder:
            code = f"from l2i.disk import write_text; write_text(r'{folder}/x', 'x')"
            said = run_python(code, as_nobody=True)
            assert f"{folder}/x: access is denied to user nobody; grant it" in said

    def test_files_that_may_not_be_that_large(self, tmp_path):
        said = run_python(
            "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); "
            f"from l2i.disk import write_text; write_text(r'{tmp_path}/x', 'x' * 10_000)"
        )
        assert "x: cannot be written, it is too large (10 kB) for its file system" in said
        assert not (tmp_path / "x").exists()


@pytest.mark.slow
class TestRuns:
    """`snakemake`, where the disk of its results fills up."""

    @pytest.fixture
    def project(self, tmp_path, project):
        pins = make_corpus(tmp_path / "corpus.zip")
        fresh = Project(tmp_path / "project", project, overlay_for(), pins)
        (tmp_path / "corpus.zip").rename(fresh.folder / "corpus.zip")
        return fresh

    def test_the_first_error_is_ours_and_with_room_the_same_command_goes_on(self, project):
        target = "results/tiny/systems/esc50/fold1/l2i_att/default/run0/model.safetensors.digest"
        with small_disk(project.folder / "results", "1m") as full:
            for size, what in [
                ("1m", "spectrograms of 8 clips:"),
                ("3m", "results/tiny/classifier/esc50/fold1/model.safetensors: cannot be written,"),
            ]:
                full.remount(f"size={size}")
                code, text = project.run(target, check=False)
                assert code == 1 and "Traceback" not in text
                said = {*re.findall("error: .*", text)}  # as it passes by, and at the end
                missing = f"{AMOUNT} are needed, and {AMOUNT} are free"
                assert any(re.match(f"error: {what} {missing}", each) for each in said)
                # Of jobs side by side the second may find the disk full too.
                assert all(re.search(missing, each) for each in said)
                names = [path.name for path in full.folder.rglob(".*")]
                assert not [name for name in names if name.startswith((".part-", ".lock-"))]
            full.remount("size=64m")
            project.run(target)
            assert (project.folder / target).exists()
