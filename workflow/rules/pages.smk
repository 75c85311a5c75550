"""Pages about a run, beside its results."""


include: "helpers/pages.smk"


# Its job takes a second: on a cluster, a submission would take longer.
localrules:
    list_deviations,


rule list_deviations:
    output:
        page=f"{RESULTS}/deviations.md",
        html=f"{RESULTS}/deviations.html",
    log:
        f"{LOGS}/pages/list_deviations.log",
    retries: 0
    conda:
        "../../envs/compute.yaml"
    params:
        **identity("list_deviations", DEVIATIONS),
    message:
        "Where paper, authors' code and this run differ"
    script:
        "../scripts/list_deviations.py"
