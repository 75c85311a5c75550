"""The code of jobs: what scripts share is read once, and fingerprints are those of each alone."""

import ast
import json
from collections import Counter
from pathlib import Path

import pytest

from helpers.project import PROJECT
from l2i.provenance import sources, syntax
from l2i.provenance.fingerprints import code_fingerprint, source_closure, source_of
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


def test_files_that_scripts_share_are_read_once_and_parsed_once(monkeypatch):
    read, parsed = Counter(), Counter()

    def reading(path):
        read[path] += 1
        return source_of(path)

    def parsing(text, filename):
        parsed[filename] += 1
        return parse(text, filename=filename)

    parse = ast.parse
    monkeypatch.setattr(sources, "source_of", reading)
    monkeypatch.setattr(ast, "parse", parsing)
    syntax.read_source.cache_clear()
    known = Sources(WORKFLOW, LOCK)
    fingerprints = [known.code(script) for script in SCRIPTS]
    assert [json.loads(known.pins(script)) for script in SCRIPTS]
    assert known.parts_of(fingerprints[0]) in known.parts()
    assert read.keys() == {*map(Path, parsed)} >= {*SCRIPTS}
    assert {*read.values()} == {*parsed.values()} == {1}
