"""Listen to Interpret: every number of the paper, from raw audio."""

import os
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.27")

# Of this file: a workflow that uses this one as a module has its `basedir` elsewhere.
PROJECT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True))
WORKFLOW = PROJECT / "workflow"
# `import l2i` and `import harness` mean the same in rules, scripts and tests (see
# tests/conftest.py): Snakemake hands its own search path on to every `script:` job, but behind
# that of the job, where an installed copy from another folder would win.
sys.path.insert(0, str(WORKFLOW))
os.environ.update(
    PYTHONPATH=os.pathsep.join([str(WORKFLOW), os.getenv("PYTHONPATH", "")]).rstrip(":")
)

from beginning import tell_of_no_gpu
from cluster import mend
from configuration.reading import read_configuration, resolved
from configuration.schema import load_schema
from configuration.validation import validate_config
from configuration.values import typed
from embedding import asked_of, begin_with, is_module, name_local_rules, told
from ending import tell_of_failure, tell_of_success, tell_when_nothing_is_to_be_done
from l2i.checks import InputError
from l2i.provenance.runs import note_run
from planning import before_first_job, plan_by_records
from scheduling import look_no_oftener_than_needed

ASKED = asked_of(workflow, config)
try:
    written = read_configuration(
        [PROJECT / "config.yaml", *ASKED.configfiles], ASKED.assignments, by=ASKED.by
    )
    understood = typed(resolved(written.value), load_schema())
    validate_config(understood, written.places)
except InputError as error:
    sys.exit(f"error: {told(error, ASKED)}")


configfile: PROJECT / "config.yaml"


# For `--sdm apptainer` alone: `make image` builds it. Snakemake refuses a path with a space in it,
# even where no image is asked for.
IMAGE = os.path.relpath(PROJECT / "envs" / "l2i.sif")
if " " not in IMAGE:

    container: IMAGE


# In the place of what Snakemake has read: see configuration/reading.py.
config = understood


mend()
look_no_oftener_than_needed()
name_local_rules(workflow)


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
include: "workflow/rules/targets.smk"


PLACED = str(workflow.modifier.modify_path(RESULTS))  # behind the `prefix:` of a module
OUTSIDE = {"index_dataset": changed_corpus, "import_ratings": changed_answers}
plan_by_records()
tell_when_nothing_is_to_be_done(workflow, config)


report: "workflow/report/workflow.rst"


rule all:
    input:
        expand(f"{DATASETS}/checked.json", dataset=config["run"]["datasets"]),
        rules.tables.input,
        rules.figures.input,
        rules.listening.input,
        heard(INTERPRETED),
        over_runs(PROTOTYPES, systems=WITH_PROTOTYPES),
        rules.list_deviations.output,
        reported_ledger(),
        rules.compose_index.output,


onstart:
    to_run = [] if workflow.touch else list(workflow.dag.needrun_jobs())
    before_first_job(to_run)
    tell_of_no_gpu(workflow, to_run)
    note_run(
        PLACED,
        configfiles=[os.path.relpath(path, PROJECT) for path in ASKED.configfiles],
        assignments=ASKED.assignments,
        configuration=config,
        code=SOURCES.parts(),
    )


onsuccess:
    tell_of_success(workflow, config)


onerror:
    tell_of_failure(workflow)


if is_module(workflow):
    begin_with(workflow, onstart)
