"""The code of jobs: what scripts share is read once, and fingerprints are those of each alone."""

from collections import Counter

import pytest

from helpers.project import PROJECT
from l2i.provenance import sources
from l2i.provenance.fingerprints import code_fingerprint, source_closure
from l2i.provenance.sources import Sources

WORKFLOW = PROJECT / "workflow"
SCRIPTS = [WORKFLOW / f"scripts/{name}.py" for name in ("tabulate_masks", "compose_listening")]
LOCK = PROJECT / "envs/compute.txt"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_fingerprint_is_that_of_the_script_by_itself(script):
    known = Sources(WORKFLOW, LOCK)
    for each in SCRIPTS:
        known.code(each)
    assert known.code(script) == code_fingerprint(source_closure([script], WORKFLOW), WORKFLOW)


def test_files_that_scripts_share_are_read_once(monkeypatch):
    asked = Counter()

    def counted(function):
        def ask(path, root):
            asked[function.__name__, path] += 1
            return function(path, root)

        return ask

    for name in ("imported_files", "parts_of_file"):
        monkeypatch.setattr(sources, name, counted(getattr(sources, name)))
    known = Sources(WORKFLOW, LOCK)
    fingerprints = [known.code(script) for script in SCRIPTS]
    assert known.parts_of(fingerprints[0]) in known.parts()
    assert asked and max(asked.values()) == 1
