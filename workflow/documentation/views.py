"""What a block of measured numbers shows: which rows of which tables, in which order."""

from __future__ import annotations

from typing import NamedTuple


class Rows(NamedTuple):
    """Rows of a table of the paper: one metric, under conditions that match the pattern."""

    table: int
    metric: str
    condition: str = ""


# What a block shows, in this order; what a run has not measured is not shown.
VIEWS = {
    "summary": (
        Rows(1, "accuracy"),
        Rows(4, "top_1_fidelity"),
        Rows(5, "ff_median", r"(of=l2i_att, )?threshold=0\.1"),
        Rows(8, "accuracy"),
    ),
    "details": (
        Rows(1, "accuracy"),
        Rows(1, "macro_auprc"),
        Rows(1, "mean_average_precision"),
        Rows(1, "avg_weighted_f1"),
        Rows(4, "top_1_fidelity"),
        Rows(4, "top_5_fidelity"),
        Rows(4, "macro_auprc"),
        Rows(4, "avg_weighted_f1"),
        Rows(5, "ff_median", ".*"),
        Rows(5, "ff_net_median", r"threshold=0\.1"),
        Rows(5, "ff_difference", ".*"),
        Rows(5, "n_removed", r"(of=\w+, )?threshold=0\.1"),
        Rows(5, "energy_removed", r"(of=\w+, )?threshold=0\.1"),
        Rows(5, "unmatched", ".*"),
        Rows(8, "accuracy"),
        Rows(8, "macro_auprc"),
        Rows(8, "avg_weighted_f1"),
    ),
    "ablations": (
        Rows(6, "top_1_fidelity", ".*"),
        Rows(6, "reconstruction_loss", ".*"),
        Rows(6, "fidelity_loss", ".*"),
        Rows(7, "macro_auprc", ".*"),
    ),
}


class Compared(NamedTuple):
    """Rows of an experiment beside the paper's tables, with a column for each system."""

    table: str
    metric: str
    condition: str = ""  # a pattern


ZERO_DB = r"kind=(noise|class), snr_db=0"
ALL_SHUFFLED = r"shuffled=head(\+B6\+B5\+B4\+B3\+B2\+B1)?"
BROKEN = "(shuffled=(nothing|head)|targets=shuffled)"
IN_WORDS = {  # conditions of these tables
    "kind=noise": "with white noise",
    "kind=class": "with a clip of another class",
    "shuffled=nothing": "intact",
    "targets=shuffled": "interpreter trained on shuffled targets",
    "activations=exchanged": "by weights alone",
}
SIDE_BY_SIDE = {
    "company": (
        Compared("corruption", "interpretation_improvement", ZERO_DB),
        Compared("corruption", "remainder_improvement", ZERO_DB),
        Compared("corruption", "empty_interpretation", ZERO_DB),
        Compared("corruption", "class_survives_of_right", ZERO_DB),
    ),
    "claims": (
        Compared("faithfulness_more", "ff_median", "operator=.*"),
        Compared("faithfulness_more", "fidelity_in", "operator=log_magnitude"),
        Compared("faithfulness_more", "insertion", "operator=log_magnitude"),
        Compared("faithfulness_more", "deletion", "operator=log_magnitude"),
        Compared("faithfulness_more", "energy_kept"),
    ),
    "checks": (
        Compared("sanity", "relevance_correlation", ALL_SHUFFLED),
        Compared("sanity", "relevance_correlation", "(targets|activations)=.*"),
        Compared("sanity", "top_1_fidelity", BROKEN),
        Compared("sanity", "ff_median", BROKEN),
    ),
    "corruption": (
        Compared("corruption", "interpretation_si_sdr", ".*"),
        Compared("corruption", "interpretation_improvement", ".*"),
        Compared("corruption", "interpretation_improvement_median", ".*"),
        Compared("corruption", "remainder_improvement", ".*"),
        Compared("corruption", "empty_interpretation", ".*"),
        Compared("corruption", "class_survives", ".*"),
        Compared("corruption", "class_survives_of_right", ".*"),
    ),
    "masks": (
        Compared("faithfulness_more", "average_increase", ".*"),
        Compared("faithfulness_more", "average_drop", ".*"),
        Compared("faithfulness_more", "average_gain", ".*"),
        Compared("faithfulness_more", "ff_median", ".*"),
        Compared("faithfulness_more", "fidelity_in", ".*"),
        Compared("faithfulness_more", "insertion", ".*"),
        Compared("faithfulness_more", "deletion", ".*"),
        Compared("faithfulness_more", "sparseness"),
        Compared("faithfulness_more", "complexity"),
        Compared("faithfulness_more", "energy_kept"),
        Compared("faithfulness_more", "empty_mask"),
        Compared("faithfulness_more", "operator_spearman", ".*"),
    ),
    "sanity": (
        Compared("sanity", "relevance_correlation", ".*"),
        Compared("sanity", "selection_overlap", ".*"),
        Compared("sanity", "top_component_same", ".*"),
        Compared("sanity", "top_1_fidelity", ".*"),
        Compared("sanity", "ff_median", ".*"),
        Compared("sanity", "empty_selection", ".*"),
    ),
}
