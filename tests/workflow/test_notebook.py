"""docs/explain_your_own.ipynb runs from its beginning to its end, and is kept without results."""

import json
import os
import re

import nbformat
import pytest
from nbclient import NotebookClient

from helpers.project import PROJECT

PATH = PROJECT / "docs/explain_your_own.ipynb"


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    notebook = nbformat.read(PATH, as_version=4)
    folder = tmp_path_factory.mktemp("notebook")
    place = {"metadata": {"path": str(folder)}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(PROJECT / "workflow")]))
        patch.setenv("OMP_NUM_THREADS", "1")
        NotebookClient(notebook, timeout=300, kernel_name="python3", resources=place).execute()
    return notebook


def printed(notebook):
    outputs = [each for cell in notebook.cells for each in cell.get("outputs", [])]
    return "".join(each["text"] for each in outputs if each["output_type"] == "stream")


def test_it_shows_players(executed):
    shown = [
        output["data"].get("text/html", "")
        for cell in executed.cells
        for output in cell.get("outputs", [])
        if output["output_type"] == "execute_result"
    ]
    assert len(shown) == 3 and all("<audio" in each for each in shown)


def test_what_it_says_of_the_model_that_ships_is_what_its_card_says(executed):
    accuracy = re.search(r"^accuracy: ([\d.]+) %", printed(executed), re.M)
    card = (PROJECT / "workflow/l2i/shipped/MODEL_CARD.md").read_text()
    assert f"| accuracy (%) |  | {accuracy[1]} [" in card


def test_the_foreign_network_learns_and_its_interpreter_follows(executed):
    right, same = re.findall(r"(\d+)%", printed(executed))
    assert int(right) >= 90 and int(same) >= 90


def test_it_is_kept_clean():
    text = PATH.read_text(encoding="utf-8")
    notebook = json.loads(text)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook["cells"])
    assert not re.search(r"/home/|/root/|/work/|/Users/", text)
    assert notebook["metadata"].keys() == {"kernelspec", "language_info"}
    assert PATH.stat().st_size < 30_000
