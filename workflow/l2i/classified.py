"""What Table VIII compares: systems that classify by themselves, and what they stand beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from l2i.comparisons import of_systems
from l2i.scores import as_classification
from l2i.tables import read_clips_of_datasets

CLASSIFIER = "base_f"


def classified_clips(
    systems: Sequence[str | Path],
    classifier: Sequence[str | Path],
    posthoc: Sequence[str | Path],
    *,
    names: Sequence[str],
    as_classifier: Mapping[str, str],
) -> dict[str, dict[str, pd.DataFrame]]:
    """Data set to system to its clips, in the columns of classification.csv.

    Parameters
    ----------
    systems, classifier : sequence of path
        Files classification.csv of systems, and of the classifier itself, which has no runs.
    posthoc : sequence of path
        Files fidelity.csv of interpreters that are scored against the labels as well.
    names : sequence of str
        Systems, in the order of printing.
    as_classifier : mapping
        Interpreter to the name under which it is scored as a classifier.

    Returns
    -------
    dict
        Of each data set the systems that have clips of it: `names`, interpreters, classifier.
    """
    of_names, of_classifier, of_posthoc = (
        read_clips_of_datasets(paths) if paths else {} for paths in (systems, classifier, posthoc)
    )
    parts = {}
    for dataset in {**of_names, **of_posthoc, **of_classifier}:
        interpreters = of_systems(of_posthoc.get(dataset), list(as_classifier))
        parts[dataset] = of_systems(of_names.get(dataset), names) | {
            as_classifier[name]: as_classification(part).assign(system=as_classifier[name])
            for name, part in interpreters.items()
        }
        if dataset in of_classifier:
            parts[dataset][CLASSIFIER] = of_classifier[dataset]
    return parts
