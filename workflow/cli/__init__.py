"""The `l2i` command: what a person asks of the project and of its results.

It may read the configuration, and call the scripts and Snakemake; nothing imports it.
"""
