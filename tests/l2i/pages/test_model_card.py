"""l2i.pages.model_card: what a model is, in Markdown."""

from l2i.pages.model_card import model_card

MADE = {
    "commit": "abc",
    "uncommitted_changes": True,
    "code_sha256": "c",
    "settings_sha256": "s",
    "interpreter_sha256": "i",
    "classifier_sha256": None,
    "train_clips_sha256": "t",
    "precision": "bfloat16",
    "torch": "2.11.0",
    "finished_at": "2026-01-01T00:00:00+00:00",
}
CARD = {
    "system": "L2I w/ <MAX>",
    "dataset": "Farm",
    "fold": "1",
    "classes": ["dog", "sea_waves"],
    "clips": {"train": 320, "test": 80, "test_recordings": 43, "listing_sha256": "l"},
    "n_parameters": 1234567,
    "measured": [
        {"system": "base_f", "metric": "accuracy", "mean": 91.25, "low": 83.04, "high": 95.0},
        {"system": "l2i_max", "metric": "ff_median", "mean": 0.81, "condition": "threshold=0.1"},
    ],
    "about": [["Use", "To listen."], ["Data", ["one", "two"]]],
    "made_by": MADE,
    "stored_as": {"precision": "float32"},
}
for number in CARD["measured"]:
    number["confidence"] = 0.95


def test_numbers_are_printed_as_tables_print_them():
    card = model_card(CARD, "dog.safetensors")
    assert "| the classifier | accuracy (%) |  | 91.2 [83.0, 95.0] |" in card
    row = "| the interpreter | median faithfulness (drop in probability) | threshold 0.1 | 0.810 |"
    assert row in card
    assert "On the 80 clips of fold 1, of 43 recordings" in card and "intervals of 95%" in card


def test_names_are_shown_as_they_are():
    assert "# L2I w/ \\<MAX> on Farm, fold 1" in model_card(CARD, "x")


def test_what_people_say_of_it_stands_under_its_headings():
    assert "## Use\n\nTo listen.\n\n## Data\n\n- one\n- two\n" in model_card(CARD, "x")


def test_changes_that_were_not_committed_are_told():
    assert "commit `abc`, with changes that were not committed" in model_card(CARD, "x")
    clean = CARD | {"made_by": MADE | {"uncommitted_changes": False}}
    assert "not committed" not in model_card(clean, "x")


def test_a_model_that_was_not_measured_says_nothing_of_scores():
    assert "What it scores" not in model_card(CARD | {"measured": []}, "x")


def test_what_rounding_changed_is_told():
    rounded = {
        "precision": "float16",
        "n_clips": 80,
        "n_same_class": 79,
        "largest_change_of_probability": 0.0123,
        "largest_change_of_relevance": 0.00456,
        "share_of_components_selected_otherwise": 0.00012,
    }
    card = model_card(CARD | {"stored_as": rounded}, "x")
    assert (
        "79 of 80 test clips are given the same class; no probability changes by more than 0.012"
        in card
    )
    assert "no relevance by more than 0.0046; 0.01% of the components" in card
