"""What can be asked for by name, beside all: `snakemake tables`, `figures`, `listening`.

Each makes what its pages lead to as well. What Snakemake's report shows is marked here and nowhere
else: by the names of files, as captions have no wildcards.
"""


include: "helpers/targets.smk"


localrules:
    tables,
    figures,
    listening,


rule tables:
    input:
        reported(tables_in("html", "csv")),
        tables_in("md", "tex"),
        rules.trace_tables.output,
    message:
        "All tables"


rule figures:
    input:
        reported(drawn("svg", "csv")),
        drawn("png"),
    message:
        "All figures"


rule listening:
    input:
        rules.compose_listening.output,
        rules.list_atlases.output,
        listening_tests(),
    message:
        "All that can be listened to"
