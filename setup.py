"""Which packages are installed, and under which names; all else stands in pyproject.toml.

The command needs more than the library: its own packages, scripts (to compute numbers of tables
anew), schemas and reference files. Installed, all of them lie in `l2i_workflow`, which puts itself
on the search path when the command starts; `cli` or `scripts` would be names that others use too.
"""

from setuptools import find_packages, setup

OF_COMMAND = ["cli", "configuration", "harness", "reference", "schemas", "scripts"]

setup(
    packages=[
        *find_packages("workflow", include=["l2i", "l2i.*"]),
        "l2i_workflow",
        "snakemake_logger_plugin_l2i",
        *(f"l2i_workflow.{name}" for name in OF_COMMAND),
    ],
    package_dir={"": "workflow"}
    | {f"l2i_workflow.{name}": f"workflow/{name}" for name in OF_COMMAND},
    package_data={
        "l2i.pages": ["templates/*"],
        "l2i.provenance": ["*.yaml"],
        "l2i": ["py.typed", "*.pyi", "shipped/*"],
        "l2i_workflow.reference": ["*.yaml"],
        "l2i_workflow.schemas": ["*.yaml"],
    },
)
