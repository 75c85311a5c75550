"""Which numbers of a run's tables a plan makes invalid, and which figures it draws anew.

A number is invalid where a file of scores that it rests on (l2i.reporting.evidence) will be made
anew, has changed, is new or is left out, and where the table itself is made otherwise. Whether it
then comes out as another is known only afterwards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from cli.planned import Plan, PlannedJob
from cli.stale import Reason
from l2i.checks import InputError

TABLES, FIGURES = "tables", "figures"  # stages, as folders of a run
PAPER = "/table_"  # how names of its tables begin
# Reasons by which single numbers of a table are hit; by any other, all.
OF_INPUTS = {"input", "order"}


class Numbers(NamedTuple):
    """Numbers of one table, of a system on a data set; both are empty where they are of none."""

    dataset: str
    system: str
    names: list[str]  # as `l2i audit why` takes them


class Invalidated(NamedTuple):
    """A table that will be made anew, and which of its numbers are invalid."""

    table: str  # such as table_4
    n_numbers: int  # that it has today; 0 where it is not there yet
    numbers: list[Numbers]

    @property
    def n_invalid(self) -> int:
        """How many are."""
        return sum(len(each.names) for each in self.numbers)


def invalidated_tables(plan: Plan, own: Mapping[int, list[Reason]]) -> Iterator[Invalidated]:
    """Tables that the plan makes anew, those of the paper first.

    Parameters
    ----------
    plan : Plan
        In the folder where its names of results hold.
    own : mapping
        Reasons of jobs, see `cli.stale.own_reasons`.
    """
    evidence = _Evidence(plan)
    made = sorted(_csvs(plan, TABLES), key=lambda each: (PAPER not in each[0], each[0]))
    for path, job in made:
        yield evidence.invalidated(path, job, own[id(job)])


def redrawn_figures(plan: Plan) -> list[str]:
    """Figures that the plan draws anew, by their names."""
    return sorted(Path(path).stem for path, _ in _csvs(plan, FIGURES))


def _csvs(plan: Plan, stage: str) -> Iterator[tuple[str, PlannedJob]]:
    for job in plan.jobs:
        for path in job.outputs if job.will_run else []:
            if PurePosixPath(path).match(f"{plan.run.root}/{stage}/*.csv"):
                yield path, job


class _Evidence:
    """What numbers rest on, by the records that are there and by the plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._makers = {path: job for job in plan.jobs for path in job.outputs}

    def invalidated(self, path: str, job: PlannedJob, own: Iterable[Reason]) -> Invalidated:
        # Here and not above: they take a second, and not every plan makes a table.
        from l2i.reporting.cells import cells_of
        from l2i.tables import read_rows

        table = PurePosixPath(path).stem
        if not Path(path).is_file():
            return Invalidated(table, 0, [])
        cells = cells_of(table, read_rows(path))
        record = self._plan.known.of(path)
        whole = record is None or any(reason.kind not in OF_INPUTS for reason in own)
        hit = [cell for cell in cells if whole or self._is_hit(cell, job, record)]
        grouped: dict[tuple[str, str], list[str]] = defaultdict(list)
        for cell in hit:
            grouped[cell.keys.get("dataset", ""), cell.keys.get("system", "")].append(cell.name)
        return Invalidated(
            table, len(cells), [Numbers(*of, names) for of, names in grouped.items()]
        )

    def _is_hit(self, cell: Any, job: PlannedJob, record: Any) -> bool:
        from l2i.reporting.evidence import evidence_of

        then = evidence_of(cell, record, self._as_recorded)
        inputs = [{"name": name, "path": path} for name, path, _ in job.today.inputs]
        now = evidence_of(
            cell, {"inputs": inputs, "settings": job.today.settings}, self._as_planned
        )
        before = {used["path"]: used["sha256"] for used in then.inputs}
        today = {used["path"] for used in now.inputs}
        return before.keys() != today or any(self._has_changed(*used) for used in before.items())

    def _has_changed(self, path: str, sha256: str) -> bool:
        maker = self._makers.get(path)
        remade = maker is not None and maker.will_run
        return remade or self._plan.known.sha256_of(path) != sha256

    def _as_recorded(self, path: str) -> Mapping[str, Any]:
        record = self._plan.known.of(path)
        return record if record is not None else self._as_planned(path)

    def _as_planned(self, path: str) -> Mapping[str, Any]:
        if path not in self._makers:
            raise InputError(f"no job makes {path}")
        return {"wildcards": self._makers[path].wildcards}
