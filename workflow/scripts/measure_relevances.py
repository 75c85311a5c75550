"""Collect what every component means to every decision of the test clips (Fig. 5)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from torch import Tensor

from harness import perform
from l2i.datasets.exchange import exchange
from l2i.datasets.fold import Fold
from l2i.disk import write_text
from l2i.interpretation.explained import ExplainedClassifier, Explaining
from l2i.networks.interpreter import Interpretation
from l2i.progress import progress
from l2i.systems.loading import open_system
from l2i.tables import to_csv
from l2i.training.opening import open_recordings
from l2i.training.task import Recordings


def measure_relevances(
    recordings: Recordings,
    network: Explaining,
    path_to_relevances: str,
    path_to_exchanged: str,
    *,
    relevance_pooling: str,
    relevance_scale: str,
    seed: int,
    system: str,
    variant: str,
    run: str,
) -> dict:
    """Write one row per test clip and decided class, twice; facts: clips, decisions.

    A relevance is z_k w_ck, scaled. The weights w_c are a factor of every vector of the class, so
    vectors of one class are alike whatever z says of the clip. `path_to_exchanged` has the same
    decisions with the pooled activations z of another test clip: how alike they are by the weights
    alone. Which one is drawn with `seed`, for all systems and runs alike (see
    :func:`l2i.datasets.exchange.exchange`). Where there is a single test clip there is no other,
    and its exchanged relevances are NaN.
    """
    fold = recordings.fold
    explained = network.explained(
        recordings.classifier,
        relevance_pooling=relevance_pooling,
        relevance_scale=relevance_scale,
    )

    clips = [
        _decided_and_heard(explained, recordings.clips([row]).log_mel)
        for row in progress(fold.test_rows, description="Explain clips", unit="clip")
    ]
    others = exchange(len(clips), seed)
    own = _relevances(explained, fold, clips)
    exchanged = _relevances(
        explained,
        fold,
        [(decided, clips[i][1]) for (decided, _), i in zip(clips, others, strict=True)],
    )
    if len(clips) == 1:
        exchanged.iloc[:, 2:] = np.nan
    for rows, path in ((own, path_to_relevances), (exchanged, path_to_exchanged)):
        labelled = fold.label_rows(rows, system=system, variant=variant, run=run)
        write_text(path, to_csv(labelled))
    return {"n_clips": len(clips), "n_decisions": len(own)}


def _decided_and_heard(
    explained: ExplainedClassifier, M: Tensor
) -> tuple[list[int], Interpretation]:
    """Classes decided for one clip, and what its relevances are computed from.

    Of H only the maxima over time are kept, all that a relevance may need beside z: the clips of a
    data set stay in memory together.
    """
    logits, heard = explained.explain(M, M.shape[1])
    decided = explained.classifier.decisions(logits)[0].nonzero()[:, 0].tolist()
    return decided, heard._replace(H=heard.H.amax(2, keepdim=True))


def _relevances(
    explained: ExplainedClassifier, fold: Fold, clips: Sequence[tuple[list[int], Interpretation]]
) -> pd.DataFrame:
    """One row per test clip and class decided for it: clip, class, r_000, ..."""
    decisions, relevances = [], []
    for name, (decided, heard) in zip(fold.index["clip"].iloc[fold.test_rows], clips, strict=True):
        r = explained.relevances(heard)[0].cpu().numpy()
        decisions += [{"clip": name, "class": fold.classes[c]} for c in decided]
        relevances += [*r[decided]]
    columns = [f"r_{k:03d}" for k in range(explained.interpreter.W.shape[1])]
    values = pd.DataFrame(np.reshape(relevances, (-1, len(columns))), columns=columns)
    return pd.concat([pd.DataFrame(decisions, columns=["clip", "class"]), values], axis=1)


if __name__ == "__main__":
    perform(snakemake, measure_relevances, recordings=open_recordings, network=open_system)
