"""l2i.dictionary.shapes: measures with known answers, and groups that permutations leave alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from l2i.dictionary.shapes import (
    FLOOR,
    HIGH,
    LOW,
    N_PEAKS,
    NOISY,
    TONAL,
    Shape,
    cosines,
    flatness,
    grouped,
    most_alike,
    shapes_of,
)

N_BINS = 513
HERTZ = np.arange(N_BINS) * 44_100 / 1024


def lines(*bins, floor=0.0):
    column = np.full(N_BINS, floor)
    column[[*bins]] = 1.0
    return column


def shape(column):
    (found,) = shapes_of(np.asarray(column, float)[:, None], HERTZ)
    return found


def random_columns(n=12, seed=0):
    return np.random.default_rng(seed).random((40, n)) ** 3


class TestShape:
    def test_a_single_line_is_where_it_is_and_has_no_width(self):
        found = shape(lines(100))
        assert found.centroid_hz == pytest.approx(HERTZ[100])
        assert found.bandwidth_hz == pytest.approx(0, abs=1e-6)
        assert found.peaks_hz == pytest.approx([HERTZ[100]])
        assert found.words == ("high", "tonal")

    def test_two_equal_lines_are_centred_between_and_as_wide_as_half_their_distance(self):
        found = shape(lines(10, 30))
        assert found.centroid_hz == pytest.approx(HERTZ[20])
        assert found.bandwidth_hz == pytest.approx(HERTZ[10])

    def test_a_line_twice_as_high_counts_four_times(self):
        column = lines(10, 30)
        column[10] = 2
        assert shape(column).centroid_hz == pytest.approx((4 * HERTZ[10] + HERTZ[30]) / 5)

    def test_peaks_are_the_most_prominent_first_and_ripples_are_none(self):
        column = lines(50, 120, 200, 400)
        column[[50, 120, 200, 400, 300]] = 0.4, 1.0, 0.6, 0.3, 0.05
        assert shape(column).peaks_hz == pytest.approx(HERTZ[[120, 200, 50]])
        assert len(shape(column).peaks_hz) == N_PEAKS

    @pytest.mark.parametrize("bin", [0, N_BINS - 1])
    def test_the_first_and_the_last_bin_may_be_peaks(self, bin):
        assert shape(lines(bin)).peaks_hz == pytest.approx([HERTZ[bin]])

    def test_a_column_of_zeros_has_no_shape(self):
        assert shape(np.zeros(N_BINS)) == Shape(None, None, None, ())
        assert shape(np.zeros(N_BINS)).words == ("empty",)

    def test_scale_changes_nothing(self):
        column = random_columns(1)[:, 0]
        hertz = HERTZ[: len(column)]
        (once,) = shapes_of(column[:, None], hertz)
        (louder,) = shapes_of(1e-20 * column[:, None], hertz)
        assert louder.centroid_hz == pytest.approx(once.centroid_hz)
        assert louder.flatness == pytest.approx(once.flatness)
        assert louder.peaks_hz == once.peaks_hz

    @pytest.mark.parametrize(
        ("hertz", "word"), [(LOW - 50, "low"), (LOW + 50, "middle"), (HIGH + 50, "high")]
    )
    def test_words_follow_the_centroid(self, hertz, word):
        assert shape(lines(round(hertz / HERTZ[1]))).words[0] == word


class TestFlatness:
    def test_a_flat_column_has_one(self):
        assert flatness(np.full(N_BINS, 0.3)) == pytest.approx(1)

    def test_a_line_is_worth_the_floor_but_for_itself(self):
        # 256 bins of its octave, of which one is 1 and the others FLOOR; all else is the floor.
        octave = np.full(256, FLOOR)
        octave[7] = 1
        of_line = np.exp(np.log(octave).mean()) / octave.mean()
        rest = FLOOR * (N_BINS - 1 - 256)  # the last bin is alone in its octave, and left out
        expected = (octave.sum() * of_line + rest) / (octave.sum() + rest)
        assert flatness(lines(256 + 7)) == pytest.approx(expected)
        assert flatness(lines(256 + 7)) < TONAL

    def test_harmonics_are_tonal_and_a_smooth_low_pass_is_noisy(self):
        low_pass = 1 / (1 + (HERTZ / 800) ** 2)
        assert flatness(lines(*range(20, 500, 20))) < TONAL
        assert flatness(low_pass) > NOISY


class TestSimilarity:
    def test_cosines_are_those_of_the_columns(self):
        W = np.array([[1.0, 2.0, 0.0, 1.0], [0.0, 0.0, 3.0, 1.0]])
        half = np.sqrt(0.5)
        assert cosines(W) == pytest.approx(
            np.array([[1, 1, 0, half], [1, 1, 0, half], [0, 0, 1, half], [half, half, half, 1]])
        )

    def test_a_column_of_zeros_is_like_no_other(self):
        W = random_columns()
        W[:, 3] = 0
        assert cosines(W)[3].tolist() == [0, 0, 0, 1] + 8 * [0]

    def test_the_most_alike_come_first_and_never_the_column_itself(self):
        similarity = np.array([[1, 0.2, 0.9, 0.5], *np.eye(4)[1:]])
        assert most_alike(similarity, 0, 2) == [2, 3]
        assert most_alike(similarity, 0, 9) == [2, 3, 1]


class TestGroups:
    def test_copies_are_grouped_with_what_they_are_copies_of(self):
        W = np.eye(40)[:, :9] + 0.01
        W[:, [2, 5, 8]] = W[:, [0]] * [0.5, 1, 2]
        W[:, 7] = W[:, 3]
        assert grouped(cosines(W), 0.9).groups == [[0, 2, 5, 8], [3, 7]]

    def test_no_chain_of_neighbours_joins_what_is_unlike(self):
        angles = np.radians([0, 20, 40, 60])  # cosines of neighbours are 0.94, of the next 0.77
        W = np.stack([np.cos(angles), np.sin(angles)])
        found = grouped(cosines(W), 0.9).groups
        assert sorted(map(tuple, found)) in ([(0, 1), (2, 3)], [(1, 2)])

    @given(st.integers(0, 1000), st.floats(0.3, 0.95))
    def test_any_two_of_a_group_are_as_alike_as_promised_and_permutations_permute(self, seed, t):
        W = random_columns(seed=seed)
        similarity = cosines(W)
        found = grouped(similarity, t)
        assert sorted(found.order) == list(range(12))
        assert all(similarity[np.ix_(g, g)].min() >= t - 1e-9 for g in found.groups)
        assert [len(g) for g in found.groups] == sorted(map(len, found.groups), reverse=True)
        turned = np.random.default_rng(seed).permutation(12)
        back = {int(old): new for new, old in enumerate(turned)}
        again = grouped(cosines(W[:, turned]), t).groups
        assert {frozenset(g) for g in again} == {
            frozenset(back[k] for k in g) for g in found.groups
        }

    def test_alike_columns_stand_beside_each_other(self):
        W = np.eye(40)[:, :9] + 0.01
        W[:, 8] = W[:, 1]
        order = grouped(cosines(W), 0.9).order
        assert abs(order.index(1) - order.index(8)) == 1

    @pytest.mark.parametrize("n", [0, 1])
    def test_there_are_no_groups_of_one(self, n):
        found = grouped(np.eye(n), 0.9)
        assert found.groups == [] and found.order == list(range(n))
