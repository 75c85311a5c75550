from __future__ import annotations

import json

import pandas as pd
import pytest

from helpers.project import load_script
from l2i.checks import InputError

ASKED = {
    **{"listening": ["a"], "excluded_classes": [], "positive_weight": None, "n_components": [4]},
    **{"clips_per_class": None, "waveform_scale": "absolute", "folds": [1, 2]},
}


@pytest.fixture
def check(tmp_path):
    index = {"clip": ["a", "b", "NA", "d"], "path": "x", "fold": [1, 1, 2, 2], "label": [0, 1] * 2}
    pd.DataFrame(index).to_csv(tmp_path / "index.csv", index=False)
    (tmp_path / "classes.json").write_text(json.dumps(["dog", "None"]))

    def run(**changes):
        load_script("check_dataset")(
            path_to_index=str(tmp_path / "index.csv"),
            path_to_classes=str(tmp_path / "classes.json"),
            path_to_checked=str(tmp_path / "checked.json"),
            asked=ASKED | changes,
            dataset="farm",
        )
        return (tmp_path / "checked.json").read_text()

    return run


def test_what_it_writes_does_not_depend_on_what_was_asked(check):
    assert check() == check(listening=["NA"], excluded_classes=["None"], folds=[1])


def test_all_misfits_stand_in_one_message(check, tmp_path):
    with pytest.raises(InputError, match="2 problems"):
        check(listening=["1-2-A-3"], excluded_classes=["cat"], folds=[1])
    assert not (tmp_path / "checked.json").exists()
