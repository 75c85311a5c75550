"""l2i.systems.trained: interpreters of a run, found and held to what vouches for them."""

from __future__ import annotations

import pytest

from helpers.own_sounds import SECONDS, make_run, small_model, write_json
from l2i.checks import InputError
from l2i.hashing import file_sha256
from l2i.interpretation.stored_model import save_model
from l2i.provenance.digests import write_digest
from l2i.systems.trained import choose, open_trained, trained_at

SYSTEM = "systems/esc50/fold1/l2i_att/default/run0/model.safetensors"
CLASSIFIER = "classifier/esc50/fold1/model.safetensors"


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "small")


def test_it_is_what_the_run_says(run):
    model = open_trained(choose(run))
    assert model.classes == ["knock", "rain", "dog"]
    assert (model.clip_seconds, model.threshold) == (SECONDS, 0.2)
    assert model.front_end.n_fft == 256 and model.waveform_scale == "absolute"
    assert model.card == {
        **{"system": "L2I w/ ATT", "dataset": "ESC-50", "name": "small"},
        **{"fold": "1", "run": "0"},
    }


def test_which_of_several_is_asked_for(tmp_path):
    run = make_run(tmp_path / "small", folds=("1", "2"), systems=("l2i_att", "l2i_max"))
    with pytest.raises(InputError, match="4 interpreters; .*: fold 1, 2; system l2i_att, l2i_max$"):
        choose(run)
    with pytest.raises(InputError, match="2 interpreters; .*: system l2i_att, l2i_max$"):
        choose(run, fold="2")
    assert choose(run, fold="2", system="l2i_max").identity["fold"] == "2"


def test_what_there_is_is_told_where_it_is_not_what_is_wanted(run):
    with pytest.raises(InputError, match="no interpreter of fold 7: it has dataset esc50; fold 1"):
        choose(run, fold="7")


def test_a_run_without_interpreters_is_told(tmp_path):
    with pytest.raises(InputError, match="holds no trained interpreter"):
        choose(tmp_path)


def test_a_file_with_something_else_is_told(run):
    with pytest.raises(InputError, match="no model that explains sounds, but a classifier"):
        trained_at(run / CLASSIFIER)


@pytest.mark.parametrize("path", [SYSTEM, CLASSIFIER])
def test_a_file_that_is_not_what_its_digest_says_is_refused(run, path):
    write_digest(run / path, file_sha256(run / path))
    open_trained(choose(run))
    write_digest(run / path, "0" * 64)
    with pytest.raises(InputError, match="is not the file that .*digest tells of"):
        open_trained(choose(run))


def test_another_classifier_is_refused(run):
    save_model(run / CLASSIFIER, small_model())
    with pytest.raises(InputError, match="explains another classifier"):
        open_trained(choose(run))


def test_a_missing_classifier_is_told(run):
    (run / CLASSIFIER).unlink()
    with pytest.raises(InputError, match="model.safetensors is missing"):
        open_trained(choose(run))


def test_other_classes_are_refused(run):
    write_json(run / "datasets/esc50/classes.json", ["rain", "knock", "dog"])
    with pytest.raises(InputError, match="lists other classes"):
        open_trained(choose(run))


def test_a_copy_that_lost_its_notes_listens_as_the_paper_does_if_it_knows_how_long(run):
    (run / ".run/configuration.json").unlink()
    with pytest.raises(InputError, match="how long its clips are"):
        open_trained(choose(run))
    write_json(run / ".run/configuration.json", {"datasets": {"esc50": {"clip_seconds": 2}}})
    model = open_trained(choose(run))
    assert (model.clip_seconds, model.threshold) == (2, 0.1)
