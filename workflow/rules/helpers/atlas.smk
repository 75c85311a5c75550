"""Which dictionaries get an atlas, and through which system, for rules/atlas.smk."""


def system_and_dictionary_of(wildcards):
    """A trained system, the recordings that it hears, and the dictionary that it has."""
    return system_of(wildcards) | {"dictionary": needs_of_system(wildcards)["dictionary"]}


def atlases(pattern):
    """`pattern` for each dictionary of the run, as the first system uses it that makes it heard."""
    systems = [name for name in WITH_SOUNDS if "dictionary" in config["systems"][name]["needs"]]
    return runs.once_per_fold(config, pattern, systems)


def pages_of_atlases(wildcards):
    """Their addresses, from the page that lists them."""
    return atlases(f"{ATLAS}/index.html".replace(f"{ATLASES}/", ""))


def titles_on_atlas(wildcards):
    """What its system and its data set are called."""
    return titles([wildcards.system], datasets=[wildcards.dataset])(wildcards)


ATLAS_SETTINGS = settings(
    *OF_SYSTEM, *RELEVANCE, "listening/threshold", "seed", titles=titles_on_atlas
)
