"""Small runs made up: results by name with their records, each made of those before it.

What a result holds follows from what made it and from what it was made of, so a difference reaches
all that hangs on it, and nothing else.
"""

from __future__ import annotations

import json
from pathlib import Path

from helpers.records import write_record
from l2i.hashing import file_sha256
from l2i.provenance.fingerprints import settings_fingerprint
from l2i.provenance.records import record_path

ROOT = "results/toy"
FULL_TABLE = "system,dataset,metric,condition,mean,spread,n,low,high\n"


def evaluation(system, dataset="esc50"):
    return f"evaluation/{dataset}/fold1/{system}/default/run0/fidelity.csv"


def model(system, dataset="esc50"):
    return f"systems/{dataset}/fold1/{system}/default/run0/model.safetensors"


def chain(code):
    """A dictionary under `att` alone, `max` beside it, and one table of both on two data sets."""
    index = {dataset: f"datasets/{dataset}/index.csv" for dataset in ("esc50", "sonyc_ust")}
    learned = "dictionary/esc50/fold1/default/dictionary.safetensors"
    results = {
        index[dataset]: {"rule": "index_dataset", "wildcards": {"dataset": dataset}}
        | {"outside": {"audio": f"data/{dataset}"}, "settings": {"subset": "all"}}
        for dataset in index
    }
    results[learned] = {
        "rule": "learn_dictionary",
        "wildcards": {"dataset": "esc50", "fold": "1"},
        "settings": {"seed": 0, "n_components": 8},
        "inputs": {index["esc50"]: "index"},
    }
    for dataset, system in (("esc50", "att"), ("esc50", "max"), ("sonyc_ust", "att")):
        wildcards = {"dataset": dataset, "fold": "1", "system": system, "run": "0"}
        below = {index[dataset]: "index"}
        below |= {learned: "dictionary"} if (dataset, system) == ("esc50", "att") else {}
        results[model(system, dataset)] = {
            "rule": "train_system",
            "wildcards": wildcards,
            "settings": {"seed": 0, "system": {"epochs": 2}},
            "inputs": below,
        }
        results[evaluation(system, dataset)] = {
            "rule": "measure_fidelity",
            "wildcards": wildcards,
            "inputs": {model(system, dataset): "system"},
        }
    results["tables/table_4.csv"] = {
        "rule": "tabulate_fidelity",
        "settings": {
            "datasets": [{"name": "esc50", "few": 1}, {"name": "sonyc_ust", "few": 1}],
            "n_bootstrap": 200,
        },
        "inputs": {
            evaluation(system, dataset): "clips"
            for dataset, system in (("esc50", "att"), ("esc50", "max"), ("sonyc_ust", "att"))
        },
    }
    for result in results.values():
        result.setdefault("code", code)
    return results


CODE = {"l2i/nmf.py": {"(module)": "0" * 32, "learn": "1" * 32}}


def make_run(folder, change=None, *, code=CODE, configuration=None, table=None):
    """Write a run.

    Parameters
    ----------
    folder : Path
    change : callable, optional
        Is given the results by name, as `chain` makes them, to change them. ``salt`` stands for
        what no record tells, and ``record`` for other parts of records.
    code : mapping or None
        What all code does; None leaves no note of it.
    configuration : mapping, optional
    table : str, optional
        Rows of the table, in place of those that follow from its inputs.
    """
    parts = code or {"lost": {}}
    results = chain(settings_fingerprint(parts))
    if change is not None:
        change(results)
    for name, result in results.items():
        _write(Path(folder), name, result, results, table)
    notes = Path(folder, ".run")
    (notes / "code").mkdir(parents=True)
    if code is not None:
        (notes / "code" / f"{settings_fingerprint(code)}.json").write_text(json.dumps(code))
    if configuration is not None:
        (notes / "configuration.json").write_text(json.dumps(configuration))
    return Path(folder)


def _write(folder, name, result, results, table):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    inputs = result.get("inputs", {})
    held = {each: file_sha256(folder / each) for each in inputs}
    outside = result.get("outside", {})
    facts = [result["rule"], result.get("settings"), result["code"], result.get("salt")]
    text = settings_fingerprint([*facts, sorted(held.values()), outside, result.get("data")])
    if name.startswith("tables/"):
        rows = "".join(_row(each, results[each], held[each]) for each in inputs)
        text = FULL_TABLE + (rows if table is None else table)
    path.write_text(text)
    write_record(path, result.get("settings", {}))
    record = json.loads(record_path(path).read_text())
    known = {"kind": "file", "size_bytes": 1, "hash": "known"}
    record |= {"rule": result["rule"], "wildcards": result.get("wildcards", {})}
    record["output"]["path"] = f"{ROOT}/{name}"
    record["fingerprints"]["code"] = result["code"]
    record["inputs"] = [
        {"name": what, "path": f"{ROOT}/{each}", "sha256": held[each]} | known
        for each, what in inputs.items()
    ]
    record["inputs"] += [
        {"name": what, "path": place, "sha256": result.get("data", "d" * 64)} | known
        for what, place in outside.items()
    ]
    record |= result.get("record", {})
    record_path(path).write_text(json.dumps(record))


def _row(name, result, sha256):
    """A number that hangs on all of what it was measured of."""
    mean = int(sha256[:6], 16) / 2**24
    keys = f"{result['wildcards']['system']},{result['wildcards']['dataset']}"
    return f"{keys},top_1_fidelity,,{mean:.6g},0.1,5,{mean - 0.1:.6g},{mean + 0.1:.6g}\n"
