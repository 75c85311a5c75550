"""What the project keeps of the paper: its numbers, and where we part from it."""

from __future__ import annotations

import copy
import re
from collections import Counter

import jsonschema
import pytest
import yaml
from snakemake.utils import update_config

from configuration.reading import resolved
from configuration.validation import validate_config
from helpers.project import PROJECT
from l2i.names import TITLES
from l2i.reporting.beside_paper import condition_text
from l2i.reporting.quantities import QUANTITIES, quantity


def load(*parts):
    return yaml.safe_load(PROJECT.joinpath(*parts).read_text(encoding="utf-8"))


def from_workflow(*parts):
    return load("workflow", *parts)


PAPER = from_workflow("reference", "paper.yaml")
ABLATIONS = ("table_6", "table_7", "figure_6", "sanity")
LEDGER = from_workflow("reference", "deviations.yaml")
SWITCHES = [
    (entry["id"], switch)
    for entry in LEDGER
    if entry["switch"] != "none"
    for switch in entry["switch"]
]
CODE_SWITCHES = [(name, switch) for name, switch in SWITCHES if switch["gives"] == "code"]

WEIGHTS_100 = "reconstruction_weight=100, sparsity_weight=0.8"


def number(table, system, dataset, metric, condition=""):
    (found,) = (
        n
        for n in PAPER["numbers"]
        if (n["table"], n["system"], n["dataset"], n["metric"]) == (table, system, dataset, metric)
        and condition_text(n.get("condition")) == condition
    )
    return found


def value_at(config, key):
    for part in key.split("."):
        config = config[part]
    return config


def leaves(tree, place=""):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{place}{key}.")
        else:
            yield f"{place}{key}"


def switched_on(config, key, value):
    """The configuration with one key changed, as an overlay would."""
    change = value
    for part in reversed(key.split(".")):
        change = {part: change}
    changed = copy.deepcopy(config)
    update_config(changed, change)
    return changed


@pytest.fixture(scope="module")
def config():
    return load("config.yaml")


@pytest.fixture(scope="module")
def authors():
    merged = load("config.yaml")
    update_config(merged, load("config", "authors.yaml"))
    return merged


class TestForm:
    @pytest.mark.parametrize("name", ["paper", "deviations", "downloads"])
    def test_files_fit_their_schemas(self, name):
        schema = from_workflow("schemas", f"{name}.schema.yaml")
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(from_workflow("reference", f"{name}.yaml"), schema)

    def test_a_misspelt_key_does_not_fit(self):
        schema = from_workflow("schemas", "paper.schema.yaml")
        wrong = PAPER | {"numbers": [PAPER["numbers"][0] | {"std": 1.0}]}
        with pytest.raises(jsonschema.ValidationError, match="'std' was unexpected"):
            jsonschema.validate(wrong, schema)


class TestPaper:
    def test_every_printed_number_is_there(self):
        # Rows times columns; Table I has nine filled cells, Table V five thresholds and a baseline.
        expected = {1: 9, 2: 3 * 4, 3: 3 * 5, 4: 4 * 5, 5: 5 + 1, 6: 6 * 3, 7: 5 * 3, 8: 8 * 3}
        assert Counter(n["table"] for n in PAPER["numbers"]) == expected

    def test_no_key_stands_twice(self):
        keys = Counter(
            (n["table"], n["system"], n["dataset"], n["metric"], condition_text(n.get("condition")))
            for n in PAPER["numbers"]
        )
        assert keys.most_common(1)[0][1] == 1

    def test_every_system_metric_and_table_is_described(self):
        config = load("config.yaml")
        rows = {s.get("as_classifier", {}).get("name") for s in config["systems"].values()}
        known = {*PAPER["systems"], *config["systems"], *TITLES, *rows}
        assert {n["system"] for n in PAPER["numbers"]} <= known
        assert all(quantity(n["metric"]).title for n in PAPER["numbers"])
        assert set(PAPER["tables"]) == {str(n["table"]) for n in PAPER["numbers"]}

    def test_the_file_holds_no_name_of_ours(self, config):
        assert not set(PAPER["systems"]) & {*config["systems"], *TITLES}

    def test_everything_that_we_tabulate_is_described(self, config):
        metrics = {"accuracy", "top_1_difference", "fidelity_weight", "n_removed"}
        metrics |= {"ff_median", "ff_mean", "empty_selection", "ff_difference"}
        metrics |= {"macro_auprc_7", "macro_auprc_11", "micro_auprc_11", "mean_average_precision"}
        metrics |= {"max_f1_7", "max_f1_11", "avg_macro_f1", "mean_average_precision_difference"}
        assert metrics <= set(QUANTITIES)
        baselines = {f"random_{name}" for name in config["evaluation"]["random"]["baselines"]}
        assert baselines <= set(TITLES)

    def test_every_spread_says_over_how_many_values(self):
        for n in PAPER["numbers"]:
            for side in (n, n.get("text", {})):
                assert side.get("spread") is None or side["n"] in (3, 5)

    def test_numbers_lie_in_the_range_of_their_metric(self):
        highest = {"%": 100, "drop in probability": 1}
        for n in PAPER["numbers"]:
            unit = quantity(n["metric"]).unit
            assert 0 <= n["mean"] <= highest.get(unit, 1000)
            if n["metric"].endswith(("auprc", "f1")):
                assert 0.3 < n["mean"] < 1

    @pytest.mark.parametrize(
        ("key", "mean", "spread", "n"),
        [
            ((1, "human", "esc50", "accuracy"), 81.3, None, None),
            ((1, "arnault", "sonyc_ust", "macro_auprc"), 0.649, None, None),
            ((1, "vggish", "openmic", "avg_weighted_f1"), 0.785, None, None),
            ((2, "l2i", "openmic", "n_components"), 300, None, None),
            ((3, "l2i_bd", "sonyc_ust", "reconstruction_weight"), 4.0, None, None),
            ((4, "l2i_att", "esc50", "top_1_fidelity"), 65.7, 2.8, 5),
            ((4, "l2i_max", "esc50", "top_5_fidelity"), 92.7, 1.2, 5),
            ((4, "flint", "sonyc_ust", "micro_auprc"), 0.907, 0.011, 3),
            ((4, "vibi", "openmic", "avg_weighted_f1"), 0.581, 0.037, 3),
            ((5, "l2i_att", "esc50", "ff_median", "threshold=0.1"), 0.113, None, 5),
            ((6, "l2i_att", "esc50", "fidelity_loss", "fold=1, taps=B4+B5+B6"), 1.546, None, 1),
            ((7, "l2i_att", "sonyc_ust", "macro_auprc", WEIGHTS_100), 0.612, None, 1),
            ((8, "l2i_bd", "esc50", "accuracy"), 70.1, 1.5, 5),
            ((8, "l2i_bd_nopred", "openmic", "avg_weighted_f1"), 0.746, 0.006, 3),
            ((8, "flint_bd", "esc50", "accuracy"), 75.3, 3.6, 5),
        ],
    )
    def test_numbers_are_as_printed(self, key, mean, spread, n):
        found = number(*key)
        assert (found["mean"], found["spread"], found["n"]) == (mean, spread, n)

    def test_the_random_baseline_is_a_bound(self):
        found = number(5, "random_unselected", "esc50", "ff_median", "of=l2i_att, threshold=0.1")
        assert (found["mean"], found["bound"]) == (1e-4, "<")

    def test_the_text_gives_the_classifier_its_spread(self):
        in_text = number(1, "base_f", "esc50", "accuracy")["text"]
        assert in_text == {"mean": 82.5, "spread": 1.9, "n": 5}

    def test_the_configuration_is_the_papers_table_2(self, config):
        dataset, system = config["datasets"]["esc50"], config["systems"]["l2i_att"]
        assert dataset["paper_dataset"] == "esc50"
        ours = system["settings"] | system["by_dataset"]["esc50"]
        ours |= {"n_components": dataset["dictionary"]["n_components"]}
        for metric in ("reconstruction_weight", "sparsity_weight", "n_components", "n_epochs"):
            assert ours[metric] == number(2, "l2i", "esc50", metric)["mean"]


class TestLedger:
    def test_no_id_stands_twice(self):
        assert len({entry["id"] for entry in LEDGER}) == len(LEDGER)

    @pytest.mark.parametrize("entry", LEDGER, ids=lambda entry: entry["id"])
    def test_what_was_measured_stands_under_effect(self, entry):
        figures = r"standard error|been measured|\bOn (the demo|ESC-10|\w+ mini|\d+ clips|folds)\b"
        assert not re.search(figures, entry["ours"])
        assert re.search(r"\d|not measured", entry["effect"].lower())

    @pytest.mark.parametrize(("name", "switch"), SWITCHES)
    def test_every_switch_is_a_key_that_takes_its_value(self, config, name, switch):
        changed = switched_on(config, switch["key"], switch["value"])
        assert value_at(changed, switch["key"]) == switch["value"]
        validate_config(resolved(changed))  # which knows no key that is none

    def test_the_papers_rule_for_dictionaries_comes_with_enough_iterations(self, config):
        # Multiplicative updates are slow: 50 of them leave the dictionary unfinished.
        switched = {s["key"]: s["value"] for name, s in SWITCHES if name == "dictionary_solver"}
        place = "datasets.esc50.dictionary"
        assert switched[f"{place}.solver"] == "multiplicative"
        assert switched[f"{place}.n_iter"] > value_at(config, f"{place}.n_iter")

    @pytest.mark.parametrize(
        "entry",
        [
            *("soft_mask_floor", "psi_layers", "channels_and_peak", "listening_relevance"),
            *("listening_decision", "istft_length", "scratch_settings", "random_draws"),
        ],
    )
    def test_what_we_decided_ourselves_is_told(self, entry):
        assert entry in {e["id"] for e in LEDGER}

    @pytest.mark.parametrize(("name", "switch"), CODE_SWITCHES)
    def test_the_authors_overlay_sets_every_switch_to_their_code(self, authors, name, switch):
        assert value_at(authors, switch["key"]) == switch["value"]

    def test_the_authors_overlay_sets_nothing_else(self):
        # The code knows nothing of OpenMIC-2018, and no ablation of it was released.
        what_runs = {"name", "run.datasets", "run.systems", *(f"ablations.{t}" for t in ABLATIONS)}
        explained = {switch["key"] for _, switch in CODE_SWITCHES} | what_runs
        assert set(leaves(load("config", "authors.yaml"))) <= explained

    def test_the_authors_overlay_repeats_no_default(self, config):
        overlay = load("config", "authors.yaml")
        for key in leaves(overlay):
            if ".by_dataset." in key:
                continue  # what a system says of a data set may be new
            assert value_at(overlay, key) != value_at(config, key), key

    def test_the_authors_overlay_is_a_valid_configuration(self, authors):
        validate_config(resolved(authors))
