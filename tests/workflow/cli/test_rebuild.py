"""`l2i audit rebuild`: tables made anew from a crate, in a clone that holds no results."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from cli.main import main
from helpers.project import PROJECT
from helpers.toy_project import make_toy, run_snakemake
from l2i.provenance.crate import write_crate
from l2i.provenance.fingerprints import settings_fingerprint
from l2i.provenance.packing import METADATA
from l2i.provenance.runs import Run

RUN = "results/toy"
SCORES, MODEL, TABLES = f"{RUN}/evaluation/a.csv", f"{RUN}/systems/a.safetensors", f"{RUN}/tables/a"
COUNT = '''
"""Train and measure."""

from pathlib import Path

from harness import perform
from l2i.arithmetic import twice


def count(path_to_number, path_to_parts, *, start):
    Path(path_to_number).write_text("weights")
    Path(path_to_parts).write_text(str(twice(start)))


if __name__ == "__main__":
    perform(snakemake, count)
'''
SCALE = '''
"""A table of scores, and of what the record of a model says."""

from pathlib import Path

from packaging.version import Version

from harness import perform


def scale(path_to_number, path_to_parts, path_to_scaled, *, record_of, factor, seed, fold):
    made, score = record_of(path_to_number)["rule"], Path(path_to_parts).read_text()
    Path(path_to_scaled).write_text(f"{made} {int(score) * factor} {fold} {Version('1').major}")


if __name__ == "__main__":
    perform(snakemake, scale)
'''


def make_clone(folder):
    """A toy project whose tables are made of scores and of records of models."""
    make_toy(folder, count=COUNT, scale=SCALE)
    snakefile = folder / "Snakefile"
    text = snakefile.read_text().replace("/scaled/", "/tables/")
    text = text.replace("/counted/{dataset}.txt.digest", "/systems/{dataset}.safetensors.digest")
    text = text.replace('directory(RESULTS + "/counted/{dataset}")', '"PARTS"')
    text = text.replace('RESULTS + "/counted/{dataset}"', '"PARTS"')
    snakefile.write_text(text.replace('"PARTS"', 'RESULTS + "/evaluation/{dataset}.csv"'))
    for name in ("CITATION.cff", "LICENSE"):
        shutil.copy(PROJECT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project with a finished run; tests leave it as it is."""
    folder = make_clone(tmp_path_factory.mktemp("made") / "toy")
    done = run_snakemake(folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def crate(made, tmp_path_factory):
    """The run, packed."""
    target = tmp_path_factory.mktemp("crate") / "toy.crate.zip"
    write_crate(Run(made / RUN), made, target, publishers={})
    return target


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone that holds no results, in which one stands."""
    folder = make_clone(tmp_path / "clone")
    monkeypatch.chdir(folder)
    return folder


def rebuild(capfd, crate, *options):
    with pytest.raises(SystemExit) as end:
        main(["audit", "rebuild", str(crate), "--cores", "1", *options])
    return end.value.code, capfd.readouterr()


def edited(crate, target, files, *, metadata=False):
    """A copy of a crate in which files, by name, are what functions make of them, or are gone.

    With `metadata=True` the copy says of its files what they are now.
    """
    with zipfile.ZipFile(crate) as source:
        held = {name: source.read(name) for name in source.namelist()}
    for name, change in files.items():
        content = change(held.pop(name, b""))
        held |= {} if content is None else {name: content}
    if metadata:
        described = json.loads(held[METADATA])
        for each in described["@graph"]:
            if each["@id"] in held and each["@id"] != METADATA:
                each["sha256"] = hashlib.sha256(held[each["@id"]]).hexdigest()
        held[METADATA] = json.dumps(described).encode()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in held.items():
            archive.writestr(name, content)
    return target


def record_name(name):
    folder, _, file = name.rpartition("/")
    return f"{folder}/.records/{file}.json"


def with_sha256(content):
    """A record as it would be of other content."""

    def change(record):
        made = json.loads(record)
        made["output"]["sha256"] = hashlib.sha256(content).hexdigest()
        return json.dumps(made).encode()

    return change


def test_tables_are_made_anew_without_models_and_are_the_same(crate, clone, made, capfd):
    code, said = rebuild(capfd, crate)
    assert code == 0, said
    assert "2 of 2 tables and figures are byte-identical" in said.out
    assert "since then" not in said.out
    for fold in (1, 2):
        table = Path(f"{TABLES}/fold{fold}.txt")
        assert f"identical  {table}" in said.out
        assert table.read_bytes() == (made / table).read_bytes()
        (used,) = (u for u in Run(RUN).record(str(table))["inputs"] if u["name"] == "number")
        assert used["hash"] == "recorded"
    assert not Path(MODEL).exists() and Path(f"{MODEL}.digest").exists()
    assert sorted(path.name for path in Path("results").iterdir()) == [".hashes", "toy"]


def test_a_run_that_is_there_already_is_not_touched(crate, clone, capfd):
    Path(RUN).mkdir(parents=True)
    code, said = rebuild(capfd, crate)
    assert code == 4 and f"{RUN} exists already" in said.err
    assert [*Path("results").iterdir()] == [Path(RUN)] and not [*Path(RUN).iterdir()]


class TestAChangedCrate:
    """What is changed is named, with exit code 1, before anything is made of it."""

    def found(self, capfd, crate):
        code, said = rebuild(capfd, crate, "--json")
        told = json.loads(said.out)
        assert (code, told["outcome"], told["rebuilt"]) == (1, "tampered", [])
        assert not [*Path("results").iterdir()]
        return {problem["path"]: problem["what"] for problem in told["problems"]}

    @pytest.mark.parametrize("name", [SCORES, f"{TABLES}/fold1.txt", "Snakefile"])
    def test_a_file(self, crate, clone, tmp_path, capfd, name):
        other = edited(crate, tmp_path / "a.zip", files={name: lambda content: content[:-1] + b"9"})
        problems = self.found(capfd, other)
        assert [*problems] == [name] and problems[name].startswith("was changed: sha256")

    @pytest.mark.parametrize("name", [SCORES, f"{TABLES}/fold1.txt"])
    def test_a_file_of_which_the_crate_says_what_it_is_now(
        self, crate, clone, tmp_path, capfd, name
    ):
        files = {name: lambda content: b"9"}
        problems = self.found(capfd, edited(crate, tmp_path / "a.zip", files=files, metadata=True))
        assert [*problems] == [name] and "is recorded" in problems[name]

    def test_a_score_whose_record_was_changed_with_it(self, crate, clone, tmp_path, capfd):
        files = {SCORES: lambda content: b"9", record_name(SCORES): with_sha256(b"9")}
        problems = self.found(capfd, edited(crate, tmp_path / "a.zip", files=files, metadata=True))
        assert "was another one when" in problems[SCORES] and f"{TABLES}/fold" in problems[SCORES]

    def test_a_digest(self, crate, clone, tmp_path, capfd):
        files = {f"{MODEL}.digest": lambda content: b"0" + content[1:]}
        problems = self.found(capfd, edited(crate, tmp_path / "a.zip", files=files, metadata=True))
        assert [*problems] == [f"{MODEL}.digest"]

    def test_a_file_more_or_less(self, crate, clone, tmp_path, capfd):
        files = {f"{RUN}/stray.csv": lambda content: b"9", SCORES: lambda content: None}
        problems = self.found(capfd, edited(crate, tmp_path / "a.zip", files=files))
        assert problems == {
            f"{RUN}/stray.csv": "is in the crate, which says nothing of it",
            SCORES: "is missing",
        }

    def test_a_rule_that_would_be_an_option_of_snakemake(self, crate, clone, tmp_path, capfd):
        name = f"{TABLES}/fold1.txt"
        files = {record_name(name): lambda text: text.replace(b'"scale"', b'"--snakefile"')}
        problems = self.found(capfd, edited(crate, tmp_path / "a.zip", files=files, metadata=True))
        assert problems == {name: "has a record that tells of a rule '--snakefile'"}


class TestWhatIsNoCrate:
    def refused(self, capfd, crate, message):
        code, said = rebuild(capfd, crate)
        assert code == 4 and message in said.err and "Traceback" not in said.err
        assert not Path("results").exists() or not [*Path("results").iterdir()]

    def test_a_name_that_leads_out(self, crate, clone, tmp_path, capfd):
        other = edited(crate, tmp_path / "a.zip", files={"../escaped": lambda content: b"x"})
        self.refused(capfd, other, "'../escaped' leads out of the folder")
        assert not (clone.parent / "escaped").exists()

    def test_no_archive(self, clone, tmp_path, capfd):
        (tmp_path / "a.zip").write_text("no zip")
        self.refused(capfd, tmp_path / "a.zip", "is damaged")

    def test_no_file(self, clone, capfd):
        self.refused(capfd, "nowhere.zip", "nowhere.zip is no file")

    def test_no_metadata(self, crate, clone, tmp_path, capfd):
        other = edited(crate, tmp_path / "a.zip", files={METADATA: lambda content: b"{}"})
        self.refused(capfd, other, f"{METADATA} is missing in the crate or damaged")

    def test_a_configuration_of_another_run(self, crate, clone, tmp_path, capfd):
        files = {f"{RUN}/.run/configuration.json": lambda c: c.replace(b'"toy"', b'"../toy"')}
        self.refused(capfd, edited(crate, tmp_path / "a.zip", files=files), "its configuration of")

    def test_two_runs(self, crate, clone, tmp_path, capfd):
        other = edited(crate, tmp_path / "a.zip", files={"results/b/c.csv": lambda content: b"x"})
        self.refused(capfd, other, "holds 2 runs")

    def test_nowhere_to_make_it(self, crate, tmp_path, capfd, monkeypatch):
        monkeypatch.chdir(tmp_path)
        self.refused(capfd, crate, "there is no Snakefile here")


class TestOtherCodeAndPackages:
    def test_code_that_makes_another_table_is_named(self, crate, clone, capfd):
        script = clone / "workflow/scripts/scale.py"
        script.write_text(script.read_text().replace("* factor", "+ factor"))
        code, said = rebuild(capfd, crate)
        assert code == 2 and "DIFFERENT" in said.out and "0 of 2 tables" in said.out
        assert "since then: code " in said.out

    def test_packages_are_named_where_the_tables_are_the_same(self, made, clone, tmp_path, capfd):
        run = tmp_path / "older"
        shutil.copytree(made / RUN, run)
        for path in (run / "tables/a/.records").iterdir():
            record = json.loads(path.read_text())
            record["software"]["packaging"] = record["pins"]["packaging"] = "1.0"
            record["fingerprints"]["env"] = settings_fingerprint(record["pins"])
            path.write_text(json.dumps(record))
        crate = write_crate(Run(run), made, tmp_path / "a.zip", publishers={}).path
        code, said = rebuild(capfd, crate)
        assert code == 0 and "2 of 2" in said.out
        assert "since then: installed packaging 1.0 -> " in said.out

    def test_a_job_that_fails_leaves_nothing(self, crate, clone, capfd):
        script = clone / "workflow/scripts/scale.py"
        script.write_text(script.read_text().replace("made, score =", "raise ValueError('no') #"))
        code, said = rebuild(capfd, crate)
        assert code == 4 and "Snakemake ended with 1" in said.err
        assert [path.name for path in Path("results").iterdir()] in ([], [".hashes"])
