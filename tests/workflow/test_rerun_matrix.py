"""Which rules each key of the configuration identifies: the whole matrix, key by key.

Snakemake reruns a rule when its param `settings` changes. Here every leaf of the configuration is
changed in turn, and the rules whose settings change must be exactly those listed; what follows
them in the graph reruns because its input does. test_workflow.py shows for some keys that Snakemake
acts accordingly.
"""

import copy
import re

import pytest
import yaml

from helpers.loaded_workflow import loaded_workflow
from helpers.loaded_workflow import settings_of as settings_of_rule
from helpers.project import PROJECT
from l2i.provenance.sources import Sources

MEASURES = {
    "measure_classifier",
    "measure_fidelity",
    "measure_faithfulness",
    "measure_system",
}
# Of clips in company: of systems, and of what stands beside them.
CORRUPTION = {"measure_corruption", "measure_corruption_references"}
USE_FRONT_END = {
    "cache_features",
    "learn_dictionary",
    "train_classifier",
    "train_system",
    "choose_clips",
    "choose_corrupted",
    "interpret_clips",
    "explain_by_slime",
    "explain_by_attribution",
    "choose_stimuli",
    "measure_relevances",
    "measure_sanity",
    "compose_atlas",
    "sound_prototypes",
    "measure_masks_of_classifier",
    "measure_masks",
    *MEASURES,
    *CORRUPTION,
}
# What opens a system finds its module by name, and reads clips as long as features are.
OPEN_SYSTEMS = {
    *MEASURES,
    "measure_corruption",
    "measure_relevances",
    "measure_sanity",
    "interpret_clips",
    "sound_prototypes",
    "compose_atlas",
    "measure_masks",
}
OPEN_SYSTEMS -= {"measure_classifier"}
# Tables and figures with an interval, and tables that hold all data sets.
WITH_INTERVAL = {
    "tabulate_classification",
    "tabulate_fidelity",
    "tabulate_faithfulness",
    "tabulate_ablation",
    "tabulate_classes",
    "tabulate_by_design",
    "tabulate_corruption",
    "tabulate_masks",
    "compare_systems",
    "draw_class_faithfulness",
    "draw_components_sweep",
    "tabulate_sanity",
}
OF_ALL_DATA_SETS = {
    "tabulate_classification",
    "tabulate_hyperparameters",
    "tabulate_fidelity",
    "tabulate_by_design",
}

OF_SCORES = {"tabulate_classification", "tabulate_fidelity", "tabulate_by_design"}
OF_SCORES |= {"compare_systems"}

OF_NETWORKS = {"draw_training", "draw_dictionary"}  # figures of all data sets
# Which call data sets by their titles.
OF_TITLES = {*OF_SCORES, "tabulate_hyperparameters", "tabulate_cost", "compare_systems"}
OF_EVERY_FIGURE = {
    *OF_NETWORKS,
    "draw_class_faithfulness",
    "draw_relevance_map",
    "draw_components_sweep",
}
OF_RATINGS = {"tabulate_ratings", "draw_ratings"}
OF_FIDELITY = {"tabulate_fidelity", "tabulate_cost", "compare_systems", "draw_training"}
OF_CLASSIFICATION = {"tabulate_by_design", "compare_systems", "tabulate_cost", "draw_training"}
OF_SOUNDS = {"tabulate_corruption", "draw_corruption"}
OF_FAITHFULNESS = {"tabulate_faithfulness", "tabulate_classes", "tabulate_masks"}
OF_FAITHFULNESS |= {"draw_class_faithfulness", "draw_components_sweep", "draw_thresholds"}
OF_FAITHFULNESS |= {"draw_interpretation"}
OF_SANITY = {"tabulate_sanity", "draw_sanity"}

# What the page of the ledger prints: the keys of its switches, and the same settings of whatever
# else runs, where they differ. A system with another module has other settings.
IN_LEDGER = re.compile(
    r"run\.(datasets|systems)"
    r"|features\.(mel_power|waveform_scale)"
    r"|datasets\.sonyc_ust\.corpus\.labels"
    r"|datasets\.\w+\.excluded_classes"
    r"|datasets\.\w+\.dictionary\.(solver|n_iter|sparsity|clips_per_class)"
    r"|datasets\.\w+\.classifier"
    r"\.(weights|trainable|learning_rate|schedule|augmentation|precision)"
    r"|systems\.l2i_att\.settings\.(pooling|dropout|learning_rate|precision|\w+_weight)"
    r"|systems\.l2i_att\.by_dataset\.\w+\.(pooling|dropout|\w+_weight)"
    r"|systems\.l2i_max\.settings\.(pooling|dropout)"
    r"|systems\.(l2i_bd|l2i_bd_nopred)\.settings\.fidelity_weight"
    r"|systems\.(vibi|apnet)\.settings\.learning_rate"
    r"|systems\.vibi\.settings\.published_sampling"
    r"|systems\.tdl_nmf\.settings\.published_gradient"
    r"|systems\.(l2i_att|flint|vibi|apnet)\.module"
    r"|evaluation\.(relevance_pooling|relevance_scale|random\.(baselines|n_removed))"
    r"|listening\.threshold|corruption\.slime_samples"
)

# What the first page of a run says of it, and what it calls data sets and systems.
ON_FIRST_PAGE = re.compile(
    r"name|run\.(datasets|systems|folds|seeds)"
    r"|datasets\.\w+\.(title|paper_dataset|paper_comparable)"
    r"|systems\.\w+\.(title|as_classifier\.\w+)|ablations\.sanity"
)

# First match decides. `run.folds` and `run.seeds` have no settings: they say which jobs exist. The
# jobs looked at are those of esc50, and of all tables and figures.
MATRIX = [
    ("machine.*", set()),
    ("name", set()),  # the first folder: another run, nothing to compare
    (
        "seed",
        {
            "learn_dictionary",
            "train_classifier",
            "measure_faithfulness",
            "measure_relevances",
            *CORRUPTION,
            "measure_sanity",
            "compose_atlas",
            "choose_clips",
            "choose_corrupted",
            "choose_stimuli",
            "compose_listening_test",
            "explain_by_slime",
            "project_relevances",
            "measure_masks",
            "measure_masks_of_classifier",
            *WITH_INTERVAL,
        },
    ),
    (
        "run.datasets",
        {
            *OF_ALL_DATA_SETS,
            *("compare_systems", "tabulate_cost", "tabulate_masks", "list_atlases"),
        },
    ),
    ("run.systems", {"tabulate_cost"}),  # the others' lists are made when the rules are read
    ("run.folds", {"check_dataset", "list_atlases"}),
    ("run.*", set()),
    ("features.waveform_scale", {*USE_FRONT_END, "check_dataset"}),
    ("features.*", USE_FRONT_END),
    (
        "datasets.esc50.title",
        {
            *OF_TITLES,
            "tabulate_faithfulness",
            "tabulate_ablation",
            "draw_components_sweep",
            *OF_SOUNDS,
            "tabulate_masks",
            "compose_listening",
            "compose_atlas",
            *OF_SANITY,
            *OF_NETWORKS,
            "draw_interpretation",
            "draw_thresholds",
        },
    ),
    (
        "datasets.sonyc_ust.title",
        {
            *OF_NETWORKS,
            *OF_TITLES,
            "tabulate_classes",
            "tabulate_ablation",
            "draw_class_faithfulness",
            "draw_relevance_map",
            "tabulate_masks",
            "compose_listening",
            *OF_RATINGS,
        },
    ),
    (
        "datasets.openmic.title",
        {
            *OF_TITLES,
            "tabulate_classes",
            *OF_EVERY_FIGURE,
            "tabulate_masks",
            "compose_listening",
        },
    ),
    ("datasets.esc50.source", set()),  # another chain of jobs: with or without a download
    ("datasets.esc50.corpus.layout", {"index_dataset", "list_atlases"}),  # which has folds or not
    ("datasets.esc50.corpus.*", {"index_dataset"}),
    (
        "datasets.esc50.clip_seconds",
        {
            "cache_features",
            "train_system",
            "explain_by_slime",
            "measure_corruption_references",
            "explain_by_attribution",
            "measure_masks_of_classifier",
            *OPEN_SYSTEMS,
        },
    ),
    ("datasets.esc50.download", {"fetch_dataset"}),
    (
        "datasets.esc50.dictionary.n_components",
        {"check_dataset", "learn_dictionary", "draw_components_sweep"},
    ),
    ("datasets.esc50.dictionary.clips_per_class", {"check_dataset", "learn_dictionary"}),
    (
        "datasets.esc50.dictionary.sparsity",
        {"learn_dictionary", "measure_corruption_references"},
    ),
    ("datasets.esc50.dictionary.*", {"learn_dictionary"}),
    (
        "datasets.esc50.classifier.positive_weight",
        {"check_dataset", "train_classifier", "train_system"},
    ),
    ("datasets.esc50.classifier.*", {"train_classifier"}),
    ("datasets.esc50.shown_per_class", {"project_relevances"}),
    ("datasets.esc50.listening", {"check_dataset", "choose_clips"}),
    *[
        (f"datasets.{dataset}.{key}", rules | more)
        for dataset, also in {
            "esc50": {
                "metric": {"tabulate_ablation"},
                "excluded_classes": {"check_dataset", "tabulate_ablation", "choose_stimuli"},
                "paper_dataset": {"tabulate_faithfulness", "tabulate_ablation"},
                "paper_comparable": {"tabulate_faithfulness", "tabulate_ablation"},
            },
            "sonyc_ust": {
                "metric": {"tabulate_ablation", "tabulate_classes"},
                "excluded_classes": {"tabulate_ablation", "draw_class_faithfulness"},
                "paper_dataset": {"tabulate_ablation"},
                "paper_comparable": {"tabulate_ablation"},
            },
            "openmic": {
                "metric": {"tabulate_classes"},
                "excluded_classes": {"draw_class_faithfulness"},
            },
        }.items()
        for key, rules in {
            "metric": OF_SCORES,
            "excluded_classes": OF_SCORES,
            "paper_dataset": OF_ALL_DATA_SETS,
            "paper_comparable": OF_ALL_DATA_SETS,
        }.items()
        for more in [also.get(key, set())]
    ],
    ("datasets.openmic.dictionary.n_components", {"draw_components_sweep"}),
    ("datasets.*", set()),  # jobs of the other data sets
    ("systems.l2i_att.module", {"train_system", *OPEN_SYSTEMS}),
    ("systems.l2i_att.needs", {"list_atlases"}),  # other inputs; and whether it has a dictionary
    ("systems.l2i_att.measures", set()),  # other jobs
    ("systems.l2i_att.as_classifier.name", {"tabulate_by_design", "compare_systems"}),
    ("systems.l2i_att.as_classifier.title", {"tabulate_by_design", "compare_systems"}),
    (
        "systems.l2i_att.title",
        OF_FIDELITY
        | OF_FAITHFULNESS
        | OF_SOUNDS
        | OF_SANITY
        | OF_RATINGS
        | {"tabulate_ablation", "compose_listening", "compose_atlas"},
    ),
    (
        "systems.l2i_max.title",
        OF_FIDELITY
        | OF_SOUNDS
        | {"tabulate_faithfulness", "tabulate_classes", "tabulate_masks", "compose_listening"}
        | {"draw_thresholds"},
    ),
    *[(f"systems.{name}.title", OF_FIDELITY) for name in ("flint", "vibi")],
    ("systems.vibi_published.title", set()),  # which does not run
    (
        "systems.l2i_bd.title",
        OF_CLASSIFICATION | OF_SOUNDS | {"tabulate_hyperparameters", "compose_listening"},
    ),
    ("systems.apnet.title", OF_CLASSIFICATION | {"compose_listening"}),
    *[
        (f"systems.{name}.title", OF_CLASSIFICATION)
        for name in ("l2i_bd_nopred", "flint_bd", "nmf_linear", "tdl_nmf")
    ],
    *[
        (f"systems.l2i_att.settings.{name}", {"train_system", "tabulate_ablation"})
        for name in ("taps", "reconstruction_weight", "sparsity_weight")  # which tables vary
    ],
    ("systems.l2i_att.settings.dropout", set()),  # esc50 has its own
    ("systems.l2i_att.settings.n_epochs", set()),  # likewise
    ("systems.l2i_att.by_dataset.openmic.*", set()),  # jobs of another data set
    ("systems.l2i_att.*", {"train_system"}),
    ("systems.*", set()),  # the jobs looked at are those of l2i_att
    ("ablations.table_6", {"tabulate_ablation"}),
    ("ablations.table_7", {"tabulate_ablation"}),
    ("ablations.figure_6", {"draw_components_sweep"}),  # whose last entry is of another data set
    ("ablations.sanity", {"tabulate_sanity"}),
    ("evaluation.top_k", {"tabulate_fidelity"}),
    ("evaluation.thresholds", {"measure_faithfulness", "tabulate_faithfulness"}),
    (
        "evaluation.random.baselines",
        {
            "measure_faithfulness",
            "tabulate_faithfulness",
            "tabulate_classes",
            "draw_class_faithfulness",
        },
    ),
    (
        "evaluation.random.threshold",
        {
            "measure_faithfulness",
            "measure_sanity",
            "tabulate_classes",
            "tabulate_sanity",
            "draw_class_faithfulness",
        },
    ),
    ("evaluation.random.*", {"measure_faithfulness"}),
    ("evaluation.sanity.n_draws", {"measure_sanity"}),
    (
        "evaluation.relevance_pooling",
        {
            "measure_faithfulness",
            "measure_masks",
            "measure_relevances",
            "measure_sanity",
            "compose_atlas",
        },
    ),
    (
        "evaluation.relevance_scale",
        {
            "measure_corruption",
            "measure_faithfulness",
            "measure_masks",
            "measure_relevances",
            "measure_sanity",
            "interpret_clips",
            "compose_atlas",
        },
    ),
    (
        "evaluation.masks.operators",
        {"measure_masks", "measure_masks_of_classifier", "tabulate_masks"},
    ),
    ("evaluation.masks.methods", {"measure_masks_of_classifier", "tabulate_masks"}),
    ("evaluation.masks.slime_samples", {"measure_masks_of_classifier"}),
    ("evaluation.masks.*", {"measure_masks", "measure_masks_of_classifier"}),
    ("coherence.*", {"project_relevances"}),
    ("corruption.heard_at_db", {"choose_corrupted"}),
    (
        "listening.threshold",
        {"interpret_clips", "measure_masks", "compose_atlas", *CORRUPTION},
    ),
    ("listening.slime", set()),  # whether there are such jobs
    ("listening.attributions", set()),
    ("listening.single_file", {"compose_listening"}),
    ("listening_test.datasets", set()),  # whether there are such jobs
    ("listening_test.systems", {"compose_listening_test", "import_ratings", *OF_RATINGS}),
    ("listening_test.n_stimuli", {"choose_stimuli"}),
    ("listening_test.audible.*", {"choose_stimuli"}),
    ("listening_test.*", {"compose_listening_test"}),
    ("attributions.*", {"explain_by_attribution", "measure_masks_of_classifier"}),
    ("slime.n_samples", {"explain_by_slime"}),  # of what is measured: numbers of their own
    (
        "slime.*",
        {"explain_by_slime", "measure_corruption_references", "measure_masks_of_classifier"},
    ),
    ("corruption.snr_db", CORRUPTION),
    ("corruption.slime_samples", {"measure_corruption_references"}),
    (
        "statistics.confidence",
        {*WITH_INTERVAL, *OF_RATINGS, "draw_corruption", "draw_sanity", "draw_thresholds"},
    ),
    ("statistics.*", WITH_INTERVAL),
]


def leaves(tree, path=()):
    """Paths of all values that are not mappings; an empty mapping counts as a value."""
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


WRITTEN = yaml.safe_load((PROJECT / "config.yaml").read_text())
LEAVES = [".".join(path) for path in leaves(WRITTEN) if path[-1] != "like"]


@pytest.fixture(scope="module")
def workflow():
    with loaded_workflow() as loaded:
        yield loaded


def settings_of(workflow):
    """Rule name -> its settings for the first job of everything, one of each number."""
    found = {rule.name: settings_of_rule(rule) for rule in workflow.rules}
    return {name: settings for name, settings in found.items() if settings}


def changed(value):
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    if isinstance(value, list):
        return value[:-1] if value else ["x"]
    if value is None:
        return 1
    return {"crop": 0.5, "mixup": 0.0} if value == {} else f"{value}x"


def expected(leaf):
    pages = {"list_deviations"} if IN_LEDGER.fullmatch(leaf) else set()
    pages |= {"compose_index"} if ON_FIRST_PAGE.fullmatch(leaf) else set()
    for pattern, rules in MATRIX:
        if leaf == pattern or (pattern.endswith(".*") and leaf.startswith(pattern[:-1])):
            return rules | pages
    raise AssertionError(f"MATRIX says nothing of {leaf}")


@pytest.mark.parametrize("leaf", LEAVES)
def test_a_key_changes_the_settings_of_exactly_these_rules(workflow, leaf):
    config = workflow.globals["config"]
    before = settings_of(workflow)
    *path, key = leaf.split(".")
    place = config
    for part in path:
        place = place[part]
    kept = copy.deepcopy(place[key])
    # The list of data sets is emptied, not renamed: tables look up what each name defines.
    place[key] = changed(kept)
    if leaf.endswith(".module"):
        place[key] = "by_design"  # code is looked up by it
    if leaf.endswith((".layout", ".download")):
        place[key] = "openmic"  # so are these
    try:
        after = settings_of(workflow)
    finally:
        place[key] = kept
    assert {name for name in before if before[name] != after[name]} == expected(leaf)


def test_every_line_of_the_matrix_is_about_a_key_that_exists():
    for pattern, _ in MATRIX:
        assert any(
            leaf == pattern or (pattern.endswith(".*") and leaf.startswith(pattern[:-1]))
            for leaf in LEAVES
        ), pattern


def test_every_rule_with_results_has_settings(workflow):
    without = {rule.name for rule in workflow.rules} - set(settings_of(workflow))
    assert without == {"all", "tables", "figures", "figure_4", "listening"}


@pytest.mark.parametrize("key", ["seed", "datasets.esc50.clip_seconds", "features.n_fft"])
def test_sounds_that_are_cut_and_drawn_into_folds_are_indexed_by_what_that_needs(workflow, key):
    config = workflow.globals["config"]
    kept = copy.deepcopy(config)
    config["datasets"]["esc50"]["corpus"] = {"layout": "folders", "n_folds": 5}
    *path, last = key.split(".")
    try:
        before = settings_of(workflow)["index_dataset"]
        place = config
        for part in path:
            place = place[part]
        place[last] = changed(place[last])
        after = settings_of(workflow)["index_dataset"]
    finally:
        config.update(kept)
    assert (before != after) == (key != "features.n_fft")


@pytest.mark.parametrize("method", ["slime", "attributions"])
def test_an_edit_of_a_method_measures_no_masks_of_systems_anew(method):
    sources = Sources(PROJECT / "workflow", PROJECT / "envs/compute.txt")
    used = {
        name: {*sources.parts_of(sources.code(PROJECT / f"workflow/scripts/{name}.py"))}
        for name in ("measure_masks", "measure_masks_of_classifier")
    }
    module = f"l2i/interpretation/{method}.py"
    assert [name for name, files in used.items() if module in files] == [
        "measure_masks_of_classifier"
    ]
