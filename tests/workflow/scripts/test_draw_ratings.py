"""Figure 4, drawn from a table of ratings."""

from __future__ import annotations

import pytest

from helpers.drawn import CAPTION
from helpers.project import load_script
from helpers.rated_tests import SYSTEMS, answers_to, small_test
from l2i.listening_test.report import tabulated
from l2i.tables import read_rows, write_rows

TITLES = {"slime": "SLIME", "l2i_att": "L2I w/ ATT", "esc50": "ESC-50"}


@pytest.fixture
def draw(tmp_path):
    def draw(*, real=True, classes=("dog", "music"), datasets=("esc50",)):
        answers = answers_to(small_test(tmp_path / "pack", classes), real=real)
        answers["simulated"] = answers["simulated"] == "true"
        table = tabulated(dict.fromkeys(datasets, answers), SYSTEMS, confidence=0.95)
        write_rows(table, tmp_path / "ratings.csv")
        load_script("draw_ratings")(
            path_to_ratings=str(tmp_path / "ratings.csv"),
            path_to_svg=str(tmp_path / "figure.svg"),
            path_to_png=str(tmp_path / "figure.png"),
            path_to_table=str(tmp_path / "figure.csv"),
            systems=SYSTEMS,
            titles=TITLES,
            caption=CAPTION,
            confidence=0.95,
        )
        assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
        return read_rows(tmp_path / "figure.csv"), (tmp_path / "figure.svg").read_text(), table

    return draw


def test_it_shows_every_class_both_systems_and_both_measures(draw):
    shown, svg, table = draw(classes=("dog", "street <music>"))
    for text in ("dog", "street &lt;music&gt;", "all classes", "12 trials", "24 trials", "SLIME"):
        assert f">{text}" in svg or f"{text}<" in svg, text
    assert "mean rating, 95 % interval" in svg and "votes in favour (%), 95 % interval" in svg
    assert "ESC-50: listening test with 6 participants" in svg
    assert "SIMULATED" not in svg and "simulated" not in svg
    wanted = table[table["metric"].isin(["mean_rating", "votes", "ties"])]
    assert shown["mean"].round(3).tolist() == wanted["mean"].round(3).tolist()


def test_simulated_answers_are_called_so_above_and_below_and_in_the_numbers(draw):
    shown, svg, _ = draw(real=False)
    assert "SIMULATED ANSWERS: no listener gave them" in svg
    assert svg.count(", simulated<") == 2
    assert shown["simulated"].all()


def test_each_data_set_has_a_part_of_its_own(draw):
    _, svg, _ = draw(datasets=("esc50", "sonyc_ust"))
    assert "ESC-50: listening test" in svg and "sonyc_ust: listening test" in svg
