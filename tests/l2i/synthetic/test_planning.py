"""l2i.synthetic.planning: what is in which clip."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l2i.checks import InputError
from l2i.synthetic.planning import deal, scattered
from l2i.synthetic.sounds import generator


class TestPlanning:
    @settings(deadline=None)
    @given(st.integers(1, 12), st.data())
    def test_hands_hold_different_items_and_all_items_come_up_equally_often(self, n, data):
        items = [str(i) for i in range(n)]
        sizes = data.draw(st.lists(st.integers(0, n), max_size=30))
        hands = deal(items, sizes, generator(data.draw(st.integers(0, 99))))
        assert [len(hand) for hand in hands] == sizes
        assert all(len(set(hand)) == len(hand) and set(hand) <= set(items) for hand in hands)
        counts = Counter(item for hand in hands for item in hand)
        assert max(counts[item] for item in items) - min(counts[item] for item in items) <= 2

    def test_a_hand_larger_than_the_deck_is_refused(self):
        with pytest.raises(InputError, match="3 different items needs more than 2 items"):
            deal(["a", "b"], [3], generator(0))

    def test_scattered_splits_are_mixed_evenly(self):
        clips = scattered({"train": 6, "test": 3})
        assert [split for split, _ in clips].count("test") == 3
        assert {split for split, _ in clips[:3]} == {"train", "test"}
        assert [i for split, i in clips if split == "train"] == list(range(6))
