"""What `like` takes over, what it leaves alone, and what of it is refused."""

from __future__ import annotations

import copy

import pytest

from configuration.reading import addresses, pins_of, resolved
from l2i.checks import InputError

BASE = {
    "title": "Base",
    "as_classifier": {"name": "row", "title": "Row"},
    "module": "posthoc",
    "settings": {"rate": 1, "pooling": "attention"},
    "by_dataset": {"corpus": {"rate": 2, "pooling": "class_attention"}},
    "grid": {"size": [1, 2]},
}
CONFIG = {
    "machine": {"urls": {"audioset": "file:mirror"}},
    "datasets": {
        "corpus": {"title": "Corpus", "classifier": {"width": 1, "epochs": 5}, "listening": [1, 2]},
        "part": {"like": "corpus", "title": "Part", "classifier": {"epochs": 7}},
        "part_of_part": {"like": "part", "listening": []},
    },
    "systems": {"base": BASE, "other": {"like": "base", "title": "Other"}},
}


@pytest.fixture
def config():
    return copy.deepcopy(CONFIG)


class TestDatasets:
    def test_what_is_said_stands_and_the_rest_is_taken_over(self, config):
        part = resolved(config)["datasets"]["part"]
        classifier = {"width": 1, "epochs": 7}
        assert part == {"title": "Part", "classifier": classifier, "listening": [1, 2]}

    def test_a_chain_is_followed_to_its_end_and_lists_are_replaced(self, config):
        assert resolved(config)["datasets"]["part_of_part"] == {
            "title": "Part",
            "classifier": {"width": 1, "epochs": 7},
            "listening": [],
        }

    def test_options_of_a_layout_are_not_taken_over_by_another_one(self, config):
        config["datasets"]["corpus"]["corpus"] = {"layout": "esc50", "subset": "all"}
        config["datasets"]["part"]["corpus"] = {"layout": "openmic"}
        found = resolved(config)["datasets"]
        assert found["part"]["corpus"] == {"layout": "openmic"} == found["part_of_part"]["corpus"]

    def test_the_base_and_what_was_given_stay_as_they_are(self, config):
        found = resolved(config)
        found["datasets"]["part"]["classifier"]["width"] = 9
        assert found["datasets"]["corpus"]["classifier"]["width"] == 1
        assert config == CONFIG


class TestSystems:
    def test_a_system_takes_over_all_but_the_names_of_its_rows(self, config):
        other = resolved(config)["systems"]["other"]
        assert other["title"] == "Other" and "as_classifier" not in other
        assert other["module"] == "posthoc" and other["grid"] == {"size": [1, 2]}

    def test_what_it_says_for_all_data_sets_comes_before_what_its_base_says_for_one(self, config):
        config["systems"]["other"]["settings"] = {"pooling": "max"}
        other = resolved(config)["systems"]["other"]
        assert other["settings"] == {"rate": 1, "pooling": "max"}
        assert other["by_dataset"]["corpus"] == {"rate": 2}

    @pytest.mark.parametrize(
        ("said", "settings", "grid"),
        [
            ({"settings": {"size": 3}}, {"rate": 1, "pooling": "attention", "size": 3}, {}),
            (
                {"grid": {"rate": [5, 6]}},
                {"pooling": "attention"},
                {"size": [1, 2], "rate": [5, 6]},
            ),
        ],
    )
    def test_a_setting_is_in_the_grid_or_not_as_the_system_itself_says(
        self, config, said, settings, grid
    ):
        config["systems"]["other"] |= said
        other = resolved(config)["systems"]["other"]
        assert (other["settings"], other["grid"]) == (settings, grid)

    def test_what_is_said_for_a_data_set_holds_for_those_that_are_like_it(self, config):
        config["systems"]["base"]["by_dataset"]["part"] = {"rate": 3}
        by_dataset = resolved(config)["systems"]["other"]["by_dataset"]
        assert by_dataset["part"] == {"rate": 3, "pooling": "class_attention"}
        assert by_dataset["part_of_part"] == by_dataset["part"]
        assert by_dataset["corpus"] == {"rate": 2, "pooling": "class_attention"}


class TestRefusals:
    def test_a_base_that_is_not_there_is_named(self, config):
        config["systems"]["other"]["like"] = "bass"
        with pytest.raises(InputError, match=r"systems.other.like is bass, .* it has base"):
            resolved(config)

    def test_a_circle_is_named(self, config):
        config["datasets"]["corpus"]["like"] = "part_of_part"
        with pytest.raises(InputError, match="corpus, part, part_of_part are like each other"):
            resolved(config)

    @pytest.mark.parametrize(
        ("place", "value"),
        [("datasets", []), ("systems", None), ("systems", {"base": 3}), ("machine", 5)],
    )
    def test_what_is_of_a_wrong_form_is_left_to_the_check_that_follows(self, config, place, value):
        assert resolved(config | {place: value})[place] == value


class TestDownloads:
    def test_mirrors_take_the_place_of_addresses(self, config):
        urls = resolved(config)["machine"]["urls"]
        assert urls == addresses() | {"audioset": "file:mirror"}

    def test_where_a_download_comes_from_is_no_part_of_what_it_must_be(self):
        assert "files" in pins_of("corpora", "esc50") and "url" not in pins_of("corpora", "esc50")
        assert set(pins_of("weights", "audioset")) == {"git_blob"}
