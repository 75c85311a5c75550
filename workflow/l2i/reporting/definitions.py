"""What a reader of numbers must know of their metrics and intervals, in sentences."""

from __future__ import annotations

from collections.abc import Iterable

from l2i.reporting.intervals import FEWEST

INTERVAL = (
    "The interval is one over recordings: a bootstrap that draws the sources of each fold anew, "
    "each with all of its clips (ESC-50: the recording that clips were cut from; SONYC-UST: the "
    "sensor, with identical files; OpenMIC: the track), and draws the same for all that was "
    "measured on these clips. Of scores it is Wilson's, of differences between them Student's, "
    "with the variance of the resampled numbers; of means and medians of values it is made of "
    f"percentiles, and there is none below {FEWEST} clips."
)
# Metric -> what a reader of its numbers must know; metrics may share a note.
_GRID = (
    "The authors' thresholds: 0.05, 0.1, 0.2, 0.5, 0.8, 0.9, 0.95 for classifiers, every tenth "
    "between 0.1 and 0.9, 0.05 and 0.95 for fidelity. Precision is 1 where nothing is above one."
)
_OFFICIAL = (
    "AUPRC is that of the evaluator of DCASE 2020 task 5: a point for every score of at least 0.01 "
    "and for threshold 1, so that a perfect ranking of n positives reaches 1 - 1 / (2n). "
    "Macro is the mean over classes, micro pools all pairs of clip and class. Classes without any "
    "positive are left out of macro-AUPRC."
)
_SIGNS = (
    "F1 is taken of the positives and of the negatives of each class; weighted: by how many clips "
    "are either, macro: the plain mean of both. Then follows the mean over classes."
)
_ENERGY = (
    "Energy is that of the log-magnitude spectrogram: ||sum of X_k||² over the removed components "
    "k, what they have in common included, as a share of ||X||²."
)
_MATCHED = (
    "Random, matched in energy: components outside of the relevant ones that together take away as "
    "much energy as those do, within 20 %. Where some run or draw found no such set, the clip is "
    "left out of these rows, and of both sides of the difference to them; the share of such clips "
    "is given. They are those whose relevant components hold most: compare by the difference alone."
)
_NET = (
    "Round trip: nothing is removed, and the waveform goes through the STFT and back. Net drops "
    "are taken clip by clip, less the drop by the round trip alone."
)
DEFINITIONS = {
    **dict.fromkeys(("macro_auprc", "micro_auprc"), _OFFICIAL),
    **dict.fromkeys(("macro_auprc_7", "macro_auprc_11", "micro_auprc_11"), _GRID),
    **dict.fromkeys(("max_f1_7", "max_f1_11"), _GRID),
    **dict.fromkeys(("avg_weighted_f1", "avg_macro_f1"), _SIGNS),
    **{"energy_removed": _ENERGY, "unmatched": _MATCHED, "ff_net_median": _NET},
}


def definitions_of(metrics: Iterable[str]) -> list[str]:
    """What is to be said of metrics, each sentence once, in their order."""
    return list(dict.fromkeys(DEFINITIONS[name] for name in metrics if name in DEFINITIONS))
