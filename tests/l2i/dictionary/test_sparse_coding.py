"""l2i.dictionary.sparse_coding: optimality, agreement with scikit-learn, and derivatives."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import ElasticNet
from torch.testing import assert_close

from l2i.dictionary import sparse_coding as coding
from l2i.dictionary.sparse_coding import (
    codes,
    differentiable_codes,
    normal_equations,
    project_columns,
    violation,
)
from l2i.training.losses import classification

F, K, N = 20, 8, 30
EXACT = 1e-12


def problem(seed=0, n=N, dtype=torch.float64, k=K):
    generator = torch.Generator().manual_seed(seed)
    D = torch.rand(F, k, generator=generator, dtype=torch.float64)
    project_columns(D)
    x = torch.rand(n, F, generator=generator, dtype=torch.float64)
    return (x / x.norm(dim=1, keepdim=True)).to(dtype), D.to(dtype)


def objective(x, D, H, l1, l2):
    """By its definition, per frame."""
    return 0.5 * (x - H @ D.T).square().sum(1) + l1 * H.sum(1) + 0.5 * l2 * H.square().sum(1)


class TestCodes:
    @given(
        seed=st.integers(0, 10**6),
        k=st.integers(1, 40),
        l1=st.sampled_from([0.0, 0.05, 0.3]),
        l2=st.sampled_from([1e-3, 0.1]),
        dtype=st.sampled_from([torch.float32, torch.float64]),
    )
    @settings(max_examples=25, deadline=None)
    def test_they_are_non_negative_and_optimal_to_the_tolerance(self, seed, k, l1, l2, dtype):
        x, D = problem(seed, 10, dtype, k)
        H = codes(x, D, l1=l1, l2=l2)
        assert H.dtype == dtype and (H >= 0).all()
        assert violation(*normal_equations(x, D, l1, l2), H).max() <= 1.01 * coding.TOLERANCE

    @pytest.mark.parametrize("l1", [0.02, 0.2])
    @pytest.mark.parametrize("l2", [1e-8, 0.05])
    def test_they_equal_those_of_scikit_learn(self, l1, l2):
        x, D = problem()
        H = codes(x, D, l1=l1, l2=l2, tolerance=EXACT)
        for frame, h in zip(x.numpy(), H.numpy(), strict=True):
            model = ElasticNet(
                alpha=(l1 + l2) / F,  # theirs is divided by the number of rows of D
                l1_ratio=l1 / (l1 + l2),
                positive=True,
                fit_intercept=False,
                tol=1e-12,
                max_iter=10**6,
            )
            np.testing.assert_allclose(h, model.fit(D.numpy(), frame).coef_, atol=1e-6)

    def test_without_l1_they_equal_non_negative_least_squares_with_ridge(self):
        from scipy.optimize import nnls

        x, D = problem()
        H = codes(x, D, l1=0.0, l2=0.01, tolerance=EXACT)
        stacked = np.concatenate([D.numpy(), 0.1 * np.eye(K)])
        for frame, h in zip(x.numpy(), H.numpy(), strict=True):
            expected, _ = nnls(stacked, np.concatenate([frame, np.zeros(K)]))
            np.testing.assert_allclose(h, expected, atol=1e-9)

    def test_nearby_codes_cost_more(self, generator):
        x, D = problem()
        H = codes(x, D, l1=0.1, l2=1e-3, tolerance=EXACT)
        for _ in range(20):
            noise = 0.01 * torch.randn(H.shape, generator=generator, dtype=H.dtype)
            nearby = (H + noise).clamp(min=0)
            assert (
                objective(x, D, nearby, 0.1, 1e-3) >= objective(x, D, H, 0.1, 1e-3) - EXACT
            ).all()

    def test_columns_that_are_nearly_alike_still_get_optimal_codes(self, generator):
        x, D = problem()
        alike = D[:, :1] + 1e-3 * torch.rand(F, 30, generator=generator, dtype=D.dtype)
        project_columns(alike)
        for dtype in (torch.float32, torch.float64):
            y, E = x.to(dtype), alike.to(dtype)
            H = codes(y, E, l1=0.0, l2=1e-3)
            assert violation(*normal_equations(y, E, 0.0, 1e-3), H).max() <= 1.01e-4

    def test_the_start_does_not_matter_and_is_left_as_it_is(self, generator):
        x, D = problem()
        start = torch.rand(N, K, generator=generator, dtype=torch.float64)
        kept = start.clone()
        warm = codes(x, D, l1=0.1, l2=1e-3, start=start, tolerance=EXACT)
        assert_close(warm, codes(x, D, l1=0.1, l2=1e-3, tolerance=EXACT), atol=1e-9, rtol=0)
        assert torch.equal(start, kept)

    def test_frames_do_not_notice_each_other(self, monkeypatch):
        x, D = problem(n=23)
        whole = codes(x, D, l1=0.1, l2=1e-3)
        monkeypatch.setattr(coding, "CHUNK", 4)
        assert_close(codes(x, D, l1=0.1, l2=1e-3), whole, atol=1e-12, rtol=0)
        order = torch.randperm(23)
        assert_close(codes(x[order], D, l1=0.1, l2=1e-3), whole[order], atol=1e-12, rtol=0)

    def test_silence_has_no_code_and_a_column_has_its_own(self):
        _, D = problem()
        H = codes(torch.stack([torch.zeros(F).double(), D[:, 3]]), D, l1=1e-3, l2=1e-9)
        assert (H[0] == 0).all()
        assert H[1].argmax() == 3 and H[1, 3] == pytest.approx(1.0, abs=0.05)

    def test_the_way_of_a_gpu_gives_the_same(self):
        x, D = problem()
        G, P = normal_equations(x, D, 0.1, 1e-3)
        H = torch.zeros_like(P)
        coding._descend_on_gpu(G, P, H, 1e-3, EXACT)
        assert_close(H, codes(x, D, l1=0.1, l2=1e-3, tolerance=EXACT), atol=1e-9, rtol=0)


def losses_of_pooled_codes(multi_label):
    """A function of D like that of tdl_nmf: means of codes, scaled, classified."""
    generator = torch.Generator().manual_seed(3)
    x, D = problem(n=4 * 6)
    weight = torch.randn(3, K, generator=generator, dtype=torch.float64)
    bias = torch.randn(3, generator=generator, dtype=torch.float64)
    scale = 0.5 + torch.rand(K, generator=generator, dtype=torch.float64)
    if multi_label:
        targets = torch.tensor([[1, 0, 0], [0, 1, 1], [1, torch.nan, 0], [torch.nan, 1, 0]])
        loss = classification(True, torch.tensor([1.0, 3.0, 2.0]))
    else:
        targets, loss = torch.eye(3)[[0, 2, 1, 2]], classification(False)

    def total(D):
        H = differentiable_codes(x, D, l1=0.05, l2=1e-2, tolerance=1e-14)
        z = H.unflatten(0, (4, 6)).mean(1) / scale
        return loss(z @ weight.T + bias, targets.double())

    return total, D


class TestDerivative:
    @pytest.mark.parametrize("multi_label", [False, True])
    def test_it_equals_finite_differences(self, multi_label):
        total, D = losses_of_pooled_codes(multi_label)
        D.requires_grad_()
        (gradient,) = torch.autograd.grad(total(D), D)
        expected, step = torch.zeros_like(D), 1e-5
        with torch.no_grad():
            for i in np.ndindex(*D.shape):
                moved = D.clone()
                moved[i] += step
                up = total(moved)
                moved[i] -= 2 * step
                expected[i] = (up - total(moved)) / (2 * step)
        assert (gradient - expected).norm() <= 1e-6 * expected.norm()
        assert expected.norm() > 1e-3

    def test_autograd_finds_no_fault(self):
        x, D = problem(n=5)
        D.requires_grad_()
        assert torch.autograd.gradcheck(
            lambda D: differentiable_codes(x, D, l1=0.05, l2=1e-2, tolerance=1e-14), D
        )

    def test_the_systems_equal_those_solved_one_by_one(self, generator):
        _, D = problem()
        G = normal_equations(torch.zeros(0, F).double(), D, 0.0, 0.01)[0]
        active = torch.rand(N, K, generator=generator) < 0.4
        active[0], active[1] = False, True
        g = torch.randn(N, K, generator=generator, dtype=torch.float64)
        beta = coding._solve_active(G, active, g)
        for a, right, found in zip(active, g, beta, strict=True):
            expected = torch.zeros(K, dtype=torch.float64)
            expected[a] = torch.linalg.solve(G[a][:, a], right[a])
            assert_close(found, expected)

    def test_frames_without_any_code_give_no_gradient(self):
        x, D = problem()
        D.requires_grad_()
        differentiable_codes(x, D, l1=2.0, l2=0.1).sum().backward()
        assert (D.grad == 0).all()


def test_projected_columns_are_positive_of_unit_norm_and_stay_when_projected_again(generator):
    D = torch.randn(F, K, generator=generator)
    D[:, 0] = -1
    project_columns(D)
    assert (D > 0).all()
    assert_close(D.norm(dim=0), torch.ones(K))
    again = D.clone()
    project_columns(again)
    assert_close(again, D, atol=1e-6, rtol=0)
