"""l2i.training.logistic_regression: the minimum that brute force finds, few steps, and masks."""

import warnings

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from torch.testing import assert_close

from l2i.training import logistic_regression
from l2i.training.logistic_regression import fit_linear
from l2i.training.losses import classification

N, K, C = 80, 5, 3


@pytest.fixture
def z(generator):
    return torch.rand(N, K, generator=generator) * 3


def fit(z, targets, multi_label, C=2.0, positive_weight=None, **more):
    shape = targets.shape[1], z.shape[1]
    arguments = {"start": (torch.zeros(shape), torch.zeros(shape[0]))} | more
    return fit_linear(
        z,
        targets,
        multi_label=multi_label,
        positive_weight=positive_weight,
        inverse_regularization=C,
        **arguments,
    )


def brute_force(z, targets, multi_label, C=2.0, positive_weight=None):
    """The objective as it is written, by its gradient alone."""
    loss = classification(multi_label, positive_weight)
    z, targets = z.double(), targets.double()
    n_labels = int((~targets.isnan()).sum()) if multi_label else len(targets)
    shape = targets.shape[1], z.shape[1]

    def slope(flat):
        theta = torch.tensor(flat, requires_grad=True)
        w, b = theta[: -shape[0]].reshape(shape), theta[-shape[0] :]
        total = loss(z @ w.T + b, targets) + 0.5 * w.square().sum() / (C * n_labels)
        (gradient,) = torch.autograd.grad(total, theta)
        return total.item(), gradient.numpy()

    options = {"maxiter": 10**5, "maxfun": 10**5, "gtol": 1e-8, "ftol": 0}
    zeros = np.zeros(shape[0] * (shape[1] + 1))
    found = minimize(slope, zeros, jac=True, method="L-BFGS-B", options=options)
    theta = torch.from_numpy(found.x).float()
    return theta[: -shape[0]].reshape(shape), theta[-shape[0] :]


def one_hot(generator, n_classes=C):
    return torch.eye(n_classes)[torch.randint(n_classes, (N,), generator=generator)]


def many_hot(generator, n_classes=C):
    """Labels of any number of classes, two in five of them unknown."""
    targets = (torch.rand(N, n_classes, generator=generator) < 0.3).float()
    targets[torch.rand(N, n_classes, generator=generator) < 0.4] = torch.nan
    return targets


def elsewhere(generator, n_classes=C):
    return (
        torch.randn(n_classes, K, generator=generator),
        torch.randn(n_classes, generator=generator),
    )


class TestBruteForce:
    @pytest.mark.parametrize("C", [0.1, 2.0, 30.0])
    @pytest.mark.parametrize("n_classes", [2, 3, 6])
    def test_where_one_class_is_right(self, z, generator, n_classes, C):
        targets = one_hot(generator, n_classes)
        found = fit(z, targets, False, C)
        assert_close(found, brute_force(z, targets, False, C), atol=1e-4, rtol=0)

    @pytest.mark.parametrize("C", [0.1, 2.0, 30.0])
    @pytest.mark.parametrize("positive_weight", [None, [3.0, 1.0, 0.2]])
    def test_where_any_number_is_and_labels_are_missing(self, z, generator, positive_weight, C):
        weight = None if positive_weight is None else torch.tensor(positive_weight)
        targets = many_hot(generator)
        found = fit(z, targets, True, C, weight)
        assert_close(found, brute_force(z, targets, True, C, weight), atol=1e-4, rtol=0)

    @pytest.mark.parametrize("n_classes", [2, 4])
    def test_of_a_class_that_nothing_is_little_remains(self, z, generator, n_classes):
        """Its bias has no minimum: both stop somewhere on the way to minus infinity."""
        targets = torch.zeros(N, n_classes)
        targets[:, 1:] = one_hot(generator, n_classes - 1)
        (w, b), (expected, bias) = fit(z, targets, False), brute_force(z, targets, False)
        assert_close(w, expected, atol=1e-4, rtol=0)
        p = (z @ w.T + b).softmax(1)
        assert_close(p, (z @ expected.T + bias).softmax(1), atol=1e-4, rtol=0)
        assert p[:, 0].max() < 1e-4

    def test_of_labels_of_one_kind_little_remains(self, z, generator):
        targets = many_hot(generator, 4)
        targets[:, 0] *= 0
        targets[:, 1] = targets[:, 1] * 0 + 1
        targets[:, 2] = torch.nan
        weight = torch.tensor([1.0, 2.0, 3.0, 4.0])
        w, b = fit(z, targets, True, positive_weight=weight)
        expected, bias = brute_force(z, targets, True, positive_weight=weight)
        assert_close(w, expected, atol=1e-4, rtol=0)
        p = (z @ w.T + b).sigmoid()
        assert_close(p, (z @ expected.T + bias).sigmoid(), atol=1e-4, rtol=0)
        assert p[:, 0].max() < 1e-4 and p[:, 1].min() > 1 - 1e-4
        assert (w[2] == 0).all() and b[2] == 0

    @pytest.mark.parametrize("multi_label", [False, True])
    @pytest.mark.parametrize("n_classes", [2, 3])
    def test_from_any_start(self, z, generator, multi_label, n_classes):
        targets = (many_hot if multi_label else one_hot)(generator, n_classes)
        found = fit(z, targets, multi_label, start=elsewhere(generator, n_classes))
        assert_close(found, brute_force(z, targets, multi_label), atol=1e-4, rtol=0)


class TestFewSteps:
    @pytest.mark.parametrize("n_classes", [2, 3])
    @pytest.mark.parametrize("multi_label", [False, True])
    def test_they_go_some_of_the_way(self, z, generator, multi_label, n_classes):
        targets = (many_hot if multi_label else one_hot)(generator, n_classes)
        loss = classification(multi_label)
        start = elsewhere(generator, n_classes)
        values = [float(loss(z @ start[0].T + start[1], targets))]
        for n_iter in (1, 3, None):
            weight, bias = fit(z, targets, multi_label, C=1e6, start=start, n_iter=n_iter)
            values.append(float(loss(z @ weight.T + bias, targets)))
        assert values == sorted(values, reverse=True) and len(set(values)) == 4

    @pytest.mark.parametrize("multi_label", [False, True])
    @pytest.mark.parametrize("n_classes", [2, 3])
    def test_from_the_minimum_they_go_nowhere(self, z, generator, multi_label, n_classes):
        targets = (many_hot if multi_label else one_hot)(generator, n_classes)
        found = fit(z, targets, multi_label)
        again = fit(z, targets, multi_label, start=found, n_iter=1)
        assert_close(again, found, atol=1e-5, rtol=0)

    def test_only_a_full_fit_that_ends_early_warns(self, z, generator, monkeypatch):
        targets = one_hot(generator)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            fit(z, targets, False, n_iter=2)
            fit(z, targets, False)
        monkeypatch.setattr(logistic_regression, "N_ITERATIONS", 2)
        with pytest.warns(ConvergenceWarning, match="failed to converge after 2 iteration"):
            fit(z, targets, False)


class TestInvariants:
    def test_nothing_that_is_given_changes(self, z, generator):
        given = z.double(), one_hot(generator), *(part.double() for part in elsewhere(generator))
        before = [part.clone() for part in given]
        found = fit(given[0], given[1], False, start=given[2:])
        assert all(map(torch.equal, given, before))
        assert [part.dtype for part in found] == [torch.float64] * 2

    @pytest.mark.parametrize("n_classes", [2, 3])
    def test_where_one_class_is_right_biases_add_up_to_zero(self, z, generator, n_classes):
        start = elsewhere(generator, n_classes)
        _, bias = fit(z, one_hot(generator, n_classes), False, start=start)
        assert float(bias.sum()) == pytest.approx(0, abs=1e-5)

    def test_clips_nobody_labelled_change_nothing(self, z, generator):
        targets = many_hot(generator)
        more = torch.cat([targets, torch.full((7, C), torch.nan)])
        found = fit(torch.cat([z, torch.full((7, K), 50.0)]), more, True)
        assert_close(found, fit(z, targets, True))

    def test_features_far_from_zero_move_biases_only(self, z, generator):
        targets = one_hot(generator)
        weight, _ = fit(z + 100, targets, False)
        assert_close(weight, fit(z, targets, False)[0], atol=1e-4, rtol=0)
