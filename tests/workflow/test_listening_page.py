"""The rule of the listening page: what it is given, and when a run names it."""

from __future__ import annotations

import pytest

from helpers.loaded_workflow import loaded_workflow, settings_of, wildcards_of


@pytest.fixture(scope="module")
def workflow():
    with loaded_workflow() as loaded:
        yield loaded


def test_each_folder_stands_with_the_words_for_it(workflow):
    (rule,) = [rule for rule in workflow.rules if rule.name == "compose_listening"]
    (said,), (wildcards,) = settings_of(rule), wildcards_of(rule)
    folders = dict(rule.expand_input(wildcards)[0].items())
    for name, paths in folders.items():
        words = said[name]
        assert len(paths) == len(words) > 0
        for path, word in zip(paths, words, strict=True):
            assert f"/fold{word['fold']}/" in path and path.endswith(f"/run{word['run']}")
            assert ("/slime/" in path) == (word["system"] == "SLIME")
            assert ("/l2i_max/" in path) == (word["system"] == "L2I w/ MAX")
            assert ("/openmic/" in path) == (word["dataset"] == "OpenMIC-2018")


def test_corrupted_clips_are_of_the_first_fold_of_data_sets_with_one_class_a_clip(workflow):
    heard, runs = (workflow.globals[name] for name in ("heard", "INTERPRETED"))
    clean, corrupted = (
        [path for path in heard(runs) if f"/{occasion}/" in path]
        for occasion in ("listening", "corrupted")
    )
    assert len(clean) + len(corrupted) == len(heard(runs)) == len({*heard(runs)})
    of_clean_clips_alone = "/integrated_gradients/", "/grad_cam/", "/targets-shuffled/"
    esc50 = [path for path in clean if "/esc50/fold1/" in path]
    esc50 = [path for path in esc50 if not any(name in path for name in of_clean_clips_alone)]
    assert sorted(corrupted) == sorted(p.replace("/listening/", "/corrupted/") for p in esc50)
    assert len(corrupted) == 4, "three systems that make sounds, and SLIME"


def test_an_interpreter_of_shuffled_targets_is_heard_beside_the_one_that_it_checks(workflow):
    (rule,) = [rule for rule in workflow.rules if rule.name == "compose_listening"]
    (said,), (wildcards,) = settings_of(rule), wildcards_of(rule)
    paths = dict(rule.expand_input(wildcards)[0].items())["sounds"]
    misled = {
        path: word["system"]
        for path, word in zip(paths, said["sounds"], strict=True)
        if "/default/" not in path
    }
    folder = "results/paper/listening/esc50/fold1/l2i_att/targets-shuffled/run0"
    assert misled == {folder: "L2I w/ ATT, targets shuffled"}
