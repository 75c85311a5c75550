"""The table of ratings: its rows, its page, and its word for what nobody said."""

from __future__ import annotations

import pandas as pd
import pytest

from helpers.project import load_script
from helpers.rated_tests import SYSTEMS, answers_to, save_by_participant, small_test
from helpers.tables import one, page_of, pages_in
from l2i.listening_test.ratings import import_folder
from l2i.tables import read_rows, write_rows

TITLES = {"slime": "SLIME", "l2i_att": "L2I w/ ATT", "esc50": "ESC-50"}


@pytest.fixture
def tabulate(tmp_path):
    def tabulate(*, real=True, change=lambda answers: answers, datasets=("esc50",)):
        asked = small_test(tmp_path / "pack")
        answers = change(answers_to(asked, real=real))
        save_by_participant(answers, tmp_path / "answers", asked.test)
        found = import_folder(tmp_path / "answers", asked)
        write_rows(found.ratings, tmp_path / "ratings.csv")
        write_rows(found.participants, tmp_path / "participants.csv")
        n = len(datasets)
        load_script("tabulate_ratings")(
            path_to_ratings=[str(tmp_path / "ratings.csv")] * n,
            path_to_participants=[str(tmp_path / "participants.csv")] * n,
            path_to_table=str(tmp_path / "table.csv"),
            path_to_pages=pages_in(tmp_path),
            datasets=list(datasets),
            systems=SYSTEMS,
            page=page_of(TITLES),
            confidence=0.95,
        )
        return read_rows(tmp_path / "table.csv"), (tmp_path / "table.md").read_text()

    return tabulate


def test_rows_have_the_keys_of_our_tables(tabulate):
    table, page = tabulate()
    keys = ["table", "system", "dataset", "class", "metric", "condition"]
    assert list(table)[:6] == keys and not table.duplicated(keys).any()
    assert list(table["class"].unique()) == ["dog", "music", "all classes"]
    assert not table["simulated"].any() and "SIMULATED" not in page
    assert "../ratings/provenance/ratings.html" in page


def test_the_page_shows_what_the_table_says(tabulate):
    table, page = tabulate()
    of = {"class": "dog", "metric": "mean_rating", "system": "l2i_att"}
    row = one(table, **of)
    assert f"{row['mean']:.1f} ± {row['spread']:.1f} [{row['low']:.1f}, {row['high']:.1f}]" in page
    effect = one(table, metric="rating_effect")
    assert f"{effect['mean']:.1f} [{effect['low']:.1f}, {effect['high']:.1f}]" in page
    assert "L2I w/ ATT minus SLIME" in page


def test_simulated_answers_are_called_so_in_title_sections_and_every_row(tabulate):
    table, page = tabulate(real=False, datasets=("esc50", "sonyc_ust"))
    assert table["simulated"].all() and len(table["dataset"].unique()) == 2
    headings = [line for line in page.splitlines() if line.startswith("#")]
    assert len(headings) == 9 and all("SIMULATED" in line for line in headings)


def test_who_did_not_finish_and_who_gave_one_rating_are_named(tabulate):
    def change(answers):
        answers = answers[~((answers["participant"] == 2) & (answers["position"] > 1))]
        return answers.assign(rating=answers["rating"].where(answers["participant"] != 3, 50))

    _, page = tabulate(change=change)
    assert "6 answered, 5 of them all that they were given" in page
    assert "Participant 2 rated 1 of 4 stimuli" in page
    assert "Participant 3 gave one rating to everything" in page


def test_an_effect_that_cannot_be_had_is_said_and_has_no_number(tabulate):
    table, page = tabulate(change=lambda answers: answers[answers["participant"] == 1])
    effect = one(table, metric="rating_effect")
    assert pd.isna(effect["mean"]) and pd.isna(effect["p"])
    assert effect["note"] == "not fitted: participants and stimuli do not cross"
    assert f"**{effect['note']}**" in page
