"""The workflow as its users run it, on broken corpora, archives and configurations.

A file apart from test_workflow.py, so that another worker can run it: it needs no finished run.
"""

import os
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from helpers.tiny_project import Project, make_corpus, overlay_for, results

pytestmark = pytest.mark.slow


class TestBadInput:
    """Each stops with one message that names the culprit and the remedy, and leaves no output."""

    @pytest.fixture
    def project(self, tmp_path, project):
        pins = make_corpus(tmp_path / "corpus.zip")
        fresh = Project(tmp_path / "project", project, overlay_for(), pins)
        shutil.move(tmp_path / "corpus.zip", fresh.folder / "corpus.zip")
        return fresh

    @pytest.fixture
    def local(self, project):
        """The corpus as a local folder, to be broken."""
        corpus = project.folder / "data" / "esc50"
        with zipfile.ZipFile(project.folder / "corpus.zip") as members:
            top = members.namelist()[0].split("/")[0]
            for name in members.namelist():
                target = corpus / Path(name).relative_to(top)
                target.parent.mkdir(parents=True, exist_ok=True)
                if not name.endswith("/"):
                    target.write_bytes(members.read(name))
        project.overlay["datasets"]["esc50"]["source"] = "local"
        project.configure(project.overlay)
        return corpus

    def refusal(self, project, target="datasets/esc50/index.csv"):
        code, text = project.run(f"results/tiny/{target}", check=False)
        assert code != 0
        written = [p for p in results(project).rglob("*") if p.is_file() and p.suffix != ".log"]
        assert not [p for p in written if Path(target).name in p.name], "half-written output"
        errors = [line for line in text.splitlines() if re.search(r"(^|: )error: ", line)]
        assert errors, text
        assert "Traceback" not in text
        return text[text.index(errors[0]) :]

    def test_a_corpus_with_many_faults_is_told_all_of_them_at_once(self, project, local):
        clips = sorted((local / "audio").iterdir())
        clips[0].write_bytes(clips[0].read_bytes()[:50_000])  # truncated
        samples, rate = soundfile.read(clips[1])
        soundfile.write(clips[1], 0 * samples, rate, subtype="PCM_16")  # silent
        clips[2].unlink()  # a row without a file
        shutil.copy(clips[3], local / "audio" / "1-99-A-0.wav")  # a file without a row
        message = self.refusal(project)
        for name in [c.name for c in clips[:3]] + ["1-99-A-0.wav"]:
            assert name in message
        assert "4 problems" in message

    def test_samples_that_are_no_numbers(self, project, local):
        clip = sorted((local / "audio").iterdir())[0]
        samples, rate = soundfile.read(clip)
        samples[100] = np.nan
        soundfile.write(clip, samples, rate, subtype="FLOAT")
        message = self.refusal(project)
        assert clip.name in message and "NaN" in message

    def test_audio_that_changed_after_it_was_indexed(self, project, local):
        """With the size and time of before, so that the run does not index it anew by itself."""
        clip = sorted((local / "audio").iterdir())[0]
        before = clip.stat()
        project.run("results/tiny/datasets/esc50/index.csv")
        samples, rate = soundfile.read(clip)
        soundfile.write(clip, samples[::-1], rate, subtype="PCM_16")
        assert clip.stat().st_size == before.st_size
        os.utime(clip, ns=(before.st_atime_ns, before.st_mtime_ns))
        message = self.refusal(project, "features/esc50/log_mel.npy.digest")
        assert clip.name in message and "--forcerun index_dataset" in message

    def test_an_archive_with_another_hash(self, project):
        project.pins["files"][0]["sha256"] = "0" * 64
        project.pin(project.pins)
        message = self.refusal(project, "datasets/esc50/fetched.json")
        assert "sha256" in message and "esc50" in message

    def test_an_archive_that_climbs_out_of_its_folder(self, project):
        from l2i.hashing import file_sha256

        path = project.folder / "corpus.zip"
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("../escaped.txt", "x")
        (pins,) = project.pins["files"]
        del pins["md5"]
        pins |= {"sha256": file_sha256(path), "size_bytes": path.stat().st_size}
        project.pin(project.pins)
        message = self.refusal(project, "datasets/esc50/fetched.json")
        assert "../escaped.txt" in message
        assert not list(project.folder.rglob("escaped.txt"))

    def test_a_web_page_instead_of_weights(self, project):
        page = project.folder / "page.pkl"
        page.write_text("<!DOCTYPE html><html><body>rate limit</body></html>")
        project.overlay["machine"]["urls"] = {"audioset": "file:page.pkl"}
        project.configure(project.overlay)
        message = self.refusal(project, "weights/audioset.safetensors.digest")
        assert "page" in message

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            (("datasets", "esc50", "dictionary", "n_component"), "did you mean n_components"),
            (("featuers",), "featuers is not a known key"),
        ],
    )
    def test_a_misspelt_key(self, project, path, expected):
        place = project.overlay
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = 3
        project.configure(project.overlay)
        code, text = project.run(check=False)
        assert code != 0
        assert expected in text and "Traceback" not in text
        assert not (project.folder / "results").exists()
