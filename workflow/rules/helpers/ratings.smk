"""Whether there are answers to the listening tests, and what is asked of them."""

import shlex

RATINGS_FOLDER = config["machine"]["ratings"] and Path(config["machine"]["ratings"]).expanduser()


TITLES_OF_RATED = titles(TESTED_SYSTEMS, datasets=TESTED)
OF_RATINGS = ("listening_test/systems", "statistics/confidence")
RATINGS_TABLE = settings(
    *OF_RATINGS, page=page_of("ratings", TITLES_OF_RATED), datasets=lambda wildcards: TESTED
)
RATINGS_FIGURE = settings(*OF_RATINGS, titles=TITLES_OF_RATED, caption=caption_of_figure("4"))


def answered_test(wildcards):
    """The test that answers are of; ends the command where there are none."""
    imported = Path(f"{RATED}/ratings.csv".format(**wildcards))
    if why := why_no_answers(wildcards.dataset):
        if RATINGS_FOLDER or not imported.exists():
            sys.exit(f"error: {why}")
    return {"pack": TEST.format(**wildcards)}


def all_ratings(wildcards):
    """Ratings of all tests, and who gave them; ends the command where there is no test."""
    if not TESTED:
        sys.exit(
            "error: this run has no listening test: name one of its data sets in "
            "listening_test.datasets, and in listening_test.systems systems that run"
        )
    names = ("ratings", "participants")
    return {name: expand(f"{RATED}/{name}.csv", dataset=TESTED) for name in names}


def why_no_answers(dataset):
    """What is missing and how to get it; nothing where there are answers."""
    from l2i.listening_test.ratings import answers_below  # pandas, which few commands want

    page = f"{TEST}/index.html".format(dataset=dataset)
    if RATINGS_FOLDER is None:
        missing, folder = "machine.ratings is null", "FOLDER"
    else:
        folder = RATINGS_FOLDER
        if answers_below(folder / dataset):
            return None
        others = sorted(path.name for path in folder.glob("*.csv")) if folder.is_dir() else []
        beside = f"; {others[0]} lies beside that folder and not in it" if others else ""
        if others and folder.name == dataset:
            beside += f": set machine.ratings to {folder.parent}, the folder above"
        missing = f"{folder / dataset} holds no csv file{beside}"
    steps = [
        f"give {page} to {config['listening_test']['n_participants']} people, each with a number "
        "from 1 on",
        f"put the csv files that they save into {folder}/{dataset}/",
        f"then give {command('figure_4', machine=f'{{ratings: {folder}}}')}",
    ]
    if not Path(page).exists():
        steps.insert(0, f"compose the test: {command(TEST.format(dataset=dataset))}")
    numbered = "\n".join(f"  {i}. {step}" for i, step in enumerate(steps, start=1))
    return (
        f"there are no answers to the listening test of {dataset}: {missing}. None is made up. To "
        f"get some,\n{numbered}"
    )


def command(target, **assignments):
    """What to type for a target of this run."""
    files = [os.path.relpath(path) for path in workflow.overwrite_configfiles]
    said = [*(workflow.config_settings.config_args or [])]
    said += [f"{key}={value}" for key, value in assignments.items()]
    said = [*dict.fromkeys(said)]  # what was given already is not given twice
    options = ["--configfile", *files] if files else []
    options += ["--config", *said] if said else []
    return shlex.join(["snakemake", "--cores", "1", target, *options])


def changed_answers(job):
    """How a folder of answers differs from what was imported, a line for each file."""
    if RATINGS_FOLDER is None:
        return []
    return changed_folder(job.output.files, RATINGS_FOLDER / job.wildcards.dataset)
