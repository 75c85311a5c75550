"""`l2i audit crate`: what it tells, and what others' programs make of a crate."""

from __future__ import annotations

import builtins
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from cli import validating
from cli.main import main
from cli.validating import WORDS, validate
from helpers.handmade_run import HandmadeRun
from helpers.project import PROJECT
from l2i.provenance.description import TERMS
from l2i.provenance.packing import METADATA


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project with a small run and its crate."""
    folder = tmp_path_factory.mktemp("project")
    HandmadeRun(folder).make()
    assert told(folder, "--with-audio")["outcome"] == "fine"
    return folder


def told(folder, *options):
    """What the command says in JSON."""
    command = [sys.executable, "-m", "cli.main", "audit", "crate", "--json", *options]
    environment = os.environ | {"PYTHONPATH": str(PROJECT / "workflow")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def crate(folder):
    return folder / "results/small.crate.zip"


def ended(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([*map(str, arguments)])
    return end.value.code, capsys.readouterr()


def test_the_only_run_is_packed_beside_it(crate, folder):
    assert crate.is_file()
    assert not [path for path in crate.parent.iterdir() if path.name.startswith(".part")]


def test_it_tells_what_was_packed_and_what_was_not(folder, tmp_path, capsys):
    log = folder / "results/small/logs/tables/table_4.csv/tabulate_fidelity.log"
    before = log.read_text()
    log.write_text("read /scratch/me/scores.csv\n")
    code, said = ended(
        capsys, "audit", "crate", folder / "results/small", "--output", tmp_path / "a"
    )
    log.write_text(before)
    assert code == 0
    assert f"{tmp_path / 'a'}: " in said.out and "6 jobs" in said.out
    assert "tabulate_fidelity.log, which names /scratch/me/scores.csv" in said.out


def test_sources_of_another_commit_are_told(folder, tmp_path, capsys, monkeypatch):
    today = {"commit": "d" * 40, "dirty": True}
    monkeypatch.setattr("cli.crate.describe_git", lambda _: today)
    _, said = ended(capsys, "audit", "crate", folder / "results/small", "--output", tmp_path / "a")
    assert "are of dddddddd with changes; the results were made by cccccccc" in said.out


def test_what_cannot_be_packed_ends_with_4_and_leaves_nothing(tmp_path, capsys):
    small = HandmadeRun(tmp_path).make()
    (small.run / "tables/table_4.csv").write_text("other")
    code, said = ended(capsys, "audit", "crate", small.run, "--output", tmp_path / "out/a.zip")
    assert code == 4 and "is not what its record says" in said.err
    assert not [*(tmp_path / "out").iterdir()]


@pytest.fixture(scope="module")
def findings(crate):
    """What the validator says of the crate."""
    return validate(crate)


class TestValidator:
    def test_nothing_required_is_missing(self, findings):
        assert findings.profile == "provenance-run-crate-0.5" and findings.required == []

    def test_of_what_is_recommended_only_a_homepage_is(self, findings):
        # The other three are of the validator's own making: they are of no entity of the crate.
        ours = [line for line in findings.recommended if not line.startswith("http")]
        assert ours == ["./#the-l2i-contributors: The organization SHOULD have a URL."]

    def test_it_finds_what_is_missing(self, crate, tmp_path):
        broken = tmp_path / "broken.zip"
        with zipfile.ZipFile(crate) as source, zipfile.ZipFile(broken, "w") as target:
            for name in source.namelist():
                content = source.read(name)
                if name == METADATA:
                    content = content.replace(b'"OrganizeAction"', b'"OrganiseAction"')
                    content = content.replace(b'"license"', b'"licence"')
                target.writestr(name, content)
        required = validate(broken).required
        assert any("license" in line for line in required)

    def test_every_word_of_a_crate_is_spelled_out_for_it(self, crate):
        with zipfile.ZipFile(crate) as archive:
            graph = json.loads(archive.read(METADATA))["@graph"]
        used = {word for entity in graph for word in entity if not word.startswith("@")}
        types = {
            kind
            for e in graph
            for kind in ([e["@type"]] if isinstance(e["@type"], str) else e["@type"])
        }
        assert used | types == {*WORDS, *TERMS} & (used | types)
        assert not {*WORDS} & {*TERMS}

    def test_without_it_one_is_told_how_to_get_it(self, crate, capsys, monkeypatch):
        real = builtins.__import__

        def missing(name, *rest):
            if name.startswith("rocrate_validator"):
                raise ImportError(name)
            return real(name, *rest)

        monkeypatch.setattr(builtins, "__import__", missing)
        run = crate.parent / "small"
        out = crate.with_name("again.zip")
        code, said = ended(capsys, "audit", "crate", run, "--validate", "--output", out)
        assert code == 4 and "roc-validator is not installed: make env" in said.err

    def test_a_crate_that_fails_is_told_by_the_exit_code(self, crate, capsys, monkeypatch):
        findings = validating.Validation("profile", ["./: no name"], [])
        monkeypatch.setattr("cli.crate.validate", lambda path: findings)
        run, out = crate.parent / "small", crate.with_name("again.zip")
        code, said = ended(capsys, "audit", "crate", run, "--validate", "--output", out)
        assert code == 1 and "required: ./: no name" in said.out


@pytest.fixture(scope="session")
def runcrate(tmp_path_factory):
    """The command `runcrate`, in an environment of its own."""
    environment = tmp_path_factory.mktemp("runcrate") / "venv"
    uv = Path(sys.executable).with_name("uv")
    lock = PROJECT / "envs/runcrate.txt"
    install = [uv, "pip", "install", "--quiet", "--require-hashes", "--requirement", lock]
    try:
        subprocess.run([uv, "venv", "--quiet", environment], check=True, capture_output=True)
        where = os.environ | {"VIRTUAL_ENV": str(environment)}
        subprocess.run(install, env=where, check=True, capture_output=True, text=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or error
        pytest.skip(f"runcrate cannot be installed from {lock.name}: {said}")
    return environment / "bin/runcrate"


def test_runcrate_reads_a_crate(runcrate, crate, tmp_path):
    with zipfile.ZipFile(crate) as archive:
        archive.extractall(tmp_path)
    done = subprocess.run([runcrate, "report", tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    actions = done.stdout.split("action: ")[1:]
    assert len(actions) == 7 and actions[0].startswith("#run\n")
    (trained,) = (each for each in actions if "step: #step-train_system" in each)
    assert "instrument: workflow/scripts/train_system.py" in trained
    assert '{"n_epochs":3} <- #parameter-train_system-value-training' in trained
    assert "started: 2026-01-31T12:02:00+00:00" in trained


def test_the_publishers_of_downloads_are_those_of_the_reference(tmp_path, capsys):
    small = HandmadeRun(tmp_path)
    pins = {"files": [{"name": "annotations.csv", "md5": "0" * 32}]}
    settings = {"download": "sonyc_ust", "pins": pins}
    where = {"dataset": "sonyc_ust"}
    small.job(
        "fetch_dataset", {"fetched": "datasets/sonyc_ust/fetched.json"}, {}, settings, **where
    )
    target = tmp_path / "a.zip"
    assert ended(capsys, "audit", "crate", small.run, "--output", target)[0] == 0
    with zipfile.ZipFile(target) as archive:
        graph = {e["@id"]: e for e in json.loads(archive.read(METADATA))["@graph"]}
    corpus = graph["https://doi.org/10.5281/zenodo.3966543"]
    downloads = yaml.safe_load((PROJECT / "workflow/reference/downloads.yaml").read_text())
    assert corpus["url"] == downloads["corpora"]["sonyc_ust"]["url"]
    assert (
        corpus["identifier"] == corpus["@id"] and "annotations.csv md5 000" in corpus["description"]
    )
