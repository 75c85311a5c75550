"""l2i.datasets.pieces: where files are cut."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from l2i.datasets.pieces import contents_of, cut, spans_of

LENGTHS = st.integers(1, 10_000)


@given(LENGTHS, LENGTHS)
def test_pieces_lie_one_behind_the_other_and_all_but_a_short_rest_is_in_one(n_samples, n_piece):
    spans = cut(n_samples, n_piece)
    assert spans[0].first_sample == 0
    ends = [span.first_sample + span.n_samples for span in spans]
    assert [span.first_sample for span in spans[1:]] == ends[:-1]
    assert all(span.n_samples == n_piece for span in spans[:-1])
    assert 0 < spans[-1].n_samples <= n_piece
    assert n_samples - ends[-1] < n_piece / 2


def test_known_cuts():
    assert cut(20, 10) == [(0, 10), (10, 10)]
    assert cut(24, 10) == [(0, 10), (10, 10)]  # a rest of less than half a clip
    assert cut(25, 10) == [(0, 10), (10, 10), (20, 5)]
    assert cut(3, 10) == [(0, 3)]  # all there is


def test_clips_of_whole_files_are_told_apart_by_these_alone():
    index = pd.DataFrame({"n_samples": [8, 9], "sha256": ["a", "b"]})
    assert spans_of(index) == [None, None] and contents_of(index) == ["a", "b"]
    index = pd.DataFrame({"first_sample": [0, 8], "n_samples": [8, 9], "sha256": ["a", "a"]})
    assert spans_of(index) == [(0, 8), (8, 9)] and contents_of(index) == ["a 0+8", "a 8+9"]
