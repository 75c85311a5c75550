"""Answers of a folder as a job imports them."""

from __future__ import annotations

import hashlib
import json

import pytest

from helpers.project import load_script
from helpers.rated_tests import SYSTEMS, answers_to, save_by_participant, small_test
from l2i.checks import InputError
from l2i.datasets.listing import changes_since
from l2i.tables import read_rows


@pytest.fixture
def run(tmp_path):
    asked = small_test(tmp_path / "pack")
    answers = tmp_path / "answers/esc50"
    save_by_participant(answers_to(asked), answers, asked.test)
    (answers / "notes.txt").write_text("of no interest\n")

    def run(ratings="answers"):
        return load_script("import_ratings")(
            path_to_pack=str(tmp_path / "pack"),
            path_to_ratings=str(tmp_path / "ratings.csv"),
            path_to_participants=str(tmp_path / "participants.csv"),
            path_to_files=str(tmp_path / "files.json"),
            systems=SYSTEMS,
            dataset="esc50",
            ratings=ratings and str(tmp_path / ratings),
        )

    return run


def test_ratings_people_and_a_listing_are_written(run, tmp_path):
    facts = run()
    assert len(read_rows(tmp_path / "ratings.csv")) == facts["n_ratings"] == 48
    assert read_rows(tmp_path / "participants.csv")["complete"].all()
    assert (facts["n_participants"], facts["n_complete"], facts["simulated"]) == (6, 6, False)


def test_the_record_names_every_csv_file_by_its_hash(run, tmp_path):
    files = run()["files"]
    found = {path.name: path for path in (tmp_path / "answers/esc50").glob("*.csv")}
    assert len(found) == 6
    assert files == {n: hashlib.sha256(p.read_bytes()).hexdigest() for n, p in found.items()}


def test_the_listing_notices_answers_that_come_and_go(run, tmp_path):
    run()
    folder, listing = tmp_path / "answers/esc50", tmp_path / "files.json"
    assert "notes.txt" in json.loads(listing.read_text()) and not changes_since(listing, folder)
    next(folder.glob("*_3.csv")).rename(folder / "late.csv")
    assert sorted(each.what for each in changes_since(listing, folder)) == ["lost", "new"]


def test_nothing_is_written_of_answers_that_do_not_fit(run, tmp_path):
    (tmp_path / "answers/esc50/other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"other.csv holds no answers"):
        run()
    assert not (tmp_path / "ratings.csv").exists()


def test_without_a_folder_it_says_which_key_is_meant(run):
    with pytest.raises(InputError, match="machine.ratings is null"):
        run(None)
