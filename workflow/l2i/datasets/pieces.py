"""Files that are cut into clips: where the cuts are, and where the clips of an index lie.

An index of whole files says nothing of it. One of pieces has the column `first_sample`, and its
`n_samples` are those of the piece, both at the rate of the file.
"""

from __future__ import annotations

import pandas as pd

from l2i.features.audio import Span

FIRST_SAMPLE = "first_sample"


def cut(n_samples: int, n_piece: int) -> list[Span]:
    """Cut a file into pieces of one length, one behind the other from its beginning.

    What is left at the end is a piece too if it is at least half as long as the others, or all that
    there is; else it is left out.

    Parameters
    ----------
    n_samples, n_piece : int
        Length of the file and of a piece, at least 1.
    """
    n_whole, n_left = divmod(n_samples, n_piece)
    spans = [Span(i * n_piece, n_piece) for i in range(n_whole)]
    if 2 * n_left >= n_piece or not spans:
        spans.append(Span(n_whole * n_piece, n_left))
    return spans


def spans_of(index: pd.DataFrame) -> list[Span | None]:
    """Where in its file each clip of an index lies; None where it is all of it."""
    if FIRST_SAMPLE not in index:
        return [None] * len(index)
    return [
        Span(int(first), int(n))
        for first, n in zip(index[FIRST_SAMPLE], index["n_samples"], strict=True)
    ]


def contents_of(index: pd.DataFrame) -> list[str]:
    """What each clip holds, as text: sha256 of its file and, of a piece, where that lies."""
    return [
        sha256 if span is None else f"{sha256} {span.first_sample}+{span.n_samples}"
        for sha256, span in zip(index["sha256"], spans_of(index), strict=True)
    ]
