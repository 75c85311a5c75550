"""Measure explanations that ask the classifier alone, beside those of systems."""

from harness import perform
from l2i.evaluation.attributed_cells import by_attribution
from l2i.evaluation.attributed_segments import by_slime
from l2i.evaluation.drawn_clips import drawn_test_rows
from l2i.evaluation.explainers import Explainer, masks_of_clips
from l2i.evaluation.masked_scores import Scorer
from l2i.interpretation.attributions import METHODS, Attributions
from l2i.interpretation.slime import Slime
from l2i.tables import write_rows
from l2i.training.opening import open_recordings
from l2i.training.task import Recordings, needed


def measure_masks_of_classifier(
    recordings: Recordings,
    path_to_masks: list[str],
    *,
    methods: list[str],
    n_steps: int,
    n_clips: int,
    operators: list[str],
    slime: dict,
    attributions: dict,
    seed: int,
    run: str,
) -> dict:
    """Write one row per test clip, decided class and operator, a file for each method.

    Parameters
    ----------
    path_to_masks : list of str
        One for each of `methods`, in their order.

    Returns
    -------
    dict
        n_clips.
    """
    fold, classifier = recordings.fold, needed(recordings.classifier, "classifier")
    scorer = Scorer(classifier, classifier, fold.front_end, operators, seed)
    known: dict[str, Explainer] = {
        "slime": by_slime(
            classifier,
            Slime(**slime),
            n_steps=n_steps,
            clip_seconds=recordings.clip_seconds,
            seed=seed,
            run=int(run),
        ),
        **{
            method: by_attribution(
                method,
                classifier,
                fold.front_end,
                Attributions(**attributions),
                n_steps=n_steps,
            )
            for method in METHODS
        },
    }
    explainers = {method: known[method] for method in methods}
    rows = drawn_test_rows(fold, n_clips, "masks", seed)
    scores = masks_of_clips(recordings, scorer, explainers, rows)
    for method, path in zip(methods, path_to_masks, strict=True):
        labelled = fold.label_rows(scores[method], system=method, variant="default", run=run)
        write_rows(labelled, path)
    return {"n_clips": len(rows)}


if __name__ == "__main__":
    perform(snakemake, measure_masks_of_classifier, recordings=open_recordings)
