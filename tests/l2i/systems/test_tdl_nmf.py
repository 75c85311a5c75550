"""l2i.systems.tdl_nmf: learning by the loss, constraints, and going on after an end."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from helpers.ending import ended_in_step
from helpers.nmf_tasks import SETTINGS, make_task
from l2i.checks import InputError
from l2i.systems import nmf_linear, tdl_nmf
from l2i.training import loop as training
from l2i.training.losses import classification

ALL = {key: SETTINGS[key] for key in tdl_nmf.SETTINGS}


@pytest.fixture(params=[False, True], ids=["one_label", "many_labels"])
def task(request, tmp_path):
    return make_task(tmp_path, multi_label=request.param, noise=0.5)


def learn(task, **changes):
    torch.manual_seed(0)
    return tdl_nmf.train(task, ALL | changes)


def scores(network, task):
    return network.predict(task.clips(np.arange(len(task.log_magnitude)))).logits


def start_of(task, **changes):
    """The unsupervised system with the same codes, and its loss."""
    torch.manual_seed(0)
    settings = ALL | changes
    network, x, _ = nmf_linear.learn_dictionary(
        nmf_linear.NmfLinear, task, settings, ridge=settings["ridge"]
    )
    means = network.code_clips(x)
    network.fit_classifier(means, task, settings["inverse_regularization"])
    return network, nmf_linear.training_loss(network, means, task)


def test_two_spectral_shapes_are_told_apart_without_a_mistake(tmp_path):
    task = make_task(tmp_path, multi_label=False)
    logits = scores(learn(task).network, task)
    assert (logits.argmax(1) == task.fold.labels(np.arange(len(logits)))).all()


@pytest.mark.parametrize("published_gradient", [False, True])
def test_its_training_loss_is_not_above_that_of_its_unsupervised_start(task, published_gradient):
    rate = 1e-3 if published_gradient else 0.05  # a sum over slices, or a mean over clips
    settings = {"published_gradient": published_gradient, "learning_rate": rate, "n_components": 2}
    _, start = start_of(task, **settings)
    trained = learn(task, **settings, n_epochs=15)
    assert trained.facts["training_loss"] < start
    assert list(trained.history) == ["epoch", "total", "seconds", "seconds_waiting"]


def test_without_a_rate_it_is_unsupervised_nmf(task):
    unsupervised, loss = start_of(task)
    trained = learn(task, learning_rate=1e-12)
    assert trained.facts["training_loss"] == pytest.approx(loss, rel=1e-3)
    # Entries of exactly 0 have become 1e-7.
    assert_close(trained.network.D, unsupervised.D, atol=1e-6, rtol=1e-4)


def test_the_dictionary_moves_and_keeps_to_its_constraints(task):
    unsupervised, _ = start_of(task)
    D = learn(task).network.D.detach()
    assert (D > 0).all()
    assert_close(D.norm(dim=0), torch.ones(D.shape[1]))
    assert (D - unsupervised.D).abs().max() > 1e-3


@pytest.mark.parametrize("multi_label", [False, True])
def test_the_gradient_of_a_batch_is_that_of_the_loss_of_averaged_scaled_codes(
    tmp_path, multi_label
):
    """Against p - y and the formulas written out clip by clip, slice by slice."""
    task = make_task(tmp_path, multi_label=multi_label, noise=0.5)
    network = learn(task, n_epochs=1).network.double()
    rows = task.rows[:6]
    x = network.slices(task.clips(rows).log_magnitude.double())
    targets = task.targets[:6].double()
    H = network.learnable_codes(x, torch.zeros(*x.shape[:2], 4).double())
    loss = tdl_nmf.clip_loss(network, H, targets, classification(multi_label))
    (gradient,) = torch.autograd.grad(loss, network.D)
    D, H = network.D.detach(), H.detach()
    logits = H.mean(1) / network.scale @ network.weight.T + network.bias
    if multi_label:
        delta = (logits.sigmoid() - targets).nan_to_num() / (~targets.isnan()).sum()
    else:
        delta = (logits.softmax(1) - targets) / len(targets)
    expected = torch.zeros_like(D)
    for clip, codes, d in zip(x, H, delta, strict=True):
        g = (network.weight.T @ d) / network.scale / len(clip)
        for frame, h in zip(clip, codes, strict=True):
            on, beta = h > 0, torch.zeros_like(h)
            gram = D[:, on].T @ D[:, on] + ALL["ridge"] * torch.eye(int(on.sum())).double()
            beta[on] = torch.linalg.solve(gram, g[on])
            expected += torch.outer(frame - D @ h, beta) - torch.outer(D @ beta, h)
    assert_close(gradient, expected)


def test_labels_nobody_gave_never_enter(tmp_path):
    task = make_task(tmp_path, multi_label=True)
    H = torch.rand(8, 3, 4)
    network = learn(task, n_epochs=1).network
    targets = task.targets[:8].clone()
    targets[0] = torch.nan
    other = H.clone()
    other[0] += 1.0
    for loss in (tdl_nmf.clip_loss, tdl_nmf.slice_loss):
        ours = loss(network, H, targets, task.loss) / len(H)
        assert_close(ours, loss(network, other, targets, task.loss) / len(H))


def test_slices_of_one_code_cost_together_what_the_unscaled_clip_costs(tmp_path):
    task = make_task(tmp_path, multi_label=False)
    network = learn(task, n_epochs=1).network
    H = torch.rand(8, 1, 4).expand(8, 3, 4)
    targets = task.targets[:8]
    together = tdl_nmf.slice_loss(network, H, targets, task.loss)
    network.scale.fill_(1.0)
    assert_close(together, 24 * tdl_nmf.clip_loss(network, H, targets, task.loss))


def test_the_classifier_ends_at_its_minimum_for_the_last_dictionary(task):
    trained = learn(task, head_iterations=1, learning_rate=0.2)
    network = trained.network
    x = network.slices(task.clips(task.rows).log_magnitude)
    means = network.codes(x).mean(1)
    spread = means.std(0, correction=0)
    assert_close(network.scale, spread, atol=1e-5, rtol=1e-4)
    left = network.weight.clone(), network.bias.clone()
    network.weight.zero_(), network.bias.zero_()
    network.fit_classifier(means, task, ALL["inverse_regularization"])
    assert_close(left, (network.weight, network.bias), atol=1e-2, rtol=1e-2)


@pytest.mark.parametrize("step", [6, 8, 11])  # of four an epoch, whose codes are in no checkpoint
def test_a_run_that_was_ended_goes_on_to_the_same_bits(task, step):
    whole = learn(task, n_epochs=4).network.state_dict()
    with ended_in_step(step):
        learn(task, n_epochs=4)
    resumed = learn(task, n_epochs=4)
    assert len(resumed.history) == 4
    assert_close(resumed.network.state_dict(), whole, atol=0, rtol=0)


def test_the_rate_stays_for_a_tenth_of_the_steps_and_then_falls():
    plan = training.Plan(n_epochs=10, batch_size=8, learning_rate=1.0)
    assert [tdl_nmf.decay(t, plan, 30) for t in (1, 4, 8, 40)] == [1.0, 1.0, 0.5, 0.1]


def test_a_network_built_anew_and_loaded_scores_the_same(task):
    network = learn(task).network
    again = tdl_nmf.build(**network.architecture)
    again.load_state_dict(network.state_dict())
    assert torch.equal(scores(again, task), scores(network, task))


def test_without_ridge_it_is_refused(task):
    with pytest.raises(InputError, match="ridge is 0"):
        learn(task, ridge=0)
