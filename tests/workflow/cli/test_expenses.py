"""What jobs cost, by the records of others."""

from __future__ import annotations

import copy
from pathlib import PurePosixPath

import pytest

from cli.expenses import ALIKE, FORMULA, OWN, Expense, Expenses
from configuration.costs import Costs
from configuration.reading import read_configuration, resolved
from configuration.schema import load_schema
from configuration.values import typed
from helpers.project import PROJECT

WHERE = {"dataset": "esc50", "fold": "1", "system": "l2i_att", "variant": "default", "run": "0"}
WRITTEN = read_configuration([PROJECT / "config.yaml"], [])
PAPER = typed(resolved(WRITTEN.value), load_schema())


class Records:
    """A run, as far as its records tell of costs."""

    root = PurePosixPath("results/any")

    def __init__(self, *records, configuration=None):
        self._records = {f"{i}.csv": record for i, record in enumerate(records)}
        self.configuration = configuration

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


def known_by(*records, on_gpu=False, then=None):
    return Expenses(Records(*records, configuration=then), PAPER, on_gpu=on_gpu)


def test_a_job_costs_what_it_cost_the_last_time_however_much_others_did():
    known = known_by(record(10, n_threads=2), record(70, fold="2"), None)
    found = known.of("train_system", WHERE)
    assert found == Expense(20, 0, OWN) and found.seconds(1) == 20 and found.seconds(4) == 5


def test_else_what_others_of_its_rule_data_set_and_system_cost_in_the_middle():
    made = [record(10), record(30, fold="2"), record(500, fold="3"), record(1, system="flint")]
    made += [record(2, dataset="openmic"), record(3, rule="measure_fidelity")]
    known = known_by(*made)
    assert known.of("train_system", WHERE | {"fold": "4"}) == Expense(30, 0, ALIKE)
    assert known.of("train_system", WHERE | {"fold": "5", "run": "1"}) == Expense(30, 0, ALIKE)


def test_several_outputs_of_a_job_count_once():
    known = known_by(record(10), record(10), record(10), record(40, fold="2"))
    assert known.of("train_system", WHERE | {"fold": "3"}) == Expense(25, 0, ALIKE)


@pytest.mark.parametrize("on_gpu", [True, False])
def test_of_others_the_formula_tells(on_gpu):
    known = known_by(record(10), on_gpu=on_gpu)
    for of in ({"system": "vibi"}, {"dataset": "openmic", "fold": "official"}):
        found, said = (
            known.of("train_system", WHERE | of),
            Costs(PAPER).of("train_system", WHERE | of),
        )
        assert found.by == FORMULA and found.beyond == said.beyond
        assert found.gpu_seconds == (said.gpu_seconds if on_gpu else 0)
        assert found.core_seconds == (found.gpu_seconds or said.core_seconds) > 0


def test_on_a_gpu_its_seconds_count_however_many_threads_feed_it():
    found = known_by(record(10, device="cuda", n_threads=4), on_gpu=True).of("train_system", WHERE)
    assert found == Expense(40, 10, OWN) and found.seconds(1) == found.seconds(4) == 10


def test_a_record_of_another_device_tells_nothing_of_what_can_use_a_gpu():
    assert known_by(record(10), on_gpu=True).of("train_system", WHERE).by == FORMULA
    gpu = record(10, device="cuda")
    assert known_by(gpu).of("train_system", WHERE).by == FORMULA
    table = record(10, rule="tabulate_cost")
    assert known_by(table, on_gpu=True).of("tabulate_cost", WHERE) == Expense(10, 0, OWN)


def test_what_was_recorded_under_other_settings_is_brought_to_todays_by_the_formula():
    then = copy.deepcopy(PAPER)
    then["systems"]["l2i_att"]["by_dataset"]["esc50"]["n_epochs"] = 1
    now, before = (Costs(of).of("train_system", WHERE).core_seconds for of in (PAPER, then))
    found = known_by(record(10), then=then).of("train_system", WHERE)
    assert found.by == OWN and now > 2 * before
    assert found.core_seconds == pytest.approx(10 * now / before)


def test_settings_of_then_that_know_no_such_data_set_change_nothing():
    then = copy.deepcopy(PAPER)
    del then["datasets"]["esc50"]
    assert known_by(record(10), then=then).of("train_system", WHERE) == Expense(10, 0, OWN)
