"""Choose the test clips that participants of a listening test rate (Sec. V-A.3)."""

import logging
from dataclasses import replace

import pandas as pd

from harness import perform
from l2i.datasets.fold import Fold, open_fold
from l2i.interpretation.occasions import Entry, write_entries
from l2i.listening_test.audibility import Audible, ClipLevel, level_of
from l2i.listening_test.stimuli import candidates_by_class, draw_stimuli
from l2i.tables import read_rows, write_rows

log = logging.getLogger(__name__)


def choose_stimuli(
    fold: Fold,
    path_to_classification: str,
    path_to_clips: str,
    path_to_stimuli: str,
    *,
    n_stimuli: int,
    audible: dict[str, float],
    excluded_classes: list[str],
    seed: int,
    data: str,
) -> dict:
    """Write which clips are interpreted for which class, and a table of what is known of them.

    Facts: n_stimuli, n_faint (clips that were turned down as they cannot be heard).
    """
    rows = fold.index.reset_index().set_index("clip")["index"]
    heard = replace(fold, waveform_scale="none")  # at the level of the file
    levels: dict[str, ClipLevel] = {}
    is_loud_enough = Audible(**audible)

    def is_audible(clip: str) -> bool:
        if clip not in levels:
            x = heard.waveform(data, int(rows[clip])).numpy()
            levels[clip] = level_of(x, fold.front_end.sample_rate)
        return is_loud_enough(levels[clip])

    scores = read_rows(path_to_classification)
    candidates = candidates_by_class(scores, fold.classes, excluded=excluded_classes)
    drawn = draw_stimuli(candidates, n_stimuli, is_audible, seed)
    write_entries(path_to_clips, [Entry(clip, (name,)) for name, clip in drawn])
    table = fold.label_rows(
        pd.DataFrame(
            {
                "clip": [clip for _, clip in drawn],
                "class": [name for name, _ in drawn],
                "level_dbfs": [round(levels[clip].dbfs, 2) for _, clip in drawn],
                "contrast_db": [round(levels[clip].contrast_db, 2) for _, clip in drawn],
                "audible_seconds": [
                    round(levels[clip].seconds_above(is_loud_enough.floor_dbfs), 2)
                    for _, clip in drawn
                ],
            }
        )
    )
    write_rows(table, path_to_stimuli)
    faint = [clip for clip, level in levels.items() if not is_loud_enough(level)]
    say_what_is_missing(candidates, drawn, n_stimuli, faint)
    return {"n_stimuli": len(drawn), "n_faint": len(faint)}


def say_what_is_missing(
    candidates: dict[str, list[str]], drawn: list[tuple[str, str]], n_stimuli: int, faint: list[str]
) -> None:
    """A note where there are fewer stimuli than were asked for, or fewer of some class."""
    n_of = {name: sum(name == other for other, _ in drawn) for name in candidates}
    if faint:
        log.info("not audible by listening_test.audible: %s", ", ".join(sorted(faint)))
    if len(drawn) < n_stimuli:
        log.warning(
            "note: %d stimuli in the place of %d: no more test clips are rightly predicted and "
            "audible",
            len(drawn),
            n_stimuli,
        )
    if scarce := [f"{name} {n}" for name, n in n_of.items() if n < max(n_of.values()) - 1]:
        log.warning("note: of some classes there are few stimuli: %s", ", ".join(scarce))


if __name__ == "__main__":
    perform(snakemake, choose_stimuli, fold=open_fold)
