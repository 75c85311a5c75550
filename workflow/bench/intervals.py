"""How often intervals hold the truth, and verdicts find a difference where there is none.

    make coverage

Test sets are made up, and the code of the tables takes their numbers. The truth is the mean of a
number over all test sets of the same kind and size.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr, ndtri

from l2i.reporting.beside_paper import welch_margin
from l2i.reporting.comparisons import difference_metric
from l2i.reporting.quantities import quantity
from l2i.reporting.removals import MEAN, MEDIAN, values
from l2i.reporting.scores import (
    ClipScore,
    Score,
    class_scores,
    classification_scores,
    compared_by,
    fidelity_scores,
)

CLASSES = [f"class {i}" for i in range(8)]
CONFIDENCE, BAR, SEED = 0.95, (0.92, 0.97), 20260725


class Design(NamedTuple):
    """A kind of test set: clips, share of them that hold a class, sources, and how good f is.

    Without `n_sources` each clip has one of its own; else it is of one at random, and `likeness` is
    the correlation of what two clips of a source hold, and of how they are answered. `strength` is
    how many standard deviations lie between the logits of positives and negatives.
    """

    n_clips: int
    prevalence: float
    n_sources: int | None = None
    likeness: float = 0.0
    strength: float = 2.0

    def __str__(self) -> str:
        """In print."""
        sources = f", {self.n_sources} sources" if self.n_sources else ""
        return f"{self.n_clips} clips, {self.prevalence:g}{sources}, d = {self.strength:g}"


DESIGNS = [
    Design(n_clips, prevalence, n_sources, likeness, strength)
    for n_clips, prevalence, clustered in ((60, 0.1, (30, 0.3)), (664, 0.05, (48, 0.2)))
    for n_sources, likeness in ((None, 0.0), clustered)
    for strength in (2.0, 3.0)
]

# A number of two systems' clips, as tables have it; the second is there to be subtracted.
Number = Callable[..., dict[str, float]]


def test_set(design: Design, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same clips answered by two systems, of which the second is a little worse."""
    n, C = design.n_clips, len(CLASSES)
    source = rng.integers(design.n_sources, size=n) if design.n_sources else np.arange(n)

    def alike(size: int) -> np.ndarray:
        """Normal numbers (n, size) that sources have in common in part."""
        common = rng.standard_normal((source.max() + 1, size))[source]
        own = rng.standard_normal((n, size))
        return np.sqrt(design.likeness) * common + np.sqrt(1 - design.likeness) * own

    label = alike(C) > ndtri(1 - design.prevalence)
    logits = 1.5 * (design.strength * label + alike(C) - 2)
    worse = logits - 0.4 * label + 0.8 * rng.standard_normal((n, C))
    hard, steep = ndtr(alike(1))[:, 0], ndtr(alike(1))[:, 0]
    key = {"fold": "official", "run": 0, "draw": 0, "clip": [f"c{i:04d}" for i in range(n)]}
    key |= {"source": [f"s{i:04d}" for i in source], "probability": 0.5}
    systems = []
    for answers, slips in ((logits, 0.0), (worse, 0.08 * rng.random(n) - 0.02)):
        columns = key | {"correct": (hard + slips < 1 - design.prevalence).astype(int)}
        columns |= {"probability_drop": 0.9 * steep**4 - 0.02 * (1 - steep)}
        for i, name in enumerate(CLASSES):
            p = expit(answers[:, i])
            columns |= {f"label_{name}": label[:, i] * 1.0, f"probability_{name}": p}
            columns |= {f"decided_{name}": (p >= 0.5).astype(int)}
        systems.append(pd.DataFrame(columns))
    return systems[0], systems[1]


def numbers() -> dict[str, Number]:
    """What tables print, by name: scores, means and medians of values, differences."""
    areas, signs = (classification_scores(metric, CLASSES, []) for metric in ("auprc", "f1"))
    accuracy = classification_scores("accuracy", [], [])
    at_11 = [s for s in fidelity_scores("auprc", CLASSES, []) if s.metric.endswith("_11")]
    of_class = [
        s for m in ("auprc", "f1") for s in class_scores(m, CLASSES[0], of_interpreter=False)
    ]
    found: dict[str, Number] = {}
    for score in (*accuracy, *areas, *signs, *of_class):
        found[score.metric] = partial(_of_first, score)
    for score in at_11:
        found[score.metric] = partial(_of_interpreter, score)
    found["ff_median"] = partial(_of_drops, MEDIAN)
    found["ff_mean"] = partial(_of_drops, MEAN)
    for scores in (accuracy, areas, signs):
        score = compared_by(scores)
        found[difference_metric(score.metric)] = score.difference
    return found


def _of_first(
    score: Score | ClipScore, clips: pd.DataFrame, other: pd.DataFrame, **how: Any
) -> dict[str, float]:
    return score.number(clips, **how)


def _of_interpreter(
    score: Score | ClipScore, clips: pd.DataFrame, other: pd.DataFrame, **how: Any
) -> dict[str, float]:
    """As if the labels were decisions of a classifier that is followed."""
    renamed: dict[str, pd.Series] = {}
    for name in CLASSES:
        renamed |= {f"decided_{name}": clips[f"label_{name}"]}
        renamed |= dict.fromkeys(
            (f"classifier_{name}", f"interpreter_{name}"), clips[f"probability_{name}"]
        )
    return score.number(clips.assign(**renamed), **how)


def _of_drops(
    measure: Number, clips: pd.DataFrame, other: pd.DataFrame, **how: Any
) -> dict[str, float]:
    return measure(values(clips, "probability_drop"), **how)


def trial(
    design: Design, i: int, n_bootstrap: int, names: Iterable[str]
) -> list[tuple[float, float, float]]:
    """Each number of the i-th test set, and the ends of its interval."""
    pair = test_set(design, np.random.default_rng([SEED, i]))
    how = {"statistics": {"n_bootstrap": n_bootstrap, "confidence": CONFIDENCE}, "seed": i}
    found = numbers()
    rows = [found[name](*pair, **how) for name in names]
    return [(row["mean"], row["low"], row["high"]) for row in rows]


def coverage(
    design: Design,
    *,
    n_trials: int,
    n_bootstrap: int,
    names: Iterable[str] | None = None,
    n_workers: int | None = 1,
) -> pd.DataFrame:
    """How often intervals of a kind of test set hold the truth.

    Parameters
    ----------
    design : Design
    n_trials : int
        Test sets. The truth is the mean of their numbers.
    n_bootstrap : int
        Resamplings of each.
    names : iterable of str, optional
        Some of `numbers`; all by default.
    n_workers : int, optional
        Processes; as many as there are cores where None.

    Returns
    -------
    DataFrame
        By name: ``truth``, ``sd`` of the number, ``coverage``, mean ``width``, and the share of
        intervals that lie ``above`` the truth. Test sets in which a number has no interval do not
        count.
    """
    names = [*(names or numbers())]
    jobs = (repeat(design), range(n_trials), repeat(n_bootstrap), repeat(names))
    if n_workers == 1:
        trials = [*map(trial, *jobs)]
    else:
        with ProcessPoolExecutor(n_workers) as pool:
            trials = [*pool.map(trial, *jobs, chunksize=10)]
    number, low, high = np.moveaxis(np.array(trials), 2, 0)
    truth, known = np.nanmean(number, axis=0), ~np.isnan(low)

    def share(those: np.ndarray) -> np.ndarray:
        return (those & known).sum(axis=0) / known.sum(axis=0)

    return pd.DataFrame(
        {
            "truth": truth,
            "sd": np.nanstd(number, axis=0),
            "coverage": share((low <= truth) & (truth <= high)),
            "width": np.nanmean(high - low, axis=0),
            "above": share(low > truth),
        },
        index=names,
    )


def false_differences(n: int, paper_n: int, *, n_pairs: int) -> float:
    """Share of pairs of one and the same normal process whose verdict is `differs`."""
    rng = np.random.default_rng(SEED)
    sides = rng.standard_normal((n_pairs, n)), rng.standard_normal((n_pairs, paper_n))
    return float(
        np.mean(
            [
                abs(x.mean() - y.mean()) > welch_margin((x.std(), n), (y.std(), paper_n))
                for x, y in zip(*sides, strict=True)
            ]
        )
    )


def page(tables: dict[Design, pd.DataFrame], n_trials: int, n_pairs: int) -> str:
    """The report."""
    low, high = BAR
    lines = [
        "# Coverage of intervals",
        "",
        f"Share of {CONFIDENCE * 100:g} % intervals that hold the truth, over {n_trials} test sets "
        f"each; bold where it is not between {low:g} and {high:g}. By design: clips, share of them "
        "that hold a class, sources of several clips, and how many standard deviations d lie "
        "between the logits of positives and negatives.",
        "",
        f"| number | {' | '.join(map(str, tables))} |",
        "|---" * (1 + len(tables)) + "|",
    ]
    for name in numbers():
        shares = [table.at[name, "coverage"] for table in tables.values()]
        cells = [f"{s:.3f}" if low <= s <= high else f"**{s:.3f}**" for s in shares]
        lines.append(f"| {quantity(name).title} | {' | '.join(cells)} |")
    lines += [
        "",
        "| values | values of the paper | verdict `differs` for one and the same process |",
    ]
    lines.append("|---|---|---|")
    for n, paper_n in ((3, 3), (3, 5), (5, 3), (5, 5)):
        rate = false_differences(n, paper_n, n_pairs=n_pairs)
        lines.append(f"| {n} | {paper_n} | {rate:.3f} |")
    return "\n".join(lines) + "\n"


def main(report: Path, n_trials: int, n_bootstrap: int, n_pairs: int = 20_000) -> None:
    """Run all simulations and write the report."""
    tables = {}
    for design in DESIGNS:
        print(f"{design} ...", flush=True)
        tables[design] = coverage(
            design, n_trials=n_trials, n_bootstrap=n_bootstrap, n_workers=None
        )
        print(tables[design].round(3).to_string(), flush=True)
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(page(tables, n_trials, n_pairs), encoding="utf-8")
    print(f"Written to {report}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=Path, default=Path("docs/coverage.md"))
    parser.add_argument("--trials", type=int, default=1000, help="test sets of each design")
    parser.add_argument("--resamplings", type=int, default=400, help="of each test set")
    options = parser.parse_args()
    main(options.report, options.trials, options.resamplings)
