"""Answers to the listening tests: imported, tabulated and drawn (paper, Fig. 4)."""

RATED = f"{RESULTS}/ratings/{{dataset}}"


include: "helpers/ratings.smk"


# Seconds of work each, of files that only the machine where the command is typed may have.
localrules:
    import_ratings,
    tabulate_ratings,
    draw_ratings,


rule import_ratings:
    input:
        unpack(answered_test),
    output:
        ratings=f"{RATED}/ratings.csv",
        participants=f"{RATED}/participants.csv",
        files=f"{RATED}/files.json",
    log:
        log_of(f"{RATED}/import_ratings.log"),
    retries: 0  # a bad input does not get better by trying again
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("import_ratings", settings("listening_test/systems")),
    message:
        "Checking the answers to the listening test of {wildcards.dataset}"
    script:
        "../scripts/import_ratings.py"


rule tabulate_ratings:
    input:
        unpack(all_ratings),
    output:
        **table("ratings"),
    log:
        log_of(f"{TABLES}/tabulate_ratings.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("tabulate_ratings", RATINGS_TABLE),
    message:
        "Ratings of the listening tests"
    script:
        "../scripts/tabulate_ratings.py"


rule draw_ratings:
    input:
        ratings=f"{TABLES}/ratings.csv",
    output:
        **figure("4"),
    log:
        log_of(f"{FIGURES}/draw_ratings.log"),
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("draw_ratings", RATINGS_FIGURE),
    message:
        "Figure 4: the listening tests"
    script:
        "../scripts/draw_ratings.py"
