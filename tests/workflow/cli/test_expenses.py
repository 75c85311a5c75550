"""What jobs cost, by the records of others."""

from __future__ import annotations

from pathlib import PurePosixPath

from cli.expenses import ALIKE, OWN, Expenses

WHERE = {"dataset": "esc50", "fold": "1", "system": "l2i_att", "variant": "default", "run": "0"}


class Records:
    """A run, as far as its records tell of costs."""

    root = PurePosixPath("results/any")

    def __init__(self, *records):
        self._records = {f"{i}.csv": record for i, record in enumerate(records)}

    def results(self):
        return map(PurePosixPath, self._records)

    def record(self, name):
        return self._records[PurePosixPath(name).name]


def record(seconds, *, device="cpu", n_threads=1, rule="train_system", **wildcards):
    runtime = {"device": device, "n_threads": n_threads}
    return {
        "rule": rule,
        "wildcards": WHERE | wildcards,
        "seconds": seconds,
        "runtime": runtime,
    }


def test_a_job_costs_what_it_cost_the_last_time_however_much_others_did():
    known = Expenses(Records(record(10, n_threads=2), record(70, fold="2"), None))
    found = known.of("train_system", WHERE)
    assert found == (20, 0, OWN) and found.seconds(1) == 20 and found.seconds(4) == 5


def test_else_what_others_of_its_rule_data_set_and_system_cost_in_the_middle():
    made = [record(10), record(30, fold="2"), record(500, fold="3"), record(1, system="flint")]
    made += [record(2, dataset="openmic"), record(3, rule="measure_fidelity")]
    known = Expenses(Records(*made))
    assert known.of("train_system", WHERE | {"fold": "4"}) == (30, 0, ALIKE)
    assert known.of("train_system", WHERE | {"variant": "taps-B6", "run": "1"}) == (30, 0, ALIKE)


def test_several_outputs_of_a_job_count_once():
    known = Expenses(Records(record(10), record(10), record(10), record(40, fold="2")))
    assert known.of("train_system", WHERE | {"fold": "3"}) == (25, 0, ALIKE)


def test_of_others_nothing_is_known():
    known = Expenses(Records(record(10)))
    assert known.of("train_system", WHERE | {"system": "vibi"}) is None
    assert known.of("train_system", WHERE | {"dataset": "openmic"}) is None
    assert known.of("measure_fidelity", WHERE) is None


def test_on_a_gpu_its_seconds_count_however_many_threads_feed_it():
    known = Expenses(Records(record(10, device="cuda", n_threads=4)))
    found = known.of("train_system", WHERE)
    assert found == (40, 10, OWN) and found.seconds(1) == found.seconds(4) == 10
