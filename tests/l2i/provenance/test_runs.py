"""l2i.provenance.runs: which run a folder holds."""

from __future__ import annotations

import json

import pytest

from helpers.finished_run import NAME, make_run
from l2i.checks import InputError
from l2i.provenance.records import record_path
from l2i.provenance.runs import Run


def test_what_most_records_say_names_the_run(tmp_path):
    run = make_run(tmp_path)
    first = next(Run(run).results())
    record = json.loads(record_path(run / first).read_text())
    for told in ("results/other/" + str(first), None, 7, str(first)):
        record["output"]["path"] = told
        record_path(run / first).write_text(json.dumps(record))
        assert Run(run).root.as_posix() == NAME


@pytest.mark.parametrize("name", ["no", ""])
def test_a_folder_without_records_is_no_run(tmp_path, name):
    with pytest.raises(InputError, match="name (one|the folder) of a run"):
        Run(tmp_path / name)
