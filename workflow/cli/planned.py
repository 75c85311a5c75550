"""What Snakemake would run today, found as Snakemake finds it and without running anything."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

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
    n_threads: int  # that it is given
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
    configuration: dict[str, Any]
    code_parts: Callable[[str], Mapping[str, Mapping[str, str]]]
    known: KnownRecords
    knows_corpora: bool  # whether the folder of corpora was looked at


class Command(NamedTuple):
    """What Snakemake is asked to make, and by how much of the machine."""

    targets: tuple[str, ...] = ()  # rules or files; those of the rule `all` where there are none
    cores: int = 1


@contextmanager
def planned(run: Run, asked: Asked) -> Iterator[Plan]:
    """Plan a run that is there as Snakemake does, where the workflow's names of results hold.

    Snakemake keeps its notes in a folder that goes at the end: neither does it touch those of the
    project, nor do they decide anything (workflow/planning.py).

    Raises
    ------
    InputError
        This is no clone of the project, Snakemake cannot plan, or today's configuration is of a run
        of another name.
    """
    project()  # before Snakemake is looked for, which may not be installed either
    with _standing_for(run) as in_place:
        yield _plan(asked, Command(), run=run, in_place=in_place)


@contextmanager
def planned_in(folder: Path, asked: Asked, command: Command) -> Iterator[Plan]:
    """Plan what a command would run in a folder, whether or not anything of it is there.

    Raises
    ------
    InputError
        This is no clone of the project, or Snakemake cannot plan.
    """
    project()
    with chdir(folder):
        yield _plan(asked, command)


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


def _plan(asked: Asked, command: Command, *, run: Run | None = None, in_place: bool = True) -> Plan:
    """What Snakemake plans in the folder where we are; of the run, if one is meant."""
    # Here and not above: it takes seconds, and only these questions need it.
    from snakemake.api import SnakemakeApi
    from snakemake.settings.types import OutputSettings, Quietness

    quiet = OutputSettings(quiet={Quietness.ALL}, enable_file_logging=False)
    # Its log handler writes to what standard error is now.
    unheard = io.StringIO()
    with (
        redirect_stderr(unheard),
        redirect_stdout(unheard),
        tempfile.TemporaryDirectory(prefix="l2i-") as notes,
        _notes_in(Path(notes)),
        SnakemakeApi(quiet) as api,
    ):
        try:
            workflow = _loaded(api, asked, command)
            root = PurePosixPath(workflow.globals["RESULTS"])
            if run is not None and root != run.root:
                raise InputError(
                    f"{run.folder} is {run.root}, but the configuration is of {root}: name the "
                    "files that the run was made with by --configfile, such as config/demo.yaml"
                )
            if not in_place:
                # Where the corpora lie, the project alone tells.
                workflow.globals["OUTSIDE"].clear()
            workflow._prepare_dag(forceall=False, ignore_incomplete=True, lock_warn_only=True)
            workflow._build_dag()
        except InputError:
            raise
        except SystemExit as end:  # as the Snakefile ends where the configuration is refused
            raise InputError(f"{end.code}".removeprefix("error: ")) from None
        except Exception as error:
            told = " ".join(["snakemake --dry-run", *command.targets, *asked.options()])
            raise InputError(
                f"Snakemake cannot plan this run: {reason(error)}. See what {told} says"
            ) from error
        known = KnownRecords()
        return Plan(
            run=Run(str(root), root),
            asked=asked,
            jobs=_jobs_of(workflow.dag, known),
            configuration=workflow.globals["config"],
            code_parts=workflow.globals["SOURCES"].parts_of,
            known=known,
            knows_corpora=in_place,
        )


def _loaded(api: Any, asked: Asked, command: Command) -> Any:
    """Snakemake's workflow, before its jobs are looked for."""
    from snakemake.cli import parse_args, parse_config
    from snakemake.settings.types import ConfigSettings, DAGSettings, ResourceSettings

    snakefile = project() / "Snakefile"
    # What counts as a reason stands in the profile, which is read as for any command.
    _, args = parse_args([*command.targets, "--snakefile", str(snakefile), *asked.options()])
    planner = api.workflow(
        resource_settings=ResourceSettings(cores=command.cores),
        config_settings=ConfigSettings(
            config=parse_config(args.config),
            configfiles=args.configfile,
            config_args=args.config,
        ),
        snakefile=snakefile,
    ).dag(
        DAGSettings(
            targets=args.targets,
            rerun_triggers=args.rerun_triggers,
            max_checksum_file_size=args.max_checksum_file_size,
        )
    )
    return planner.workflow_api._workflow


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
            n_threads=job.threads,
            waits_for=[found[each] for each in dag.dependencies[job] if each in found],
            changes=changes_since_made(job, known),
            corpus=changes_outside(job),
            touched=sorted(map(file_of, dag_reason.updated_input)),
            why=str(dag_reason) if runs else "",
        )
    return [*found.values()]
