"""Tables and figures at the paper's size: CPU seconds, wall seconds and peak memory of each.

Which there are, of what files, with which settings: that is asked of Snakemake, which plans the
paper's configuration. Scores are made up; each script then runs in a process of its own, from the
start of Python to the last page, as a job does.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

PROJECT = Path(__file__).resolve().parents[2]
PREFIXES = ("tabulate_", "compare_", "draw_")
N_CORES, MINUTES, GIB = 2, 3.0, 2.0  # the bars
SMALL = 0.02  # of the clips, where sizes are tiny
RECORDS = "records.json"

if TYPE_CHECKING:
    from parts import Given
    from rows import Row


@dataclass(frozen=True)
class Table:
    """A job that makes a table or a figure: what its script is called with, but for `RECORDS`."""

    script: str
    arguments: dict[str, Any]

    @property
    def name(self) -> str:
        """That of the file that holds its numbers."""
        return Path(self.arguments["path_to_table"]).stem


@dataclass(frozen=True)
class Cost:
    """What one process has used."""

    name: str
    cpu_seconds: float
    seconds: float
    peak_bytes: int


def measure(given: Given) -> list[Row]:
    """Rows of the report; see `bench.parts`."""
    from rows import at_most

    tables = make_up(given.scratch, share=SMALL if given.tiny else 1.0)
    began = time.perf_counter()
    costs = run(tables, given.scratch, n_at_a_time=N_CORES)
    seconds = time.perf_counter() - began
    return [
        at_most(f"tables: all {len(costs)}, two at a time", "min", seconds / 60, MINUTES),
        at_most(
            "tables: all, CPU time",
            "min",
            sum(c.cpu_seconds for c in costs) / 60,
            N_CORES * MINUTES,
        ),
        *(
            at_most(
                f"tables: {cost.name}, peak memory",
                "GiB",
                cost.peak_bytes / 2**30,
                GIB,
                note=f"{cost.cpu_seconds:.1f} CPU s, {cost.seconds:.1f} s",
            )
            for cost in sorted(costs, key=lambda each: -each.cpu_seconds)
        ),
    ]


def make_up(folder: Path, share: float = 1.0) -> list[Table]:
    """Write all that tables and figures of the paper are made of; in the order of making."""
    jobs = [*_planned(folder)]
    records: dict[str, Any] = {}
    for reader, makers in jobs:
        for path, maker in makers.items():
            if path.endswith(".digest"):
                _note_record(records, path.removesuffix(".digest"), maker)
            elif not (folder / path).exists() and not maker.rule.name.startswith(PREFIXES):
                _write(folder / path, maker, reader, share)
    (folder / RECORDS).write_text(json.dumps(records), encoding="utf-8")
    return [_table(job) for job, _ in jobs]


def run(tables: Sequence[Table], folder: Path, n_at_a_time: int = 1) -> list[Cost]:
    """Run the scripts, each in its own process, so many at a time; one waits for what it reads."""
    made = {table.arguments["path_to_table"] for table in tables}
    last = [table for table in tables if made & _read_by(table)]
    with ThreadPoolExecutor(n_at_a_time) as pool:
        first = [*pool.map(lambda t: _run(t, folder), (t for t in tables if t not in last))]
        return first + [*pool.map(lambda t: _run(t, folder), last)]


def _read_by(table: Table) -> set[str]:
    """The paths among its arguments, one or several under a name, but for that of its numbers."""
    paths: set[str] = set()
    for name, value in table.arguments.items():
        if name.startswith("path_to_") and name != "path_to_table":
            paths |= {value} if isinstance(value, str) else {*value}
    return paths


def _planned(folder: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Each job that makes a table or figure, with the maker of each of its files by its path."""
    from snakemake.api import SnakemakeApi
    from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings

    quiet = OutputSettings(quiet={Quietness.ALL}, enable_file_logging=False)
    with chdir(PROJECT), SnakemakeApi(quiet) as api:
        planner = api.workflow(
            resource_settings=ResourceSettings(cores=N_CORES),
            config_settings=ConfigSettings(),
            snakefile=PROJECT / "Snakefile",
            workdir=folder,
        ).dag()
        workflow = planner.workflow_api._workflow
        workflow._prepare_dag(forceall=True, ignore_incomplete=True, lock_warn_only=True)
        workflow._build_dag()
        for level in workflow.dag.toposorted():
            for job in sorted((j for j in level if j.rule.name.startswith(PREFIXES)), key=str):
                makers = {
                    str(path): maker
                    for maker, paths in workflow.dag.dependencies[job].items()
                    for path in paths
                }
                yield job, makers


def _table(job: Any) -> Table:
    """The arguments that workflow/harness gives the script of a job."""
    files = {**dict(job.input.items()), **dict(job.output.items())}
    paths = {
        f"path_to_{name}": value if isinstance(value, str) else [*map(str, value)]
        for name, value in files.items()
    }
    paths = {name: str(v) if isinstance(v, str) else v for name, v in paths.items()}
    settings = json.loads(job.params.settings)
    return Table(job.rule.name, dict(job.wildcards_dict) | paths | settings)


def _write(path: Path, maker: Any, reader: Any, share: float) -> None:
    from made_up_scores import CORPORA, Made, write_made_up

    settings = json.loads(reader.params.settings) | json.loads(maker.params.settings)
    corpus = CORPORA[maker.wildcards_dict.get("dataset", "esc50")].scaled(share)
    write_made_up(path, Made(maker.rule.name, dict(maker.wildcards_dict), settings, corpus))


def _note_record(records: dict[str, Any], path: str, maker: Any) -> None:
    """What the record of a model says, where it is asked: of settings, and of costs."""
    files = [
        {"name": name, "path": str(value).removesuffix(".digest")}
        for name, held in maker.input.items()
        for value in ([held] if isinstance(held, str) else held)
    ]
    settings = json.loads(maker.params.settings)
    records[path] = {
        "wildcards": dict(maker.wildcards_dict),
        "settings": settings,
        "inputs": files,
        "facts": {"n_parameters": 10**6, "seconds_per_epoch": 1.5, "share_waiting": 0.1},
        "runtime": {"n_threads": 4, "device": "cpu", "precision": "float32"}
        | {"peak_memory_bytes": 10**9},
        "host": {"cpu": "a processor"},
        "accelerator": None,
        "seconds": 100.0,
    }
    for used in files:
        if used["name"] == "dictionary":
            records.setdefault(used["path"], {"settings": {"dictionary": {"n_components": 100}}})


def _run(table: Table, folder: Path) -> Cost:
    said = folder / f"{table.name}.job.json"
    said.write_text(json.dumps(asdict(table)), encoding="utf-8")
    for value in table.arguments.values():
        if isinstance(value, str) and value.startswith("results/"):
            (folder / value).parent.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, __file__, said.name],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    told, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{table.script} ended with {process.returncode}: {told}")
    seconds = time.perf_counter() - began
    return Cost(table.name, seconds=seconds, **json.loads(told.splitlines()[-1]))


def _run_here(path: str) -> None:
    """Run one script, and print what this process has used since it began."""
    import resource

    sys.path.insert(0, str(PROJECT / "workflow"))
    said = json.loads(Path(path).read_text(encoding="utf-8"))
    script = PROJECT / "workflow/scripts" / f"{said['script']}.py"
    spec = importlib.util.spec_from_file_location(said["script"], script)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function = getattr(module, said["script"])
    wanted = inspect.signature(function).parameters
    arguments = {name: value for name, value in said["arguments"].items() if name in wanted}
    if "record_of" in wanted:
        records = json.loads(Path(RECORDS).read_text(encoding="utf-8"))
        arguments = {**arguments, "record_of": records.__getitem__}
        arguments = {
            name: [each.removesuffix(".digest") for each in value]
            if name in ("path_to_systems", "path_to_classifiers")
            else value
            for name, value in arguments.items()
        }
    function(**arguments)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"cpu_seconds": used.ru_utime + used.ru_stime, "peak_bytes": _peak()}))


def _peak() -> int:
    """Most memory that this program ever held; what it was forked of does not count."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (most,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(most) * 1024


if __name__ == "__main__":
    _run_here(sys.argv[1])
