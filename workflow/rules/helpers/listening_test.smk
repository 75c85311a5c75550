"""Which listening tests there are, and of what, for rules/listening_test.smk."""

# Data sets that run, and only where both systems do: a test trains nothing by itself.
TESTED_SYSTEMS = config["listening_test"]["systems"]
TESTED = [
    name
    for name in config["listening_test"]["datasets"]
    if name in config["run"]["datasets"]
    and {*TESTED_SYSTEMS} <= {"slime", *config["run"]["systems"]}
]
STIMULI_SETTINGS = settings(
    "listening_test/n_stimuli",
    "listening_test/audible",
    "datasets/{dataset}/excluded_classes",
    "features",
    "seed",
)
TEST_SETTINGS = settings(
    "listening_test/systems",
    "listening_test/n_participants",
    "listening_test/per_participant",
    "seed",
    run=lambda wildcards: config["run"]["seeds"][0],
)


def stimuli_of_test(wildcards):
    """Stimuli of the first fold of a data set, and what each system makes of them there."""

    def first(pattern, system):
        (path,) = of_first_run(of_occasion("stimuli", pattern), [wildcards.dataset], system)
        return path

    sounds = [first(INTERPRETED, system) for system in TESTED_SYSTEMS]
    return {"stimuli": first(f"{OCCASION}/stimuli.csv", TESTED_SYSTEMS[0]), "sounds": sounds}


def listening_tests():
    """Folders of all listening tests."""
    return expand(TEST, dataset=TESTED)
