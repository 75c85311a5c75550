"""Tables of a finished run, with the facts of their records; what was taken, as it is printed."""

from __future__ import annotations

import json
import shutil

import pytest
import yaml

from documentation.printing import printed
from documentation.taking import take
from helpers.records import write_record
from l2i.checks import InputError
from l2i.hashing import file_sha256
from l2i.provenance.records import record_path

ROWS = """\
table,system,dataset,metric,condition,mean,spread,n,low,high,paper_dataset,paper_mean,paper_spread,\
paper_n,bound,gap,verdict
4,l2i_att,esc50,top_1_fidelity,,86.6667,1.5,2,78.2917,95,esc50,65.7,2.8,5,,20.9667,differs
4,flint,esc50,top_1_fidelity,,46.6667,,1,30,63.4,esc50,73.5,2.3,5,,-26.8,no spread
4,vibi,esc50,top_1_fidelity,,,,,,,esc50,27.7,2.3,5,,,missing
"""
PAIRS = """\
table,dataset,metric,system,other,difference,spread,low,high,p,p_holm,n_folds,n_runs,n_clips
4,esc50,top_1_fidelity,l2i_att,flint,40,,16.58,63.33,0.005,0.03,1,1,30
4,esc50,top_1_fidelity,l2i_att,l2i_max,10,,0,20,0.16,0.49,2,1,60
"""


def block(run, view):
    return f"before\n<!-- measured: {run} {view} -->\nfiller\n<!-- /measured -->\nafter\n"


@pytest.fixture
def results(tmp_path):
    """A finished run, moved elsewhere: a table of pairs, and one of two systems on two folds."""
    folder = tmp_path / "moved"
    (folder / "tables").mkdir(parents=True)
    trained = {"l2i_att/fold1": "10:00 10:20", "l2i_att/fold2": "10:05 10:10"}
    trained |= {"flint/fold1": "10:15 10:30"}
    for name, times in trained.items():
        (folder / name).mkdir(parents=True)
        system, _, fold = name.partition("/fold")
        wildcards = {"dataset": "esc50", "system": system, "fold": fold}
        git = {"commit": "a" * 40 if system == "flint" else "b" * 40, "dirty": False}
        record(folder, f"{name}/model", times, wildcards=wildcards, git=git)
    for name, text in {"table_4.csv": ROWS, "comparisons_4.csv": PAIRS}.items():
        (folder / "tables" / name).write_text(text)
        record(folder, f"tables/{name}", "12:00 12:01", inputs=[f"{n}/model" for n in trained])
    return folder


def record(folder, name, times, inputs=(), **known):
    """A record of a result that lay in results/mine when it was made."""
    write_record(folder / name, {}, [("", f"results/mine/{used}") for used in inputs])
    path = record_path(folder / name)
    text = json.loads(path.read_text()) | {"rule": name} | known
    start, end = (f"2026-11-27T{time}:00+00:00" for time in times.split())
    text |= {"started_at": start, "finished_at": end}
    text["output"]["path"] = f"results/mine/{name}"
    if (folder / name).exists():
        text["output"]["sha256"] = file_sha256(folder / name)
    path.write_text(json.dumps(text))


def test_taking_a_run_copies_its_tables_and_tells_what_its_records_know(results, tmp_path):
    (tmp_path / "to/mine").mkdir(parents=True)
    (tmp_path / "to/mine/old.csv").touch()
    said = take(results, measured=tmp_path / "to")
    taken = {path.name: path for path in (tmp_path / "to/mine").iterdir()}
    assert {*taken} == {"table_4.csv", "comparisons_4.csv", "about.yaml"}
    assert taken["table_4.csv"].read_text() == ROWS
    about = yaml.safe_load(taken["about.yaml"].read_text())
    assert about["command"] == "snakemake --configfile config/mine.yaml"
    assert about["commits"] == ["bbbbbbb", "aaaaaaa"]
    assert about["minutes"] == 31  # 20, with another job inside of them, 10 more of the next, and 1
    assert about["folds"] == {"esc50": {"flint": ["1"], "l2i_att": ["1", "2"]}}
    assert (about["first_day"], about["precisions"]) == ("2026-11-27", ["float32"])
    assert "incomplete" not in said


def test_what_was_taken_is_printed_with_digits_and_titles_of_the_workflow(results, tmp_path):
    take(results, measured=tmp_path / "to", note="A note.")
    shown = {view: printed(block("mine", view), tmp_path / "to") for view in
             ("about", "summary", "pairs")}  # fmt: skip
    assert shown["summary"].splitlines()[2:-2] == [
        "| table | what | system | ours, ESC-50 | n | paper, ESC-50 | gap | verdict |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        "| IV | top-1 fidelity (%) | L2I w/ ATT | 86.7 ± 1.5 [78.3, 95.0] | 2 | 65.7 ± 2.8 | +21.0 "
        "| differs |",
        "| IV |  | FLINT, fold 1 | 46.7 [30.0, 63.4] | 1 | 73.5 ± 2.3 | -26.8 | no spread |",
    ]
    assert "1 of 2 pairs of systems differ" in shown["pairs"]
    assert "| IV | ESC-50 | L2I w/ ATT | FLINT | 40.0 [16.6, 63.3] | 0.03 | 30 |" in shown["pairs"]
    about = " ".join(shown["about"].split())
    assert "From fold 1 alone: FLINT. A note." in about and "bbbbbbb and aaaaaaa" in about


def test_records_that_were_left_behind_are_counted(results, tmp_path):
    record_path(results / "flint/fold1/model").unlink()
    said = take(results, measured=tmp_path / "to")
    assert "facts are incomplete: 1 results behind them have no record here" in said


def test_a_table_that_was_edited_by_hand_is_not_taken(results, tmp_path):
    table = results / "tables/table_4.csv"
    table.write_text(ROWS.replace("86.6667", "96.6667"))
    with pytest.raises(InputError, match="not what its record says"):
        take(results, measured=tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_a_folder_without_tables_or_a_run_without_commit_is_refused(results, tmp_path):
    with pytest.raises(InputError, match="holds no tables"):
        take(tmp_path, measured=tmp_path / "to")
    for system in ("l2i_att", "flint"):
        shutil.rmtree(results / system)
    with pytest.raises(InputError, match="know no commit"):
        take(results, measured=tmp_path / "to")
    take(results, measured=tmp_path / "to", commit="6a68fb5")
    assert "6a68fb5" in (tmp_path / "to/mine/about.yaml").read_text()
