"""Which scores a number rests on: those that change it when they change, and no others."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from cli.recomputation import DRAWN, recomputed_table
from helpers.scored_run import CLASSES, scored_run
from l2i.checks import InputError
from l2i.reporting.cells import Cell, cells_of
from l2i.reporting.evidence import evidence_of


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return scored_run(tmp_path_factory.mktemp("run"))


def evidence(run, table, **keys):
    (cell,) = [each for each in cells_of(table, run.rows(table)) if each.keys == keys]
    found = evidence_of(cell, run.record(table), run.record_of)
    assert found.chosen
    return sorted(each["path"].removeprefix("results/") for each in found.inputs)


def of_esc50(system, metric, condition=None):
    keys = {"system": system, "dataset": "esc50", "metric": metric}
    return keys | ({"condition": condition} if condition else {})


class TestChoice:
    def test_a_number_rests_on_all_folds_and_runs_of_its_system(self, run):
        assert evidence(run, "table_4", **of_esc50("l2i_att", "top_1_fidelity")) == [
            "esc50-1-l2i_att-default-0/fidelity.csv",
            "esc50-2-l2i_att-default-0/fidelity.csv",
            "esc50-2-l2i_att-default-1/fidelity.csv",
        ]

    def test_a_difference_rests_on_what_both_have(self, run):
        of = of_esc50("l2i_att", "top_1_difference", "minus=vibi")
        assert evidence(run, "table_4", **of) == [
            "esc50-1-l2i_att-default-0/fidelity.csv",
            "esc50-1-vibi-default-0/fidelity.csv",
        ]

    def test_the_classifier_is_what_has_no_system(self, run):
        paths = ["esc50-1/classification.csv", "esc50-2/classification.csv"]
        for table in ("table_1", "table_8"):
            assert evidence(run, table, **of_esc50("base_f", "accuracy")) == paths

    def test_an_interpreter_that_is_scored_as_a_classifier_has_its_own_files(self, run):
        paths = evidence(run, "table_8", **of_esc50("l2i_posthoc", "accuracy"))
        assert paths == evidence(run, "table_4", **of_esc50("l2i_att", "top_1_fidelity"))

    def test_a_method_that_asks_the_classifier_alone_has_a_file_of_no_system(self, run):
        of = of_esc50("slime", "ff_median", "operator=noise_fill")
        assert evidence(run, "faithfulness_more", **of) == ["esc50-1-0/masks.csv"]

    def test_methods_are_told_apart_by_their_inputs(self, run):
        record, slime = run.record("faithfulness_more"), "results/esc50-1-0/masks.csv"
        other = {"name": "grad_cam", "path": "other"}
        more = {**record, "inputs": [*record["inputs"], other]}
        keys = of_esc50("slime", "ff_median", "operator=noise_fill")
        found = evidence_of(
            Cell("faithfulness_more", 0, keys, {"mean": 1.0}),
            more,
            lambda path: run.record_of(slime if path == "other" else path),
        )
        assert found.chosen and [each["path"] for each in found.inputs] == [slime]

    def test_agreement_of_rankings_rests_on_all_that_are_ranked(self, run):
        keys = {"dataset": "esc50", "metric": "operator_tau"}
        keys["condition"] = "measure=insertion, operators=log_magnitude+noise_fill"
        assert len(evidence(run, "faithfulness_more", **keys)) == 3

    @pytest.mark.parametrize("name", ["random_unselected", "nothing"])
    def test_what_counters_a_system_was_measured_with_it(self, run, name):
        condition = "of=l2i_max" + (", threshold=0.1" if name != "nothing" else "")
        assert evidence(run, "table_5", **of_esc50(name, "ff_median", condition)) == [
            "esc50-1-l2i_max-default-0/faithfulness.csv",
            "esc50-2-l2i_max-default-0/faithfulness.csv",
        ]

    @pytest.mark.parametrize(
        ("system", "metric", "path"),
        [
            ("l2i_att", "interpretation_improvement", "esc50-1-l2i_att-default-0/corruption.csv"),
            ("l2i_bd", "class_survives", "esc50-1-l2i_bd-default-0/corruption.csv"),
            ("slime", "remainder_si_sdr", "esc50-1/references.csv"),
            ("mixture", "remainder_si_sdr", "esc50-1/references.csv"),
            ("base_f", "class_survives", "esc50-1/references.csv"),
        ],
    )
    def test_clips_in_company_are_scored_apart_by_systems_and_by_what_stands_beside(
        self, run, system, metric, path
    ):
        of = of_esc50(system, metric, "kind=noise, snr_db=-10")
        assert evidence(run, "corruption", **of) == [path]

    def test_what_stands_beside_systems_is_said_to_be_of_none(self, run):
        cells = cells_of("corruption", run.rows("corruption"))
        of_slime = next(each for each in cells if each.keys["system"] == "slime")
        found = evidence_of(of_slime, run.record("corruption"), run.record_of)
        assert found.why == "dataset esc50, references"

    def test_an_ablation_rests_on_its_variant(self, run):
        of = of_esc50("l2i_att", "fidelity_loss", "fold=1, taps=B3")
        assert evidence(run, "table_6", **of) == ["esc50-1-l2i_att-taps-B3-0/ablated.csv"]

    @pytest.mark.parametrize(
        ("metric", "condition", "files"),
        [
            ("top_1_fidelity", "shuffled=head", ["default-0/sanity"]),
            (
                *("top_1_fidelity", "targets=shuffled"),
                ["default-0/sanity", "targets-shuffled-0/retrained_fidelity"],
            ),
            (
                *("ff_median", "targets=shuffled"),
                ["default-0/sanity", "targets-shuffled-0/retrained_faithfulness"],
            ),
            (
                *("selection_overlap", "targets=shuffled"),
                ["default-0/relevances", "default-0/sanity"]
                + ["targets-shuffled-0/retrained_relevances"],
            ),
            (
                *("selection_overlap", "activations=exchanged"),
                ["default-0/exchanged", "default-0/relevances", "default-0/sanity"],
            ),
        ],
    )
    def test_a_sanity_check_rests_on_what_was_broken_and_on_the_intact(
        self, run, metric, condition, files
    ):
        found = evidence(run, "sanity", **of_esc50("l2i_att", metric, condition))
        assert found == [f"esc50-1-l2i_att-{each}.csv" for each in files]

    def test_settings_of_several_systems_rest_on_all_of_their_models(self, run):
        assert len(evidence(run, "table_2", **of_esc50("l2i", "n_components"))) == 3

    def test_costs_rest_on_the_models_of_a_system(self, run):
        keys = {"system": "l2i_att", "dataset": "esc50", "device": "1 thread of a, b"}
        paths = evidence(run, "cost", **keys, precision="float32")
        assert paths == ["models/esc50-1-l2i_att-default-0", "models/esc50-2-l2i_att-default-0"]

    @pytest.mark.parametrize(
        "keys",
        [
            {"system": "slime", "metric": "mean_rating"},
            {"metric": "ties"},
            {"system": "l2i_att", "metric": "rating_difference", "condition": "minus=slime"},
        ],
    )
    def test_ratings_of_all_systems_are_those_of_the_data_set(self, keys):
        paths = {name: f"results/ratings/{name}/ratings.csv" for name in ("esc50", "openmic")}
        inputs = [{"name": "ratings", "path": path} for path in paths.values()]
        settings = {"systems": ["slime", "l2i_att"], "titles": {"slime": "SLIME"}}
        cell = Cell("ratings", 0, {"dataset": "openmic", "class": "dog", **keys}, {"mean": 1.0})
        wildcards = {path: {"wildcards": {"dataset": name}} for name, path in paths.items()}
        found = evidence_of(cell, {"inputs": inputs, "settings": settings}, wildcards.get)
        assert found.chosen and [each["path"] for each in found.inputs] == [paths["openmic"]]


class TestHonesty:
    def cell(self, run, table="table_4", place=0):
        return cells_of(table, run.rows(table))[place]

    def test_a_number_of_the_paper_alone_rests_on_nothing_of_ours(self, run):
        ours = self.cell(run, "table_6", 0)
        missing = replace(ours, number={**ours.number, "verdict": "missing"})
        found = evidence_of(missing, run.record("table_6"), run.record_of)
        assert found.inputs == [] and found.why.endswith("it was not measured")

    def test_without_the_record_of_an_input_all_are_named(self, run):
        def record_of(path):
            raise InputError(f"{path} has none")

        found = evidence_of(self.cell(run), run.record("table_4"), record_of)
        assert not found.chosen and "has none" in found.why
        assert found.inputs == run.record("table_4")["inputs"]

    def test_where_records_name_nothing_of_the_kind_all_are_named(self, run):
        cell = Cell("table_4", 0, of_esc50("flint", "top_1_fidelity"), {"mean": 1.0})
        record = run.record("table_4")
        settings = {**record["settings"], "systems": ["flint"]}
        found = evidence_of(cell, {**record, "settings": settings}, run.record_of)
        assert not found.chosen and len(found.inputs) == len(record["inputs"])

    def test_records_among_the_inputs_are_those_of_the_models(self, run):
        record = run.record("cost")
        more = [{"name": "record of systems", "path": "x"}, *record["inputs"]]
        found = evidence_of(self.cell(run, "cost"), {**record, "inputs": more}, run.record_of)
        assert found.chosen and "x" not in [each["path"] for each in found.inputs]


SCORED = ["table_1", "table_4", "comparisons_4", "table_5", "table_6", "table_8"]
SCORED += ["comparisons_8", "classes", "faithfulness_more", "figure_2", "figure_6", "corruption"]
SCORED += ["sanity"]


@pytest.mark.parametrize("table", SCORED)
def test_a_number_changes_with_what_it_rests_on_and_with_nothing_else(run, table):
    record = run.record(table)
    before = cells_of(table, run.rows(table))
    rests_on = [
        {each["path"] for each in evidence_of(cell, record, run.record_of).inputs}
        for cell in before
    ]
    for path in dict.fromkeys(each["path"] for each in record["inputs"]):
        if not path.endswith(".csv"):
            continue
        held = run.path_of(path).read_bytes()
        run.change(path, other_scores)
        try:
            after = cells_of(table, recomputed_table(record, run.path_of, run.record_of))
        finally:
            run.path_of(path).write_bytes(held)
        changed = {i for i, pair in enumerate(zip(before, after, strict=True)) if differ(*pair)}
        supposed = {i for i, paths in enumerate(rests_on) if path in paths}
        assert changed <= supposed, f"a number rests on {path}, and is not said to"
        # Counts, labels and shares may come out the same of other scores.
        assert len(changed) >= 0.3 * len(supposed) and bool(changed) == bool(supposed)


def other_scores(rows):
    """Scores that all metrics tell from those that there were.

    What is 0 or 1 by chance becomes the same throughout, so that no share stays what it was;
    probabilities change for some clips alone, so that what is symmetric changes as well.
    """
    alike = {"rank": 9, "correct": 1, "interpreter_class": 0, "survives": 0, "empty": 1}
    alike |= {"correlation": 0.5, "overlap": 0.5, "top_same": 0, "followed": 0}
    changed = {name: value for name, value in alike.items() if name in rows}
    sounds = {name for name in rows if name.endswith(("_si_sdr", "_improvement"))}
    for name in sounds | {"n_removed", "reconstruction_loss", "fidelity_loss"} & {*rows}:
        changed[name] = rows[name] + 1
    of_masks = {"insertion", "deletion", "relative_drop", "sparseness", "complexity", "energy_kept"}
    for name in {"probability_drop", "energy_removed", *of_masks} & {*rows}:
        changed[name] = rows[name] ** 2 / 2
    some = rows.index % 3 > 0
    tagged = [f"{score}_{name}" for name in CLASSES for score in ("interpreter", "probability")]
    tagged += [f"{score}_{name}" for name in CLASSES for score in ("classifier", "decided")]
    for name in {*tagged} & {*rows}:
        changed[name] = rows[name].where(~some, 1 - rows[name])
    for name in (name for name in rows if name.startswith("r_")):  # relevances
        changed[name] = rows[name].where(~some, -rows[name])
    return rows.assign(**changed)


def differ(cell, other):
    assert cell.keys == other.keys
    return any(
        value != other.number[name] and not (nan(value) and nan(other.number[name]))
        for name, value in cell.number.items()
        if name not in DRAWN
    )


def nan(value):
    return isinstance(value, float) and math.isnan(value)
