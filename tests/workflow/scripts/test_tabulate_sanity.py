"""The table of sanity checks, from scores made up."""

from __future__ import annotations

import pandas as pd
import pytest

from helpers.project import load_script
from helpers.sanity_scores import RETRAINED, relevance_rows, retrained_scores, sanity_scores
from helpers.tables import STATISTICS, one, page_of, pages_in
from l2i.checks import InputError
from l2i.evaluation.agreement import agreement
from l2i.reporting.sanity import CHECKS, COLUMNS, DOES_NOT, EXCHANGED, INTACT, NOTICES

VECTOR = [f"r_{k:03d}" for k in range(5)]


@pytest.fixture
def files(rng):
    """Inputs of the rule, by name."""
    relevances, fidelity, faithfulness = retrained_scores(rng)
    return {
        "sanity": [sanity_scores(rng)],
        "relevances": [relevance_rows(rng)],
        "exchanged": [relevance_rows(rng)],
        "retrained_relevances": [relevances],
        "retrained_fidelity": [fidelity],
        "retrained_faithfulness": [faithfulness],
    }


@pytest.fixture
def run(write, tmp_path):
    def run(files, retrained=(RETRAINED,)):
        inputs = {f"path_to_{name}": write(name, frames) for name, frames in files.items()}
        load_script("tabulate_sanity")(
            **inputs,
            **{"path_to_table": str(tmp_path / "t.csv"), "path_to_pages": pages_in(tmp_path, "t")},
            **{"retrained": list(retrained), "threshold": 0.1, "page": page_of()},
            **{"statistics": STATISTICS, "seed": 0},
        )
        return pd.read_csv(tmp_path / "t.csv", keep_default_na=False, na_values=[""])

    return run


def alike(one_table, other):
    pairs = zip(one_table[VECTOR].to_numpy(), other[VECTOR].to_numpy(), strict=True)
    return pd.DataFrame([agreement(a, b, threshold=0.1) for a, b in pairs]).mean()


def test_there_is_a_row_for_every_measure_and_condition(run, files, tmp_path):
    table = run(files)
    assert list(table) == COLUMNS
    conditions = [INTACT, "shuffled=head", "shuffled=head+B6", "targets=shuffled"]
    for metric, part in table.groupby("metric", sort=False):
        of_relevances = metric in [*CHECKS][:3]
        assert list(part["condition"]) == [*conditions, *([EXCHANGED] if of_relevances else [])]
    assert list(table["metric"].unique()) == [*CHECKS]
    shuffled = table["condition"].isin(["shuffled=head", "shuffled=head+B6"])
    assert set(table.loc[shuffled, "noticed"]) == {NOTICES}
    page = (tmp_path / "t.md").read_text()
    assert "provenance/sanity.html" in page and page.startswith("# Table S9: numbers")


def test_the_interpreter_trained_anew_has_the_numbers_of_its_own_files(run, files):
    table = run(files)

    def mean(metric):
        return one(table, metric=metric, condition="targets=shuffled")["mean"]

    expected = alike(files["relevances"][0], files["retrained_relevances"][0])
    assert mean("relevance_correlation") == pytest.approx(expected["correlation"], rel=1e-5)
    assert mean("selection_overlap") == pytest.approx(expected["overlap"], rel=1e-5)
    assert mean("top_component_same") == pytest.approx(100 * expected["top_same"], rel=1e-5)
    followed = files["retrained_fidelity"][0]
    right = (followed["interpreter_class"] == followed["classifier_class"]).mean()
    assert mean("top_1_fidelity") == pytest.approx(100 * right, rel=1e-5)
    removed = files["retrained_faithfulness"][0]
    drops = removed.loc[removed["threshold"] == 0.1, "probability_drop"]
    assert mean("ff_median") == pytest.approx(drops.median(), rel=1e-5)
    assert mean("empty_selection") == 0


def test_exchanged_activations_tell_how_alike_relevances_are_by_weights_alone(run, files):
    row = one(run(files), metric="relevance_correlation", condition=EXCHANGED)
    expected = alike(files["relevances"][0], files["exchanged"][0])
    assert row["mean"] == pytest.approx(expected["correlation"], rel=1e-5)
    assert pd.isna(row["noticed"])


def test_rows_are_matched_by_clip_and_not_by_their_order(run, files):
    before = run(files)
    for name in ("exchanged", "retrained_relevances", "retrained_faithfulness"):
        files[name] = [files[name][0].iloc[::-1]]
    pd.testing.assert_frame_equal(before, run(files))


def test_an_interpreter_that_does_as_well_on_shuffled_targets_is_told(run, files):
    same = files["relevances"][0].assign(variant="targets-shuffled")
    files["retrained_relevances"] = [same]
    files["retrained_fidelity"][0]["interpreter_class"] = 9
    files["retrained_faithfulness"][0]["probability_drop"] = 9.0
    table = run(files)
    rows = table[table["condition"] == "targets=shuffled"]
    assert (rows["noticed"] == DOES_NOT).all() and len(rows) == len(CHECKS)


def test_without_interpreters_trained_anew_the_cascade_stands_alone(run, files):
    none = {name: [] for name in files if name.startswith("retrained")}
    table = run(files | none, retrained=())
    assert not table["condition"].str.startswith("targets").any() and len(table) == 6 * 3 + 3


def test_systems_do_not_mix(run, files, rng):
    """Two systems on two data sets, of unlike many components."""
    before = run(files)
    other = {"dataset": "esc10", "system": "l2i_max"}
    for name in ("sanity", "relevances", "exchanged"):
        frame = files[name][0].assign(**other)
        if name != "sanity":
            frame = frame.assign(**{f"r_{k:03d}": 0.5 - k / 9 for k in range(5, 8)})
        files[name] = [files[name][0], frame]
    after = run(files)
    first = after[after["dataset"] == "esc50"]
    pd.testing.assert_frame_equal(before, first.reset_index(drop=True))
    assert set(after.loc[after["dataset"] == "esc10", "system"]) == {"l2i_max"}


def test_relevances_of_other_decisions_are_refused(run, files):
    changed = files["retrained_relevances"][0]
    changed.loc[0, "class"] = "siren"
    with pytest.raises(InputError, match="of different decisions: delete the evaluation"):
        run(files)


def test_a_system_without_relevances_is_named(run, files):
    files["relevances"] = [files["relevances"][0].assign(system="l2i_max")]
    with pytest.raises(InputError, match="no clip was measured of dataset esc50, system l2i_att"):
        run(files)
