"""What a job is expected to take, held against what is measured and counted."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import median

import numpy as np
import pytest
import torch
import yaml
from torch.utils._python_dispatch import TorchDispatchMode

from configuration.costs import PIECES, TRAINED, WORK, Costs, Demands, _taken
from configuration.operations import classifier_pass, psi_pass
from configuration.reading import load_reference
from configuration.sizes import sizes_of
from documentation import cost_records
from documentation.cost_records import (
    Spent,
    _count_as_core,
    _law,
    _lend,
    _lend_to_nmf,
    _relative_nnls,
)
from documentation.costs_page import PAGE, page, paper
from helpers.loaded_workflow import loaded_workflow
from l2i.networks.classifier import Classifier
from l2i.networks.psi import Psi

PAPER = paper()
JOB = {"dataset": "esc50", "fold": "1", "system": "l2i_att", "variant": "default", "run": "0"}


class Counter(TorchDispatchMode):
    """Counts the multiplications of convolutions; what interpolates between frames is little."""

    total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        if func is torch.ops.aten.convolution.default:
            weight = args[1]
            self.total += made.numel() * weight.numel() // weight.shape[0]
        return made


def counted(network, *given):
    """10^9 multiplications of a forward pass, as it is made."""
    with torch.no_grad(), Counter() as counter:
        network(*given)
    return counter.total / 1e9


class TestOperations:
    @pytest.mark.parametrize(("n_frames", "width"), [(431, 1.0), (862, 1.0), (216, 0.25)])
    def test_a_pass_through_the_classifier_is_what_is_counted_in_it(self, n_frames, width):
        with torch.device("meta"):
            network = Classifier(10, width=width)
            n = counted(network, torch.zeros(1, n_frames, 128))
        assert classifier_pass(n_frames, width) == pytest.approx(n, rel=0.02)

    @pytest.mark.parametrize("taps", [("B4", "B5", "B6"), ("B6",), ("B5", "B6"), ("B2", "B3")])
    @pytest.mark.parametrize(("n_frames", "n_components"), [(431, 100), (862, 300)])
    def test_so_is_one_through_psi(self, taps, n_frames, n_components):
        with torch.device("meta"), torch.no_grad():
            _, hidden = Classifier(10).eval().hidden_maps(torch.zeros(1, n_frames, 128), taps)
            psi = Psi(n_components, taps=taps)
        n = counted(psi, hidden, n_frames)
        assert psi_pass(n_frames, 1.0, n_components, taps) == pytest.approx(n, rel=0.15)


def misses(kind, exponent=1):
    """How far two trials are off the third, each in its turn, if time followed work so."""
    rows = [row for row in load_reference("costs")["trials"] if row["kind"] == kind]
    terms = np.array([[1.0, row["work"] ** exponent] for row in rows])
    seconds = np.array([row["core_seconds"] for row in rows])
    for out in range(len(rows)):
        kept = np.arange(len(rows)) != out
        yield abs(terms[out] @ _relative_nnls(terms[kept], seconds[kept]) / seconds[out] - 1)


def spent(kind, seconds, *, work, pieces=0.0, on_gpu=False):
    return Spent(Demands(kind, work, pieces, 1.0, 0.0, None), on_gpu, seconds, seconds, 1e8, 0, 0)


def fitted(kinds):
    """Laws of some kinds, before any is lent."""
    return {kind: cost_records._fitted(kind, jobs) for kind, jobs in kinds.items()}


class TestFit:
    LARGE, SMALL = "measure_faithfulness", "measure_corruption"

    def test_what_a_small_job_takes_counts_once_where_its_rate_is_lent(self):
        large = [spent(self.LARGE, 0.02 * work, work=work) for work in (2000.0, 4000.0)]
        small = [spent(self.SMALL, 3.0, work=20.0), spent(self.SMALL, 4.0, work=30.0)]
        kinds = {self.LARGE: large, self.SMALL: small}
        laws = {kind: law["cpu"] for kind, law in fitted(kinds).items()}
        _lend(laws, kinds, median)
        law = laws[self.SMALL]
        assert law["lent"] and law["a_unit"] == pytest.approx(0.02)
        for job in small:
            assert _taken({"cpu": law}, job.demands).core_seconds == pytest.approx(
                job.core_seconds, rel=0.2
            )

    @pytest.mark.parametrize("n_jobs", [1, 3])
    def test_jobs_of_one_size_tell_of_ten_times_the_work_ten_times_the_time(self, n_jobs):
        jobs = [spent(self.SMALL, 7.0, work=0.0, pieces=1.1)] * n_jobs
        law = _law([job.demands for job in jobs], [job.core_seconds for job in jobs])
        large = jobs[0].demands._replace(pieces=11.0)
        assert law["start"] == 0
        assert _taken({"cpu": law}, large).core_seconds == pytest.approx(70, rel=1e-3)

    @pytest.mark.parametrize(
        "rule",
        ["measure_corruption", "measure_corruption_references", "measure_sanity", "measure_masks"],
    )
    def test_more_clips_and_mixtures_take_as_much_longer(self, rule):
        said = PAPER["corruption"]["snr_db"]
        how = PAPER["evaluation"]
        more = PAPER | {
            "corruption": PAPER["corruption"] | {"snr_db": [*said, *said]},
            "evaluation": how
            | {"masks": how["masks"] | {"n_steps": 2 * how["masks"]["n_steps"] + 1}}
            | {"sanity": how["sanity"] | {"n_draws": 2 * how["sanity"]["n_draws"]}},
        }
        once, twice = (Costs(config).of(rule, JOB).core_seconds for config in (PAPER, more))
        assert 1.8 * once < twice < 2.1 * once

    def test_the_first_nmf_job_that_compiles_counts_as_no_sweep_and_no_code(self):
        tdl, plain = cost_records.NMF_SYSTEMS
        kinds = {
            "learn_dictionary": [spent("learn_dictionary", 0.1 * w, work=w) for w in (10, 80)],
            tdl: [
                spent(tdl, 5 + 0.1 * work + 0.6 * pieces, work=work, pieces=pieces)
                for work, pieces in ((0.4, 0.2), (60.0, 150.0))
            ],
            plain: [
                spent(plain, 5.0, work=0.4, pieces=0.01),
                spent(plain, 50.0, work=60.0, pieces=2.0),
            ],
        }
        laws = fitted(kinds)
        _lend_to_nmf(laws, kinds)
        for kind in (tdl, plain):
            law = laws[kind]["cpu"]
            assert law["a_unit"] == pytest.approx(0.1)
            assert law["a_piece"] == pytest.approx(0.6, rel=0.01)

    @pytest.mark.parametrize("was_on_gpu", [True, False])
    def test_where_no_gpu_tells_it_takes_what_it_takes_on_a_core(self, was_on_gpu):
        jobs = [spent(self.LARGE, 0.02 * work, work=work) for work in (2000.0, 4000.0)]
        if was_on_gpu:
            jobs.append(spent(self.LARGE, 4.0, work=1.0, on_gpu=True))
        law = fitted({self.LARGE: jobs})[self.LARGE]
        _count_as_core(self.LARGE, law, jobs)
        assert law["gpu"]["of_core"] and law["gpu"]["a_unit"] == law["cpu"]["a_unit"] > 0
        assert law["gpu"]["start"] == pytest.approx(3.98 if was_on_gpu else 0, abs=0.01)


def test_the_same_runs_give_the_same_bytes_and_keep_the_trials(tmp_path, monkeypatch):
    monkeypatch.setattr(cost_records, "COSTS", tmp_path / "costs.yaml")
    monkeypatch.setattr(cost_records, "trials", lambda: pytest.fail("taken anew"))
    written = []
    for _ in range(2):
        cost_records.write_costs([], anew=False)
        written.append(cost_records.COSTS.read_bytes())
    assert written[0] == written[1]
    assert yaml.safe_load(written[0])["trials"] == load_reference("costs")["trials"]


def test_trials_are_taken_anew_where_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(cost_records, "COSTS", tmp_path / "costs.yaml")
    taken = [{"kind": "learn_dictionary", "work": 1.0, "core_seconds": 2.0}]
    monkeypatch.setattr(cost_records, "trials", lambda: taken)
    cost_records.write_costs([], anew=True)
    assert yaml.safe_load(cost_records.COSTS.read_text("utf-8"))["trials"] == taken


class TestPredictions:
    @pytest.mark.parametrize("kind", ["learn_dictionary", "train_classifier"])
    def test_of_three_sizes_that_were_measured_two_tell_the_third(self, kind):
        assert max(misses(kind)) <= 0.25

    @pytest.mark.parametrize("kind", ["learn_dictionary", "train_classifier"])
    @pytest.mark.parametrize("exponent", [0, 0.3, 2, 3])
    def test_under_a_law_of_another_exponent_they_do_not(self, kind, exponent):
        assert max(misses(kind, exponent)) > 0.25

    def test_bytes_of_spectra_are_those_that_a_run_of_esc10_wrote(self):
        config = PAPER | {"datasets": {"esc10": PAPER["datasets"]["esc50"] | {"corpus": {
            "layout": "esc50", "subset": "esc10"}}}}  # fmt: skip
        written = Costs(config).of("cache_features", {"dataset": "esc10"}).disk_bytes
        assert written == 353_764_928 + 88_268_928

    def test_a_law_of_known_coefficients_is_found(self):
        costs = Costs(PAPER, {"kinds": {}})
        shapes = [
            costs.demands("train_system", JOB | {"dataset": name, "fold": "1", "system": system})
            for name in PAPER["datasets"]
            for system in ("l2i_att", "l2i_max")
        ]
        seconds = [3 + 0.05 * each.pieces + 0.01 * each.work for each in shapes]
        law = _law(shapes, seconds)
        assert law["a_unit"] == pytest.approx(0.01, rel=0.02) and law["error"] < 0.01


class TestEveryRule:
    def test_whatever_is_submitted_has_work_and_a_measured_law(self):
        kinds = load_reference("costs")["kinds"]
        with loaded_workflow() as workflow:
            submitted = {r.name for r in workflow.rules if not r.norun} - workflow._localrules
        assert submitted == {*WORK}
        assert submitted - {"train_system"} <= {*kinds}
        assert {f"train_system/{module}" for module in TRAINED} <= {*kinds}
        assert {*PIECES} <= {*WORK}

    @pytest.mark.parametrize("rule", sorted(WORK))
    @pytest.mark.parametrize("dataset", PAPER["run"]["datasets"])
    def test_it_is_expected_to_take_something(self, rule, dataset):
        cost = Costs(PAPER).of(rule, JOB | {"dataset": dataset, "occasion": "listening"})
        assert (cost.gpu_seconds > 0) == (rule not in cost_records.CPU_ALONE)
        assert cost.core_seconds > 0 and cost.memory_bytes > 1e8 and cost.disk_bytes > 0
        assert all(math.isfinite(value) and value >= 0 for value in cost)

    @pytest.mark.parametrize("system", PAPER["run"]["systems"])
    def test_no_training_takes_less_than_seconds_of_a_gpu(self, system):
        assert Costs(PAPER).of("train_system", JOB | {"system": system}).gpu_seconds > 60

    def test_what_can_use_a_gpu_is_what_asks_for_one(self):
        with loaded_workflow() as workflow:
            asking = {r.name for r in workflow.rules if {"gpu", "gres"} & {*r.resources}}
        assert asking == {*WORK} - cost_records.CPU_ALONE

    def test_more_epochs_components_and_clips_cost_more(self):
        costs = [
            Costs(PAPER).of("train_system", JOB | {"variant": variant}).core_seconds
            for variant in ("components-25", "components-50", "default", "components-200")
        ]
        assert all(less < more for less, more in pairwise(costs))
        systems = dict(PAPER["systems"])
        systems["l2i_att"] = systems["l2i_att"] | {"by_dataset": {"esc50": {"n_epochs": 70}}}
        longer = Costs(PAPER | {"systems": systems}).of("train_system", JOB).core_seconds
        assert 1.6 * costs[2] < longer < 2 * costs[2]
        small, large = (
            Costs(PAPER).of("train_system", JOB | {"dataset": name})
            for name in ("esc50", "openmic")
        )
        assert small.core_seconds < large.core_seconds
        assert small.scratch_bytes < large.scratch_bytes


class TestSizes:
    def test_they_are_those_of_the_pins(self):
        openmic = sizes_of(PAPER, "openmic")
        assert (openmic.n_train, openmic.n_test, openmic.n_frames) == (14915, 5085, 862)
        esc50 = sizes_of(PAPER, "esc50")
        assert (esc50.n_train, esc50.n_test, esc50.n_classes) == (1600, 400, 50)

    def test_a_corpus_that_nobody_pinned_counts_as_the_largest(self):
        entry = PAPER["datasets"]["esc50"] | {"download": "mine"}
        sizes = sizes_of(PAPER | {"datasets": {"mine": entry}}, "mine")
        assert sizes.n_clips == 20_000


def test_the_page_is_the_one_that_is_written_today():
    assert PAGE.read_text("utf-8") == page(), "write it anew: python -m documentation costs"
