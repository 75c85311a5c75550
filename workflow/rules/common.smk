"""Shared names and helpers; no targets here."""

import functools
import json
import re
from pathlib import PurePosixPath

import yaml

from configuration.ablations import DEFAULT, ablation_rows, dictionary_variant, varied, variants
from l2i.provenance.fingerprints import (
    canonical_json,
    code_fingerprint,
    environment_fingerprint,
    settings_fingerprint,
)
from configuration.systems import MODULES, looked_up, trained_with, with_measure

RESULTS = f"results/{config['name']}"
# What makes a result is the environment it is computed in, not the one that plans the work.
ENV = environment_fingerprint(PROJECT / "envs" / "compute.txt")
# Asked of the scheduler by the rules that use a GPU.
GPU = 0 if config["machine"]["device"] == "cpu" else 1
VARIANTS = variants(config)
# Systems by what is measured of them.
WITH_FIDELITY, WITH_FAITHFULNESS, WITH_CLASSIFICATION, WITH_SOUNDS = (
    with_measure(config, measure)
    for measure in ("fidelity", "faithfulness", "classification", "sounds")
)


wildcard_constraints:
    dataset="|".join(map(re.escape, config["datasets"])),
    fold=r"\d+|official",
    system="|".join(map(re.escape, config["systems"])),
    variant="|".join(map(re.escape, VARIANTS)),
    run=r"\d+",
    weights="|".join(map(re.escape, config["weights"])),


def settings(*paths):
    """The parts of the configuration that a rule uses, as canonical JSON.

    `settings("datasets/{dataset}/dictionary", "seed")` gives `{"dictionary": {...}, "seed": 0}`:
    keys are the last names of the paths, wildcards in braces are filled in (a wildcard at the end
    gives its own name). A job of a variant gets the settings that the variant changes. Always a function of wildcards alone: Snakemake would read the braces of
    a text as wildcards, and forgets params that depend on input, threads or resources.
    """
    names = [PurePosixPath(path).name.strip("{}") for path in paths]
    if len(set(names)) < len(names) or any(path.startswith("machine") for path in paths):
        raise ValueError(f"settings{paths}: last names must differ, `machine` is no setting")

    def text(wildcards):
        varied_config = config
        if "variant" in wildcards.keys():
            varied_config = varied(config, wildcards.dataset, wildcards.variant)
        return canonical_json(
            {
                name: looked_up(varied_config, path.format(**wildcards))
                for name, path in zip(names, paths)
            }
        )

    return text


@functools.cache
def code(script):
    """Fingerprint of a script and of all library code that it uses."""
    return code_fingerprint(WORKFLOW / "scripts" / f"{script}.py", WORKFLOW)


@functools.cache
def _code_with(script, module):
    library = code_fingerprint(MODULES / f"{module}.py", WORKFLOW)
    return settings_fingerprint([code(script), library])


def code_of_system(script):
    """As `code`, of a script that finds the system's module of the library by its name."""
    return lambda wildcards: _code_with(script, config["systems"][wildcards.system]["module"])


def training_settings(wildcards):
    """All that decides how a system is trained."""
    dataset = wildcards.dataset
    changed = varied(config, dataset, wildcards.variant)
    of_dataset = changed["datasets"][dataset]
    trained = trained_with(changed, dataset, wildcards.system)
    chooses = any(len(values) > 1 for values in trained["choose"].values())
    return canonical_json(
        trained
        | {
            "features": config["features"],
            "clip_seconds": of_dataset["clip_seconds"],
            "positive_weight": of_dataset["classifier"]["positive_weight"],
            "selection_seed": config["seed"] if chooses else None,
        }
    )


def needs_of_system(wildcards):
    """What a system starts from beside the data; an empty list stands for what it does not need."""
    needs = config["systems"][wildcards.system]["needs"]
    return {
        "classifier": classifier_of(wildcards),
        "dictionary": dictionary_of(wildcards) if "dictionary" in needs else [],
        "weights": published_weights(wildcards) if "trunk" in needs else [],
    }


def measured_system(wildcards):
    """A system, and the classifier that it explains, if any."""
    return {
        "system": f"{SYSTEM}/model.safetensors".format(**wildcards),
        "classifier": classifier_of(wildcards),
    }


def classifier_of(wildcards):
    """The classifier that a system explains; none where it predicts by itself."""
    needed = "classifier" in config["systems"][wildcards.system]["needs"]
    return [f"{CLASSIFIER}/model.safetensors".format(**wildcards)] if needed else []


def _one_class(dataset):
    return config["datasets"][dataset]["score"] == "accuracy"


# Data sets where one class is right, and those where any number is.
MULTI_CLASS, MULTI_LABEL = (
    [name for name in config["run"]["datasets"] if _one_class(name) is wanted]
    for wanted in (True, False)
)


def repeats(dataset, system=None):
    """Folds and runs of a data set: its folds with the first seed, or its one split with all.

    Only the first of them for systems that `run.once` names.
    """
    seeds, folds = config["run"]["seeds"], config["run"]["folds"]
    if dataset in MULTI_LABEL:
        found = [("official", seed) for seed in seeds]
    else:
        found = [(fold, seeds[0]) for fold in folds]
    return found[:1] if system in config["run"]["once"] else found


def over_runs(pattern, datasets=None, systems=None):
    """`pattern` for everything that the lists of `run:` ask for, each path once."""
    paths = {
        pattern.format(dataset=dataset, fold=fold, system=system, variant=DEFAULT, run=run): None
        for dataset in (config["run"]["datasets"] if datasets is None else datasets)
        for system in (config["run"]["systems"] if systems is None else systems)
        for fold, run in repeats(dataset, system)
    }
    return list(paths)


def over_folds(pattern, datasets=None):
    """`pattern` for every fold of every data set, and the first run."""
    run = config["run"]["seeds"][0]
    paths = {
        pattern.format(dataset=dataset, fold=fold, run=run): None
        for dataset in (config["run"]["datasets"] if datasets is None else datasets)
        for fold, _ in repeats(dataset)
    }
    return list(paths)


def of_first_run(pattern, datasets, system):
    """`pattern` for the first fold and run of each data set."""
    return [over_runs(pattern, [dataset], [system])[0] for dataset in datasets]


def over_ablation(pattern, table):
    """`pattern` for the runs that a table or figure of ablations compares, each path once."""
    rows = ablation_rows(config, table)
    return list(dict.fromkeys(pattern.format(run=config["run"]["seeds"][0], **row) for row in rows))


def all_tables():
    """Tables that the configuration has something for."""
    names = ["table_1", "cost"]
    names += [f"table_{number}" for number, of in OF_SETTINGS_TABLE.items() if of]
    names += ["table_4", "comparisons_4"] if WITH_FIDELITY else []
    names += ["table_5"] if MULTI_CLASS and WITH_FAITHFULNESS else []
    names += [name for name in ("table_6", "table_7") if config["ablations"][name]]
    names += ["table_8", "comparisons_8"] if WITH_CLASSIFICATION else []
    names += ["classes"] if MULTI_LABEL and WITH_FAITHFULNESS else []
    return expand(f"{TABLES}/{{name}}.{{format}}", name=names, format=["csv", "md"])


def all_figures():
    """Figures that the configuration has something for."""
    numbers = [*CLASS_FIGURES, *(["5"] if MULTI_LABEL else [])] if WITH_FAITHFULNESS else []
    numbers += ["6"] if config["ablations"]["figure_6"] else []
    return expand(f"{FIGURES}/figure_{{number}}.{{format}}", number=numbers, format=["svg", "png"])


def compared(wildcards):
    """Scores of clips that pairs of systems are compared by: those of Table IV or Table VIII."""
    if wildcards.number == "4":
        fidelity = over_runs(f"{MEASURED}/fidelity.csv", systems=WITH_FIDELITY)
        return {"clips": fidelity, "classifier": [], "posthoc": []}
    return {
        "clips": over_runs(f"{MEASURED}/classification.csv", systems=WITH_CLASSIFICATION),
        "classifier": over_folds(f"{EVALUATION}/classification.csv"),
        "posthoc": over_runs(f"{MEASURED}/fidelity.csv", systems=AS_CLASSIFIER),
    }


def ablation_settings(table, *paths, **rest):
    """Settings of a table of ablations: what it compares, and the rest as `table_settings`."""
    rows = ablation_rows(config, table)
    datasets = list(dict.fromkeys(row["dataset"] for row in rows))
    return with_settings(table_settings(*paths, datasets=datasets, **rest), rows=rows)


def figure_settings(*paths, datasets, **more):
    """`settings(*paths)`, and what these data sets and all systems are called in print."""

    def titles(_):
        systems = {name: entry["title"] for name, entry in _reference()["systems"].items()}
        return systems | {name: config["datasets"][name]["title"] for name in datasets}

    return with_settings(settings(*paths), titles=titles, **more)


def with_settings(text, **more):
    """A function of wildcards as `settings` gives, with more keys, or with changed ones: those
    given as functions of all settings."""

    def changed(wildcards):
        parts = json.loads(text(wildcards))
        values = {key: value(parts) if callable(value) else value for key, value in more.items()}
        return canonical_json(parts | values)

    return changed


def without_numbers(parts):
    """What the paper calls its systems and metrics, for tables that print no number of it."""
    return {key: value for key, value in parts["paper"].items() if key != "numbers"}


def dictionary_of(wildcards):
    """The dictionary that an interpreter answers to."""
    variant = dictionary_variant(config, wildcards.variant)
    return [f"{DICTIONARY}/dictionary.safetensors".format(**dict(wildcards) | {"variant": variant})]


def published_weights(wildcards):
    """The weights that a classifier starts from; none where it starts from scratch."""
    weights = config["datasets"][wildcards.dataset]["classifier"]["weights"]
    return [] if weights == "scratch" else [f"{RESULTS}/weights/{weights}.safetensors"]


def fetched(wildcards):
    """What the index waits for: a download, or nothing where the corpus lies in a local folder."""
    source = config["datasets"][wildcards.dataset]["source"]
    return f"{DATASETS}/fetched.json" if source == "download" else []


def table_settings(*paths, paper, datasets=None, **of_each_dataset):
    """`settings(*paths)`, what the paper prints in its table of the number `paper`, and for each
    other keyword a mapping of data set to that part of its settings: of all that run, or `datasets`.

    The paper's numbers are a setting and no input file: what else stands in that file, comments
    for instance, reruns nothing.
    """

    def text(wildcards):
        parts = {
            name: {
                dataset: looked_up(config, f"datasets/{dataset}/{path}")
                for dataset in (config["run"]["datasets"] if datasets is None else datasets)
            }
            for name, path in of_each_dataset.items()
        }
        parts["paper"] = _printed(paper)
        return canonical_json(json.loads(settings(*paths)(wildcards)) | parts)

    return text


@functools.cache
def _reference():
    path = WORKFLOW / "reference" / "paper.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _printed(table):
    """What the paper prints in one table, with the names of systems and metrics."""
    reference = _reference()
    return {
        "systems": reference["systems"],
        "metrics": reference["metrics"],
        "tables": {str(table): reference["tables"][str(table)]},
        "numbers": [number for number in reference["numbers"] if number["table"] == table],
    }
