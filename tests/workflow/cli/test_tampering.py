"""Whatever is done to a run is found, named and explained, by the verbs that the docs name."""

from __future__ import annotations

import json

import pytest

from cli.main import main
from cli.showing import Outcome
from helpers import tampering
from helpers.finished_run import copy_of, make_run
from helpers.tampering import CASES, VERBS


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("finished"))
    with pytest.raises(SystemExit):
        main(["audit", "seal", str(run)])
    return run


@pytest.fixture(scope="session")
def root(finished):
    """As it was printed, where nobody could change it."""
    return json.loads((finished / ".run/seal.json").read_text())["root"]


@pytest.fixture
def run(finished, tmp_path):
    return copy_of(finished, tmp_path)


def answer(capsys, verb, run, root):
    with pytest.raises(SystemExit) as end:
        main([*(root if word == "HASH" else word for word in VERBS[verb]), str(run), "--json"])
    said = capsys.readouterr()
    assert said.err == ""
    return Outcome(end.value.code), json.loads(said.out)


def everything_below(folder):
    return {
        path.relative_to(folder): path.lstat().st_mtime_ns for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize("verb", VERBS)
def test_of_a_run_as_its_jobs_left_it_nothing_is_found(verb, run, root, capsys):
    outcome, said = answer(capsys, verb, run, root)
    assert outcome is Outcome.FINE and said["findings"] == []


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", CASES)
def test_it_is_found_named_and_explained(name, verb, run, root, capsys):
    case = CASES[name]
    case.do(run)
    before = everything_below(run)
    outcome, said = answer(capsys, verb, run, root)
    assert everything_below(run) == before, "verbs that look must write nothing"
    assert outcome is case.outcomes[verb], said["findings"]
    assert bool(said["findings"]) is case.is_told(verb), said["findings"]
    if case.is_told(verb):
        told = [each for each in said["findings"] if case.path in each["path"]]
        assert any(case.said in each["what"] and each["remedy"] for each in told), said["findings"]


def test_the_page_says_which_verb_finds_what():
    page = tampering.PAGE.read_text(encoding="utf-8")
    assert tampering.BLOCK.search(page) and tampering.LATER.search(page)
    remedy = "run: PYTHONPATH=workflow:tests python -m helpers.tampering"
    assert tampering.printed(page) == page, remedy
