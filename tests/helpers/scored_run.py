"""A run's tables and figures on scores made up, each with the record of how it came about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from configuration.job_settings import printed_in
from helpers.project import load_script
from helpers.sanity_scores import (
    RETRAINED,
    relevance_rows,
    retrained_scores,
    sanity_scores,
)
from helpers.tables import (
    TITLES,
    classified,
    faithfulness_drops,
    fidelity_ranks,
    found_in_company,
    masked,
    of_datasets,
    page_of,
    pages_in,
    tags,
)
from l2i.disk import write_text
from l2i.tables import read_rows, write_rows

STATISTICS = {"n_bootstrap": 20, "n_permutations": 20, "confidence": 0.9}
HOW = {"statistics": STATISTICS, "seed": 0}
CLASSES = ["engine", "dog, or a cat", "car-horn"]
TAGGED = ["sonyc_ust"]


@dataclass
class ScoredRun:
    """Scores, tables and records below a folder; records name files as Snakemake would."""

    folder: Path
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)  # name -> path in its record

    def path_of(self, recorded: str) -> Path:
        return self.folder / recorded

    def record_of(self, recorded: str) -> dict[str, Any]:
        return self.records[recorded]

    def record(self, table: str) -> dict[str, Any]:
        return self.records[self.tables[table]]

    def rows(self, table: str) -> pd.DataFrame:
        return read_rows(self.path_of(self.tables[table]), fold=str)

    def change(self, recorded: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
        write_rows(change(read_rows(self.path_of(recorded), fold=str)), self.path_of(recorded))

    def measured(self, kind: str, rows: pd.DataFrame, **wildcards: Any) -> str:
        """Write scores of clips under the name that their wildcards give."""
        name = "-".join(str(value) for value in wildcards.values())
        recorded = f"results/{name}/{kind}.csv"
        self.path_of(recorded).parent.mkdir(parents=True, exist_ok=True)
        write_rows(rows, self.path_of(recorded))
        self.records[recorded] = {"wildcards": {k: str(v) for k, v in wildcards.items()}}
        return recorded

    def trained(self, n: int, **wildcards: Any) -> str:
        """A model that is nothing but its record."""
        recorded = f"results/models/{'-'.join(str(value) for value in wildcards.values())}"
        settings = {"n_epochs": 5 + n, "reconstruction_weight": 10.0, "sparsity_weight": 0.8}
        settings["fidelity_weight"] = [[1, 1.0]]
        self.records[recorded] = {
            "wildcards": {k: str(v) for k, v in wildcards.items()},
            "settings": {"system_settings": settings},
            "inputs": [{"name": "dictionary", "path": "results/dictionary"}],
            "facts": {"n_parameters": 1000, "seconds_per_epoch": 0.5 + n},
            "runtime": {"n_threads": 1, "device": "cpu", "precision": "float32"}
            | {"peak_memory_bytes": 10**9},
            "host": {"cpu": "a, b"},
            "accelerator": None,
            "seconds": 3.0 + n,
        }
        return recorded

    def make(self, name: str, rule: str, inputs: dict[str, Any], **settings: Any) -> None:
        """Run the script of a rule, and keep what its record would say."""
        recorded = f"results/tables/{name}.csv"
        self.path_of(recorded).parent.mkdir(parents=True, exist_ok=True)
        wildcards = {"number": settings.pop("number")} if "number" in settings else {}
        if rule.startswith("draw"):
            settings["caption"] = {"title": f"Figure {name}", "text": "What it shows."}
        each = {key: [paths] if isinstance(paths, str) else paths for key, paths in inputs.items()}
        self.records[recorded] = {
            "rule": rule,
            "wildcards": wildcards,
            "settings": settings,
            "inputs": [{"name": key, "path": path} for key in each for path in each[key]],
            "output": {"path": recorded},
        }
        self.tables[name] = recorded
        of_records = {"record_of": self.record_of}
        where = str if rule in ("tabulate_cost", "tabulate_hyperparameters") else self._where
        given = {
            f"path_to_{key}": where(paths) if isinstance(paths, str) else [*map(where, paths)]
            for key, paths in inputs.items()
        }
        suffixes = {"table": "csv"}
        if rule.startswith("draw"):
            suffixes |= {"svg": "svg", "png": "png"}
        else:
            given["path_to_pages"] = pages_in(self.path_of(recorded).parent, name)
        for key, suffix in suffixes.items():
            given[f"path_to_{key}"] = self._where(f"results/tables/{name}.{suffix}")
        load_script(rule)(**given, **wildcards, **settings, **(of_records if where is str else {}))

    def _where(self, recorded: str) -> str:
        return str(self.path_of(recorded))


def scored_run(folder: Path, seed: int = 0) -> ScoredRun:
    """Two data sets, folds and runs that not all systems have, a classifier and two ablations."""
    run, rng = ScoredRun(folder), np.random.default_rng(seed)
    fidelity = [*_fidelity_of_esc50(run, rng), *_tagged(run, rng, "fidelity")]
    faithfulness = _faithfulness(run, rng)
    classifier = [
        run.measured(
            "classification",
            classified(rng.integers(0, 2, 12), None, fold),
            dataset="esc50",
            fold=fold,
        )
        for fold in (1, 2)
    ]
    classifier += _tagged(run, rng, "classification", [None])
    by_design = [
        run.measured(
            "classification",
            classified(rng.integers(0, 2, 12), system, fold),
            **{"dataset": "esc50", "fold": fold, "system": system, "variant": "default", "run": 0},
        )
        for system, fold in (("l2i_bd", 1), ("l2i_bd", 2), ("apnet", 1))
    ]
    by_design += _tagged(run, rng, "classification", ["l2i_bd", "apnet"])
    _make_tables(run, fidelity, faithfulness, classifier, by_design)
    _make_masks(run, rng)
    _make_ablations(run, rng)
    _make_of_settings(run)
    _make_corruption(run, rng)
    _make_sanity(run, rng)
    return run


def _make_tables(run, fidelity, faithfulness, classifier, by_design):
    datasets = of_datasets("esc50", *TAGGED, excluded_classes=dict.fromkeys(TAGGED, ["car-horn"]))
    systems = ["l2i_att", "l2i_max", "vibi"]
    designed = {"systems": ["l2i_bd", "apnet"], "as_classifier": {"l2i_att": "l2i_posthoc"}}
    of_att = [path for path in fidelity if run.records[path]["wildcards"]["system"] == "l2i_att"]
    said = {"datasets": datasets, "page": page_of(), **HOW}
    run.make(
        "table_1", "tabulate_classification", {"clips": classifier}, paper=printed_in(1), **said
    )
    run.make(
        *("table_4", "tabulate_fidelity", {"clips": fidelity}),
        systems=systems,
        top_k=[1, 3],
        paper=printed_in(4),
        **said,
    )
    of_fidelity = {"clips": fidelity, "classifier": [], "posthoc": []}
    run.make(
        *("comparisons_4", "compare_systems", of_fidelity),
        number="4",
        systems=systems,
        as_classifier={},
        **said,
    )
    inputs = {"clips": by_design, "classifier": classifier, "posthoc": of_att}
    run.make("table_8", "tabulate_by_design", inputs, paper=printed_in(8), **designed, **said)
    run.make(
        *("comparisons_8", "compare_systems", inputs),
        number="8",
        **designed,
        **said,
    )
    of_one = [path for path in faithfulness if "esc50" in path]
    run.make(
        *("table_5", "tabulate_faithfulness", {"clips": of_one}),
        systems=["l2i_att", "l2i_max"],
        thresholds=[0.5, 0.1],
        baselines=["unselected"],
        paper=printed_in(5),
        **{**said, "datasets": of_datasets("esc50")},
    )
    many = [path for path in faithfulness if path not in of_one]
    run.make(
        *("classes", "tabulate_classes"),
        {
            "classification": [path for path in classifier if "esc50" not in path],
            "fidelity": [p for p in fidelity if "esc50" not in p and "vibi" not in p],
            "faithfulness": many,
        },
        systems=["l2i_att", "l2i_max"],
        threshold=0.1,
        baselines=["unselected"],
        page=page_of(),
        datasets=[{"name": "sonyc_ust", "metric": "auprc"}],
        **HOW,
    )
    write_text(run.path_of("results/classes.json"), '["engine", "dog, or a cat", "car-horn"]')
    run.records["results/classes.json"] = {"wildcards": {"dataset": "sonyc_ust"}}
    run.make(
        *("figure_2", "draw_class_faithfulness"),
        {"clips": [path for path in many if "l2i_att" in path], "classes": "results/classes.json"},
        of={"dataset": "sonyc_ust", "system": "l2i_att"},
        threshold=0.1,
        baselines=["unselected"],
        excluded_classes=["car-horn"],
        titles=TITLES,
        **HOW,
    )


def _make_masks(run, rng):
    operators = ["log_magnitude", "noise_fill"]
    inputs = {name: [] for name in ("systems", "slime", "integrated_gradients", "grad_cam")}
    for dataset, fold in (("esc50", "1"), ("sonyc_ust", "official")):
        for system in ("l2i_att", "l2i_max", "slime"):
            drops = {operator: rng.random(7) for operator in operators}
            rows = masked(system, drops, dataset).assign(fold=fold)
            scores = {name: rng.random(14) for name in ("insertion", "deletion", "relative_drop")}
            key = {"dataset": dataset, "fold": fold}
            # Of a method that asks the classifier alone the file is of no system.
            named = {"system": system, "variant": "default"} if system != "slime" else {}
            path = run.measured("masks", rows.assign(**scores), **key, **named, run=0)
            inputs["slime" if system == "slime" else "systems"].append(path)
    run.make(
        *("faithfulness_more", "tabulate_masks", inputs),
        datasets=["esc50", "sonyc_ust"],
        systems=["l2i_att", "l2i_max"],
        methods=["slime"],
        operators=operators,
        page=page_of({**TITLES, "slime": "SLIME", "esc50": "ESC-50", "sonyc_ust": "SONYC-UST"}),
        **HOW,
    )


def _make_ablations(run, rng):
    rows, paths = [], []
    for variant, taps in (("taps-B3", ["B3"]), ("default", ["B4", "B5", "B6"])):
        ranks = fidelity_ranks(rng.integers(1, 6, 12)).assign(variant=variant)
        losses = {name: rng.random(12) for name in ("reconstruction_loss", "fidelity_loss")}
        key = {"dataset": "esc50", "fold": 1, "system": "l2i_att", "variant": variant}
        paths.append(run.measured("ablated", ranks.assign(**losses), **key, run=0))
        rows.append({**key, "fold": "1", "condition": {"fold": 1, "taps": taps}})
    run.make(
        *("table_6", "tabulate_ablation", {"clips": paths}),
        number="6",
        rows=rows,
        datasets=of_datasets("esc50"),
        paper=printed_in(6),
        page=page_of(),
        **HOW,
    )
    swept = [{**row, "n_components": n} for row, n in zip(rows, (8, 16), strict=True)]
    run.make(
        "figure_6", "draw_components_sweep", {"clips": paths}, rows=swept, titles=TITLES, **HOW
    )


def _make_sanity(run, rng):
    """Two systems, of which one was trained anew."""
    key = {"dataset": "esc50", "fold": 1, "system": "l2i_att", "variant": "default", "run": 0}
    other = {**key, "system": "l2i_max"}
    anew = {**key, "variant": RETRAINED["variant"]}
    inputs = {
        "sanity": [
            run.measured("sanity", sanity_scores(rng, system=of["system"]), **of)
            for of in (key, other)
        ],
        "relevances": [
            run.measured("relevances", relevance_rows(rng, system=of["system"]), **of)
            for of in (key, other)
        ],
        "exchanged": [
            run.measured("exchanged", relevance_rows(rng, system=of["system"]), **of)
            for of in (key, other)
        ],
    }
    kinds = ("retrained_relevances", "retrained_fidelity", "retrained_faithfulness")
    for kind, rows in zip(kinds, retrained_scores(rng), strict=True):
        inputs[kind] = [run.measured(kind, rows, **anew)]
    said = {"threshold": 0.1, "page": page_of(), **HOW}
    run.make("sanity", "tabulate_sanity", inputs, retrained=[RETRAINED], **said)


def _make_of_settings(run):
    models = [
        run.trained(n, dataset="esc50", fold=fold, system=system, variant="default", run=0)
        for n, (system, fold) in enumerate((("l2i_att", 1), ("l2i_att", 2), ("l2i_max", 1)))
    ]
    run.records["results/dictionary"] = {"settings": {"dictionary": {"n_components": 8}}}
    classifiers = [run.trained(5, dataset="esc50", fold=1)]
    inputs = {"systems": models, "classifiers": classifiers}
    named = {"datasets": ["esc50"], "systems": ["l2i_att", "l2i_max"], "page": page_of()}
    run.make("cost", "tabulate_cost", inputs, **named)
    run.make(
        *("table_2", "tabulate_hyperparameters", {"systems": models}),
        number="2",
        datasets=of_datasets("esc50"),
        paper=printed_in(2),
        page=page_of({}),
    )


def _make_corruption(run, rng):
    def rows(system, predictor):
        frames = [
            found_in_company(rng.normal(size=5), system, snr_db, predictor=predictor)
            for snr_db in (-10, 10)  # told apart by punctuation alone
        ]
        return pd.concat(frames)

    key = {"dataset": "esc50", "fold": 1}
    clips = [
        run.measured(
            "corruption",
            rows(system, predictor),
            **{**key, "system": system, "variant": "default", "run": 0},
        )
        for system, predictor in (("l2i_att", "classifier"), ("l2i_bd", "interpreter"))
    ]
    beside = pd.concat([rows(name, None) for name in ("slime", "oracle_mask")])
    run.make(
        *("corruption", "tabulate_corruption"),
        {"clips": clips, "references": [run.measured("references", beside, **key)]},
        datasets=["esc50"],
        systems=["l2i_att", "l2i_bd"],
        references=["slime", "oracle_mask", "mixture"],
        page=page_of({**TITLES, "slime": "SLIME"}),
        **HOW,
    )


def _fidelity_of_esc50(run, rng):
    files = [("l2i_att", 1, 0), ("l2i_att", 2, 0), ("l2i_att", 2, 1), ("l2i_max", 1, 0)]
    for system, fold, of_run in [*files, ("l2i_max", 2, 0), ("vibi", 1, 0)]:
        rows = fidelity_ranks(rng.integers(1, 6, 12), system, fold, of_run)
        rows["interpreter_class"] = rng.integers(0, 2, 12)
        key = {"dataset": "esc50", "fold": fold, "system": system}
        yield run.measured("fidelity", rows, **key, variant="default", run=of_run)


def _tagged(run, rng, kind, systems=("l2i_att", "l2i_max", "vibi")):
    for system in systems:
        for of_run in (0, 1) if system in ("l2i_att", "l2i_bd") else (0,):
            key = {"dataset": "sonyc_ust", "fold": "official"}
            if kind == "fidelity":
                rows = tags("sonyc_ust", kind, 12, CLASSES, system).assign(run=of_run)
            elif system is None:
                rows = tags("sonyc_ust", kind, 12, CLASSES)
            else:
                rows = tags("sonyc_ust", "classification", 12, CLASSES).assign(
                    system=system, variant="default", run=of_run
                )
            for name in CLASSES:
                scores = rng.random(12)
                for column in (f"interpreter_{name}", f"probability_{name}"):
                    rows = rows.assign(**{column: scores}) if column in rows else rows
            named = (
                {} if system is None else {"system": system, "variant": "default", "run": of_run}
            )
            yield run.measured(kind, rows, **key, **named)


def _faithfulness(run, rng):
    paths = []
    for dataset, fold, system in [
        *[("esc50", fold, system) for fold in (1, 2) for system in ("l2i_att", "l2i_max")],
        *[("sonyc_ust", "official", system) for system in ("l2i_att", "l2i_max")],
    ]:
        how = {"fold": fold, "system": system, "dataset": dataset}
        removals = [("relevant", 0.5, 0), ("relevant", 0.1, 0), ("random_unselected", 0.1, 0)]
        removals += [("random_unselected", 0.1, 1), ("nothing", np.nan, 0)]
        frames = [
            faithfulness_drops(rng.random(7), *removal[:2], draw=removal[2], **how).assign(
                **{"class": name, "n_removed": rng.integers(0, 4, 7)}
            )
            for name in (["dog"] if dataset == "esc50" else CLASSES)
            for removal in removals
        ]
        key = {"dataset": dataset, "fold": fold, "system": system, "variant": "default", "run": 0}
        paths.append(run.measured("faithfulness", pd.concat(frames), **key))
    return paths
