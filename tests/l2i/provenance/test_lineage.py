"""l2i.provenance.lineage: what leads to a result, and which links do not hold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from l2i.provenance.lineage import Lineage, Link


def record(name, inputs=(), sha256=None, **more):
    used = [{"name": "x", "path": path, "sha256": of} for path, of in inputs]
    return {
        "rule": "make",
        "wildcards": {"name": name},
        "started_at": "2025-01-31T12:00:00+00:00",
        "output": {"path": name, "sha256": sha256 or f"of {name}"},
        "inputs": used,
    } | more


def lineage(records, *starts, only=None):
    return Lineage(starts, records.get, only)


CHAIN = {
    "table": record("table", [("scores1", "of scores1"), ("scores2", "of scores2")]),
    "scores1": record("scores1", [("index", "of index")]),
    "scores2": record("scores2", [("index", "of index"), ("outside", "any")]),
    "index": record("index"),
    "other": record("other", [("index", "of index")]),
}


class TestLineage:
    def test_all_that_leads_to_a_result_and_nothing_else(self):
        found = lineage(CHAIN, "table")
        assert [*found.nodes] == ["table", "scores1", "scores2", "index", "outside"]
        assert Link("index", "scores2", "of index") in found.links and len(found.links) == 5

    def test_of_a_cell_only_the_scores_that_it_rests_on(self):
        found = lineage(CHAIN, "table", only=["scores1"])
        assert [*found.nodes] == ["table", "scores1", "index"]
        assert lineage(CHAIN, "table", only=[]).links == []

    def test_records_that_were_read_are_no_results(self):
        of_record = [("scores1", "of scores1"), (".records/scores1.json", "any")]
        records = CHAIN | {"cost": record("cost", of_record)}
        assert [*lineage(records, "cost").nodes] == ["cost", "scores1", "index"]

    def test_links_that_do_not_hold(self):
        assert [each.link.source for each in lineage(CHAIN, "table").breaks()] == ["outside"]
        changed = CHAIN | {"index": record("index", sha256="new")}
        broken = [*lineage(changed, "table").breaks()]
        assert {(each.link.target, each.said) for each in broken} == {
            ("scores1", "new"),
            ("scores2", "new"),
            ("scores2", None),
        }

    def test_outputs_of_one_job_are_one_job(self):
        records = CHAIN | {
            "a": record("a", wildcards={}),
            "b": record("b", wildcards={}),
            "both": record("both", [("a", "of a"), ("b", "of b")]),
        }
        jobs = lineage(records, "both").jobs().values()
        assert sorted([node.name for node in nodes] for nodes in jobs) == [["a", "b"], ["both"]]

    def test_what_goes_round_in_a_circle_ends(self):
        records = {"a": record("a", [("b", "of b")]), "b": record("b", [("a", "of a")])}
        assert {*lineage(records, "a").nodes} == {"a", "b"}

    @given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=40))
    def test_it_is_what_a_search_by_hand_finds(self, pairs):
        edges = {(low, high) for low, high in map(sorted, pairs) if low != high}
        records = {
            str(n): record(str(n), [(str(a), f"of {a}") for a, b in sorted(edges) if b == n])
            for n in range(10)
        }
        reached = {9}
        for n in range(9, -1, -1):
            reached |= {a for a, b in edges if b == n and n in reached}
        found = lineage(records, "9")
        assert {int(name) for name in found.nodes} == reached
        assert len(found.links) == len({(a, b) for a, b in edges if b in reached})
        assert not [*found.breaks()]
