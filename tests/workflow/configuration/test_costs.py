"""What a job is expected to take, held against what is measured and counted."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from configuration.costs import PIECES, TRAINED, WORK, Costs
from configuration.operations import classifier_pass, psi_pass
from configuration.reading import load_reference
from configuration.sizes import sizes_of
from documentation.cost_records import _law, _relative_nnls
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


class TestPredictions:
    @pytest.mark.parametrize("kind", ["learn_dictionary", "train_classifier"])
    @pytest.mark.parametrize("left_out", range(3))
    def test_of_three_sizes_that_were_measured_two_tell_the_third(self, kind, left_out):
        rows = [row for row in load_reference("costs")["trials"] if row["kind"] == kind]
        held_out = rows.pop(left_out)
        terms = np.array([[1.0, row["work"]] for row in rows])
        law = _relative_nnls(terms, [row["core_seconds"] for row in rows])
        assert law @ [1.0, held_out["work"]] == pytest.approx(held_out["core_seconds"], rel=0.25)

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
        assert cost.core_seconds > 0 and cost.memory_bytes > 1e8 and cost.disk_bytes > 0
        assert all(math.isfinite(value) and value >= 0 for value in cost)

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
