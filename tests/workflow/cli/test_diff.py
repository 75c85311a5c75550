"""l2i audit diff: numbers of two runs, and what can explain them."""

from __future__ import annotations

import json
import os
import zipfile

import pytest

from cli.main import main
from helpers.chains_of_records import CODE, make_run, model
from l2i.provenance.fingerprints import settings_fingerprint

LEARNED = "dictionary/esc50/fold1/default/dictionary.safetensors"
OTHER = {"l2i/nmf.py": {"(module)": "0" * 32, "learn": "2" * 32}}


@pytest.fixture
def ended(capsys):
    """A function: exit code and output of the command."""

    def end(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["audit", "diff", *map(str, arguments)])
        return ended.value.code, capsys.readouterr()

    return end


@pytest.fixture
def diff(tmp_path, ended):
    """A function: the run as it is beside one that was changed, as JSON."""

    def differ(change=None, *arguments, **options):
        make_run(tmp_path / "a")
        make_run(tmp_path / "b", change, **options)
        code, said = ended(tmp_path / "a", tmp_path / "b", "--json", *arguments)
        return code, json.loads(said.out)

    return differ


def explained(facts):
    """(system, data set) of each number that differs -> what comes first and what follows."""
    return {
        (number["key"]["system"], number["key"]["dataset"]): tuple(
            [(facts["causes"][at]["kind"], facts["causes"][at]["what"]) for at in number[which]]
            for which in ("first", "further")
        )
        for number in facts["numbers"]
    }


def test_runs_that_are_equal_end_with_0(diff, ended, tmp_path):
    code, facts = diff()
    assert code == 0 and facts["n_equal"] == 3 and facts["n_differing"] == 0
    assert facts["numbers"] == facts["causes"] == facts["differences"] == facts["code"] == []
    code, said = ended(tmp_path / "a", tmp_path / "b")
    assert code == 0 and said.out == "0 numbers differ, 3 are equal.\n"


def test_equal_numbers_are_listed_when_asked_for(diff, ended, tmp_path):
    _, facts = diff(None, "--all")
    assert [number["verdict"] for number in facts["numbers"]] == ["equal"] * 3
    _, said = ended(tmp_path / "a", tmp_path / "b", "--all")
    assert "table_4: max, esc50, top_1_fidelity" in said.out


def test_a_difference_is_named_for_the_numbers_that_hang_on_it_alone(diff):
    code, facts = diff(lambda r: r[LEARNED]["settings"].update(n_components=16))
    assert code == 2 and facts["outcome"] == "stale"
    assert explained(facts) == {("att", "esc50"): ([("setting", "n_components")], [])}


def test_several_differences_are_told_apart(diff):
    def change(results):
        results[LEARNED]["code"] = settings_fingerprint(OTHER)
        results[model("max")]["settings"]["seed"] = 1
        results[model("att")]["settings"]["seed"] = 1
        results["datasets/sonyc_ust/index.csv"]["data"] = "e" * 64

    code, facts = diff(change, code=CODE)
    assert code == 2 and explained(facts) == {
        ("att", "esc50"): ([("code", "learn_dictionary")], [("setting", "seed")]),
        ("max", "esc50"): ([("setting", "seed")], []),
        ("att", "sonyc_ust"): ([("data", "audio data/sonyc_ust")], []),
    }
    causes = {cause["what"]: cause for cause in facts["causes"]}
    assert causes["seed"]["n_numbers"] == 2 and causes["seed"]["rules"] == ["train_system"]


def test_settings_of_other_data_sets_in_the_table_explain_nothing(diff):
    """The table is made by the settings of both."""
    table = "att,esc50,top_1_fidelity,,1,0.1,5,0.9,1.1\n"
    table += "att,sonyc_ust,top_1_fidelity,,1,0.1,5,0.9,1.1\n"

    def change(results):
        results["tables/table_4.csv"]["settings"]["datasets"][1]["few"] = 2

    code, facts = diff(change, table=table)
    assert code == 2
    found = explained(facts)
    assert found["att", "sonyc_ust"] == ([("setting", "datasets.sonyc_ust.few")], [])
    assert found["att", "esc50"] == ([], [])


def test_where_nothing_recorded_explains_a_number_that_is_said(diff, ended, tmp_path):
    code, facts = diff(lambda r: r[LEARNED].update(salt=1))
    assert code == 2
    assert explained(facts) == {
        ("att", "esc50"): ([("unrecorded", "bytes by learn_dictionary")], [])
    }
    _, said = ended(tmp_path / "a", tmp_path / "b")
    assert "On the way to 1 of them no setting, code, package or data differs" in said.out


def test_then_machines_and_threads_are_named(diff, ended, tmp_path):
    runtime = {"device": "cpu", "precision": "float32", "n_threads": 8, "deterministic": True}
    _, facts = diff(lambda r: r[LEARNED].update(salt=1, record={"runtime": runtime}))
    assert explained(facts) == {("att", "esc50"): ([("runtime", "n_threads")], [])}
    _, said = ended(tmp_path / "a", tmp_path / "b")
    assert "What does: n_threads 1 -> 8." in said.out


def test_code_is_told_function_by_function_or_by_its_commits(tmp_path, ended):
    git = {"git": {"commit": "a" * 40, "dirty": False}}

    def change(results):
        results[LEARNED] |= {"record": git}

    make_run(tmp_path / "a")
    make_run(tmp_path / "b", code=OTHER)
    make_run(tmp_path / "c", change, code=None)
    _, said = ended(tmp_path / "a", tmp_path / "b")
    assert "│ l2i/nmf.py │ learn │ changed │" in said.out and "has no note" not in said.out
    _, said = ended(tmp_path / "a", tmp_path / "c")
    assert "compare the commits, none of A and aaaaaaaaaaaa, none of B" in said.out


def test_numbers_of_one_run_alone_make_a_difference(diff):
    code, facts = diff(table="att,esc50,top_1_fidelity,,1,0.1,5,0.9,1.1\n")
    assert code == 2
    assert (
        sorted(number["verdict"] for number in facts["numbers"]) == ["beyond"] + ["only in A"] * 2
    )


# ------------------------------------------------------------------ crates


def packed(folder, crate, below="results/toy", others=()):
    with zipfile.ZipFile(crate, "w") as archive:
        for parent, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(parent, name)
                if not name.endswith(".safetensors"):
                    archive.write(path, os.path.join(below, os.path.relpath(path, folder)))
        for name in others:
            archive.writestr(name, "x")
    return crate


@pytest.mark.parametrize("below", ["results/toy", ""])
def test_a_crate_is_as_good_as_its_run(tmp_path, ended, below):
    a = make_run(tmp_path / "a")
    b = make_run(tmp_path / "b", lambda r: r[LEARNED]["settings"].update(n_components=16))
    expected = ended(a, b, "--json")[1].out
    crate = packed(b, tmp_path / "b.zip", below)
    code, said = ended(a, crate, "--json")
    assert code == 2 and said.out == expected
    with zipfile.ZipFile(crate) as archive:
        archive.extractall(tmp_path / "unpacked")
    assert ended(a, tmp_path / "unpacked", "--json")[1].out == expected


@pytest.mark.parametrize("name", ["../tables/x.csv", "/tmp/tables/x.csv", "a/../../.run/x"])
def test_a_name_that_leads_out_of_a_crate_is_refused(tmp_path, ended, name):
    a = make_run(tmp_path / "a")
    code, said = ended(a, packed(a, tmp_path / "b.zip", others=[name]))
    assert code == 4 and "leads out of it" in said.err and name in said.err


def test_what_is_no_run_is_named(tmp_path, ended):
    a = make_run(tmp_path / "a")
    (tmp_path / "text").write_text("no crate")
    (tmp_path / "empty").mkdir()
    for name, said in (("text", "nor a crate"), ("none", "is missing"), ("empty", "no record")):
        code, output = ended(a, tmp_path / name)
        assert code == 4 and said in output.err and name in output.err
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "x")
    code, output = ended(a, tmp_path / "other.zip")
    assert code == 4 and "other.zip" in output.err


def test_what_a_name_would_do_to_a_terminal_is_only_shown(tmp_path, ended):
    a = make_run(tmp_path / "a")
    row = "att,esc50,\x1b[31mred,[bold]x[/bold],1,0.1,5,0.9,1.1\n"
    _, said = ended(a, make_run(tmp_path / "b", table=row))
    assert "\x1b[31mred" not in said.out and "[bold]x[/bold]" in said.out
