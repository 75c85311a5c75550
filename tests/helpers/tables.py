"""Scores of clips as the scripts write them, what tables are asked for, and how rows are found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import yaml

from configuration.reading import resolved
from configuration.systems import titles_of
from helpers.project import PROJECT

CONFIG = resolved(yaml.safe_load((PROJECT / "config.yaml").read_text(encoding="utf-8")))
TITLES = titles_of(
    CONFIG,
    systems=CONFIG["systems"],
    datasets=[],
    as_classifiers=[name for name, entry in CONFIG["systems"].items() if "as_classifier" in entry],
)
STATISTICS = {"n_bootstrap": 50, "n_permutations": 200, "confidence": 0.9}
METRICS = {"esc50": "accuracy", "esc10": "accuracy", "sonyc_ust": "auprc", "openmic": "f1"}


def page_of(titles=TITLES, title="Table S9: numbers"):
    """What settings say of a page."""
    return {"title": title, "caption": ["What is seen."], "titles": dict(titles)}


def pages_in(folder, name="table"):
    """Where the pages of a table go."""
    return [str(folder / f"{name}.{suffix}") for suffix in ("md", "html", "tex")]


# ---------------------------------------------------------------- settings


def of_datasets(*names, **said):
    """What tables are told of data sets; `said` differs from the paper, by key and name."""
    return [
        {"name": name, "metric": METRICS[name], "excluded_classes": []}
        | {"paper_dataset": name, "paper_comparable": True}
        | {key: values[name] for key, values in said.items() if name in values}
        for name in names
    ]


# ---------------------------------------------------------------- rows of clips
# Each clip is a source of its own, until a test says otherwise.


def classified(correct, system="l2i_bd", fold=1, run=0, probability=0.5, dataset="esc50"):
    """Rows of classification.csv of one class a clip; without runs where `system` is None."""
    clips = [f"{fold}-{i:02d}" for i in range(len(correct))]
    key = {"dataset": dataset, "fold": str(fold), "source": clips, "clip": clips}
    key |= {} if system is None else {"system": system, "variant": "default", "run": run}
    rows = {"label": 0, "predicted": 0, "probability": probability, "correct": correct}
    return pd.DataFrame(key | rows | {"cross_entropy": 1.0})


def followed(says, fold=1, run=0, label=0, system="l2i_att", probability=0.5):
    """Rows of fidelity.csv of one class a clip, `says` being the interpreter's classes."""
    clips = [f"{fold}-{i:02d}" for i in range(len(says))]
    key = {"dataset": "esc50", "fold": str(fold), "system": system, "variant": "default"}
    key |= {"run": run, "source": clips, "clip": clips, "label": label}
    scores = {"classifier_class": 9, "interpreter_class": says, "rank": 1}
    scores |= {"classifier_probability": 0.5, "interpreter_probability": probability}
    return pd.DataFrame(key | scores)


def found_in_company(
    improvement, system="l2i_att", snr_db=0, kind="noise", predictor="classifier", **columns
):
    """Rows of corruption.csv; without a run where `predictor` is None, as of references."""
    clips = [f"1-{i:02d}" for i in range(len(improvement))]
    key = {"dataset": "esc50", "fold": "1", "source": clips, "system": system}
    if predictor is not None:
        key |= {"variant": "default", "run": 0, "predictor": predictor}
    key |= {"clip": clips, "class": "dog", "kind": kind, "snr_db": snr_db, "partner": ""}
    scores = {"right_when_clean": 1, "survives": 1, "n_selected": 3, "empty": 0}
    scores |= {"mixture_si_sdr": float(snr_db), "mixture_other_si_sdr": -float(snr_db)}
    improvement = np.asarray(improvement, dtype=float)
    scores["interpretation_si_sdr"] = snr_db + improvement
    scores["interpretation_improvement"] = improvement
    scores["remainder_si_sdr"] = 2 * improvement - snr_db
    scores["remainder_improvement"] = 2 * improvement
    return pd.DataFrame(key | scores | columns)


def fidelity_ranks(ranks, system="l2i_att", fold=1, run=0, probability=0.5):
    """Rows of fidelity.csv of one class a clip, `ranks` being those of the classifier's class."""
    return followed([0] * len(ranks), fold, run, system=system, probability=probability).assign(
        rank=ranks
    )


def faithfulness_drops(
    drops, removal="relevant", threshold=0.1, fold=1, draw=0, n_removed=4, **columns
):
    """Rows of faithfulness.csv of one class a clip, `drops` being those of its probability."""
    key = {"dataset": "esc50", "fold": fold, "system": "l2i_att", "run": 0} | columns
    key |= {"variant": "default", "class": "dog"}
    clips = [f"{fold}-{i}" for i in range(len(drops))]
    what = {"removal": removal, "threshold": threshold, "draw": draw, "matched": 1}
    what |= {"n_removed": n_removed, "energy_removed": 0.5, "probability_drop": drops}
    return pd.DataFrame({"clip": clips, "source": clips} | what | key)


def with_nothing(frames, drop=0.0):
    """Rows of faithfulness.csv, and those of the same clips with nothing removed, if they lack."""
    rows = pd.concat(frames)
    if (rows["removal"] == "nothing").any():
        return rows
    clips = rows[rows["removal"] == "relevant"]
    clips = clips.drop_duplicates(["dataset", "fold", "system", "run", "clip", "class"])
    nothing = {"removal": "nothing", "threshold": np.nan, "draw": 0, "matched": 0}
    nothing |= {"n_removed": 0, "energy_removed": 0.0, "probability_drop": drop}
    return pd.concat([rows, clips.assign(**nothing)])


def masked(system, drops, dataset="esc50", names=None, **columns):
    """Rows of masks.csv; `drops` by operator, a list of one for each decision.

    `names` are clip and class of each.
    """
    frames = []
    for operator, values in drops.items():
        each = names or [(f"c{i}", "dog") for i in range(len(values))]
        of_clip = {
            "source": [f"of {clip}" for clip, _ in each],
            "clip": [clip for clip, _ in each],
            "class": [name for _, name in each],
        }
        key = {"dataset": dataset, "fold": "1", "system": system, "variant": "default", "run": 0}
        scores = {
            **dict.fromkeys(("increase", "decided_in", "empty"), 0),
            **dict.fromkeys(("relative_drop", "relative_gain", "insertion", "deletion"), 0.5),
            **dict.fromkeys(("sparseness", "complexity", "energy_kept"), 0.25),
        }
        what = {"operator": operator, "probability_drop": values}
        what["probability_out"] = 0.99 - np.asarray(values, dtype=float)
        frames.append(pd.DataFrame(key | of_clip | scores | what).assign(**columns))
    return pd.concat(frames, ignore_index=True)


def tags(
    dataset, name="classification", n=12, classes=("dog", "music"), system="l2i_att", **changes
):
    """Rows of a data set with several labels a clip, in which everybody is right everywhere.

    Clip i holds the first class if i is odd, the second if i is a multiple of 3. Scores fall with
    the number of the clip; decisions are from 0.5 on.
    """
    clip = np.arange(n)
    key = {"dataset": dataset, "fold": "official"}
    if name == "fidelity":
        key |= {"system": system, "variant": "default", "run": 0}
    columns = {}
    for place, each in enumerate(classes):
        truth = (clip % 2 == 1) if place == 0 else (clip % 3 == 0)
        score = np.where(truth, 0.9, 0.4) - 0.01 * clip
        columns |= {f"label_{each}": truth.astype(int), f"decided_{each}": truth.astype(int)}
        if name == "fidelity":
            columns |= {f"classifier_{each}": score, f"interpreter_{each}": score}
        else:
            columns |= {f"probability_{each}": score}
    losses = {"fidelity_loss": 0.5, "reconstruction_loss": 0.25, "sparsity_loss": 0.1}
    losses = losses if name == "fidelity" else {}
    names = [f"c{i:02d}" for i in clip]
    rows = pd.DataFrame(key | {"source": names, "clip": names} | columns | losses)
    return rows.assign(**changes)


def tagged(dataset="sonyc_ust", system="l2i_bd", run=0, **changes):
    """Rows of classification.csv of several labels a clip, everybody being right."""
    return tags(dataset, system=system).assign(system=system, variant="default", run=run, **changes)


# ---------------------------------------------------------------- rows of tables


def one(table, **wanted):
    """The only row of a table that has these values."""
    rows = table
    for column, value in wanted.items():
        rows = rows[rows[column] == value]
    assert len(rows) == 1, f"{len(rows)} rows of {wanted}"
    return rows.iloc[0]


def number_of(table, metric, condition="", system="base_f"):
    """The row of a metric of a system, where an empty condition is none."""
    table = table.assign(condition=table["condition"].astype(object).fillna(""))
    return one(table, metric=metric, condition=condition, system=system)
