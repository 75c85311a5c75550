"""Names that rules of several stages share; no targets here."""

import functools
import re

from configuration import runs
from configuration.ablations import variants
from configuration.job_settings import parts_of
from configuration.modules import module_path
from configuration.systems import titles_of, with_measure
from l2i.names import OFFICIAL
from l2i.provenance.fingerprints import canonical_json
from l2i.provenance.sources import Sources

RESULTS = f"results/{config['name']}"
# What makes a result is the environment it is computed in, not the one that plans the work.
SOURCES = Sources(WORKFLOW, PROJECT / "envs" / "compute.txt")
# Systems by what is measured of them.
WITH_FIDELITY, WITH_FAITHFULNESS, WITH_CLASSIFICATION, WITH_SOUNDS, WITH_PROTOTYPES = (
    with_measure(config, measure)
    for measure in ("fidelity", "faithfulness", "classification", "sounds", "prototypes")
)
MULTI_CLASS = runs.datasets_that_are(config, multi_label=False)
MULTI_LABEL = runs.datasets_that_are(config, multi_label=True)

# What clips are interpreted for: to be listened to, in company, or as stimuli of a test.
OCCASIONS = ("listening", "corrupted", "stimuli")


def one_of(names):
    """A wildcard that is one of these names."""
    nothing = "(?!)"  # an empty constraint would be none
    return "|".join(map(re.escape, names)) or nothing


wildcard_constraints:
    occasion=one_of(OCCASIONS),
    dataset=one_of(config["datasets"]),
    fold=rf"\d+|{OFFICIAL}",
    system=one_of(config["systems"]),
    variant=one_of(variants(config)),
    run=r"\d+",


# Paths of what the configuration asks for; see workflow/configuration/runs.py.
over_runs, over_folds, of_first_run, over_ablation = (
    functools.partial(function, config)
    for function in (runs.over_runs, runs.over_folds, runs.of_first_run, runs.over_ablation)
)


def of_occasion(occasion, pattern):
    """A pattern of all occasions, for one of them."""
    return pattern.replace("{occasion}", occasion)


def log_of(path):
    """Where a log lies: apart from what people open, in folders of the same names."""
    return path.replace(RESULTS, f"{RESULTS}/logs", 1)


# ------------------------------------------------------------------ what identifies a result


def identity(script, settings, module_of=None):
    """The three params of a rule: what its job is told, what it runs, and on which packages.

    `module_of` gives package and name of a module of the library that the script finds by name.
    """

    def entries(wildcards):
        modules = [module_path(*module_of(wildcards))] if module_of else []
        return [WORKFLOW / "scripts" / f"{script}.py", *modules]

    return {
        "settings": settings,
        "code": lambda wildcards: SOURCES.code(*entries(wildcards)),
        "env": lambda wildcards: SOURCES.pins(*entries(wildcards)),
    }


def settings(*paths, **more):
    """Parts of the configuration by their paths, and more by name, as canonical JSON.

    `settings("datasets/{dataset}/dictionary", rows=[1])` gives `{"dictionary": {...}, "rows":
    [1]}`; what is a function is called with the wildcards. The result is a function of wildcards
    alone: Snakemake would read the braces of a text as wildcards, and forgets params that depend
    on input, threads or resources.
    """

    def text(wildcards):
        named = {name: v(wildcards) if callable(v) else v for name, v in more.items()}
        return canonical_json(parts_of(config, paths, dict(wildcards)) | named)

    return text


def system_module(wildcards):
    """The module of a system, for the fingerprint of scripts that find it by its name."""
    return "systems", config["systems"][wildcards.system]["module"]


def of_number(settings_of):
    """Settings of tables or figures that one rule makes, by the number of each."""
    return lambda wildcards: settings_of(wildcards.number)(wildcards)


def titles(systems, *, datasets=(), as_classifiers=()):
    """What systems and data sets are called in print, and systems scored as classifiers."""
    return lambda wildcards: titles_of(
        config, systems=systems, datasets=datasets, as_classifiers=as_classifiers
    )


# What is measured of clips depends on where they are cut, and on how they are heard.
OF_RECORDINGS = ("features", "datasets/{dataset}/clip_seconds")
OF_SYSTEM = ("systems/{system}/module", *OF_RECORDINGS)
INTERVALS = ("statistics", "seed")


# ------------------------------------------------------------------ inputs of several stages


def fold_of(wildcards):
    """The clips of a data set, and its classes."""
    files = {"index": f"{DATASETS}/index.csv", "classes": f"{DATASETS}/classes.json"}
    return {name: file.format(**wildcards) for name, file in files.items()}


def recordings_of(wildcards):
    """The clips of a data set, their spectra, and the classifier that a system explains, if any."""
    needed = "classifier" in config["systems"][wildcards.system]["needs"]
    return recordings_of_classifier(wildcards) | ({} if needed else {"classifier": []})


def recordings_of_classifier(wildcards):
    """The clips of a data set, their spectra, and the classifier of a fold."""
    features = {name: f"{FEATURES}/{name}.npy.digest" for name in ("log_mel", "log_magnitude")}
    classifier = f"{CLASSIFIER}/model.safetensors.digest".format(**wildcards)
    return {
        **fold_of(wildcards),
        **{name: file.format(**wildcards) for name, file in features.items()},
        "classifier": [classifier],
    }


def system_of(wildcards):
    """A trained system, and the recordings that it hears."""
    system = f"{SYSTEM}/model.safetensors.digest".format(**wildcards)
    return recordings_of(wildcards) | {"system": system}
