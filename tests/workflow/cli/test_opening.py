"""Which run is meant, and how it was asked for."""

from __future__ import annotations

import json

import pytest

from cli.opening import PROJECT, asked_for
from helpers.chains_of_records import make_run
from l2i.checks import InputError
from l2i.provenance.runs import NOTES, Run


@pytest.fixture
def run(tmp_path):
    folder = make_run(tmp_path / "toy", configuration={"seed": 0})
    (folder / NOTES).mkdir(exist_ok=True)
    return folder


def test_a_run_is_asked_for_as_last_time(run):
    noted = {"configfiles": ["config/demo.yaml"], "config": ["name=toy"]}
    (run / NOTES / "asked.json").write_text(json.dumps(noted))
    assert asked_for(Run(run)) == ([str(PROJECT / "config/demo.yaml")], ["name=toy"])


def test_unless_something_else_is_said(run):
    assert asked_for(Run(run), [], ["seed=1"]) == ([], ["seed=1"])


@pytest.mark.parametrize("noted", [{}, {"configfiles": 1, "config": []}, {"configfiles": [1]}])
def test_a_damaged_note_is_named(run, noted):
    (run / NOTES / "asked.json").write_text(json.dumps({"a": 1, **noted}))
    with pytest.raises(InputError, match="asked.json is damaged: name the overlays"):
        asked_for(Run(run))


def test_an_overlay_that_is_gone_is_named(run):
    (run / NOTES / "asked.json").write_text('{"configfiles": ["config/gone.yaml"], "config": []}')
    with pytest.raises(InputError, match=r"gone.yaml, by which .* is missing: name the overlays"):
        asked_for(Run(run))
