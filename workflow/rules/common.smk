"""Shared names and helpers; no targets here."""

import functools
import json
import re
from pathlib import PurePosixPath

import yaml

from l2i.fingerprints import canonical_json, code_fingerprint, environment_fingerprint

RESULTS = f"results/{config['name']}"
# What makes a result is the environment it is computed in, not the one that plans the work.
ENV = environment_fingerprint(PROJECT / "envs" / "compute.txt")
# Asked of the scheduler by the rules that use a GPU.
GPU = 0 if config["machine"]["device"] == "cpu" else 1
# Lists of `run:` over which a wildcard runs.
RUN_LISTS = {"dataset": "datasets", "fold": "folds", "system": "systems", "run": "seeds"}


wildcard_constraints:
    dataset="|".join(map(re.escape, config["datasets"])),
    fold=r"\d+",
    system="|".join(map(re.escape, config["systems"])),
    run=r"\d+",
    weights="|".join(map(re.escape, config["weights"])),


def settings(*paths):
    """The parts of the configuration that a rule uses, as canonical JSON.

    `settings("datasets/{dataset}/dictionary", "seed")` gives `{"dictionary": {...}, "seed": 0}`:
    keys are the last names of the paths, wildcards in braces are filled in (a wildcard at the end
    gives its own name). Always a function of wildcards alone: Snakemake would read the braces of
    a text as wildcards, and forgets params that depend on input, threads or resources.
    """
    names = [PurePosixPath(path).name.strip("{}") for path in paths]
    if len(set(names)) < len(names) or any(path.startswith("machine") for path in paths):
        raise ValueError(f"settings{paths}: last names must differ, `machine` is no setting")

    def text(wildcards):
        return canonical_json(
            {name: _looked_up(path.format(**wildcards)) for name, path in zip(names, paths)}
        )

    return text


def _looked_up(path):
    value = config
    for part in PurePosixPath(path).parts:
        if part not in value:
            raise KeyError(f"the configuration has no {path}: {part} is not there")
        value = value[part]
    return value


@functools.cache
def code(script):
    """Fingerprint of a script and of all library code that it uses."""
    return code_fingerprint(WORKFLOW / "scripts" / f"{script}.py", WORKFLOW)


def over_runs(pattern):
    """`pattern` over the lists of `run:`, for those of its wildcards that the job leaves open."""
    open_names = set(re.findall(r"{(\w+)}", pattern))

    def paths(wildcards):
        bound = {name: wildcards[name] for name in open_names if name in wildcards.keys()}
        lists = {name: config["run"][RUN_LISTS[name]] for name in open_names - bound.keys()}
        return expand(pattern, **bound, **lists)

    return paths


def published_weights(wildcards):
    """The weights that a classifier starts from; none where it starts from scratch."""
    weights = config["datasets"][wildcards.dataset]["classifier"]["weights"]
    return [] if weights == "scratch" else [f"{RESULTS}/weights/{weights}.safetensors"]


def fetched(wildcards):
    """What the index waits for: a download, or nothing where the corpus lies in a local folder."""
    source = config["datasets"][wildcards.dataset]["source"]
    return f"{DATASETS}/fetched.json" if source == "download" else []


def table_settings(*paths, paper, **of_each_dataset):
    """`settings(*paths)`, what the paper prints in its table of the number `paper`, and for each
    other keyword a mapping of data set to that part of its settings.

    The paper's numbers are a setting and no input file: what else stands in that file, comments
    for instance, reruns nothing.
    """

    def text(wildcards):
        parts = {
            name: {
                dataset: _looked_up(f"datasets/{dataset}/{path}")
                for dataset in config["run"]["datasets"]
            }
            for name, path in of_each_dataset.items()
        }
        parts["paper"] = _printed(paper)
        return canonical_json(json.loads(settings(*paths)(wildcards)) | parts)

    return text


@functools.cache
def _printed(table):
    """What the paper prints in one table, with the names of systems and metrics."""
    path = WORKFLOW / "reference" / "paper.yaml"
    reference = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {
        "systems": reference["systems"],
        "metrics": reference["metrics"],
        "tables": {str(table): reference["tables"][str(table)]},
        "numbers": [number for number in reference["numbers"] if number["table"] == table],
    }
