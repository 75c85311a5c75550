"""l2i.dictionary.nmf: what must hold for any data, then known answers, then misuse."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import NMF, non_negative_factorization
from torch.testing import assert_close

from l2i.checks import InputError
from l2i.dictionary import columns, hals, multiplicative, nmf
from l2i.dictionary.columns import ClipColumns, MatrixColumns
from l2i.dictionary.nmf import SOLVERS, sparse_nmf
from l2i.dictionary.relaxation import relax_rows

F, N, K = 20, 60, 4
MUS = [0.0, 0.1, 1.0]


def unit(W):
    return W / W.norm(dim=0)


@pytest.fixture
def X(generator):
    """Exactly K-part data, so a perfect fit exists."""
    atoms = unit(torch.rand(F, K, generator=generator, dtype=torch.float64) ** 4)
    return atoms @ torch.rand(K, N, generator=generator, dtype=torch.float64) ** 2


@pytest.fixture
def noise(generator):
    """Two frozen columns."""
    return unit(torch.rand(F, 2, generator=generator, dtype=torch.float64))


@pytest.fixture(params=sorted(SOLVERS))
def solver(request):
    return request.param


def fit(X, **changes):
    arguments = {"n_components": K, "sparsity": 0.1, "n_iter": 30} | changes
    return sparse_nmf(X, generator=torch.Generator().manual_seed(1), **arguments)


def objective(X, W, H, mu):
    """By its definition, in float64."""
    X, W, H = X.double(), W.double(), H.double()
    return float(0.5 * (X - W @ H).square().sum() + mu * H.abs().sum())


class TestInvariants:
    @pytest.mark.parametrize("mu", MUS)
    @pytest.mark.parametrize("freeze", [False, True])
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_objective_never_increases(self, X, noise, solver, mu, freeze, dtype):
        X, frozen = X.to(dtype), noise.to(dtype) if freeze else None
        history = fit(X, solver=solver, sparsity=mu, frozen=frozen, n_iter=100).objective
        # Le Roux's step is monotone in exact arithmetic; rounding is all that is allowed.
        rounding = 10 * torch.finfo(dtype).eps * float(X.double().square().sum())
        assert (history.diff() <= rounding).all()

    @pytest.mark.parametrize("mu", MUS)
    def test_reported_objective_is_that_of_the_returned_factors(self, X, noise, solver, mu):
        W, H, history, _, error = fit(X, solver=solver, sparsity=mu, frozen=noise, n_iter=5)
        assert math.isclose(history[-1], objective(X, W, H, mu), rel_tol=1e-9)
        assert math.isclose(error, float((X - W @ H).norm() / X.norm()), rel_tol=1e-9)

    def test_so_it_is_where_data_come_in_many_blocks(self, X, solver):
        X = torch.cat([X] * 40, dim=1)
        W, H, history, *_ = fit(X, solver=solver, n_iter=5)
        assert math.isclose(history[-1], objective(X, W, H, 0.1), rel_tol=1e-9)

    def test_parts_of_the_data_answered_in_turn_are_the_same_descent_by_plain_loops(
        self, generator, monkeypatch
    ):
        """Every sum formed anew from all of X and H, where the code replaces those of a part."""
        n_parts, width, mu = 2, columns.CPU_BLOCK, 0.02
        monkeypatch.setattr(nmf, "MIN_BLOCKS", 1)
        rule = SOLVERS["hals"]._replace(overshoots=(), n_parts=n_parts)
        monkeypatch.setitem(SOLVERS, "hals", rule)
        X = torch.rand(F, n_parts * width, generator=generator, dtype=torch.float64)
        W = unit(torch.rand(F, K, generator=generator, dtype=torch.float64))
        H = torch.rand(K, X.shape[1], generator=generator, dtype=torch.float64)
        result = fit(X, sparsity=mu, n_iter=3, start=(W, H))
        expected = [objective(X, W, H, mu)]
        for i in range(3):
            for p in range(n_parts):
                part = slice(p * width, (p + 1) * width)
                for _ in range(hals.N_PASSES):
                    for k in range(K):
                        slope = W[:, k] @ (X[:, part] - W @ H[:, part]) - mu
                        H[k, part] = (H[k, part] + hals.RELAXATION * slope).clamp(min=0)
                for _ in range(hals.N_PASSES if i or p == n_parts - 1 else 0):
                    for k in range(K):
                        R = X - W @ H + W[:, k : k + 1] * H[k]
                        W[:, k] = unit((R @ H[k]).clamp(min=0))
            expected.append(objective(X, W, H, mu))
        assert_close(result.objective, torch.tensor(expected, dtype=torch.float64))
        assert_close(result.W, W)
        assert_close(result.H, H)

    @pytest.mark.parametrize("mu", MUS)
    def test_answering_in_parts_never_raises_the_objective_and_ends_lower(
        self, generator, monkeypatch, mu
    ):
        atoms = unit(torch.rand(F, 8, generator=generator) ** 4)
        X = atoms @ torch.rand(8, 16 * columns.CPU_BLOCK, generator=generator) ** 4
        monkeypatch.setattr(nmf, "MIN_BLOCKS", 2)
        histories = {}
        for n_parts in (1, 8):
            rule = SOLVERS["hals"]._replace(n_parts=n_parts)
            monkeypatch.setitem(SOLVERS, "hals", rule)
            histories[n_parts] = fit(X, n_components=8, sparsity=mu, n_iter=15).objective
        rounding = 1e-6 * float(X.double().square().sum())
        assert all((history.diff() <= rounding).all() for history in histories.values())
        assert histories[8][-1] <= histories[1][-1] + rounding

    @given(st.integers(1, 2000), st.integers(1, 9))
    def test_parts_hold_each_block_once_in_order_and_enough_of_them(self, n_blocks, n_parts):
        parts = nmf._parts(n_blocks, n_parts)
        assert [i for part in parts for i in part] == [*range(n_blocks)]
        assert 1 <= len(parts) <= n_parts
        assert len(parts) == 1 or min(map(len, parts)) >= nmf.MIN_BLOCKS

    def test_going_too_far_beyond_an_update_is_noticed(self, X, monkeypatch):
        reckless = SOLVERS["hals"]._replace(overshoots=(20.0, 5.0))
        monkeypatch.setitem(SOLVERS, "hals", reckless)
        history = fit(X, n_iter=20).objective
        assert (history.diff() <= 1e-12 * history[0]).all()

    def test_reported_objective_of_the_start_is_that_of_the_start(self, X, solver, generator):
        W = torch.rand(F, K, generator=generator, dtype=torch.float64)
        H = torch.rand(K, N, generator=generator, dtype=torch.float64)
        history = fit(X, solver=solver, sparsity=0, start=(W, H)).objective
        assert math.isclose(history[0], objective(X, W, H, 0), rel_tol=1e-9)

    def test_factors_are_nonnegative_and_columns_have_unit_norm(self, X, solver):
        W, H, *_ = fit(X, solver=solver)
        assert W.shape == (F, K) and H.shape == (K, N)
        assert (W >= 0).all() and (H >= 0).all()
        assert_close(W.norm(dim=0), torch.ones(K, dtype=X.dtype))

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_frozen_columns_come_back_untouched_and_first(self, X, noise, solver, dtype):
        W = fit(X.to(dtype), solver=solver, frozen=noise.to(dtype)).W
        assert W.shape == (F, 2 + K) and W.dtype == dtype
        assert torch.equal(W[:, :2], noise.to(dtype))

    def test_same_seed_same_result(self, X, solver):
        first, second = fit(X, solver=solver), fit(X, solver=solver)
        assert torch.equal(first.W, second.W) and torch.equal(first.H, second.H)

    def test_the_number_of_threads_changes_no_bit(self, generator, solver):
        X = torch.rand(F, 30_000, generator=generator, dtype=torch.float64)
        n_threads = torch.get_num_threads()
        results = []
        try:
            for n in (1, 3):
                torch.set_num_threads(n)
                results.append(fit(X, solver=solver, n_iter=5).W)
                assert torch.get_num_threads() == n  # and the caller's choice is kept
        finally:
            torch.set_num_threads(n_threads)
        assert torch.equal(*results)

    def test_the_start_is_not_overwritten(self, X, solver, generator):
        W = torch.rand(F, K, generator=generator, dtype=torch.float64)
        H = torch.rand(K, N, generator=generator, dtype=torch.float64)
        start = W.clone(), H.clone()
        fit(X, solver=solver, start=start)
        assert torch.equal(start[0], W) and torch.equal(start[1], H)

    def test_penalty_makes_activations_sparser(self, X, solver):
        weak, strong = (fit(X, solver=solver, sparsity=mu, n_iter=200).H for mu in (0, 0.3))
        assert strong.sum() < weak.sum() and (strong < 1e-9).sum() > (weak < 1e-9).sum()

    def test_silent_columns_get_no_activations(self, X, solver):
        X[:, 10:20] = 0
        W, H, *_ = fit(X, solver=solver, n_iter=50)
        assert W.isfinite().all()
        assert (H[:, 10:20] < 1e-6).all()

    def test_silence_alone_is_legal(self, solver):
        result = fit(torch.zeros(F, N), solver=solver)
        assert result.W.isfinite().all() and result.relative_error == 0
        assert result.objective[-1] < 1e-6 * result.objective[0]

    @settings(max_examples=30, deadline=None)
    @given(
        st.integers(1, 12), st.integers(1, 30), st.integers(1, 9), st.integers(0, 3),
        st.sampled_from([0.0, 0.5]), st.sampled_from(sorted(SOLVERS)),
    )  # fmt: skip
    def test_any_shape_is_legal(self, n_bins, n_columns, n_components, n_frozen, mu, solver):
        generator = torch.Generator().manual_seed(n_bins * 100 + n_columns)
        X = torch.rand(n_bins, n_columns, generator=generator, dtype=torch.float64)
        frozen = unit(torch.rand(n_bins, n_frozen, generator=generator, dtype=torch.float64))
        result = fit(
            X, n_components=n_components, frozen=frozen, sparsity=mu, solver=solver, n_iter=10
        )
        assert (result.objective.diff() <= 1e-12 * result.objective[0]).all()
        assert abs(result.objective[-1] - objective(X, result.W, result.H, mu)) < 1e-10
        assert_close(result.W.norm(dim=0), torch.ones(n_frozen + n_components, dtype=X.dtype))


class TestStreaming:
    def test_clips_on_disk_give_what_the_matrix_gives(self, generator, solver, tmp_path):
        clips = torch.rand(30, F, 70, generator=generator, dtype=torch.float64).numpy()
        np.save(tmp_path / "clips.npy", clips)
        rows = np.array([*range(3, 25), 28])
        matrix = torch.from_numpy(np.concatenate(list(clips[rows]), axis=1))
        mapped = np.load(tmp_path / "clips.npy", mmap_mode="r")
        streamed = fit(ClipColumns(mapped, rows), solver=solver)
        whole = fit(matrix, solver=solver)
        assert_close(streamed.W, whole.W, rtol=1e-8, atol=1e-10)
        assert_close(streamed.H, whole.H, rtol=1e-8, atol=1e-10)

    def test_arrays_maps_and_tensors_are_the_same_matrix(self, X, tmp_path):
        np.save(tmp_path / "X.npy", X.numpy())
        mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
        expected = fit(X).W
        assert torch.equal(fit(X.numpy()).W, expected)
        assert torch.equal(fit(mapped).W, expected)

    @pytest.mark.parametrize("n_clips, n_frames", [(1, 3), (5, 431), (40, 50), (3, 900)])
    def test_blocks_cover_every_column_once_and_in_order(self, n_clips, n_frames):
        clips = np.arange(n_clips * 2 * n_frames, dtype=np.float32).reshape(n_clips, 2, n_frames)
        blocks = ClipColumns(clips, range(n_clips))
        assert blocks.shape == (2, n_clips * n_frames)
        ends = [(s.start, s.stop) for s, _ in (blocks[i] for i in range(len(blocks)))]
        assert ends[0][0] == 0 and ends[-1][1] == blocks.shape[1]
        assert all(a[1] == b[0] for a, b in zip(ends, ends[1:], strict=False))
        expected = torch.from_numpy(np.concatenate(list(clips), axis=1))
        assert torch.equal(blocks.matrix(), expected)
        again = MatrixColumns(expected)
        assert torch.equal(torch.cat([again[i][1] for i in range(len(again))], dim=1), expected)


class TestKnownAnswers:
    def test_two_patterns_on_separate_bins_by_hand(self):
        # w_0 owns bin 0 and w_1 bin 1. With mu = 1, each activation is its entry less 1.
        X = torch.tensor([[3.0, 0.0], [0.0, 5.0]], dtype=torch.float64)
        start = torch.eye(2, dtype=torch.float64), torch.ones(2, 2, dtype=torch.float64)
        W, H, history, *_ = fit(X, n_components=2, sparsity=1, start=start, n_iter=40)
        assert_close(W, torch.eye(2, dtype=torch.float64))
        assert_close(H, torch.tensor([[2.0, 0.0], [0.0, 4.0]], dtype=torch.float64))
        # Left over: 1/2 (1 + 1), and the penalty 2 + 4.
        assert math.isclose(history[-1], 7, rel_tol=1e-9)

    def test_one_column_of_data_by_hand(self):
        X = torch.tensor([[3.0], [4.0]], dtype=torch.float64)
        W, H, *_ = fit(X, n_components=1, sparsity=2, n_iter=300)
        assert_close(W, torch.tensor([[0.6], [0.8]], dtype=torch.float64))
        assert_close(H, torch.tensor([[3.0]], dtype=torch.float64))  # ||x|| - mu

    def test_recovers_an_exact_factorisation(self, X):
        W, H, *_ = fit(X, sparsity=0, n_iter=1000)
        assert_close(W @ H, X, rtol=0, atol=1e-3)

    def test_hals_is_its_definition(self, X, noise, generator):
        """One iteration against plain loops over the formulas that hals documents."""
        mu, W0, H0 = 0.02, noise, torch.rand(6, N, generator=generator, dtype=torch.float64)
        learned = unit(torch.rand(F, K, generator=generator, dtype=torch.float64))
        result = fit(X, sparsity=mu, n_iter=1, frozen=W0, start=(learned, H0))
        W, H = torch.cat([W0, learned], dim=1), H0.clone()
        for _ in range(hals.N_PASSES):
            for k in range(6):
                best = W[:, k] @ (X - W @ H + W[:, k : k + 1] * H[k]) - mu
                H[k] = (H[k] + hals.RELAXATION * (best - H[k])).clamp(min=0)
        for _ in range(hals.N_PASSES):
            for k in range(2, 6):
                R = X - W @ H + W[:, k : k + 1] * H[k]
                W[:, k] = unit((R @ H[k]).clamp(min=0))
        assert_close(result.W, W)
        assert_close(result.H, H)

    def test_multiplicative_rule_is_its_definition(self, X, noise, generator):
        """One iteration against the formulas of Le Roux et al., with W H formed."""
        mu, W0, H0 = 0.02, noise, torch.rand(6, N, generator=generator, dtype=torch.float64)
        learned = unit(torch.rand(F, K, generator=generator, dtype=torch.float64))
        start = learned, H0
        result = fit(X, solver="multiplicative", sparsity=mu, n_iter=1, frozen=W0, start=start)
        W = torch.cat([W0, learned], dim=1)
        H = H0 * (W.T @ X) / (W.T @ (W @ H0) + mu)
        A, B = X @ H.T, W @ H @ H.T
        for k in range(2, 6):
            a, b, w = A[:, k], B[:, k], W[:, k].clone()
            W[:, k] = unit(w * (a + (w @ b) * w) / (b + (w @ a) * w))
        assert_close(result.W, W)
        assert_close(result.H, H)

    def test_over_relaxed_rows_agree_with_loops_for_odd_and_even_counts(self, rng):
        for n_atoms in range(1, 12):
            W = rng.random((7, n_atoms))
            W /= np.linalg.norm(W, axis=0)
            X, H = rng.random((7, 5)), rng.random((n_atoms, 5))
            expected, mu = H.copy(), 0.3
            for _ in range(hals.N_PASSES):
                for k in range(n_atoms):
                    for n in range(5):
                        slope = W[:, k] @ (X[:, n] - W @ expected[:, n]) - mu
                        expected[k, n] = max(0, expected[k, n] + hals.RELAXATION * slope)
            arguments = [torch.from_numpy(a) for a in (W.T @ X, W.T @ W, H)]
            hals.update_activations(*arguments, mu)
            np.testing.assert_allclose(H, expected, rtol=1e-10, atol=1e-12)

    def test_rows_on_a_gpu_follow_the_same_rule(self, generator):
        W = unit(torch.rand(F, 7, generator=generator, dtype=torch.float64))
        X = torch.rand(F, N, generator=generator, dtype=torch.float64)
        H = torch.rand(7, N, generator=generator, dtype=torch.float64)
        there = H.clone()
        relax_rows(W.T @ W, W.T @ X - 0.2, there, hals.RELAXATION, hals.N_PASSES)
        hals.update_activations(W.T @ X, W.T @ W, H, 0.2)
        assert_close(there, H)

    def test_activations_too_small_to_matter_become_zero(self):
        H = torch.tensor([[1.0, 1e-25, 1e-35]])
        WtX = torch.tensor([[1.0, 1e-10, 1e-10]])
        multiplicative.update_activations(WtX, torch.ones(1, 1), H, 0.0)
        assert H[0, 0] == 1 and H[0, 1] > 0 and H[0, 2] == 0

    @pytest.mark.parametrize("mu", MUS)
    def test_hals_ends_where_no_entry_wants_to_move(self, X, mu):
        W, H, *_ = fit(X, n_components=3, sparsity=mu, n_iter=2000)
        slope = W.T @ (W @ H - X) + mu  # derivative by H
        assert (slope > -1e-6).all() and (slope * H).abs().max() < 1e-6
        residual = X @ H.T - W @ (H @ H.T)
        tangent = residual - W * (W * residual).sum(0)  # minus derivative by W on the sphere
        assert tangent[W > 0].abs().max() < 1e-5
        assert (tangent[W == 0] < 1e-5).all()

    def test_multiplicative_activations_are_those_of_scikit_learn(self, X, generator):
        W = unit(torch.rand(F, K, generator=generator, dtype=torch.float64))
        H = torch.full((K, N), math.sqrt(X.mean() / K), dtype=torch.float64)  # where they start
        theirs = {}
        for n_iter in (1, 5, 50):
            theirs[n_iter], _, _ = non_negative_factorization(
                X.T.numpy(), H=W.T.numpy(), n_components=K, init="custom", update_H=False,
                solver="mu", max_iter=n_iter, tol=0,
            )  # fmt: skip
        for i in range(1, 51):
            multiplicative.update_activations(W.T @ X, W.T @ W, H, 0)
            if i in theirs:
                assert_close(H, torch.from_numpy(theirs[i].T), rtol=1e-6, atol=1e-9)

    def test_hals_gets_below_scikit_learn_from_the_same_start(self, generator):
        X = torch.rand(F, 200, generator=generator, dtype=torch.float64)
        W = torch.rand(F, K, generator=generator, dtype=torch.float64)
        H = torch.rand(K, 200, generator=generator, dtype=torch.float64)
        theirs = NMF(K, solver="mu", init="custom", max_iter=200, tol=0)
        theirs.fit_transform(X.T.numpy(), W=H.T.numpy().copy(), H=W.T.numpy().copy())
        ours = fit(X, sparsity=0, n_iter=50, start=(W, H)).objective[-1]
        assert ours <= 0.5 * theirs.reconstruction_err_**2

    def test_both_solvers_find_equally_good_dictionaries(self, X):
        good = fit(X, n_iter=300).objective[-1]
        also = fit(X, solver="multiplicative", n_iter=3000).objective[-1]
        assert math.isclose(good, also, rel_tol=0.02)

    def test_hals_needs_fewer_iterations(self, X):
        quick = fit(X, n_iter=20).objective[-1]
        assert quick < fit(X, solver="multiplicative", n_iter=100).objective[-1]


class TestMisuse:
    @pytest.mark.parametrize(
        "value, message",
        [
            (-1.0, r"X must be non-negative, its smallest entry is -1"),
            (math.nan, r"X must be non-negative, its smallest entry is nan"),
            (math.inf, r"X must be finite, its largest entry is inf"),
        ],
    )
    def test_one_bad_entry(self, X, value, message):
        X[3, 5] = value
        with pytest.raises(InputError, match=message):
            fit(X)
        with pytest.raises(InputError, match=message):
            fit(ClipColumns(X.numpy()[None], [0]))

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"n_components": 0}, "n_components must be at least 1, got 0"),
            ({"sparsity": -0.5}, r"sparsity must be non-negative and finite, got -0\.5"),
            ({"sparsity": math.nan}, "sparsity must be non-negative and finite, got nan"),
            ({"n_iter": 0}, "n_iter must be at least 1, got 0"),
            ({"solver": "als"}, "solver must be one of hals, multiplicative, got 'als'"),
        ],
    )
    def test_settings_out_of_range(self, X, change, message):
        with pytest.raises(InputError, match=message):
            fit(X, **change)

    def test_frozen_columns_of_another_height(self, X):
        with pytest.raises(InputError, match=r"frozen must have shape \(20, \*\), got \(21, 2\)"):
            fit(X, frozen=torch.rand(F + 1, 2))

    def test_frozen_columns_without_unit_norm(self, X, noise):
        with pytest.raises(InputError, match="frozen must have columns of unit norm, one has .* 3"):
            fit(X, frozen=3 * noise)

    def test_negative_frozen_columns(self, X, noise):
        with pytest.raises(InputError, match="frozen must be non-negative"):
            fit(X, frozen=-noise)

    def test_start_of_another_shape(self, X):
        W, H = torch.rand(F, K), torch.rand(K, N)
        with pytest.raises(InputError, match=r"H of start must have shape \(4, 60\)"):
            fit(X, start=(W, torch.cat([H, H[:1]])))
        with pytest.raises(InputError, match=r"W of start must have shape \(20, 4\)"):
            fit(X, start=(W[:, 1:], H))

    def test_data_without_columns_or_of_another_kind(self, X):
        with pytest.raises(InputError, match=r"X must have at least one row and one column"):
            fit(X[:, :0])
        with pytest.raises(InputError, match=r"X must have shape \(\*, \*\), got \(20,\)"):
            fit(X[:, 0])
        with pytest.raises(InputError, match="X must be of type float32 or float64, got int64"):
            fit(X.numpy().astype(np.int64))

    def test_no_clips(self):
        with pytest.raises(InputError, match="rows must name at least one clip"):
            ClipColumns(np.zeros((3, 4, 5), np.float32), [])
