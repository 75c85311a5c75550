"""What a run knows of one of its models: what it learned from, what it scores, what made it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, cast

from torch import nn

from cli.recomputation import recomputed_table
from l2i.checks import InputError
from l2i.datasets.fold import Fold
from l2i.hashing import file_sha256
from l2i.interpretation.model import Model
from l2i.names import CLASSIFIER
from l2i.provenance.runs import Run
from l2i.systems.trained import Trained
from l2i.tables import read_rows

# What the card shows of tables I (accuracy), IV (fidelity), V (faithfulness) and VIII (by design).
TABLES = ("table_1", "table_4", "table_5", "table_8")
NUMBER = ("metric", "condition", "mean", "low", "high")


def facts_of(run: Run, trained: Trained, model: Model) -> dict[str, Any]:
    """Plain values for the card of a model.

    Raises
    ------
    InputError
        If the model has no record, or a score is not what the run's tables were made of.
    """
    fold, identity = fold_of(trained, model), trained.identity
    record = _record(run, run.named(trained.path))
    return {
        **model.card,
        "classes": model.classes,
        "clips": {
            "train": len(fold.train_rows),
            "test": len(fold.test_rows),
            "test_recordings": int(fold.index["source"].iloc[fold.test_rows].nunique()),
            "listing_sha256": file_sha256(_listing(trained)),
        },
        "measured": [*measured(run, trained, model.threshold)],
        "made_by": {
            "commit": (record["git"] or {}).get("commit"),
            "uncommitted_changes": (record["git"] or {}).get("dirty"),
            "code_sha256": record["fingerprints"]["code"],
            "settings_sha256": record["fingerprints"]["settings"],
            "interpreter_sha256": record["output"]["sha256"],
            "classifier_sha256": identity["classifier_sha256"],
            "train_clips_sha256": identity["train_clips_sha256"],
            "precision": record["runtime"]["precision"],
            "torch": record["software"].get("torch"),
            "finished_at": record["finished_at"],
        },
        "n_parameters": sum(
            int(p.numel())
            for network in (model.explained.classifier, model.explained.interpreter)
            for p in cast(nn.Module, network).parameters()
        ),
    }


def fold_of(trained: Trained, model: Model) -> Fold:
    """The fold that a model was made for."""
    identity = trained.identity
    index = read_rows(_listing(trained), columns=("clip",))
    return Fold(
        identity["dataset"],
        identity["fold"],
        index,
        model.classes,
        model.front_end,
        model.waveform_scale,
    )


def measured(run: Run, trained: Trained, threshold: float) -> Iterator[dict[str, Any]]:
    """Numbers of the run's tables, made anew of the test clips of one fold and run alone.

    Those that hang on a threshold of relevance are taken at `threshold`.

    Yields
    ------
    dict
        table, metric, condition, mean, and low and high ends of its interval.
    """
    for table in TABLES:
        name = run.named(run.folder / "tables" / f"{table}.csv")
        if (record := run.record(name)) is None:
            continue
        alone = _alone(record, run, trained)
        if not any(each["name"].endswith("clips") for each in alone["inputs"]):
            continue
        _require_scores(alone, run)
        confidence = {"confidence": record["settings"]["statistics"]["confidence"]}
        rows = recomputed_table(alone, run.file, lambda path: _record(run, path), full=True)
        # Table VIII repeats what Table I says of the classifier.
        systems = [trained.identity["system"], *([CLASSIFIER] if table == "table_1" else [])]
        of_model = rows["system"].isin(systems)
        as_it_listens = rows["condition"].isna() | (rows["condition"] == f"threshold={threshold:g}")
        for row in rows[of_model & as_it_listens & rows["mean"].notna()].to_dict("records"):
            number = {key: row[key] for key in NUMBER if row[key] == row[key]}  # no NaN
            yield {"table": table, "system": row["system"], **confidence, **number}


def _alone(record: dict[str, Any], run: Run, trained: Trained) -> dict[str, Any]:
    """The record of a table as if it were of one data set, fold, system and run."""
    identity, settings = trained.identity, dict(record["settings"])
    settings["datasets"] = [
        each for each in settings["datasets"] if each["name"] == identity["dataset"]
    ]
    if "systems" in settings:
        settings["systems"] = [each for each in settings["systems"] if each == identity["system"]]
    inputs = [each for each in record["inputs"] if _concerns(each["path"], run, trained)]
    return {**record, "settings": settings, "inputs": inputs}


def _concerns(path: str, run: Run, trained: Trained) -> bool:
    """Whether a file is no file of scores, or one of this model or its classifier."""
    if not run.is_of_run(path):
        return True
    identity = trained.identity
    stage, *rest = PurePosixPath(path).relative_to(run.root).parts
    fold = [identity["dataset"], f"fold{identity['fold']}"]
    mine = [*fold, identity["system"], identity["variant"], f"run{identity['run']}"]
    return stage != "evaluation" or rest[:-1] in (fold, mine)


def _require_scores(record: dict[str, Any], run: Run) -> None:
    for used in record["inputs"]:
        path = run.file(used["path"])
        if not path.is_file() or file_sha256(path) != used["sha256"]:
            raise InputError(
                f"{path} is not what {record['output']['path']} was made of: give your command "
                "again, which makes the table anew"
            )


def _record(run: Run, name: str) -> dict[str, Any]:
    found = run.record(name)
    if found is None:
        raise InputError(f"{run.file(name)} has no record that can be read: l2i audit verify")
    return found


def _listing(trained: Trained) -> Path:
    return trained.run_folder / "datasets" / trained.identity["dataset"] / "index.csv"
