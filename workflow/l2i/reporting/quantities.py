"""What the numbers of tables are called in print, their units, and how many digits they have."""

from __future__ import annotations

import re
from typing import NamedTuple


class Quantity(NamedTuple):
    """A metric in print; `unit` 1 is none, `digits` are those after the point.

    What is `exact`, such as a setting, is printed to the last of its digits, and has no spread.
    """

    title: str
    unit: str
    digits: int
    exact: bool = False

    @property
    def heading(self) -> str:
        """Title and, where there is one, unit."""
        return self.title if self.unit == "1" else f"{self.title} ({self.unit})"


QUANTITIES = {
    "accuracy": Quantity("accuracy", "%", 1),
    "accuracy_difference": Quantity(
        "difference in accuracy, paired by clip", "percentage points", 1
    ),
    "top_1_difference": Quantity(
        "difference in top-1 fidelity, paired by clip", "percentage points", 1
    ),
    "macro_auprc": Quantity("macro-AUPRC", "1", 3),
    "micro_auprc": Quantity("micro-AUPRC", "1", 3),
    "avg_weighted_f1": Quantity("average weighted F1", "1", 3),
    "macro_auprc_7": Quantity("macro-AUPRC, 7 thresholds of the authors", "1", 3),
    "macro_auprc_11": Quantity("macro-AUPRC, 11 thresholds of the authors", "1", 3),
    "micro_auprc_11": Quantity("micro-AUPRC, 11 thresholds of the authors", "1", 3),
    "mean_average_precision": Quantity("mean average precision", "1", 3),
    "mean_average_precision_difference": Quantity(
        "difference in mean average precision, paired by clip", "1", 3
    ),
    "max_f1_7": Quantity("max-F1, micro, of 7 thresholds", "1", 3),
    "max_f1_11": Quantity("max-F1, micro, of 11 thresholds", "1", 3),
    "avg_weighted_f1_difference": Quantity(
        "difference in average weighted F1, paired by clip", "1", 3
    ),
    "avg_macro_f1": Quantity("average macro F1", "1", 3),
    "auprc": Quantity("AUPRC", "1", 3),
    "average_precision": Quantity("average precision", "1", 3),
    "weighted_f1": Quantity("weighted F1", "1", 3),
    "macro_f1": Quantity("macro F1", "1", 3),
    "n_positive": Quantity("positives", "1", 0),
    "n_negative": Quantity("negatives", "1", 0),
    "n_decided": Quantity("decided", "1", 0),
    "ff_median": Quantity("median faithfulness", "drop in probability", 3),
    "ff_mean": Quantity("mean faithfulness", "drop in probability", 3),
    "ff_net_median": Quantity(
        "median faithfulness, net of the round trip", "drop in probability", 3
    ),
    "average_increase": Quantity("average increase", "%", 1),
    "average_drop": Quantity("average drop", "%", 1),
    "average_gain": Quantity("average gain", "%", 1),
    "fidelity_in": Quantity("fidelity-in", "%", 1),
    "insertion": Quantity("insertion", "1", 3),
    "deletion": Quantity("deletion", "1", 3),
    "sparseness": Quantity("sparseness, Gini index", "1", 3),
    "complexity": Quantity("complexity", "nat", 2),
    "energy_kept": Quantity("energy kept, mean", "%", 1),
    "empty_mask": Quantity("empty masks", "%", 1),
    "operator_tau": Quantity("agreement of removals on the order of systems, tau-b", "1", 2),
    "operator_spearman": Quantity("agreement of removals over decisions, Spearman", "1", 2),
    "n_removed": Quantity("number of removed components, mean", "1", 2),
    "energy_removed": Quantity("removed share of the energy, mean", "%", 1),
    "unmatched": Quantity("clips without a random set of like energy", "%", 1),
    "empty_selection": Quantity("clips without any relevant component", "%", 1),
    "relevance_correlation": Quantity(
        "rank correlation of relevances with the intact ones, mean", "1", 3
    ),
    "selection_overlap": Quantity("overlap of the relevant components (Jaccard), mean", "1", 3),
    "top_component_same": Quantity("clips whose most relevant component is the same", "%", 1),
    "ff_difference": Quantity(
        "relevant minus random components, paired by clip, median", "drop in probability", 3
    ),
    "interpretation_si_sdr": Quantity("SI-SDR of the interpretation, mean", "dB", 1),
    "interpretation_improvement": Quantity(
        "SI-SDR improvement of the interpretation, mean", "dB", 1
    ),
    "interpretation_improvement_median": Quantity(
        "SI-SDR improvement of the interpretation, median", "dB", 1
    ),
    "remainder_si_sdr": Quantity("SI-SDR of the remainder, mean", "dB", 1),
    "remainder_improvement": Quantity("SI-SDR improvement of the remainder, mean", "dB", 1),
    "remainder_improvement_median": Quantity(
        "SI-SDR improvement of the remainder, median", "dB", 1
    ),
    "empty_interpretation": Quantity("silent interpretations", "%", 1),
    "class_survives": Quantity("clips decided for their class", "%", 1),
    "class_survives_of_right": Quantity(
        "clips still decided for their class, of those that are by themselves", "%", 1
    ),
    "reconstruction_loss": Quantity("reconstruction loss", "1", 3),
    "fidelity_loss": Quantity("fidelity loss", "nat", 3),
    "mean_rating": Quantity("mean rating", "0 to 100", 1),
    "votes": Quantity("votes in favour", "%", 1),
    "ties": Quantity("ties, votes for neither", "%", 1),
    "rating_difference": Quantity("difference of ratings, paired by trial", "points of 100", 1),
    "rating_effect": Quantity("effect on ratings, by a mixed model", "points of 100", 1),
    "prediction_weight": Quantity("weight of the loss of prediction", "1", 1, exact=True),
    "reconstruction_weight": Quantity("reconstruction weight α", "1", 1, exact=True),
    "sparsity_weight": Quantity("sparsity weight β", "1", 1, exact=True),
    "fidelity_weight": Quantity("weight of the fidelity loss", "1", 1, exact=True),
    "n_components": Quantity("number of components K", "1", 0, exact=True),
    "n_epochs": Quantity("number of epochs", "1", 0, exact=True),
}


def quantity(metric: str) -> Quantity:
    """The quantity that a column ``metric`` names; ``top_<k>_fidelity`` for any k.

    Raises
    ------
    KeyError
        If there is none: give it a line in `QUANTITIES`.
    """
    if match := re.fullmatch(r"top_(\d+)_fidelity", metric):
        return Quantity(f"top-{match[1]} fidelity", "%", 1)
    return QUANTITIES[metric]
