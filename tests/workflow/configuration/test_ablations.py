"""Lists of values become variants, and each variant what it changes."""

import copy

import pytest

from configuration.ablations import ablation_rows, dictionary_variant, variants, varied
from configuration.systems import settings_on

CONFIG = {
    "datasets": {
        "esc50": {"dictionary": {"n_components": 100, "sparsity": 0.8}},
    },
    "systems": {
        "l2i_att": {
            "settings": {"taps": ["B4", "B5", "B6"], "reconstruction_weight": 10.0},
            "by_dataset": {"esc50": {"sparsity_weight": 0.8}},
        },
        "l2i_max": {"settings": {"taps": ["B6"]}},
    },
    "ablations": {
        "table_6": [
            {
                "dataset": "esc50",
                "fold": 1,
                "system": "l2i_att",
                "taps": [["B2", "B3"], ["B4", "B5", "B6"]],
            }
        ],
        "table_7": [{"dataset": "esc50", "fold": 1, "system": "l2i_att", "weights": [[1.0, 0.08]]}],
        "figure_6": [
            {"dataset": "esc50", "fold": 1, "system": "l2i_att", "n_components": [50, 100]}
        ],
        "sanity": [
            {"dataset": "esc50", "fold": 1, "system": "l2i_att", "targets": ["shuffled"]},
            {"dataset": "esc50", "fold": 1, "system": "l2i_max", "targets": []},
        ],
    },
}


@pytest.fixture
def config():
    return copy.deepcopy(CONFIG)


def test_each_value_is_a_variant_and_the_systems_own_is_the_default(config):
    own = ["taps-B2-B3", "weights-1.0-0.08", "components-50", "targets-shuffled"]
    assert variants(config) == ["default", *own]
    taps = [row["variant"] for row in ablation_rows(config, "table_6")]
    assert taps == ["taps-B2-B3", "default"]


def test_adding_one_value_adds_one_variant(config):
    config["ablations"]["table_6"][0]["taps"].append(["input"])
    assert set(variants(config)) - set(variants(CONFIG)) == {"taps-input"}


def test_rows_say_where_they_belong_and_what_tells_them_apart(config):
    first, _ = ablation_rows(config, "table_6")
    assert first == {
        "dataset": "esc50",
        "fold": "1",
        "system": "l2i_att",
        "variant": "taps-B2-B3",
        "condition": {"fold": 1, "taps": ["B2", "B3"]},
    }
    (row,) = ablation_rows(config, "table_7")
    assert row["condition"] == {"reconstruction_weight": 1.0, "sparsity_weight": 0.08}


def test_a_variant_changes_its_settings_and_nothing_else(config):
    changed = varied(config, "esc50", "weights-1.0-0.08")
    assert settings_on(changed, "esc50", "l2i_att") == {
        "taps": ["B4", "B5", "B6"],
        "reconstruction_weight": 1.0,
        "sparsity_weight": 0.08,
    }
    assert changed["datasets"] == config["datasets"]
    assert changed["systems"]["l2i_max"] == config["systems"]["l2i_max"]
    assert config == CONFIG  # the configuration itself stays as it is


def test_shuffled_targets_are_a_variant_of_the_interpreter_alone(config):
    (row,) = ablation_rows(config, "sanity")
    assert (row["variant"], row["condition"]) == ("targets-shuffled", {"targets": "shuffled"})
    changed = varied(config, "esc50", "targets-shuffled")
    assert settings_on(changed, "esc50", "l2i_att")["targets"] == "shuffled"
    assert "targets" not in settings_on(changed, "esc50", "l2i_max")
    assert dictionary_variant(config, "esc50", "targets-shuffled") == "default"


@pytest.mark.parametrize("variant", ["default", "weights-7.0-7.0"])
def test_the_default_changes_nothing(config, variant):
    assert varied(config, "esc50", variant) == CONFIG


def test_only_variants_of_the_dictionary_have_one_of_their_own(config):
    assert dictionary_variant(config, "esc50", "components-50") == "components-50"
    assert dictionary_variant(config, "esc50", "taps-B2-B3") == "default"
    assert dictionary_variant(config, "esc50", "default") == "default"


def test_a_changed_setting_moves_the_default_to_the_value_that_has_become_it(config):
    config["datasets"]["esc50"]["dictionary"]["n_components"] = 50
    sweep = [row["variant"] for row in ablation_rows(config, "figure_6")]
    assert sweep == ["default", "components-100"]


def test_a_variant_of_two_systems_changes_both(config):
    config["ablations"]["table_6"].append(
        {"dataset": "esc50", "fold": 1, "system": "l2i_max", "taps": [["B2", "B3"]]}
    )
    changed = varied(config, "esc50", "taps-B2-B3")
    for system in ("l2i_att", "l2i_max"):
        assert settings_on(changed, "esc50", system)["taps"] == ["B2", "B3"]
