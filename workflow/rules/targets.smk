"""What can be asked for by name, beside all: `snakemake tables`, `figures`, `figure_4`,
`listening`.

Each makes what its pages lead to as well. What Snakemake's report shows is marked here and nowhere
else: by the names of files, as captions have no wildcards.
"""


include: "helpers/targets.smk"


localrules:
    tables,
    figures,
    figure_4,
    listening,


rule tables:
    input:
        reported(tables_in("html", "csv")),
        tables_in("md", "tex"),
        provenance(),
    message:
        "All tables"


rule figures:
    input:
        reported(drawn("svg", "csv")),
        drawn("png"),
    message:
        "All figures"


rule figure_4:
    input:
        reported([f"{FIGURES}/figure_4.svg", f"{TABLES}/ratings.html"]),
        rules.draw_ratings.output,
        rules.tabulate_ratings.output,
        OF_RATINGS_ALONE,
    message:
        "Figure 4 and its table"


rule listening:
    input:
        rules.compose_listening.output,
        rules.list_atlases.output,
        listening_tests(),
    message:
        "All that can be listened to"
