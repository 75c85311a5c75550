"""What pages say, for rules/pages.smk."""

from configuration.deviations import deviations_in
from configuration.reading import load_reference


def deviations(wildcards):
    """The entries of the ledger, by id, and what the configuration says of each."""
    return deviations_in(config, written.value)


def order_of_deviations(wildcards):
    """Their ids as the ledger has them: settings keep no order of keys."""
    return [entry["id"] for entry in load_reference("deviations")]


DEVIATIONS = settings(deviations=deviations, order=order_of_deviations)


# ------------------------------------------------------------------ the listening page


def heard_on(occasion, pattern, of_slime):
    """What is interpreted: `pattern` for each run of systems that have sounds, and for SLIME."""
    pattern, of_slime = (of_occasion(occasion, each) for each in (pattern, of_slime))
    slime = over_folds(of_slime) if config["listening"]["slime"] else []
    return over_runs(pattern, systems=WITH_SOUNDS) + slime


WHOSE = "{dataset}/{fold}/{system}/{run}"  # what tells runs apart, in the order of their folders
SOUNDS_OF = heard_on("listening", WHOSE, WHOSE.replace("{system}", "slime"))
PROTOTYPES_OF = over_runs(WHOSE, systems=WITH_PROTOTYPES)


def called(runs):
    """What the page calls each of some runs."""

    def entry(dataset, fold, system, run):
        title = "SLIME" if system == "slime" else config["systems"][system]["title"]
        of_dataset = config["datasets"][dataset]["title"]
        return {"system": title, "dataset": of_dataset, "fold": fold, "run": run}

    return lambda wildcards: [entry(*each.split("/")) for each in runs]


LISTENING_PAGE = settings(
    "listening/single_file", sounds=called(SOUNDS_OF), prototypes=called(PROTOTYPES_OF)
)


def tell_where_to_listen(jobs):
    """At the end of a run of which the page is part: a link that a terminal opens."""
    if any(job.rule.name == "compose_listening" for job in jobs):
        page = Path(LISTEN, "index.html").resolve()
        print(f"Open {page.as_uri()}", file=sys.stderr)
