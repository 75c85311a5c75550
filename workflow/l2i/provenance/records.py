"""Records of how a result came about, apart from what people open: `.records/<output>.json`.

A record is made inside the job, by the process that computed the result. It answers which inputs,
settings, code, packages, machine and seeds made these bytes, and says so in a fixed form
(record.schema.yaml beside it).
"""

from __future__ import annotations

import functools
import json
import logging
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from threadpoolctl import threadpool_info

from l2i.checks import InputError
from l2i.disk import replace_text
from l2i.provenance.environments import departures, installed_versions, unneeded_here
from l2i.provenance.hashes import KnownHashes

RECORD_VERSION = 3
FOLDER = ".records"  # beside the results that its records stand for
ACCEPTED = ".accepted.json"  # how an acceptance is called, see l2i.provenance.acceptance
SCHEMAS = Path(__file__).parent
SCHEMA = SCHEMAS / "record.schema.yaml"
# Lines by which torch tells what it computes with on CPUs.
OF_TORCH = "Math Kernel|MKL-DNN|CPU capability"
# What runs a job, whatever its rule; the packages that its results depend on are its pins.
RUNNERS = ("snakemake", "snakemake-executor-plugin-slurm")

log = logging.getLogger(__name__)


def record_path(path: str | Path) -> Path:
    """Where the record of a result lies."""
    result = Path(path)
    return result.with_name(FOLDER) / f"{result.name}.json"


def acceptance_path(path: str | Path) -> Path:
    """Where the acceptance of a result lies, if there is one."""
    return record_path(path).with_name(f"{Path(path).name}{ACCEPTED}")


def papers_of(path: str | Path) -> list[Path]:
    """All that may vouch for a result, beside its digest: record and acceptance."""
    return [record_path(path), acceptance_path(path)]


def is_record(path: str | Path) -> bool:
    """Whether a path is one of a record."""
    return _is_of_records(path) and not is_acceptance(path)


def is_acceptance(path: str | Path) -> bool:
    """Whether a path is one by which somebody accepts a result, which lies beside its record."""
    return _is_of_records(path) and Path(path).name.endswith(ACCEPTED)


def _is_of_records(path: str | Path) -> bool:
    name = Path(path).name
    in_place = Path(path).parent.name == FOLDER and not name.startswith(".")
    return in_place and name.endswith(".json")


def result_of(path: str | Path) -> Path:
    """Where the result lies whose record is at `path`."""
    name = Path(path).name
    suffix = ACCEPTED if is_acceptance(path) else ".json"
    return Path(path).parent.with_name(name.removesuffix(suffix))


def papers_below(folder: str | Path) -> Iterator[Path]:
    """All files that lie among records below a folder and are not hidden, in a fixed order.

    Records and acceptances, and whatever else was put there.
    """
    for parent, folders, names in os.walk(folder):
        folders.sort()
        if Path(parent).name == FOLDER:
            papers = (Path(parent, name) for name in sorted(names) if not name.startswith("."))
            # A pipe in its place would be waited for, and a link be followed out of the run.
            yield from (path for path in papers if path.is_file() and not path.is_symlink())


def describe_inputs(inputs: Iterable[tuple[str, str]], hashes: KnownHashes) -> list[dict[str, Any]]:
    """Name, path and content of each (name, path), and whether its hash was known or computed."""
    found = [(name, path, hashes.get(path)) for name, path in inputs]
    return [
        {"name": name, "path": path, **hashed.content()}
        | {"hash": "known" if hashed.known else "computed"}
        for name, path, hashed in found
    ]


def describe_by_record(name: str, path: str | Path) -> dict[str, Any]:
    """Name, path and content of an input as its own record has it; the file is not looked at.

    Raises
    ------
    InputError
        Its record is missing or damaged.
    """
    output = load_record(path)["output"]
    content = {key: output[key] for key in ("kind", "sha256", "size_bytes")}
    return {"name": name, "path": str(path), **content, "hash": "recorded"}


def describe_environment(pins: Mapping[str, str]) -> dict[str, Any]:
    """What is installed of what a rule is pinned to, and of what runs it; nothing is imported.

    Returns
    -------
    dict
        ``pins``, as given; ``software``, the version of Python and of each package that is there;
        ``unneeded``, pinned packages that are missing and that nothing needs on this machine;
        ``departures``, packages that are not as pinned, see `l2i.provenance.environments`; and
        ``libraries``, what computes below those packages, of those that are loaded.
    """
    installed = installed_versions([*pins, *RUNNERS])
    found = {name: version for name, version in installed.items() if version is not None}
    unneeded = unneeded_here({name: installed[name] for name in pins})
    off = departures(pins, installed, unneeded=unneeded)
    return {
        "pins": dict(pins),
        "software": {"python": platform.python_version(), **found},
        "unneeded": unneeded,
        "departures": {name: departure._asdict() for name, departure in off.items()},
        "libraries": _libraries(),
    }


def _libraries() -> list[str]:
    """Numeric libraries that this process has loaded: BLAS, OpenMP, and what PyTorch is built on.

    They come inside of packages, and choose what they do by the processor.
    """
    found = []
    if "numpy" in sys.modules:
        for each in threadpool_info():
            told = [each["internal_api"], each["version"], each.get("architecture")]
            found.append(f"{' '.join(filter(None, told))} of {_package_with(each['filepath'])}")
    if torch := sys.modules.get("torch"):
        lines = torch.__config__.show().splitlines()
        told = [line.strip(" -") for line in lines if re.search(OF_TORCH, line)]
        found += [f"{line} of torch" for line in told]
    return sorted(set(found))


def describe_git(folder: Path) -> dict[str, Any] | None:
    """Commit of the working tree at `folder` and whether it holds changes; None if it is none.

    A folder inside of somebody else's working tree, such as an unpacked archive, is none. One that
    belongs to another user is read all the same, and no program is run that its settings name: this
    process runs code from there, but nobody has agreed to more.
    """
    settings = (f"safe.directory={folder.resolve()}", "core.fsmonitor=false")
    git = ["git", "-C", str(folder), "--no-optional-locks"]
    git += [text for setting in settings for text in ("-c", setting)]
    top = _output_of(*git, "rev-parse", "--show-toplevel")
    commit = _output_of(*git, "rev-parse", "HEAD")
    if commit is None and (folder / ".git").exists():
        log.warning("git tells no commit of %s: records leave it out", folder)
    if top is None or commit is None or Path(top).resolve() != folder.resolve():
        return None
    changes = _output_of(*git, "status", "--short")
    return None if changes is None else {"commit": commit, "dirty": bool(changes)}


def describe_host() -> dict[str, Any]:
    """Name, system, processor, cores and memory of this machine."""
    return {
        "name": platform.node(),
        "system": platform.platform(),
        "cpu": _cpu_model(),
        "n_cores": os.cpu_count() or 1,
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    }


def describe_accelerator() -> dict[str, Any] | None:
    """The current GPU; None where none is visible or the job did not load torch."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    properties = torch.cuda.get_device_properties(torch.cuda.current_device())
    query = ("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
    return {
        "name": properties.name,
        "driver": (_output_of(*query) or "unknown").splitlines()[0],
        "cuda": torch.version.cuda,
        "cudnn": _dotted(torch.backends.cudnn.version()),
        "memory_bytes": properties.total_memory,
        "peak_memory_bytes": torch.cuda.max_memory_reserved(),
    }


def _package_with(library: str) -> str:
    """The package that a library came inside of: numpy of numpy.libs, torch of torch/lib."""
    folder = Path(library).parent
    return (folder.parent if folder.name == "lib" else folder).name.removesuffix(".libs")


def _dotted(cudnn: int | None) -> str | None:
    """Version 9.19.0 of 91900."""
    if cudnn is None:
        return None
    major, rest = divmod(cudnn, 10000)
    return f"{major}.{rest // 100}.{rest % 100}"


def describe_slurm(environment: Mapping[str, str] = os.environ) -> dict[str, str] | None:
    """What SLURM says of this job; None outside of SLURM.

    `gpus` are those of the step, which is what a job sees of its own. Snakemake's executor hides
    from the step how often its job was started again, so SLURM is asked.
    """
    names = {
        "job_id": ["SLURM_JOB_ID"],
        "cluster": ["SLURM_CLUSTER_NAME"],
        "partition": ["SLURM_JOB_PARTITION"],
        "node": ["SLURMD_NODENAME"],
        "n_cpus": ["SLURM_CPUS_ON_NODE"],
        "gpus": ["SLURM_STEP_GPUS", "SLURM_JOB_GPUS"],
        "restart_count": ["SLURM_RESTART_COUNT"],
    }
    if "SLURM_JOB_ID" not in environment:
        return None
    found = {
        key: next(environment[name] for name in which if environment.get(name))
        for key, which in names.items()
        if any(environment.get(name) for name in which)
    }
    if "restart_count" not in found:
        told = _output_of("scontrol", "show", "job", "--oneliner", found["job_id"]) or ""
        if count := re.search(r"\bRestarts=(\d+)", told):
            found["restart_count"] = count[1]
    return found


def peak_memory_bytes() -> int | None:
    """Largest resident memory of this process so far; None where Linux's /proc is missing.

    Not `getrusage`: that also counts what the process was before it became this program.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return None
    peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(peaks[0]) * 1024 if peaks else None


def seeds_of(settings: Mapping[str, Any], wildcards: Mapping[str, str]) -> dict[str, int]:
    """Where a job's random numbers come from, by what decides them."""
    found = {"seed": settings.get("seed"), "run": wildcards.get("run")}
    found["selection_seed"] = (settings.get("selection") or {}).get("seed")
    return {name: int(seed) for name, seed in found.items() if seed is not None}


def utc_now() -> str:
    """Now, in UTC, to the second: 2025-01-31T12:00:00+00:00."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_record(path: str | Path, record: dict[str, Any]) -> None:
    """Validate a record and put it beside the result at `path`, whole or not at all."""
    validate_record(record)
    target = record_path(path)
    target.parent.mkdir(exist_ok=True)
    write_json(target, record)


def write_json(target: Path, value: Any) -> None:
    """Put a value of plain JSON in place, whole or not at all."""
    replace_text(target, json.dumps(value, indent=1, allow_nan=False) + "\n")


def validate_record(record: dict[str, Any]) -> None:
    """Raise InputError, naming the place, unless the record fits the schema."""
    require_fit(record, SCHEMA, "a record")


def require_fit(value: Any, schema: Path, what: str) -> None:
    """Raise InputError, naming the place, unless a value fits a schema."""
    errors = sorted(_validator(schema).iter_errors(value), key=lambda error: error.json_path)
    if errors:
        lines = "; ".join(f"{error.json_path}: {error.message}" for error in errors)
        raise InputError(f"{what} does not fit {schema.name}: {lines}")


def load_record(path: str | Path) -> dict[str, Any]:
    """The record of the result at `path`, validated.

    Raises
    ------
    InputError
        No record, no JSON, or not in the form of the schema; the remedy is to recompute.
    """
    source = record_path(path)
    remedy = f"delete {path} and give your command again"
    try:
        record = json.loads(source.read_text(encoding="utf-8"))
        validate_record(record)
    except FileNotFoundError:
        raise InputError(f"{source} is missing, so nothing vouches for {path}: {remedy}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{source} is damaged ({error}): {remedy}") from None
    return record


@functools.cache
def _validator(schema: Path) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(yaml.safe_load(schema.read_text(encoding="utf-8")))


def _output_of(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown"
