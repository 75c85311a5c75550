"""The command `l2i`: what people ask of a run. It may read the configuration and call Snakemake."""
