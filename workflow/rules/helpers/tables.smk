"""What tables there are, their inputs and settings, for rules/tables.smk."""

from configuration.ablations import ablation_rows
from configuration.captions import caption_of
from configuration.job_settings import printed_in, said_of

# Whose settings Tables II and III print.
OF_SETTINGS_TABLE = {
    "2": [name for name in WITH_FAITHFULNESS if config["systems"][name]["module"] == "posthoc"],
    "3": [name for name in WITH_CLASSIFICATION if name == "l2i_bd"],
}
# Systems that are held against the labels as well, and under which name.
AS_CLASSIFIER = {
    name: config["systems"][name]["as_classifier"]["name"]
    for name in WITH_FIDELITY
    if "as_classifier" in config["systems"][name]
}
SYSTEMS_OF_TABLE = {"4": WITH_FIDELITY, "8": WITH_CLASSIFICATION}
# Table -> whether the configuration has something for it.
ASKED_FOR = {
    "table_1": True,
    "table_2": OF_SETTINGS_TABLE["2"],
    "table_3": OF_SETTINGS_TABLE["3"],
    "table_4": WITH_FIDELITY,
    "comparisons_4": WITH_FIDELITY,
    "table_5": MULTI_CLASS and WITH_FAITHFULNESS,
    "table_6": config["ablations"]["table_6"],
    "table_7": config["ablations"]["table_7"],
    "table_8": WITH_CLASSIFICATION,
    "comparisons_8": WITH_CLASSIFICATION,
    "classes": MULTI_LABEL and WITH_FAITHFULNESS,
    "corruption": config["corruption"]["snr_db"] and MULTI_CLASS and WITH_SOUNDS,
    "faithfulness_more": WITH_FAITHFULNESS or config["evaluation"]["masks"]["methods"],
    "sanity": config["ablations"]["sanity"],
    "ratings": TESTED and config["machine"]["ratings"],
    "cost": True,
}


# What tables are printed as, beside the csv: in the order in which scripts get the paths.
PAGES = ("md", "html", "tex")


def table(name):
    """The files of a table: its numbers, and its pages; `name` may hold wildcards."""
    return {
        "table": f"{TABLES}/{name}.csv",
        "pages": [f"{TABLES}/{name}.{suffix}" for suffix in PAGES],
    }


def tables_in(*formats):
    """Tables that the configuration has something for."""
    names = [name for name, asked_for in ASKED_FOR.items() if asked_for]
    return expand(f"{TABLES}/{{name}}.{{format}}", name=names, format=formats)


# ------------------------------------------------------------------ settings


def page_of(name, called):
    """What the page of a table says beside its numbers: title, caption, and what things are called.

    `called` is a function of wildcards, see `titles`.
    """
    caption = caption_of(name)
    return lambda wildcards: {
        "title": caption.title,
        "caption": caption.paragraphs,
        "titles": called(wildcards),
    }


def titles_with(systems=(), datasets=config["run"]["datasets"], **more):
    """What systems are called in print, and data sets, all that run by default."""
    return titles(systems, datasets=datasets, **more)


# What tables say of a data set: how it is scored, and which numbers of the paper stand beside it.
SCORED = ("metric", "excluded_classes")
BESIDE_PAPER = ("paper_dataset", "paper_comparable")


def said(keys, datasets=None):
    """What the configuration says of data sets, all that run by default, when it is asked for."""
    return lambda wildcards: said_of(
        config, config["run"]["datasets"] if datasets is None else datasets, keys
    )


def settings_of_table(number, keys, *paths, datasets=None, **more):
    """Settings of a table that stands beside the paper's of that number.

    `keys` is what of each of `datasets` it uses.
    """
    return settings(*paths, datasets=said(keys, datasets), paper=printed_in(number), **more)


@of_number
def settings_of_settings_table(number):
    """Settings of Table II or III."""
    named = OF_SETTINGS_TABLE[number] if number == "3" else []  # Table II has one row for all
    return settings_of_table(
        int(number), BESIDE_PAPER, page=page_of(f"table_{number}", titles_with(named))
    )


@of_number
def settings_of_ablation(number):
    """Settings of Table VI or VII: what it compares, on which data sets."""
    rows = ablation_rows(config, f"table_{number}")
    datasets, systems = ([*dict.fromkeys(row[of] for row in rows)] for of in ("dataset", "system"))
    return settings_of_table(
        int(number),
        (*SCORED, *BESIDE_PAPER),
        *INTERVALS,
        datasets=datasets,
        rows=rows,
        page=page_of(f"table_{number}", titles_with(systems, datasets=datasets)),
    )


@of_number
def settings_of_comparisons(number):
    """Settings of all pairs of systems of Table IV or VIII."""
    systems = SYSTEMS_OF_TABLE[number]
    as_classifier = AS_CLASSIFIER if number == "8" else {}
    return settings(
        *INTERVALS,
        datasets=said(SCORED),
        systems=systems,
        as_classifier=as_classifier,
        page=page_of(f"comparisons_{number}", titles_with(systems, as_classifiers=as_classifier)),
    )


CLASSIFICATION_TABLE = settings_of_table(
    1, (*SCORED, *BESIDE_PAPER), *INTERVALS, page=page_of("table_1", titles_with())
)
FIDELITY_TABLE = settings_of_table(
    4,
    (*SCORED, *BESIDE_PAPER),
    *INTERVALS,
    "evaluation/top_k",
    page=page_of("table_4", titles_with(WITH_FIDELITY)),
    systems=WITH_FIDELITY,
)
FAITHFULNESS_TABLE = settings_of_table(
    5,
    BESIDE_PAPER,
    *INTERVALS,
    "evaluation/thresholds",
    "evaluation/random/baselines",
    datasets=MULTI_CLASS,
    page=page_of("table_5", titles_with(WITH_FAITHFULNESS, datasets=MULTI_CLASS)),
    systems=WITH_FAITHFULNESS,
)
BY_DESIGN_TABLE = settings_of_table(
    8,
    (*SCORED, *BESIDE_PAPER),
    *INTERVALS,
    page=page_of("table_8", titles_with(WITH_CLASSIFICATION, as_classifiers=AS_CLASSIFIER)),
    systems=WITH_CLASSIFICATION,
    as_classifier=AS_CLASSIFIER,
)
CLASSES_TABLE = settings(
    *INTERVALS,
    "evaluation/random/threshold",
    "evaluation/random/baselines",
    datasets=said(["metric"], MULTI_LABEL),
    systems=WITH_FAITHFULNESS,
    page=page_of("classes", titles_with(WITH_FAITHFULNESS, datasets=MULTI_LABEL)),
)
COST_TABLE = settings(
    "run/datasets",
    "run/systems",
    page=page_of("cost", titles_with(config["run"]["systems"])),
)


def scores_of_pairs(wildcards):
    """Scores of clips that pairs of systems are compared by: those of Table IV or Table VIII."""
    if wildcards.number == "4":
        fidelity = over_runs(f"{MEASURED}/fidelity.csv", systems=WITH_FIDELITY)
        return {"clips": fidelity, "classifier": [], "posthoc": []}
    return scores_by_design(wildcards)


def scores_by_design(wildcards):
    """Scores of all that predict by themselves, of the classifier, and of those scored as one."""
    return {
        "clips": over_runs(f"{MEASURED}/classification.csv", systems=WITH_CLASSIFICATION),
        "classifier": over_folds(f"{EVALUATION}/classification.csv"),
        "posthoc": over_runs(f"{MEASURED}/fidelity.csv", systems=AS_CLASSIFIER),
    }


def models_of_table(wildcards):
    """Systems whose settings Table II or III prints."""
    systems = OF_SETTINGS_TABLE[wildcards.number]
    return over_runs(f"{SYSTEM}/model.safetensors.digest", systems=systems)


def scores_of_ablation(wildcards):
    """Scores of the runs that Table VI or VII compares."""
    return over_ablation(f"{MEASURED}/fidelity.csv", f"table_{wildcards.number}")
