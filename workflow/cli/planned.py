"""What Snakemake would run today, found as Snakemake finds it and without running anything."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.opening import Asked, project
from l2i.checks import InputError, reason
from l2i.provenance.currency import Difference, Identity, KnownRecords
from l2i.provenance.digests import file_of
from l2i.provenance.runs import Run


@dataclass(frozen=True)
class PlannedJob:
    """A job of today's configuration, and what has changed since its results were made."""

    rule: str
    wildcards: dict[str, str]
    outputs: list[str]  # files and folders, as the workflow names them
    declared: list[str]  # the same as Snakemake knows them, see l2i.provenance.digests
    today: Identity
    will_run: bool
    waits_for: list[PlannedJob]
    changes: list[Difference]
    corpus: list[str]  # files that are not as they were indexed
    touched: list[str]  # inputs that are newer than the results, and not what their records say
    why: str  # Snakemake's own words, where it would run


@dataclass(frozen=True)
class Plan:
    """All jobs of today's configuration, each after those that it waits for."""

    run: Run  # from where the workflow's names of results hold
    asked: Asked
    jobs: list[PlannedJob]
    code_parts: Callable[[str], Mapping[str, Mapping[str, str]]]
    known: KnownRecords
    knows_corpora: bool  # whether the folder of corpora was looked at


@contextmanager
def planned(run: Run, asked: Asked) -> Iterator[Plan]:
    """Plan a run as Snakemake does, in the folder where the workflow's names of results hold.

    Snakemake keeps its notes in a folder that goes at the end: neither does it touch those of the
    project, nor do they decide anything (workflow/planning.py).

    Raises
    ------
    InputError
        This is no clone of the project, Snakemake cannot plan, or today's configuration is of a run
        of another name.
    """
    project()  # before Snakemake is looked for, which may not be installed either
    with tempfile.TemporaryDirectory(prefix="l2i-") as notes, _standing_for(run) as in_place:
        yield _plan(run, asked, Path(notes), in_place)


@contextmanager
def _standing_for(run: Run) -> Iterator[bool]:
    """Work where `results/{name}` is the folder of the run; tells whether that is its project.

    A copy that lies anywhere else is given such a place for the time being.
    """
    folder, root = run.folder.absolute(), run.root
    if root.is_absolute() or ".." in root.parts or not root.parts:  # where that is, nothing is made
        raise InputError(
            f"the records in {run.folder} call it {str(root)!r}, and a run of this workflow is "
            "results/NAME: name the folder of one"
        )
    in_place = folder.parts[-len(root.parts) :] == root.parts
    with tempfile.TemporaryDirectory(prefix="l2i-") as elsewhere:
        place = folder.parents[len(root.parts) - 1] if in_place else Path(elsewhere)
        if not in_place:
            (place / root).parent.mkdir(parents=True)
            (place / root).symlink_to(folder, target_is_directory=True)
        with chdir(place):
            yield in_place


def _plan(run: Run, asked: Asked, notes: Path, in_place: bool) -> Plan:
    # Here and not above: it takes seconds, and only these questions need it.
    from snakemake.api import SnakemakeApi
    from snakemake.settings.types import OutputSettings, Quietness

    quiet = OutputSettings(quiet={Quietness.ALL}, enable_file_logging=False)
    # Its log handler writes to what standard error is now.
    unheard = io.StringIO()
    with redirect_stderr(unheard), redirect_stdout(unheard), SnakemakeApi(quiet) as api:
        try:
            workflow = _built(api, asked, notes, run, in_place)
        except InputError:
            raise
        except SystemExit as end:  # as the Snakefile ends where the configuration is refused
            raise InputError(f"{end.code}".removeprefix("error: ")) from None
        except Exception as error:
            command = " ".join(["snakemake --dry-run", *asked.options()])
            raise InputError(
                f"Snakemake cannot plan this run: {reason(error)}. See what {command} says"
            ) from error
        known = KnownRecords()
        return Plan(
            Run(str(run.root)),
            asked,
            _jobs_of(workflow.dag, known),
            workflow.globals["SOURCES"].parts_of,
            known,
            knows_corpora=in_place,
        )


def _built(api: Any, asked: Asked, notes: Path, run: Run, in_place: bool) -> Any:
    """Snakemake's workflow with all its jobs."""
    from snakemake.cli import parse_args, parse_config
    from snakemake.settings.types import ConfigSettings, DAGSettings, ResourceSettings

    snakefile = project() / "Snakefile"
    # What counts as a reason stands in the profile, which is read as for any command.
    _, args = parse_args(["--snakefile", str(snakefile), *asked.options()])
    planner = api.workflow(
        resource_settings=ResourceSettings(cores=1),
        config_settings=ConfigSettings(
            config=parse_config(args.config),
            configfiles=args.configfile,
            config_args=args.config,
        ),
        snakefile=snakefile,
    ).dag(
        DAGSettings(
            rerun_triggers=args.rerun_triggers,
            max_checksum_file_size=args.max_checksum_file_size,
        )
    )
    with _notes_in(notes):
        workflow = planner.workflow_api._workflow
        if (named := workflow.globals["RESULTS"]) != str(run.root):
            raise InputError(
                f"{run.folder} is {run.root}, but the configuration is of {named}: name the files "
                "that the run was made with by --configfile, such as config/demo.yaml"
            )
        if not in_place:
            workflow.globals["OUTSIDE"].clear()  # where the corpora lie, the project alone tells
        workflow._prepare_dag(forceall=False, ignore_incomplete=True, lock_warn_only=True)
        workflow._build_dag()
    return workflow


@contextmanager
def _notes_in(folder: Path) -> Iterator[None]:
    """Have Snakemake keep its notes in another folder than `.snakemake`."""
    import snakemake.workflow as module

    of_snakemake = module.FilePersistence

    class Elsewhere(of_snakemake):  # type: ignore[misc, valid-type]
        def __init__(self, *arguments: Any, **more: Any) -> None:
            super().__init__(*arguments, **more | {"path": folder})

    module.FilePersistence = Elsewhere
    try:
        yield
    finally:
        module.FilePersistence = of_snakemake


def _jobs_of(dag: Any, known: KnownRecords) -> list[PlannedJob]:
    from planning import changes_outside, changes_since_made, identity_of, own_name

    found: dict[Any, PlannedJob] = {}
    levels = (sorted(level, key=lambda job: str(job.output)) for level in dag.toposorted())
    for job in (job for level in levels for job in level):
        if not job.output:  # the rule `all`
            continue
        dag_reason = dag.reason(job)
        runs = dag.needrun(job)
        found[job] = PlannedJob(
            rule=own_name(job.rule),
            wildcards=dict(job.wildcards_dict),
            outputs=[file_of(path) for path in job.output],
            declared=[*map(str, job.output)],
            today=identity_of(job, known),
            will_run=runs,
            waits_for=[found[each] for each in dag.dependencies[job] if each in found],
            changes=changes_since_made(job, known),
            corpus=changes_outside(job),
            touched=sorted(map(file_of, dag_reason.updated_input)),
            why=str(dag_reason) if runs else "",
        )
    return [*found.values()]
