"""What pages say, for rules/pages.smk."""

import itertools

from configuration.ablations import DEFAULT, ablation_rows
from configuration.captions import caption_of
from configuration.deviations import deviations_in
from configuration.reading import load_reference
from configuration.systems import METHODS


def deviations(wildcards):
    """The entries of the ledger, by id, and what the configuration says of each."""
    return deviations_in(config, written.value)


def order_of_deviations(wildcards):
    """Their ids as the ledger has them: settings keep no order of keys."""
    return [entry["id"] for entry in load_reference("deviations")]


DEVIATIONS = settings(deviations=deviations, order=order_of_deviations)


# ------------------------------------------------------------------ the listening page


# What explains the classifier of a fold without being trained, by the names of its folders.
EXPLAINERS = ["slime"] if config["listening"]["slime"] else []
# The same of the first fold alone.
OF_FIRST_FOLD = GRADIENTS if config["listening"]["attributions"] else []
CORRUPTED = MULTI_CLASS if config["corruption"]["heard_at_db"] is not None else []
WHOSE = "{occasion}/{dataset}/{fold}/{system}/{variant}/{run}"  # tells apart what the page plays


def heard(pattern):
    """`pattern` for each folder of interpretations that the page plays; more are added here."""
    clean, corrupted = (of_occasion(each, pattern) for each in ("listening", "corrupted"))
    untrained = [
        clean.replace("{system}", name).replace("{variant}", DEFAULT) for name in EXPLAINERS
    ]
    return [
        *over_runs(clean, systems=WITH_SOUNDS),
        *itertools.chain.from_iterable(map(over_folds, untrained)),
        *of_first_runs(clean, config["run"]["datasets"], OF_FIRST_FOLD),
        *misled(clean),
        *of_first_runs(corrupted, CORRUPTED, [*WITH_SOUNDS, *EXPLAINERS]),
    ]


def misled(pattern):
    """`pattern` for interpreters that the sanity checks train on shuffled targets."""
    rows = [row for row in ablation_rows(config, "sanity") if row["system"] in WITH_SOUNDS]
    run = config["run"]["seeds"][0]
    return [pattern.format(run=run, **row) for row in rows if row["variant"] != DEFAULT]


def called(places):
    """What the page calls folders, by their `WHOSE`."""

    def entry(occasion, dataset, fold, system, variant, run):
        title = METHODS.get(system) or config["systems"][system]["title"]
        if variant != DEFAULT:
            title += f", {variant.replace('-', ' ')}"
        of_dataset = config["datasets"][dataset]["title"]
        return {"system": title, "dataset": of_dataset, "fold": fold, "run": run}

    return lambda wildcards: [entry(*each.split("/")) for each in places]


LISTENING_PAGE = settings(
    "listening/single_file",
    sounds=called(heard(WHOSE)),
    prototypes=called(over_runs(of_occasion("prototypes", WHOSE), systems=WITH_PROTOTYPES)),
)


# ------------------------------------------------------------------ where numbers come from


def traced_tables(wildcards):
    """The tables whose numbers are traced in one folder."""
    of_ratings = [f"{TABLES}/ratings.csv"]
    if wildcards.traced.startswith("ratings/"):
        return of_ratings
    return [path for path in tables_in("csv") if path not in of_ratings]


def provenance():
    """Folders of pages of all tables."""
    return [PROVENANCE, *([OF_RATINGS_ALONE] if ASKED_FOR["ratings"] else [])]


# ------------------------------------------------------------------ the first page


def pages_of_run():
    """Other pages of the run."""
    return [LISTEN, *listening_tests(), f"{ATLASES}/index.html", f"{RESULTS}/deviations.html"]


def said_of_pages(wildcards):
    """What each of them is called."""
    tests = [config["datasets"][name]["title"] for name in TESTED]
    return [
        {"title": title, "about": about}
        for title, about in [
            ("Listening page", "Test clips, what decisions on them rest on, and what is left."),
            *((f"Listening test, {each}", "To be rated by listeners.") for each in tests),
            ("Component atlas", "Every component of each dictionary, seen and heard."),
            ("Ledger", "Where paper, authors' code and this run differ, and which it follows."),
        ]
    ]


def said_of_run(wildcards):
    """The run in brief."""
    run = config["run"]
    return {
        "name": config["name"],
        "datasets": [*map(said_of_data, run["datasets"])],
        "systems": [config["systems"][name]["title"] for name in run["systems"]],
        "folds": ", ".join(map(str, run["folds"])),
        "seeds": ", ".join(map(str, run["seeds"])),
    }


def said_of_data(name):
    """A data set of the run beside the paper's."""
    entry = config["datasets"][name]
    of_paper = config["datasets"].get(entry["paper_dataset"], {}).get("title")
    return {
        "title": entry["title"],
        "of_paper": of_paper,
        "comparable": entry["paper_comparable"],
    }


def said_in_captions(wildcards):
    """Title and text of all tables and figures of the run and of the paper."""
    made = [Path(path).stem for path in [*tables_in("csv"), *drawn("svg")]]
    named = sorted(dict.fromkeys([*OF_PAPER, *made]), key=place_beyond)
    return [{"name": name, **caption_of(name)._asdict()} for name in named]


def place_beyond(name):
    """The number of what is beyond the paper, such as 3 of Table S3; 0 of the paper's."""
    number = re.search(r" S(\d+)$", caption_of(name).number)
    return int(number[1]) if number else 0


def printed_and_measured(wildcards):
    """The numbers that the paper prints of its own, but for settings."""
    reference = load_reference("paper")
    keys = ("table", "system", "dataset", "metric", "condition")
    return [
        {key: number[key] for key in keys if key in number}
        for number in reference["numbers"]
        if str(number["table"]) not in OF_SETTINGS_TABLE
        and not reference["systems"].get(number["system"], {}).get("quoted")
    ]


def all_titles(wildcards):
    """What the systems and data sets of the configuration and of the paper are called."""
    of_paper = {name: each["title"] for name, each in load_reference("paper")["systems"].items()}
    ours = titles(config["systems"], datasets=config["datasets"], as_classifiers=AS_CLASSIFIER)
    return of_paper | ours(wildcards)


# Tables and figures of the paper that are computed; its Figure 1 is a drawing.
OF_PAPER = [f"table_{n}" for n in range(1, 9)] + [f"figure_{n}" for n in range(2, 7)]
INDEX_SETTINGS = settings(
    run=said_of_run,
    titles=all_titles,
    captions=said_in_captions,
    printed=printed_and_measured,
    pages=said_of_pages,
)
