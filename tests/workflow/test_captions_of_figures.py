"""Every figure that a rule draws has a title and a caption, and its files get just these."""

from __future__ import annotations

import pytest

from configuration.captions import CAPTIONS, caption_of
from helpers.loaded_workflow import files_of, loaded_workflow, settings_of

NEW = {"training", "interpretation", "dictionary", "thresholds"}


@pytest.fixture(scope="module")
def drawn():
    """The settings of each job that draws, by the number of its figure."""
    found = {}
    with loaded_workflow() as workflow:
        for rule in workflow.rules:
            if rule.name.startswith("draw_"):
                for files, settings in zip(files_of(rule), settings_of(rule), strict=True):
                    assert {"svg", "png", "table"} <= {*files}
                    found[rule.name, settings["caption"]["title"]] = settings
    return found


def test_there_are_those_of_the_paper_and_more(drawn):
    numbers = {title.split(":")[0] for _, title in drawn}
    assert numbers == {f"Figure {n}" for n in (2, 3, 4, 5, 6, "S1", "S2", "S3", "S4", "S5", "S6")}
    assert {f"draw_{name}" for name in NEW} <= {rule for rule, _ in drawn}


def test_captions_are_those_of_the_report(drawn):
    captions = [caption_of(path.stem) for path in CAPTIONS.glob("figure_*.rst")]
    told = [settings["caption"] for settings in drawn.values()]
    assert sorted(each["title"] for each in told) == sorted(each.title for each in captions)
    assert {each["text"] for each in told} == {each.text for each in captions}
    for each in told:
        assert 1 <= len(each["text"].split("\n\n")) <= 2
        assert "``" not in each["text"] and ".. " not in each["text"].split()


@pytest.mark.parametrize("number", ["2", "3", "4", "6"])
def test_captions_say_below_how_many_clips_there_is_no_interval(number):
    assert "below 5 " in caption_of(f"figure_{number}").text
