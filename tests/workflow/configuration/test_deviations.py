"""configuration.deviations: whose reading a run follows, found as an overlay would set it."""

from __future__ import annotations

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snakemake.utils import update_config

from configuration.deviations import deviations_in
from configuration.reading import load_reference, read_configuration, resolved
from configuration.schema import load_schema
from configuration.validation import validate_config
from configuration.values import typed
from helpers.project import PROJECT
from l2i.provenance.fingerprints import canonical_json

LEDGER = {entry["id"]: entry for entry in load_reference("deviations")}
SWITCHED = {name for name, entry in LEDGER.items() if entry["switch"] != "none"}
OVERLAYS = ["authors", "esc10", "mini", "demo"]


def written(*overlays):
    files = [PROJECT / "config.yaml", *(PROJECT / f"config/{name}.yaml" for name in overlays)]
    return read_configuration(files, []).value


def found(said):
    config = typed(resolved(said), load_schema())
    validate_config(config)
    return deviations_in(config, said)


def changed(said, change):
    """What was written with an overlay of one's own over it."""
    said = copy.deepcopy(said)
    update_config(said, change)
    return said


def nested(key, value):
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def switch_of(entries, entry, key=None):
    switches = entries[entry]["switches"]
    return switches[key] if key else next(iter(switches.values()))


def read_as(switch):
    """Where -> value and readings, as a tuple."""
    return {where: (each["value"], *each["readings"]) for where, each in switch["used"].items()}


@pytest.fixture(scope="module")
def paper():
    return written()


class TestEveryEntry:
    @pytest.mark.parametrize("overlays", [[], *[[name] for name in OVERLAYS]])
    def test_is_there_in_order_with_all_that_the_ledger_says(self, overlays):
        entries = found(written(*overlays))
        assert list(entries) == list(LEDGER)
        for name, entry in entries.items():
            kept = {key: text for key, text in LEDGER[name].items() if key not in ("id", "switch")}
            assert {key: entry[key] for key in kept} == kept
            assert bool(entry["switches"]) == (name in SWITCHED)
        canonical_json(entries)  # or it could be no setting

    def test_reads_ours_in_the_papers_configuration(self, paper):
        for name in SWITCHED:
            for key, switch in found(paper)[name]["switches"].items():
                assert switch["used"], f"{key} is followed by nothing"
                for each in switch["used"].values():
                    assert "ours" in each["readings"], f"{name} says {key} is {switch['ours']}"

    def test_of_the_code_reads_code_in_the_authors_overlay(self):
        entries = found(written("authors"))
        looked_at = 0
        for name in SWITCHED:
            for switch in entries[name]["switches"].values():
                if "code" in switch["readings"]:
                    assert switch["used"]
                    assert all("code" in each["readings"] for each in switch["used"].values())
                    looked_at += 1
        assert looked_at > 20

    @pytest.mark.parametrize("name", sorted(SWITCHED))
    def test_reads_as_its_switches_give_once_these_are_set(self, paper, name):
        said = paper
        for switch in LEDGER[name]["switch"]:
            said = changed(said, nested(switch["key"], switch["value"]))
        entry = found(said)[name]
        for switch in LEDGER[name]["switch"]:
            used = entry["switches"][switch["key"]]["used"]
            assert used and all(switch["gives"] in each["readings"] for each in used.values())


class TestWhere:
    def test_a_key_of_everything_holds_everywhere(self, paper):
        assert read_as(switch_of(found(paper), "mel_power")) == {"everywhere": (2, "ours")}

    def test_a_data_set_that_is_like_the_named_one_follows_it_in_what_it_does_not_say(self):
        entries = found(written("esc10"))
        solver = switch_of(entries, "dictionary_solver", "datasets.esc50.dictionary.solver")
        assert read_as(solver) == {"on esc10": ("hals", "ours")}
        # It says its own learning rate, which is by chance that of the authors for ESC-50.
        rate = switch_of(entries, "classifier_training")
        assert (rate["used"], rate["others"]) == ({}, {"on esc10": 1e-3})

    def test_other_data_sets_are_told_where_they_differ(self, paper):
        said = changed(paper, nested("datasets.sonyc_ust.dictionary.n_iter", 60))
        key = "datasets.esc50.dictionary.n_iter"
        switch = switch_of(found(said), "dictionary_solver", key)
        assert read_as(switch) == {"on esc50": (50, "ours")}
        assert switch["others"] == {"on sonyc_ust": 60}

    def test_a_system_that_is_like_the_named_one_follows_it(self, paper):
        said = changed(paper, nested("systems.l2i_att.settings.sparsity_weight", 0.4))
        key = "systems.l2i_att.settings.sparsity_weight"
        switch = switch_of(found(said), "loss_weights", key)
        where = "for l2i_att and l2i_max on esc50 and sonyc_ust"
        assert read_as(switch) == {where: (0.4, "code")}
        # What by_dataset says comes first.
        assert switch["others"] == {"for l2i_att and l2i_max on openmic": 0.2}

    def test_what_a_system_says_of_its_own_does_not_follow(self, paper):
        key = "systems.l2i_att.settings.learning_rate"
        said = changed(paper, nested("systems.l2i_max.settings.learning_rate", 1e-3))
        switch = switch_of(found(said), "interpreter_learning_rate", key)
        assert read_as(switch) == {"for l2i_att on esc50 and openmic": (2e-4, "ours", "code")}
        assert switch["others"] == {"for l2i_max": 1e-3}

    def test_the_nearest_key_of_an_entry_decides(self, paper):
        key = "systems.l2i_att.by_dataset.sonyc_ust.learning_rate"
        said = changed(paper, nested(key, 5e-4))
        entries = found(said)
        near = switch_of(entries, "interpreter_learning_rate", key)
        far = switch_of(
            entries, "interpreter_learning_rate", "systems.l2i_att.settings.learning_rate"
        )
        assert read_as(near) == {"for l2i_att and l2i_max on sonyc_ust": (5e-4, "code")}
        where = "for l2i_att and l2i_max on esc50 and openmic"
        assert read_as(far) == {where: (2e-4, "ours", "code")}

    def test_a_setting_that_is_chosen_follows_no_key(self, paper):
        said = changed(paper, {"systems": {"vibi": {"grid": {"learning_rate": [1e-4, 1e-3]}}}})
        del said["systems"]["vibi"]["settings"]["learning_rate"]
        switch = switch_of(found(said), "vibi_optimiser")
        assert (switch["used"], switch["others"]) == (
            {},
            {"for vibi": {"chosen from": [1e-4, 1e-3]}},
        )

    def test_what_does_not_run_is_not_told(self, paper):
        nothing = dict.fromkeys(paper["ablations"], [])
        run = {"datasets": ["openmic"], "systems": ["l2i_bd"]}
        said = changed(paper, {"run": run, "ablations": nothing})
        entries = found(said)
        for name in ("vibi_sampling", "sonyc_training_labels", "attention_gate"):
            for switch in entries[name]["switches"].values():
                assert (switch["used"], switch["others"]) == ({}, {})

    def test_a_configuration_that_lacks_the_named_system_has_nothing_there(self, paper):
        said = changed(paper, {"run": {"systems": ["l2i_att"]}})
        del said["systems"]["tdl_nmf"]
        assert switch_of(found(said), "tdl_gradient")["used"] == {}


class TestValues:
    @settings(
        max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(power=st.sampled_from([1, 2]), scale=st.sampled_from(["none", "absolute", "signed"]))
    def test_what_is_told_is_what_the_run_has(self, paper, power, scale):
        said = changed(paper, {"features": {"mel_power": power, "waveform_scale": scale}})
        entries = found(said)
        assert read_as(switch_of(entries, "mel_power"))["everywhere"][0] == power
        readings = {"absolute": ("ours",), "signed": ("code",), "none": ()}[scale]
        assert read_as(switch_of(entries, "waveform_scale")) == {"everywhere": (scale, *readings)}

    def test_neither_configuration_nor_ledger_is_changed(self, paper):
        said, ledger = copy.deepcopy(paper), copy.deepcopy(load_reference("deviations"))
        config = typed(resolved(said), load_schema())
        kept = copy.deepcopy(config)
        deviations_in(config, said)
        assert (said, config) == (paper, kept)
        assert load_reference("deviations") == ledger
