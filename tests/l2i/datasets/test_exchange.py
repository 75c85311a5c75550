"""Clips that change places: nobody keeps his own, and nobody's is used twice."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from l2i.datasets.exchange import exchange


@given(st.integers(2, 60), st.integers(0, 2**40))
def test_nobody_keeps_his_own_and_none_is_used_twice(n, seed):
    others = exchange(n, seed)
    assert sorted(others) == list(range(n))
    assert not np.any(others == np.arange(n))


def test_a_seed_exchanges_the_same_and_another_anew():
    assert np.array_equal(exchange(40, 3), exchange(40, 3))
    assert not np.array_equal(exchange(40, 3), exchange(40, 4))


def test_every_other_one_is_about_equally_likely():
    drawn = np.bincount([exchange(5, seed)[0] for seed in range(2000)], minlength=5)
    assert drawn[0] == 0 and (abs(drawn[1:] / 2000 - 0.25) < 0.05).all()


def test_a_single_one_has_no_other():
    assert list(exchange(1, 0)) == [0]
