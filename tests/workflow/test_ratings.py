"""From answers to Figure 4 by Snakemake, and what it says where there are none."""

from __future__ import annotations

import json

import pytest

from helpers.project import PROJECT
from helpers.rated_tests import answers_to, save_by_participant, small_test
from helpers.records import vouch_for
from helpers.tiny_project import TINY, Project
from l2i.provenance.records import record_path

pytestmark = pytest.mark.slow

OURS = ["import_ratings", "tabulate_ratings", "draw_ratings", "trace_tables", "figure_4"]


@pytest.fixture(scope="module")
def rated(tmp_path_factory):
    """A project whose test was composed elsewhere, and what was drawn of simulated answers."""
    overlay = TINY | {"listening_test": {"datasets": ["esc50"]}}
    overlay["run"] = TINY["run"] | {"systems": ["l2i_att"], "single_run": []}
    of_esc50 = TINY["datasets"]["esc50"] | {"download": "esc50", "source": "local"}
    overlay["datasets"] = {"esc50": of_esc50}
    overlay["ablations"] = {"table_6": [], "table_7": [], "figure_6": []}
    project = Project(tmp_path_factory.mktemp("rated") / "project", PROJECT, overlay)
    pack = project.folder / "results/tiny/listening_test/esc50"
    asked = small_test(pack)
    (pack / "index.html").touch()
    vouch_for(pack)
    answers = answers_to(asked, real=False)
    save_by_participant(
        answers[answers["participant"] < 6], project.folder / "answers/esc50", asked.test
    )
    _, project.said = project.run(*asking("answers"))
    project.last = answers[answers["participant"] == 6]
    return project


def asking(folder):
    """For Figure 4 of the answers in a folder, composing nothing."""
    of_machine = [f"machine={{ratings: {folder}}}"] if folder else []
    config = ["--config", *of_machine] if folder else []
    return [*config, "--allowed-rules", *OURS, "--", "figure_4"]


def planned_in(rated):
    """What Snakemake says of its plan, behind the command that it repeats."""
    _, said = rated.snakemake("-np", *asking("answers"))
    return said.partition("Building DAG of jobs")[2]


def test_table_page_figure_and_its_numbers_say_that_answers_are_simulated(rated):
    results = rated.folder / "results/tiny"
    for name in ("tables/ratings.md", "figures/figure_4.svg"):
        assert "SIMULATED ANSWERS" in (results / name).read_text()
    for name in ("ratings/esc50/ratings", "tables/ratings", "figures/figure_4"):
        header, *rows = (results / f"{name}.csv").read_text().splitlines()
        place = header.split(",").index("simulated")
        assert rows and all(row.split(",")[place] == "True" for row in rows)
    assert (results / "figures/figure_4.png").stat().st_size > 10_000


def test_the_terminal_says_so_too(rated):
    assert "note: answers of esc50: SIMULATED ANSWERS" in rated.said
    assert "note: Figure 4 is of SIMULATED ANSWERS" in rated.said


def test_the_record_names_the_files_by_their_hashes(rated):
    path = record_path(rated.folder / "results/tiny/ratings/esc50/ratings.csv")
    files = json.loads(path.read_text())["facts"]["files"]
    assert len(files) == 5 and all(len(sha256) == 64 for sha256 in files.values())


def test_an_answer_that_comes_is_imported_and_no_change_is_no_work(rated):
    planned = planned_in(rated)
    assert "import_ratings" not in planned and "draw_ratings" not in planned
    path = rated.folder / "answers/esc50/late.csv"
    rated.last.to_csv(path, index=False)
    planned = planned_in(rated)
    path.unlink()
    assert "import_ratings" in planned and "late.csv is new" in planned


@pytest.mark.parametrize(
    ("folder", "missing"),
    [
        ("nowhere", "nowhere/esc50 holds no csv file"),
        ("answers/esc50", "set machine.ratings to answers, the folder above"),
    ],
)
def test_a_folder_without_answers_says_what_to_do_and_computes_nothing(rated, folder, missing):
    code, said = rated.snakemake("--dry-run", *asking(folder), check=False)
    assert code == 1 and "Traceback" not in said
    told = said[said.index("error: there are no answers") :]
    assert missing in told and "None is made up" in told
    assert "give results/tiny/listening_test/esc50/index.html to 15 people" in told
    typed = f"--configfile overlay.yaml --config 'machine={{ratings: {folder}}}'\n"
    assert f"snakemake --cores 1 figure_4 {typed}" in told


def test_without_a_folder_it_says_so_unless_there_are_ratings(rated):
    results = rated.folder / "results/tiny/ratings"
    aside = results.rename(results.with_name("aside"))
    code, said = rated.snakemake("--dry-run", *asking(None), check=False)
    aside.rename(results)
    assert code == 1 and "machine.ratings is null" in said
    assert "put the csv files that they save into FOLDER/esc50/" in said
