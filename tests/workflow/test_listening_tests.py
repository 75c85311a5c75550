"""Which listening tests a configuration asks for, and what their rules are given."""

from __future__ import annotations

import copy

import pytest
import yaml
from snakemake.iocontainers import Wildcards

from configuration.reading import resolved
from configuration.validation import validate_config
from helpers.loaded_workflow import loaded_workflow
from helpers.project import PROJECT
from l2i.checks import InputError


@pytest.fixture(scope="module")
def workflow():
    with loaded_workflow() as loaded:
        yield loaded


def test_a_test_is_of_the_first_fold_and_run_of_its_data_set(workflow):
    rules = {rule.name: rule for rule in workflow.rules}
    wildcards = Wildcards(fromdict={"dataset": "sonyc_ust"})
    given, *_ = rules["compose_listening_test"].expand_input(wildcards)
    stimuli = "results/paper/stimuli/sonyc_ust/foldofficial"
    assert dict(given.items()) == {
        "stimuli": f"{stimuli}/stimuli.csv",
        "sounds": [f"{stimuli}/slime/default/run0", f"{stimuli}/l2i_att/default/run0"],
    }
    assert workflow.globals["listening_tests"]() == ["results/paper/listening_test/sonyc_ust"]


def test_what_is_chosen_runs_in_the_job_of_the_classifier_on_a_cluster():
    # A job elsewhere, between two of one group, would have that group wait for itself.
    groups = (PROJECT / "slurm/config.yaml").read_text(encoding="utf-8")
    for name in ("measure_classifier", "choose_stimuli", "explain_by_slime"):
        assert f"  - {name}=classifier_{{dataset}}\n" in groups


# ------------------------------------------------------------------ the configuration


@pytest.fixture
def config():
    return resolved(yaml.safe_load((PROJECT / "config.yaml").read_text()))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"datasets": ["sonyc"]}, r"listening_test.datasets names sonyc, which datasets does not"),
        ({"systems": ["slime", "l2i"]}, r"listening_test.systems names l2i, which systems does"),
        ({"systems": ["slime", "flint"]}, r"listening_test.systems names flint, whose interp"),
        ({"systems": ["slime"]}, r"listening_test.systems .* needs at least 2 entries"),
        ({"systems": ["slime", "slime"]}, r"listening_test.systems .* must hold no entry twice"),
        ({"n_stimuli": 0}, r"listening_test.n_stimuli is 0, but must be at least 1"),
        (
            {"audible": {"floor_dbfs": 3.0, "seconds": 0.5}},
            r"listening_test.audible.floor_dbfs is 3.0, but must be at most 0",
        ),
        (
            {"audible": {"floor_dbfs": -60.0, "seconds": 0.0}},
            r"listening_test.audible.seconds is 0.0, but must be above 0",
        ),
    ],
)
def test_what_cannot_be_is_refused(config, change, told):
    config["listening_test"] |= change
    with pytest.raises(InputError, match=told):
        validate_config(config)


def test_two_trained_systems_may_be_compared_and_data_sets_need_not_run(config):
    config["listening_test"] |= {"systems": ["l2i_max", "l2i_bd"], "datasets": ["esc50"]}
    config["run"]["datasets"] = ["sonyc_ust"]
    config["ablations"] = {"table_6": [], "table_7": [], "figure_6": [], "sanity": []}
    validate_config(config)


def test_segments_of_slime_must_fit_where_it_is_tested_only(config):
    config["listening"]["slime"], config["corruption"]["snr_db"] = False, []
    config["evaluation"]["masks"]["methods"] = []
    config["slime"]["segment_seconds"] = 8.0
    untested = copy.deepcopy(config)
    untested["listening_test"]["datasets"] = []
    validate_config(untested)
    with pytest.raises(InputError, match=r"take sonyc_ust out of listening_test.datasets"):
        validate_config(config)
