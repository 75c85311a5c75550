"""l2i.training.logistic_regression: the minimum that scikit-learn finds, and masks."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.testing import assert_close

from l2i.training.logistic_regression import fit_linear
from l2i.training.losses import classification

N, K, C = 80, 5, 3


@pytest.fixture
def z(generator):
    return torch.rand(N, K, generator=generator) * 3


def zeros():
    return torch.zeros(C, K), torch.zeros(C)


def fit(z, targets, multi_label, C=2.0, **more):
    arguments = {"start": zeros(), "inverse_regularization": C} | more
    loss = classification(multi_label)
    return fit_linear(z, targets, loss, multi_label=multi_label, **arguments)


def one_hot(generator):
    return torch.eye(C)[torch.randint(C, (N,), generator=generator)]


class TestKnownAnswers:
    def test_where_one_class_is_right_it_is_multinomial_logistic_regression(self, z, generator):
        targets = one_hot(generator)
        weight, bias = fit(z, targets, False)
        theirs = LogisticRegression(C=2.0, tol=1e-8, max_iter=10**4)
        theirs.fit(z.numpy(), targets.argmax(1).numpy())
        np.testing.assert_allclose(weight, theirs.coef_, atol=2e-3)
        expected = torch.from_numpy(theirs.predict_proba(z.numpy())).float()
        assert_close((z @ weight.T + bias).softmax(1), expected, atol=1e-3, rtol=0)

    def test_else_it_is_one_logistic_regression_a_class_on_the_labels_given(self, z, generator):
        targets = (torch.rand(N, C, generator=generator) < 0.3).float()
        targets[torch.rand(N, C, generator=generator) < 0.4] = torch.nan
        weight, bias = fit(z, targets, True)
        for c in range(C):
            seen = ~targets[:, c].isnan()
            theirs = LogisticRegression(C=2.0, tol=1e-8, max_iter=10**4)
            theirs.fit(z[seen].numpy(), targets[seen, c].numpy())
            np.testing.assert_allclose(weight[c], theirs.coef_[0], atol=2e-3)
            assert float(bias[c]) == pytest.approx(theirs.intercept_[0], abs=2e-3)

    def test_a_class_with_labels_of_one_kind_only_stays_finite(self, z, generator):
        targets = (torch.rand(N, C, generator=generator) < 0.3).float()
        targets[:, 0], targets[:, 1] = 0.0, torch.nan
        weight, bias = fit(z, targets, True)
        assert weight.isfinite().all() and bias.isfinite().all()
        assert (z @ weight.T + bias)[:, 0].sigmoid().max() < 0.05
        assert (weight[1] == 0).all() and bias[1] == 0


class TestInvariants:
    def test_the_start_does_not_matter(self, z, generator):
        targets = one_hot(generator)
        elsewhere = torch.randn(C, K, generator=generator), torch.zeros(C)
        found = fit(z, targets, False, start=elsewhere)
        assert_close(found[0], fit(z, targets, False)[0], atol=2e-3, rtol=0)

    def test_few_steps_go_some_of_the_way(self, z, generator):
        targets = one_hot(generator)
        loss = classification(False)
        values = []
        for n_iter in (1, 3, 1000):
            weight, bias = fit(z, targets, False, C=1e6, n_iter=n_iter)
            values.append(float(loss(z @ weight.T + bias, targets)))
        assert values[2] < values[1] < values[0] < float(np.log(C))

    def test_clips_nobody_labelled_change_nothing(self, z, generator):
        targets = (torch.rand(N, C, generator=generator) < 0.3).float()
        more = torch.cat([targets, torch.full((7, C), torch.nan)])
        found = fit(torch.cat([z, torch.full((7, K), 50.0)]), more, True)
        assert_close(found, fit(z, targets, True))
