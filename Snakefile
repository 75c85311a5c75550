"""Listen to Interpret: every number of the paper, from raw audio."""

import os
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")

PROJECT = Path(workflow.basedir)
WORKFLOW = PROJECT / "workflow"
# `import l2i` and `import harness` mean the same in rules, scripts and tests (see
# tests/conftest.py): Snakemake hands its own search path on to every `script:` job, but behind
# that of the job, where an installed copy from another folder would win.
sys.path.insert(0, str(WORKFLOW))
os.environ.update(
    PYTHONPATH=os.pathsep.join([str(WORKFLOW), os.getenv("PYTHONPATH", "")]).rstrip(":")
)

from cluster import mend
from configuration.reading import read_configuration, resolved
from configuration.schema import load_schema
from configuration.validation import validate_config
from configuration.values import typed
from ending import tell_of_failure, tell_of_success, tell_when_nothing_is_to_be_done
from l2i.checks import InputError
from l2i.provenance.runs import note_run
from planning import before_first_job, plan_by_records

try:
    written = read_configuration(
        [PROJECT / "config.yaml", *workflow.overwrite_configfiles],
        workflow.config_settings.config_args,
    )
    understood = typed(resolved(written.value), load_schema())
    validate_config(understood, written.places)
except InputError as error:
    sys.exit(f"error: {error}")


configfile: PROJECT / "config.yaml"


# In the place of what Snakemake has read: see configuration/reading.py.
config.update(understood)


mend()


include: "workflow/rules/common.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/datasets.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/dictionary.smk"
include: "workflow/rules/classifier.smk"
include: "workflow/rules/systems.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/listening.smk"
include: "workflow/rules/listening_test.smk"
include: "workflow/rules/atlas.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/masks.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/corruption.smk"
include: "workflow/rules/sanity.smk"
include: "workflow/rules/ratings.smk"
include: "workflow/rules/pages.smk"


OUTSIDE = {"index_dataset": changed_corpus, "import_ratings": changed_answers}
plan_by_records(OUTSIDE)
tell_when_nothing_is_to_be_done(workflow, config)


rule all:
    default_target: True
    input:
        expand(f"{DATASETS}/checked.json", dataset=config["run"]["datasets"]),
        tables_in("csv", "md"),
        all_figures(),
        heard(INTERPRETED),
        over_runs(PROTOTYPES, systems=WITH_PROTOTYPES),
        listening_tests(),
        rules.list_deviations.output,
        rules.trace_tables.output,
        rules.compose_listening.output,
        rules.list_atlases.output,


onstart:
    before_first_job([] if workflow.touch else list(workflow.dag.needrun_jobs()), OUTSIDE)
    note_run(
        RESULTS,
        configfiles=[os.path.relpath(path, PROJECT) for path in workflow.overwrite_configfiles],
        assignments=workflow.config_settings.config_args or [],
        configuration=config,
        code=SOURCES.parts(),
    )


onsuccess:
    tell_of_success(workflow, config)


onerror:
    tell_of_failure(workflow)
