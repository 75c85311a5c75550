"""l2i.provenance.comparison: what differs between two runs, and what hangs on it."""

from __future__ import annotations

import json

import pytest

from helpers.chains_of_records import evaluation, make_run, model
from l2i.checks import InputError
from l2i.provenance.comparison import Change, Comparison
from l2i.provenance.fingerprints import settings_fingerprint
from l2i.provenance.records import record_path
from l2i.provenance.runs import Run

TABLE = "tables/table_4.csv"
LEARNED = "dictionary/esc50/fold1/default/dictionary.safetensors"
INDEX = "datasets/esc50/index.csv"
OTHER_CODE = {"l2i/nmf.py": {"(module)": "0" * 32, "learn": "2" * 32, "more": "3" * 32}}


@pytest.fixture
def compared(tmp_path):
    """A function: the run as it is beside one that was changed."""

    def compare(change=None, **options):
        a = make_run(tmp_path / "a")
        return Comparison(Run(a), Run(make_run(tmp_path / "b", change, **options)))

    return compare


def explained(comparison, *inputs):
    """What can explain the table by these inputs: changes of both kinds, by results."""
    found = comparison.explain(TABLE, inputs, lambda change: True)
    return tuple({change: sorted(of) for change, of in each.items()} for each in found)


def test_runs_that_are_equal_differ_in_nothing(compared):
    comparison = compared()
    assert not comparison.all_changes() and not comparison.code() and not comparison.settings()
    assert explained(comparison, evaluation("att")) == ({}, {})


def test_a_setting_explains_what_hangs_on_it_and_nothing_else(compared):
    comparison = compared(lambda r: r[LEARNED]["settings"].update(n_components=16))
    change = Change("setting", "n_components", "8", "16")
    assert explained(comparison, evaluation("att")) == ({change: [LEARNED]}, {})
    assert explained(comparison, evaluation("max")) == ({}, {})
    assert explained(comparison, evaluation("att", "sonyc_ust")) == ({}, {})
    assert comparison.settings() == [change]


def test_what_differs_further_down_comes_second(compared):
    def change(results):
        results[LEARNED]["settings"]["seed"] = 1
        results[model("att")]["settings"]["system"]["epochs"] = 3
        results[model("max")]["settings"]["system"]["epochs"] = 4
        results[TABLE]["settings"]["n_bootstrap"] = 100

    comparison = compared(change)
    seed = Change("setting", "seed", "0", "1")
    epochs = Change("setting", "system.epochs", "2", "3")
    table = Change("setting", "n_bootstrap", "200", "100")
    first, further = explained(comparison, evaluation("att"))
    assert first == {seed: [LEARNED]} and further == {epochs: [model("att")], table: [TABLE]}
    first, further = explained(comparison, evaluation("max"))
    assert first == {epochs._replace(now="4"): [model("max")]} and further == {table: [TABLE]}
    first, further = explained(comparison, evaluation("att", "sonyc_ust"))
    assert first == {table: [TABLE]} and not further


def test_a_change_that_is_first_somewhere_is_not_named_again(compared):
    def change(results):
        for name in (LEARNED, model("att"), model("max")):
            results[name]["settings"]["seed"] = 1

    seed = Change("setting", "seed", "0", "1")
    first, further = explained(compared(change), evaluation("att"), evaluation("max"))
    assert first == {seed: sorted([LEARNED, model("max")])} and not further


def test_changes_of_the_result_itself_may_be_left_out(compared):
    comparison = compared(lambda r: r[TABLE]["settings"].update(n_bootstrap=1))
    assert comparison.explain(TABLE, [], lambda change: False) == ({}, {})


def test_code_is_told_function_by_function(compared):
    fingerprint = settings_fingerprint(OTHER_CODE)
    comparison = compared(lambda r: r[LEARNED].update(code=fingerprint), code=OTHER_CODE)
    (pair,) = [pair for pair, of in comparison.code().items() if LEARNED in of]
    (first, _) = explained(comparison, evaluation("att"))
    assert {change.kind for change in first} == {"code"}
    assert comparison.code_changes(*pair) == [
        ("l2i/nmf.py", {"learn": "changed", "more": "added"}),
    ]
    assert comparison.code_changes(*pair[::-1]) is None  # each run has notes of its own code


def test_a_function_that_is_gone_is_told(tmp_path):
    a, b = make_run(tmp_path / "a", code=OTHER_CODE), make_run(tmp_path / "b")
    comparison = Comparison(Run(a), Run(b))
    ((pair, of),) = comparison.code().items()
    assert len(of) == len(comparison.results)
    (change,) = comparison.code_changes(*pair)
    assert change.file == "l2i/nmf.py" and change.parts["more"] == "removed"


def test_where_a_note_is_missing_or_damaged_nothing_is_told_of_functions(compared):
    comparison = compared(code=None)
    ((pair, _),) = comparison.code().items()
    assert comparison.code_changes(*pair) is None


def test_data_that_no_job_has_made_explains(compared):
    comparison = compared(lambda r: r[INDEX].update(data="e" * 64))
    change = Change("data", "audio data/esc50", "d" * 8, "e" * 8)
    assert explained(comparison, evaluation("max")) == ({change: [INDEX]}, {})
    assert explained(comparison, evaluation("att", "sonyc_ust")) == ({}, {})


def test_a_corpus_that_was_read_otherwise_counts_as_other_data(compared):
    """As a local folder, of which the record of its index tells nothing."""
    first, _ = explained(compared(lambda r: r[INDEX].update(salt=1)), evaluation("max"))
    ((change, of),) = first.items()
    assert change.kind == "data" and of == [INDEX]


def test_packages_explain_by_their_pins(compared):
    def change(results):
        results[LEARNED]["record"] = {"pins": {"numpy": "2.0"}, "software": {"python": "3.12"}}

    comparison = compared(change)
    pin = Change("package", "numpy", None, "2.0")
    assert explained(comparison, evaluation("att")) == ({pin: [LEARNED]}, {})
    installed = Change("installed", "python", "3.11", "3.12")
    assert comparison.all_changes() == {pin: {LEARNED}, installed: {LEARNED}}


HOST = {"name": "a", "system": "b", "cpu": "c", "n_cores": 1, "memory_bytes": 1}


@pytest.mark.parametrize(
    ("record", "change"),
    [
        ({"host": HOST | {"cpu": "new"}}, Change("hardware", "cpu", "c", "new")),
        ({"accelerator": {"name": "H100"}}, Change("hardware", "gpu name", "null", "H100")),
        (
            {"runtime": {"device": "cpu", "precision": "float32", "n_threads": 8}
             | {"deterministic": True}},
            Change("runtime", "n_threads", "1", "8"),
        ),
        (
            {"libraries": ["openblas 0.3 Zen of numpy"]},
            Change("library", "openblas of numpy", None, "openblas 0.3 Zen of numpy"),
        ),
    ],
)  # fmt: skip
def test_circumstances_explain_only_where_the_same_came_out_otherwise(compared, record, change):
    def alter(results):
        results[LEARNED] |= {"record": record, "salt": 1}
        results[model("max")] |= {"record": record}

    comparison = compared(alter)
    assert explained(comparison, evaluation("att")) == ({change: [LEARNED]}, {})
    assert explained(comparison, evaluation("max")) == ({}, {})
    assert comparison.all_changes() == {change: {LEARNED, model("max")}}


def test_other_bytes_of_the_same_under_the_same_circumstances_are_told(compared):
    first, further = explained(compared(lambda r: r[LEARNED].update(salt=1)), evaluation("att"))
    ((change, of),) = first.items()
    assert change[:2] == ("unrecorded", "bytes by learn_dictionary") and of == [LEARNED]
    assert not further


def test_a_commit_is_told_and_explains_nothing(compared):
    def change(results):
        results[LEARNED]["record"] = {"git": {"commit": "a" * 40, "dirty": True}}

    comparison = compared(change)
    assert explained(comparison, evaluation("att")) == ({}, {})
    told = Change("commit", "commit", "null", f"{'a' * 12} with changes")
    assert comparison.all_changes() == {told: {LEARNED}}
    assert comparison.commits() == (["none"], [f"{'a' * 12} with changes", "none"])


def test_results_of_one_run_alone_explain_what_hangs_on_them(compared):
    def change(results):
        results[TABLE]["inputs"].pop(evaluation("max"))
        for name in (evaluation("max"), model("max")):
            del results[name]

    first, further = explained(compared(change), evaluation("max"))
    assert first == {Change("results", "train_system", "made", None): [model("max")]}
    assert [*further.values()] == [[evaluation("max")], [TABLE]] or set(further) == {
        Change("results", "measure_fidelity", "made", None),
    }


def test_that_a_result_is_no_longer_made_of_another_is_told(compared):
    comparison = compared(lambda r: r[model("att")]["inputs"].pop(LEARNED))
    change = Change("inputs", f"dictionary {LEARNED}", "read", None)
    assert explained(comparison, evaluation("att")) == ({change: [model("att")]}, {})


def test_settings_are_those_of_configurations_where_both_are_noted(tmp_path):
    a = make_run(tmp_path / "a", configuration={"seed": 0, "unused": [1, 2]})
    b = make_run(tmp_path / "b", configuration={"seed": 0, "unused": [1, 3]})
    changes = Comparison(Run(a), Run(b)).settings()
    assert changes == [Change("setting", "unused", "[1, 2]", "[1, 3]")]


def test_a_record_that_is_an_input_leads_to_its_result(tmp_path):
    a, b = (make_run(tmp_path / name) for name in "ab")
    for folder in (a, b):
        path = record_path(folder / TABLE)
        record = json.loads(path.read_text())
        (used,) = [u for u in record["inputs"] if "/max/" in u["path"]]
        used["path"] = str(record_path(f"results/toy/{evaluation('max')}"))
        used["sha256"] = settings_fingerprint(str(folder))
        path.write_text(json.dumps(record))
    comparison = Comparison(Run(a), Run(b))
    assert evaluation("max") in comparison.inputs_of(TABLE) and not comparison.all_changes()


def test_files_of_corpora_are_compared_without_their_times(tmp_path):
    folders = [make_run(tmp_path / name, with_listing) for name in "ab"]
    for folder, time, sha256 in zip(folders, (1, 2), ("a" * 64, "b" * 64), strict=True):
        listing = {"same.wav": [1, time, "c" * 64], "other.wav": [1, 1, sha256]}
        (folder / "datasets/esc50/files.json").write_text(json.dumps(listing))
    comparison = Comparison(*map(Run, folders))
    assert comparison.corpora() == [Change("data", "esc50: other.wav", "a" * 8, "b" * 8)]
    (folders[0] / "datasets/esc50/files.json").write_text("[]")
    assert comparison.corpora() == []


def with_listing(results):
    results["datasets/esc50/files.json"] = {"rule": "index_dataset", "code": "0" * 64}


def test_records_that_go_round_in_a_circle_are_named(compared):
    with pytest.raises(InputError, match="was made of itself"):
        compared(lambda r: r[INDEX].update(record={"inputs": [
            {"name": "x", "path": f"results/toy/{model('max')}", "sha256": "0" * 64},
        ]}))  # fmt: skip
