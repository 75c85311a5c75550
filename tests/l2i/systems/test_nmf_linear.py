"""l2i.systems.nmf_linear: an exactly solvable case, masks, and what training and test share."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from helpers.nmf_tasks import SETTINGS, make_task
from l2i.checks import InputError
from l2i.systems import nmf_linear
from l2i.training.losses import classification

ALL = {key: SETTINGS[key] for key in nmf_linear.SETTINGS}


@pytest.fixture(params=[False, True], ids=["one_label", "many_labels"])
def task(request, tmp_path):
    return make_task(tmp_path, multi_label=request.param)


def learn(task, **changes):
    torch.manual_seed(0)
    return nmf_linear.train(task, ALL | changes)


def scores(network, task):
    return network.predict(task.clips(np.arange(len(task.log_magnitude)))).logits


@pytest.mark.parametrize("representation", ["log_magnitude", "sqrt_mel"])
def test_two_spectral_shapes_are_told_apart_without_a_mistake(task, representation):
    trained = learn(task, representation=representation)
    logits = scores(trained.network, task)
    wanted = task.fold.targets(np.arange(len(logits)))
    right = (logits > 0) == (wanted > 0.5) if task.multi_label else logits.argmax(1) == wanted[:, 1]
    assert right[~wanted.isnan()].all() if task.multi_label else right.all()
    assert trained.facts["training_loss"] < 0.2


def test_the_history_is_the_objective_of_nmf(task):
    history = learn(task).history
    assert list(history) == ["epoch", "total", "seconds", "seconds_waiting"]
    assert history["epoch"].tolist() == list(range(1, ALL["n_iter"] + 1))
    assert (history["total"].diff().dropna() <= 1e-5 * history["total"].iloc[0]).all()
    assert (history["seconds"] >= 0).all()


def test_clips_to_learn_from_and_clips_to_test_are_coded_alike(task):
    network = learn(task).network
    x = nmf_linear.compute_slices(
        network.slices, task.log_magnitude, task.rows, device="cpu", scratch=task.scratch
    )
    means = network.code_clips(x)
    logits = torch.nn.functional.linear(means / network.scale, network.weight, network.bias)
    assert_close(network.predict(task.clips(task.rows)).logits, logits, atol=1e-4, rtol=1e-4)


def test_features_have_unit_spread_over_the_training_clips(task):
    network = learn(task).network
    H = network.codes(network.slices(task.clips(task.rows).log_magnitude))
    spread = (H.mean(1) / network.scale).std(0, correction=0)
    assert_close(spread, torch.ones_like(spread), atol=1e-3, rtol=0)


def test_scores_do_not_depend_on_the_order_or_company_of_clips(task):
    network = learn(task).network
    whole = scores(network, task)
    for rows in (np.array([5, 2]), np.array([3])):
        assert_close(network.predict(task.clips(rows)).logits, whole[rows], atol=1e-5, rtol=1e-5)


def test_test_clips_are_never_looked_at(task, tmp_path):
    others = np.setdiff1d(np.arange(len(task.log_magnitude)), task.rows)
    assert len(others)
    network = learn(task).network
    task.log_magnitude[others] = np.nan
    assert_close(learn(task).network.state_dict(), network.state_dict(), atol=0, rtol=0)


def test_clips_that_nobody_labelled_leave_the_classifier_alone(tmp_path):
    task = make_task(tmp_path, multi_label=True)
    network = learn(task).network
    x = nmf_linear.compute_slices(
        network.slices, task.log_magnitude, task.rows, device="cpu", scratch=task.scratch
    )
    means = network.code_clips(x)
    before = network.weight.clone()
    means[task.targets.isnan().all(1)] += 5.0  # scale changes with them, so it is kept
    weight, _ = nmf_linear.fit_linear(
        means / network.scale,
        task.targets,
        multi_label=True,
        positive_weight=None,
        inverse_regularization=ALL["inverse_regularization"],
        start=(torch.zeros_like(before), torch.zeros_like(network.bias)),
    )
    assert task.targets.isnan().all(1).any()
    assert_close(weight, before, atol=2e-3, rtol=1e-3)


def test_the_classifier_is_at_the_minimum_of_the_loss_of_the_task(tmp_path):
    weight = torch.tensor([5.0, 0.5])
    loss = classification(True, weight)
    task = replace(make_task(tmp_path, multi_label=True), loss=loss, positive_weight=weight)
    network = learn(task).network
    z = network.codes(network.slices(task.clips(task.rows).log_magnitude)).mean(1) / network.scale
    w, b = network.weight.requires_grad_(), network.bias.requires_grad_()
    n_labels = int((~task.targets.isnan()).sum())
    ridge = w.square().sum() / (2 * ALL["inverse_regularization"] * n_labels)
    gradients = torch.autograd.grad(loss(z @ w.T + b, task.targets) + ridge, (w, b))
    assert max(float(g.abs().max()) for g in gradients) < 1e-5


def test_a_network_built_anew_and_loaded_scores_the_same(task):
    network = learn(task, representation="sqrt_mel").network
    again = nmf_linear.build(**network.architecture)
    again.load_state_dict(network.state_dict())
    assert torch.equal(scores(again, task), scores(network, task))
    assert scores(again, task).dtype == torch.float32


def test_a_class_without_clips_is_named(tmp_path):
    task = make_task(tmp_path, multi_label=False, classes=["hum", "hiss", "bark"])
    with pytest.raises(InputError, match="no training clip of bark"):
        learn(task)
