"""cli.interpret: what is said and written of one's own sounds, good and bad."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cli.interpret import names_of
from cli.main import main
from helpers.own_sounds import make_run, small_model, write_noise
from l2i.interpretation.stored_model import save_model

CASES = os.getenv("L2I_CASES")


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A small model in a file."""
    path = tmp_path_factory.mktemp("model") / "small.safetensors"
    save_model(path, small_model(threshold=0.5))
    return path


@pytest.fixture
def ended(stored, tmp_path, monkeypatch, capsys):
    """Runs the command in a folder of its own; its exit code, and what it said."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, model=stored):
        with pytest.raises(SystemExit) as end:
            main(["interpret", *map(str, arguments), "--model", str(model)])
        return end.value.code, capsys.readouterr()

    return run


def written(folder=Path("interpretation")):
    """Names of the sounds in a folder of interpretations."""
    return sorted(path.name for path in (folder / "sounds").iterdir() if path.is_dir())


def there():
    return sorted(path.name for path in Path().iterdir())


class TestAnswer:
    def test_it_tells_classes_and_components_and_names_the_page(self, ended):
        code, said = ended(write_noise(Path("dog.wav")))
        assert code == 0 and said.err == ""
        assert "dog, 0.5 s" in said.out and "with silence added up to 1.6 s" in said.out
        assert "decided for, interpreted" in said.out and "probability of" in said.out
        assert said.out.endswith("Listen: interpretation/index.html\n")
        assert Path("interpretation/index.html").is_file() and written() == ["dog"]

    def test_it_tells_all_of_it_as_json(self, ended):
        code, said = ended(write_noise(Path("dog.wav")), "--json")
        told = json.loads(said.out)
        assert code == 0 and told["outcome"] == "fine" and told["failed"] == {}
        assert told["page"] == "interpretation/index.html" and told["model"] == {"system": "Small"}
        (file,) = told["files"]
        assert sum(file["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        (interpretation,) = file["interpretations"]
        assert interpretation["interpreted_class"] == file["decided"][0]
        assert {"interpretation", "remainder"} <= {*interpretation["sounds"]}

    def test_another_class_is_interpreted(self, ended):
        dog = write_noise(Path("dog.wav"))
        for name in ("rain", "knock"):
            code, _ = ended(dog, "--class", name)
            folder = Path("interpretation/sounds/dog")
            assert code == 0 and [p.name for p in folder.iterdir() if p.is_dir()] == [name]

    def test_components_are_as_many_as_the_threshold_lets_through(self, ended):
        dog = write_noise(Path("dog.wav"))
        found = []
        for threshold in (0, 1):
            _, said = ended(dog, "--threshold", threshold, "--json", "--class", "dog")
            (sounds,) = json.loads(said.out)["files"][0]["interpretations"]
            found.append(len(sounds["sounds"]) - 2)
        assert found[0] > 0 == found[1]

    def test_a_table_has_as_many_rows_as_are_asked_for(self, ended):
        dog = write_noise(Path("dog.wav"))
        all_of_them = [dog, "--threshold", 0, "--class", "dog"]
        _, many = ended(*all_of_them, "--top", 6)
        _, few = ended(*all_of_them, "--top", 1)
        assert "component" in few.out and " more" in few.out and " more" not in many.out
        assert len(few.out.splitlines()) < len(many.out.splitlines())

    def test_all_fits_into_one_file(self, ended):
        ended(write_noise(Path("dog.wav")), "--single-file")
        assert "data:audio/flac" in Path("interpretation/index.html").read_text()

    def test_that_no_class_is_decided_for_is_told(self, ended, tmp_path):
        run = make_run(tmp_path / "run", multi_label=True, thresholds=2.0)
        code, said = ended(write_noise(Path("dog.wav")), model=run)
        assert code == 0 and "decided for no class" in said.out and "interpreted" in said.out

    def test_a_long_file_has_a_timeline(self, ended):
        code, said = ended(write_noise(Path("long.wav"), seconds=6))
        assert code == 0 and Path("interpretation/sounds/long/timeline.json").is_file()

    def test_a_run_is_a_model(self, ended, tmp_path):
        run = make_run(tmp_path / "run", folds=("1", "2"))
        dog = write_noise(Path("dog.wav"))
        code, said = ended(dog, model=run)
        assert code == 4 and "2 interpreters; say which by what differs: fold 1, 2" in said.err
        assert not Path("interpretation").exists()
        assert ended(dog, "--fold", 2, model=run)[0] == 0


class TestSeveralFiles:
    def test_a_bad_one_does_not_stop_the_others(self, ended):
        good = write_noise(Path("good.wav")), write_noise(Path("also.wav"), seed=1)
        Path("text.wav").write_text("not a sound")
        code, said = ended(good[0], "text.wav", "nowhere.wav", good[1])
        assert code == 1 and written() == ["also", "good"]
        assert "text.wav: cannot be decoded" in said.err and "nowhere.wav: no such" in said.err
        assert "2 of 4 files could not be interpreted" in said.out

    def test_they_are_on_one_page(self, ended):
        ended(*(write_noise(Path(f"{i}.wav"), seed=i) for i in range(3)))
        data = Path("interpretation/data.js").read_text()
        told = json.loads(data.removeprefix("window.listening = ").rstrip().rstrip(";"))
        assert [clip["name"] for clip in told["clips"]] == ["0", "1", "2"]
        assert told["title"] == "0, 1, 2"

    def test_where_all_are_bad_nothing_is_written_and_what_was_there_stays(self, ended):
        ended(write_noise(Path("dog.wav")))
        Path("empty.wav").write_bytes(b"")
        before = there(), Path("interpretation/index.html").read_bytes()
        code, said = ended("empty.wav", "--json")
        assert code == 1 and json.loads(said.out)["page"] is None
        assert (there(), Path("interpretation/index.html").read_bytes()) == (
            [*before[0][:1], "empty.wav", "interpretation"],
            before[1],
        )

    def test_one_page_in_one_file_holds_twenty(self, ended):
        files = [write_noise(Path(f"{i}.wav")) for i in range(21)]
        code, said = ended(*files, "--single-file")
        assert code == 4 and "at most 20 sounds, and these are 21" in said.err


class TestNames:
    def test_equal_ones_are_told_apart_by_their_folders(self, ended):
        for folder in ("a", "b"):
            Path(folder).mkdir()
            write_noise(Path(folder, "x.wav"), seed=ord(folder))
        soundfile.write("a/x.flac", np.ones(900) * 0.1, 8000)
        code, said = ended("a/x.wav", "b/x.wav", "a/x.flac")
        assert code == 0 and {"a/x.wav, 0.5 s", "b/x.wav, 0.5 s"} <= {*said.out.splitlines()}
        assert len(written()) == 3

    @pytest.mark.parametrize(
        ("files", "names"),
        [
            (["x.wav"], ["x"]),
            (["x.wav", "y.wav"], ["x", "y"]),
            (["x.wav", "x.flac"], ["x.wav", "x.flac"]),
            (["a/x.wav", "b/x.wav", "b/y.wav"], ["a/x.wav", "b/x.wav", "y"]),
            (["x.wav", "./x.wav"], ["x"]),
            (["c/a/x.wav", "d/a/x.wav"], ["c/a/x.wav", "d/a/x.wav"]),
            (["a/x.wav", "x.flac", "x.wav.mp3"], ["a/x.wav", "x.flac", "x.wav"]),
        ],
    )
    def test_they_are_as_short_as_they_can_be(self, files, names):
        assert [*names_of([Path(file) for file in files]).values()] == names

    def test_odd_ones_can_do_nothing_but_show(self, ended):
        odd = ["[bold]x.wav", "a\x1b[31m.wav", "\N{DOG FACE} $(rm).wav", "-n.wav", "a\nb.wav"]
        odd += ["x" * 200 + ".wav"]
        files = [write_noise(Path(name), seed=i) for i, name in enumerate(odd)]
        code, said = ended(*(f"./{file}" for file in files))
        assert said.err == ""
        assert code == 0 and "[bold]x, 0.5 s" in said.out and "\x1b" not in said.out
        assert len(written()) == len(odd)

    def test_one_that_is_no_text_is_refused_in_a_line(self, ended):
        code, said = ended(write_noise(Path(os.fsdecode(b"\xff.wav"))))
        assert code == 1 and said.err.startswith("error: \\udcff.wav") and said.err.count("\n") == 1


def silent(path):
    soundfile.write(path, np.zeros(900), 8000)


def cut(path):
    whole = write_noise(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


class TestBadFiles:
    @pytest.mark.parametrize(
        ("make", "said"),
        [
            (lambda path: path.write_bytes(b""), "is an empty file"),
            (silent, "is silent throughout"),
            (cut, "is truncated"),
            (lambda path: path.write_text("<!DOCTYPE html>"), "is a web page and no sound"),
            (lambda path: path.mkdir(), "is a folder; name the files in it"),
            (lambda path: path.symlink_to("nowhere"), "is a link to nowhere"),
            (lambda path: soundfile.write(path, np.zeros((0, 1)), 8000), "holds no samples"),
            (lambda path: None, "no such file"),
        ],
        ids=["empty", "silent", "cut", "page", "folder", "link", "no samples", "missing"],
    )
    def test_each_is_told_in_a_line(self, ended, make, said):
        make(Path("bad.wav"))
        code, told = ended("bad.wav")
        assert code == 1 and told.err.startswith("error: bad.wav") and said in told.err
        assert told.err.count("\n") == 1 and not Path("interpretation").exists()

    def test_one_that_must_not_be_read_is_told(self, ended):
        if os.geteuid() == 0:
            pytest.skip("root may read all")
        write_noise(Path("mine.wav")).chmod(0)
        code, told = ended("mine.wav")
        assert code == 1 and "grant access" in told.err

    def test_one_sample_is_enough(self, ended):
        soundfile.write("click.wav", np.ones(1), 8000)
        code, told = ended("click.wav")
        assert code == 0 and "with silence added up to" in told.out

    @pytest.mark.skipif(CASES is None, reason="needs L2I_CASES")
    @pytest.mark.parametrize("case", ["wav-odd-chunks-and-codecs", "truncated-rf64-rifx-w64"])
    def test_files_as_people_have_them_are_heard_or_refused(self, ended, case):
        files = [p for p in Path(CASES, case, "data").rglob("audio/*") if p.is_file()]
        code, told = ended(*files, "--json")
        facts = json.loads(told.out)
        assert len(facts["files"]) + len(facts["failed"]) == len(files) > 0
        assert code == (1 if facts["failed"] else 0)


class TestUsage:
    def test_an_unknown_class_is_told_with_those_that_there_are(self, ended):
        code, said = ended(write_noise(Path("dog.wav")), "--class", "raim")
        assert code == 4 and "no class 'raim': name one of rain, knock, dog" in said.err
        assert there() == ["dog.wav"]

    def test_what_is_not_its_own_is_not_overwritten(self, ended):
        Path("thesis").mkdir()
        Path("thesis/main.tex").write_text("years")
        code, said = ended(write_noise(Path("dog.wav")), "--output", "thesis")
        assert code == 4 and "thesis/main.tex is something else" in said.err
        assert [path.name for path in Path("thesis").iterdir()] == ["main.tex"]

    @pytest.mark.parametrize("arguments", [[], ["x.wav", "--threshold", "2"], ["x.wav", "--no"]])
    def test_a_command_that_makes_no_sense_ends_with_4(self, ended, arguments):
        assert ended(*arguments)[0] == 4

    def test_a_model_that_is_not_there_is_told(self, ended):
        code, said = ended(write_noise(Path("dog.wav")), model="nothing")
        assert code == 4 and "nothing: no such model" in said.err
