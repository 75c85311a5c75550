"""Component atlases: what each column of a dictionary looks and sounds like, and who uses it."""

ATLASES = f"{RESULTS}/atlas"
ATLAS = f"{ATLASES}/{{dataset}}/fold{{fold}}/{{system}}/{{variant}}/run{{run}}"


include: "helpers/atlas.smk"


localrules:
    list_atlases,  # it takes a second


rule compose_atlas:
    input:
        unpack(system_and_dictionary_of),
        clips=of_occasion("listening", CHOSEN),
    output:
        pages=directory(ATLAS),
        summary=f"{ATLAS}.json",
    log:
        log_of(f"{ATLAS}.log"),
    conda:
        "../../envs/compute.yaml"
    threads: THREADS
    resources:
        **asks("compose_atlas", gpu=True, **TURN),
    params:
        **identity("compose_atlas", ATLAS_SETTINGS, system_module),
    message:
        "Composing the atlas of the dictionary of {wildcards.dataset}, fold {wildcards.fold}"
    script:
        "../scripts/compose_atlas.py"


rule list_atlases:
    input:
        summaries=atlases(f"{ATLAS}.json"),
    output:
        page=f"{ATLASES}/index.html",
    log:
        log_of(f"{ATLASES}/index.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("list_atlases", settings(pages=pages_of_atlases)),
    message:
        "Listing the atlases of all dictionaries"
    script:
        "../scripts/list_atlases.py"
