"""configuration.runs: which runs stand for a dictionary, of which there is one for each fold."""

import pytest

from configuration import runs

PATTERN = "{dataset} {fold} {system} {variant} {run}"


@pytest.fixture
def config(monkeypatch):
    """Two data sets, of which one is in folds; the second system runs on all of them."""
    monkeypatch.setattr(
        runs,
        "layout_of_dataset",
        lambda config, name: type("Layout", (), {"in_folds": name == "folded"}),
    )
    chosen = {"datasets": ["folded", "split"], "folds": [1, 2], "seeds": [7, 8]}
    return {"run": chosen | {"single_run": ["once"]}}


def test_each_fold_is_that_of_the_first_system_that_runs_on_it(config):
    assert runs.once_per_fold(config, PATTERN, ["once", "always"]) == [
        "folded 1 once default 7",
        "folded 2 always default 7",
        "split official once default 7",
    ]


def test_without_systems_there_are_none(config):
    assert runs.once_per_fold(config, PATTERN, []) == []
