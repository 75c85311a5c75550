"""l2i.provenance.consistency: what is said twice must be the same."""

from __future__ import annotations

import copy
import json

import pytest

from helpers.finished_run import make_run
from l2i.provenance.consistency import contradictions, disagreements
from l2i.provenance.records import record_path


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("run"))
    return json.loads(record_path(run / "tables/table_5.csv").read_text())


def test_a_record_as_a_job_writes_it_fits_itself(record):
    assert [*contradictions(record)] == []


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"settings": {"seed": 0}}, "its settings have the fingerprint"),
        ({"pins": {"numpy": "1.0"}}, "its pins have the fingerprint"),
        ({"wildcards": {"fold": "7"}}, "fold is 7"),
        ({"seeds": {}}, "the seeds {'seed': 0}"),
        ({"software": {"python": "3.11.7"}}, "software: numpy"),
        ({"departures": {"torch": {"pinned": "1", "installed": None}}}, "software: torch"),
        ({"unneeded": ["numpy"]}, "not pinned, or was installed: numpy"),
        ({"unneeded": ["cuda"]}, "not pinned, or was installed: cuda"),
        ({"facts": {"precision": "float32"}}, "None and float32"),
        ({"started_at": "2025-01-31T12:00:01+00:00"}, "before it started"),
        ({"wildcards": {"number": "5", "run": "table"}}, "no job can have been told"),
        ({"settings": {"seed": float("nan")}}, "no job can have been told"),
    ],
)
def test_a_contradiction_is_named(record, part, said):
    assert said in "; ".join(contradictions(record | part))


def test_results_of_one_job_say_the_same_of_it(record):
    other = copy.deepcopy(record)
    other["output"]["path"] = "elsewhere"
    assert [*disagreements({"a": record, "b": other})] == []
    other["host"]["name"] = "elsewhere"
    ((name, what),) = disagreements({"a": record, "b": other})
    assert name == "b" and "differ in host" in what


def test_jobs_of_other_wildcards_or_times_are_others(record):
    later = record | {"seconds": 9.0, "finished_at": "2025-01-31T12:00:09+00:00"}
    of_six = record | {"seconds": 9.0, "wildcards": {"number": "6"}}
    assert [*disagreements({"a": record, "b": later, "c": of_six})] == []
