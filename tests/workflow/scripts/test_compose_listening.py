"""Script compose_listening."""

from __future__ import annotations

import pytest

from helpers import heard_folders as folders
from helpers.heard_folders import data_of, write_heard
from helpers.project import load_script


def said(**changes):
    return {"system": "L2I w/ ATT", "dataset": "ESC-50", "fold": "1", "run": "0"} | changes


@pytest.fixture
def compose(tmp_path):
    """Run the script on two systems and prototypes; its facts."""
    for name in ("att", "max"):
        write_heard(tmp_path / name, {"a": {}})
    folders.write_prototypes(tmp_path / "apnet", "dog")

    def compose(single_file=False):
        return load_script("compose_listening")(
            path_to_sounds=[str(tmp_path / "att"), str(tmp_path / "max")],
            path_to_prototypes=[str(tmp_path / "apnet")],
            path_to_page=str(tmp_path / "listen"),
            sounds=[said(), said(system="L2I w/ MAX")],
            prototypes=[said(system="APNet")],
            single_file=single_file,
        )

    return compose


def test_each_folder_is_called_what_the_settings_say(compose, tmp_path):
    facts = compose()
    (clip,) = data_of(tmp_path / "listen")["clips"]
    assert (clip["dataset"], clip["fold"]) == ("ESC-50", "1")
    assert [i["system"] for i in clip["interpretations"]] == ["L2I w/ ATT", "L2I w/ MAX", "APNet"]
    assert facts["n_clips"] == 1 and facts["n_sounds"] == 8


def test_a_single_file_is_one(compose, tmp_path):
    compose(single_file=True)
    assert [path.name for path in (tmp_path / "listen").iterdir()] == ["index.html"]
