"""Pages about a run, beside its results."""

PROVENANCE = f"{RESULTS}/provenance"
# Apart, as `snakemake figure_4` makes the table of ratings and no other.
OF_RATINGS_ALONE = f"{RESULTS}/ratings/provenance"
LISTEN = f"{RESULTS}/listen"
INDEX = f"{RESULTS}/index.html"


include: "helpers/pages.smk"


# Seconds of work each, of a page of hundreds of clips some minutes of one core: on a cluster, a
# submission would take as long.
localrules:
    list_deviations,
    trace_tables,
    compose_listening,
    compose_index,


rule list_deviations:
    output:
        page=f"{RESULTS}/deviations.md",
        html=f"{RESULTS}/deviations.html",
    log:
        log_of(f"{RESULTS}/deviations.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("list_deviations", DEVIATIONS),
    message:
        "Where paper, authors' code and this run differ"
    script:
        "../scripts/list_deviations.py"


rule trace_tables:
    input:
        tables=traced_tables,
    output:
        pages=directory(f"{RESULTS}/{{traced}}"),
    log:
        log_of(f"{RESULTS}/{{traced}}.log"),
    wildcard_constraints:
        traced="(ratings/)?provenance",
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("trace_tables", settings()),
    message:
        "Where the numbers of tables come from"
    script:
        "../scripts/trace_tables.py"


rule compose_listening:
    input:
        sounds=heard(INTERPRETED),
        prototypes=over_runs(PROTOTYPES, systems=WITH_PROTOTYPES),
    output:
        page=directory(LISTEN),
    log:
        log_of(f"{LISTEN}.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("compose_listening", LISTENING_PAGE),
    message:
        "Composing the page to listen to"
    script:
        "../scripts/compose_listening.py"


rule compose_index:
    input:
        tables=tables_in("csv", *PAGES),
        drawn=drawn("svg", "png", "csv"),
        provenance=provenance(),
        pages=pages_of_run(),
    output:
        page=INDEX,
    log:
        log_of(f"{RESULTS}/index.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("compose_index", INDEX_SETTINGS),
    message:
        "Composing the first page of the run"
    script:
        "../scripts/compose_index.py"
