"""l2i.pages.accounts: records told in words."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from helpers.records import write_record
from l2i.pages.accounts import account_of, leaves, sections_of, summary_of
from l2i.pages.provenance import Section, provenance_page
from l2i.provenance.lineage import Lineage, Node
from l2i.provenance.records import record_path


@pytest.fixture
def record(tmp_path) -> Callable:
    def whole(name, **more):
        write_record(tmp_path / "x", {"network": {"width": 8}, "taps": ["B4"], "start": None})
        found = json.loads(record_path(tmp_path / "x").read_text())
        found["output"] |= {"path": name, "sha256": "a" * 64}
        return found | more

    return whole


def rows(sections, title):
    return dict(next(section.rows for section in sections if section.title == title))


def test_all_that_a_record_says_is_told(record):
    gpu = {"name": "H100", "driver": "580", "cuda": "13.0", "cudnn": "9.19.0"}
    gpu |= {"memory_bytes": 80 * 2**30, "peak_memory_bytes": 2**30}
    made = record(
        "results/a/b.csv",
        accelerator=gpu,
        departures={"numpy": {"pinned": "2.4", "installed": None}},
        git={"commit": "c" * 40, "dirty": True},
        slurm={"job_id": "7"},
        seeds={"run": 3},
        libraries=["openblas"],
    )
    told = sections_of(Node("results/a/b.csv", made))
    assert rows(told, "Settings") == {"network.width": "8", "taps": "B4", "start": "none"}
    assert rows(told, "Seeds") == {"run": "3"}
    assert rows(told, "Code")["commit"] == f"commit {'c' * 40}, with changes"
    assert rows(told, "Environment")["as locked"] == "no: numpy missing, pinned 2.4"
    machine = rows(told, "Machine")
    assert "H100, 80.0 GiB, driver 580, CUDA 13.0, cuDNN 9.19.0" in machine["machine"]
    assert machine["peak of GPU memory"] == "1.0 GiB"
    assert machine["SLURM job_id"] == "7"
    assert rows(told, "Result")["log"] == "any.log"


def test_what_has_no_record_says_so():
    assert "none" in str(sections_of(Node("x", None)))


def test_what_records_have_in_common_is_told_once_and_else_with_how_often(record):
    records = {
        "results/a/tables/t": record(
            "results/a/tables/t",
            inputs=[{"name": "x", "path": "results/a/evaluation/s", "sha256": "a" * 64}],
            software={"python": "3.11"},
        ),
        "results/a/evaluation/s": record(
            "results/a/evaluation/s", git={"commit": "c" * 40, "dirty": False}, inputs=[]
        ),
    }
    lineage = Lineage(["results/a/tables/t"], records.get)
    told = rows(summary_of(lineage), "Made by")
    assert told["links"] == "1, all hold" and told["environment"] == "python 3.11"
    assert told["code"].splitlines() == [
        f"commit {'c' * 40} (1 result)",
        "no git: code fingerprints alone (1 result)",
    ]
    account = account_of("t", lineage, summary=[Section("<b>", [("x", "<script>")])])
    assert account.root == "tables/t" and account.edges == [("evaluation/s", "tables/t")]
    assert [node.stage for node in account.nodes] == ["tables", "evaluation"]
    page = provenance_page(account)
    assert "<b>" not in page and "&lt;script&gt;" in page


def test_leaves_of_lists_of_mappings_are_told_apart():
    tree = {"files": [{"a": 1}, {"a": True}], "empty": {}, "none": []}
    assert [*leaves(tree)] == [
        ("files[0].a", "1"),
        ("files[1].a", "yes"),
        ("empty", "none"),
        ("none", "none"),
    ]
