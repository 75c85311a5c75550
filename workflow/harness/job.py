"""A job: from what Snakemake says of it to results that are in place, each with its record."""

from __future__ import annotations

import inspect
import json
import logging
import os
import platform
import shutil
import signal
import stat
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness import lock
from harness.log import NO_GPU, JobLog, copied_into, history_path, prefix_of
from l2i import disk, limits
from l2i.checks import InputError
from l2i.determinism import make_deterministic
from l2i.progress import bars_begin_with, history_grows_in
from l2i.provenance import digests, records
from l2i.provenance.currency import KnownRecords, identity_in, require_untouched
from l2i.provenance.environments import departures, installed_versions, unneeded_here
from l2i.provenance.fingerprints import canonical_json, settings_fingerprint
from l2i.provenance.hashes import KnownHashes, settled
from l2i.provenance.housekeeping import CHECKPOINTS, LOCK, REMAKE, SCRATCH
from l2i.provenance.lineage import Lineage

limits.take_large_pages()  # before anything that a script imports after this allocates

PROJECT = Path(__file__).resolve().parents[2]
HASHES = "results/.hashes"  # of all runs, see l2i.provenance.hashes
# What schedulers and terminals send to have a job end, beside SIGTERM: a warning before the time
# limit (SLURM's --signal), the end of a processor's or a terminal's time, Ctrl-C.
AS_SIGTERM = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU, signal.SIGHUP, signal.SIGINT)

log = logging.getLogger(__name__)


class NodeError(RuntimeError):
    """What is wrong with the machine, so that another one may do; told by its message alone."""


def perform(snakemake: Any, function: Callable[..., dict | None], **openers: Callable) -> None:
    """Run `function` as the job that `snakemake` describes.

    The function and the openers are called with, by name:

    - `path_to_<name>` for each named input and output of the rule (a list for several files);
      where the rule declares `<file>.digest`, this is the file, see l2i.provenance.digests,
    - each top key of `params.settings`, a JSON text,
    - what openers before it have returned, under the opener's name,
    - and, where it has such parameters: wildcards (str), `device` ("cpu" or "cuda"),
      `sha256_of` (the hash of each input, by its path),
      `record_of` (a function: the record of an input, by its path; the result depends on it then,
      and an input that a digest vouches for is not read, nor need it be there),
      `lineage_of` (a function: all that an input was made of, see l2i.provenance.lineage; the
      result then depends on all of these records),
      `data`, `ratings` and `urls` (the folders of corpora and of answers to listening tests, and
      the addresses of downloads, from `machine`),
      `checkpoints` (a folder that outlives the job until it succeeds; no other job has its name)
      and `scratch` (an empty folder beside the outputs, on their disk, that goes with the job).

    Parameters
    ----------
    snakemake : snakemake.iocontainers.Snakemake
        The job. Needs a log, and the params `settings`, `code` and `env`.
    function : callable
        May return plain facts about its work for the record.
    **openers : callable
        Called in their order, each once.

    Raises
    ------
    SystemExit
        With code 1 after any error, 143 after SIGTERM or what is answered like it. An InputError, a
        full disk and a lack of memory are reported in words, everything else with its traceback.
    """
    path, prefix = snakemake.log[0], prefix_of(snakemake.rule, dict(snakemake.wildcards.items()))
    with (
        copied_into(path, prefix) as job_log,
        bars_begin_with(prefix),
        history_grows_in(history_path(path)),
        _signals_as_exit() as signals,
    ):
        try:
            _run_alone(snakemake, function, openers, job_log)
            return
        except SystemExit as end:
            hint = f" ({signals[0]}, as at a time-out or a cancellation)" if signals else ""
            print(f"error: stopped with exit status {end.code}{hint}", file=sys.stderr)
            raise
        except Exception as error:
            told = _told(error, snakemake)
            print(told or "".join(traceback.format_exception(error)), file=sys.stderr)
        raise SystemExit(1)


def _told(error: Exception, snakemake: Any) -> str | None:
    """What is printed of an error; None where that takes its traceback.

    What begins with `error: ` is not tried again on a cluster, see workflow/cluster.py.
    """
    if shortage := limits.shortage(error):  # first: readers take it for a bad file
        return f"job ended: out of memory: {shortage}. {_about_memory(shortage, snakemake)}"
    if isinstance(error, InputError):
        return f"error: {error}"
    if isinstance(error, (NodeError, lock.LostLock)):
        return f"job ended: {error}"
    refused = disk.refusal(error, _folder_of(snakemake))
    return f"error: {refused}" if refused else None


def _run_alone(
    snakemake: Any, function: Callable, openers: Mapping[str, Callable], job_log: JobLog
) -> None:
    """Run the job while no other process makes the same, unless one has made it by then."""
    _, first = next(_flat(_named_paths(snakemake.output, "output")))
    path = Path(first).with_name(f"{LOCK}{Path(first).name}")
    with lock.held(path, f"{snakemake.rule}, {first}") as own:
        job_log.go_on(_identity(snakemake))
        hashes, functions = KnownHashes(HASHES), [*openers.values(), function]
        mark = remake_mark(first)
        asked = mark.read_text(encoding="utf-8") if mark.exists() else None
        if asked is None and _is_made(snakemake, hashes, functions):
            job_log.go_on_in_that_of_the_maker()
            _leave_as_made(snakemake)
            _discard(_leftovers(snakemake, functions))
            log.warning("made already, of the same inputs, settings and code: nothing to do")
            return
        _run(snakemake, function, openers, own, hashes, job_log)
        if asked is not None and mark.exists() and mark.read_text(encoding="utf-8") == asked:
            mark.unlink()  # another run may have asked since


def remake_mark(path: str | Path) -> Path:
    """What, beside the first output of a job, asks it to make anew what it would find made."""
    return Path(path).with_name(f"{REMAKE}{Path(path).name}")


def _run(
    snakemake: Any,
    function: Callable,
    openers: Mapping[str, Callable],
    own: lock.Lock,
    hashes: KnownHashes,
    job_log: JobLog,
) -> None:
    started_at, started = records.utc_now(), time.perf_counter()
    _warn_of_departures(_pins(snakemake))
    _keep_to_memory(snakemake)
    named = _named_paths(snakemake.output, "output")
    outputs = [*_flat(named)]
    staged = {path: _staged(path) for _, path in outputs}
    scratch, vouching = _folder_of(snakemake) / SCRATCH, _digests_of(snakemake.output)
    inputs = _described_inputs(snakemake, hashes, [*openers.values(), function])
    _discard([*staged.values(), scratch])
    written = {
        name: staged[path] if isinstance(path, str) else [staged[each] for each in path]
        for name, path in named.items()
    }
    arguments = _arguments(snakemake, [*openers.values(), function], [*openers], written, inputs)
    deterministic = make_deterministic(snakemake.threads)
    if "checkpoints" in arguments:  # of the same result with other settings: nobody's any more
        _discard(set(_checkpoint_folders(snakemake)) - {Path(arguments["checkpoints"])})
    try:
        if "scratch" in arguments:
            scratch.mkdir()
        for name, opener in openers.items():
            arguments[name] = opener(**_wanted(opener, arguments))
        # Until here the job may have been refused. What an earlier one made goes now, as there may
        # be no room for both; records and digests first, since they vouch for nothing any more.
        job_log.forget_before()
        _discard([*_papers_of(staged), *vouching, *staged])
        facts = function(**_wanted(function, arguments)) or {}
        canonical_json(facts)
        _require_written(outputs, staged, function)
        record = {
            **_job_part(snakemake, function),
            "inputs": inputs,
            "runtime": _runtime_part(snakemake, arguments, facts)
            | {"deterministic": deterministic},
            "log": snakemake.log[0],
            "facts": facts,
            "started_at": started_at,
            "finished_at": records.utc_now(),
            "seconds": round(time.perf_counter() - started, 3),
        }
        _give_usual_modes(staged.values())
        own.require_held()
        _publish(outputs, staged, record, hashes, vouching)
        if "checkpoints" in arguments:
            _discard(_checkpoint_folders(snakemake))
    finally:
        if own.is_held():  # else they are another's
            _discard([*staged.values(), scratch])


@contextmanager
def _signals_as_exit() -> Iterator[list[str]]:
    """Let signals end the job the way an error does, so that it cleans up behind itself.

    Yields the names of those that came. All are answered by way of SIGTERM, which training holds
    back until it has written a checkpoint (l2i.training.checkpoints). What whoever started the job
    ignores, as nohup does, stays ignored.
    """
    came: list[str] = []

    def stop(signum: int, frame: Any) -> None:
        came.append(signal.Signals(signum).name)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not stop the cleaning
        raise SystemExit(128 + signum)

    def pass_on(signum: int, frame: Any) -> None:
        came.append(signal.Signals(signum).name)
        signal.raise_signal(signal.SIGTERM)

    heard = [each for each in AS_SIGTERM if signal.getsignal(each) != signal.SIG_IGN]
    before = {each: signal.signal(each, pass_on) for each in heard}
    before[signal.SIGTERM] = signal.signal(signal.SIGTERM, stop)
    try:
        yield came
    finally:
        for each, answer in before.items():
            signal.signal(each, answer)


# ---------------------------------------------------------------- arguments


def _arguments(
    snakemake: Any,
    functions: Sequence[Callable],
    opened: Sequence[str],
    written: dict[str, Any],
    inputs: list[dict[str, Any]],
) -> dict[str, Any]:
    """Arguments for the functions; each path and setting must be wanted, and the other way.

    `opened` are the names under which the functions before the last hand over what they open,
    `written` the hidden names of the outputs, under theirs.
    """
    paths = _named_paths(snakemake.input, "input") | written
    required = {f"path_to_{name}": path for name, path in paths.items()} | _settings(snakemake)
    wanted = {name for function in functions for name in inspect.signature(function).parameters}
    machine = snakemake.config["machine"]
    of_machine: dict[str, Callable[[], Any]] = {
        "device": lambda: _device(machine["device"], "gpu" in _resources(snakemake)),
        "data": lambda: os.path.expanduser(machine["data"]),
        "ratings": lambda: machine["ratings"] and os.path.expanduser(machine["ratings"]),
        "urls": lambda: dict(machine["urls"]),
        "record_of": lambda: records.load_record,
        "lineage_of": lambda: lambda path: Lineage([path], KnownRecords().of),
        "sha256_of": lambda: {used["path"]: used["sha256"] for used in inputs},
        "scratch": lambda: str(_folder_of(snakemake) / SCRATCH),
        "checkpoints": lambda: _checkpoints(snakemake, inputs),
    }
    offered = dict(snakemake.wildcards.items()) | required
    offered |= {name: find() for name, find in of_machine.items() if name in wanted}
    unwanted = sorted(required.keys() - wanted)
    unknown = sorted(wanted - offered.keys() - {*opened})
    if unwanted or unknown:
        names = ", ".join(f"{function.__name__}()" for function in functions)
        raise TypeError(
            f"rule {snakemake.rule} and {names} do not fit: "
            f"not a parameter of the function: {', '.join(unwanted) or 'none'}; "
            f"not given by the rule: {', '.join(unknown) or 'none'}"
        )
    return {name: value for name, value in offered.items() if name in wanted}


def _want(functions: Iterable[Callable], name: str) -> bool:
    """Whether any of the functions has a parameter of that name."""
    return any(name in inspect.signature(function).parameters for function in functions)


def _wanted(function: Callable, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: arguments[name] for name in inspect.signature(function).parameters}


def _checkpoints(snakemake: Any, inputs: list[dict[str, Any]]) -> str:
    """Folder beside the outputs, named after all that decides what the job computes."""
    used = [[each["name"], each["sha256"]] for each in inputs]
    return str(_folder_of(snakemake) / f"{CHECKPOINTS}{_identity(snakemake, inputs=used)}")


def _identity(snakemake: Any, **more: Any) -> str:
    """A short name for all that decides what the job computes, but for its inputs."""
    what = {name: getattr(snakemake.params, name) for name in ("settings", "code", "env")}
    what |= {"wildcards": dict(snakemake.wildcards.items()), **more}
    return settings_fingerprint(what)[:16]


def _checkpoint_folders(snakemake: Any) -> list[Path]:
    return list(_folder_of(snakemake).glob(f"{CHECKPOINTS}*"))


def _leftovers(snakemake: Any, functions: Sequence[Callable]) -> Iterator[str | Path]:
    """What is left of a job that was killed when its results were in place."""
    outputs = _flat(_named_paths(snakemake.output, "output"))
    yield from (_staged(path) for _, path in outputs)
    yield _folder_of(snakemake) / SCRATCH
    if _want(functions, "checkpoints"):
        yield from _checkpoint_folders(snakemake)


def _folder_of(snakemake: Any) -> Path:
    _, first = next(_flat(_named_paths(snakemake.output, "output")))
    return Path(first).parent


def _settings(snakemake: Any) -> dict[str, Any]:
    """The settings of the job, a new copy for each who asks: functions may take theirs apart."""
    return json.loads(snakemake.params.settings)


def _named_paths(files: Any, kind: str) -> dict[str, Any]:
    """Name -> path, or list of paths; every file of a rule must be named.

    A digest is declared in the place of its file.
    """
    named = {
        name: digests.file_of(value) if isinstance(value, str) else [*map(digests.file_of, value)]
        for name, value in files.items()
    }
    if len(list(_flat(named))) != len(files):
        raise TypeError(f"every {kind} of a rule needs a name, as in {kind}: index=...")
    return named


def _flat(named: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in named.items():
        for path in [value] if isinstance(value, str) else value:
            yield name, path


def _paths_of(files: Any) -> list[str]:
    """The rule's inputs or outputs, as it declares them."""
    return [path for _, path in _flat(dict(files.items()))]


def _digests_of(files: Any) -> list[str]:
    """Those of them that are digests."""
    return list(filter(digests.is_digest, _paths_of(files)))


def _described_inputs(
    snakemake: Any, hashes: KnownHashes, functions: Sequence[Callable]
) -> list[dict[str, Any]]:
    """What the job reads, for its records; it must be what its own record, and digest, say.

    Functions that ask for records read these in the place of what digests vouch for. The records
    then count as read too, and such a file need not be there: tables are made anew without models.
    Where functions ask for lineage, the records of all that the inputs were made of count as read.
    """
    of_digests = {digests.file_of(path): None for path in _digests_of(snakemake.input)}
    named, known = [*_flat(_named_paths(snakemake.input, "input"))], KnownRecords()
    by_records = _want(functions, "record_of")
    inputs = []
    for name, path in named:
        if by_records and path in of_digests:
            used = records.describe_by_record(name, path)
            digests.require_digest(path, used["sha256"])
        else:
            used = _described_file(name, path, path in of_digests, hashes)
            require_untouched(path, used["sha256"], known)
        inputs.append(used)
    read = named if by_records else []
    if _want(functions, "lineage_of"):
        nodes = Lineage([path for _, path in named], known.of).nodes.values()
        read = [(node.name, node.name) for node in nodes if node.record is not None]
    paths = [(f"record of {name}", os.fspath(records.record_path(path))) for name, path in read]
    return inputs + records.describe_inputs(paths, hashes)


def _described_file(name: str, path: str, has_digest: bool, hashes: KnownHashes) -> dict[str, Any]:
    """An input by its content, which must be what its digest, if it has one, says."""
    if has_digest:
        digests.require_file(path)
    (used,) = records.describe_inputs([(name, path)], hashes)
    if has_digest:
        digests.require_digest(path, used["sha256"])
    return used


def _device(choice: str, asked_for: bool) -> str:
    """`cpu` or `cuda`; `auto` means a GPU where there is one, and must be one where SLURM gave it.

    `any` is satisfied with a CPU there too.

    `asked_for` is whether the rule asks for a GPU. That alone promises nothing: a laptop has no
    scheduler that would see to it.
    """
    if choice == "cpu":
        return "cpu"
    import torch  # only functions that ask for a device pay for this import

    if torch.cuda.is_available():
        return "cuda"
    slurm = records.describe_slurm() or {}
    if choice != "any" and (given := slurm.get("gpus")):
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "not set")
        raise NodeError(
            f"SLURM gave this job GPU {given} of {platform.node()}, but PyTorch, built for "
            f"{torch.version.cuda or 'CPUs only'}, sees none (CUDA_VISIBLE_DEVICES is {visible}): "
            "see what nvidia-smi says there, or compute on CPUs with "
            "--config 'machine={device: cpu}', or with the GPU idle, {device: any}"
        )
    if choice == "cuda":
        raise InputError(
            "machine.device is cuda, but this machine shows no GPU to PyTorch: "
            "set it to auto or cpu, or run on a machine with a GPU"
        )
    if asked_for:
        log.info(NO_GPU)
    return "cpu"


# ---------------------------------------------------------------- resources


def _resources(snakemake: Any) -> dict[str, int]:
    """What the job asked for, of what plans depend on: mem_mb, gpu, runtime in minutes."""
    resources = getattr(snakemake, "resources", None) or {}
    asked = {name: resources.get(name) for name in ("mem_mb", "gpu", "runtime")}
    if asked["mem_mb"] is None and (of_core := resources.get("mem_mb_per_cpu")):
        asked["mem_mb"] = of_core * snakemake.threads
    return {name: int(value) for name, value in asked.items() if isinstance(value, (int, float))}


def _keep_to_memory(snakemake: Any) -> None:
    """Tell the library how much memory the job asked its scheduler for (l2i.limits)."""
    os.environ.pop(limits.ASKED_FOR, None)
    mem_mb = _resources(snakemake).get("mem_mb")
    if mem_mb and "SLURM_JOB_ID" in os.environ:  # elsewhere nobody promised any
        os.environ[limits.ASKED_FOR] = str(mem_mb * 10**6)


def _about_memory(shortage: str, snakemake: Any) -> str:
    """How much memory there is for the job, and how it gets more."""
    on_slurm = "SLURM_JOB_ID" in os.environ
    if "CUDA" in shortage:
        alone = "see in nvidia-smi who else uses it and have jobs take turns by --resources gpu=1"
        more = "ask for a larger GPU by L2I_GPU_GRES" if on_slurm else alone
        return f"To get more, {more}; or compute on CPUs with --config 'machine={{device: cpu}}'"
    told = limits.memory_limits()
    least = min(told, key=lambda name: told[name])
    allowed, free = disk.in_units(told[least]), disk.in_units(max(0, limits.free_main_memory()))
    says = {"machine": "the machine has", "process": "ulimit -v allows"}
    says |= {"cgroup": "the container or cgroup allows"}
    there = f"Of main memory {says.get(least, 'the job was given')} {allowed}, {free} of it free"
    if on_slurm:
        asked = _resources(snakemake).get("mem_mb", told[least] // 10**6)
        return (
            f"{there}. It gets more when it is tried again; to begin with more, add "
            f"--set-resources {snakemake.rule}:mem_mb={2 * asked}"
        )
    fewer = "give your command again with fewer jobs at once, as by --cores 1"
    raised = {"process": "raise ulimit -v, or ", "cgroup": "raise that limit, or "}
    return f"{there}: {raised.get(least, '')}{fewer}"


# ---------------------------------------------------------------- staging


def _staged(path: str) -> str:
    """A hidden name beside `path`, with its suffix: writers choose formats by suffix."""
    target = Path(path)
    return str(target.with_name(f"{disk.PART}{target.name}"))


def _require_written(
    outputs: Sequence[tuple[str, str]], staged: Mapping[str, str], function: Callable
) -> None:
    missing = [name for name, path in outputs if not Path(staged[path]).exists()]
    if missing:
        raise RuntimeError(f"{function.__name__}() returned without writing: {', '.join(missing)}")


def _give_usual_modes(paths: Iterable[str]) -> None:
    """Let others read what the umask lets them: some writers keep their files to themselves."""
    umask = os.umask(0)
    os.umask(umask)
    for path in map(Path, paths):
        for each in [path, *path.rglob("*")]:
            usual = (0o777 if each.is_dir() else 0o666) & ~umask
            each.chmod(stat.S_IMODE(each.stat().st_mode) | usual)


def _is_made(snakemake: Any, hashes: KnownHashes, functions: Sequence[Callable]) -> bool:
    """Whether all outputs are there, of the same inputs, settings, code and environment.

    Another job may have made them, or an input that was made anew has turned out to be the same.
    """
    known = KnownRecords()
    outputs = [path for _, path in _flat(_named_paths(snakemake.output, "output"))]
    if not all(Path(path).exists() for path in outputs):
        return False
    if any(known.sha256_of(path) != hashes.get(path).sha256 for path in outputs):
        return False
    inputs = _described_inputs(snakemake, hashes, functions)
    today = identity_in(_job_identity(snakemake, functions[-1]) | {"inputs": inputs})
    return not any(known.changes_since(path, today) for path in outputs)


def _leave_as_made(snakemake: Any) -> None:
    """Have Snakemake find what is made: with its digest, and no older than its input."""
    known = KnownRecords()
    for digest in _digests_of(snakemake.output):
        path = digests.file_of(digest)
        if (sha256 := known.sha256_of(path)) is not None:
            digests.write_digest(path, sha256)
    for declared in _paths_of(snakemake.output):
        os.utime(declared)


def _publish(
    outputs: Sequence[tuple[str, str]],
    staged: Mapping[str, str],
    record: dict[str, Any],
    hashes: KnownHashes,
    vouching: Sequence[str],
) -> None:
    """Put all outputs, names and paths, in place and a record beside each, or none at all.

    What can be wrong with a record is found before the first output appears. The digests in
    `vouching` come last: once Snakemake sees them, all is there.
    """
    complete, hashed = {}, {}
    for name, path in outputs:
        hashed[path] = hashes.compute(settled(staged[path]))
        output = {"name": name, "path": path, **hashed[path].content()}
        complete[path] = record | {"output": output}
        records.validate_record(complete[path])
    try:
        for path, part in staged.items():
            _discard([path])  # a folder can replace no folder that holds files
            os.replace(part, path)
        for path in staged:
            records.write_record(path, complete[path])
            hashes.remember(path, hashed[path])
        for path in staged:
            if str(digests.digest_path(path)) in vouching:
                digests.write_digest(path, hashed[path].sha256)
    except BaseException:
        _discard([*vouching, *staged, *_papers_of(staged)])
        raise


def _papers_of(paths: Iterable[str]) -> list[Path]:
    return [paper for path in paths for paper in records.papers_of(path)]


def _discard(paths: Iterable[str | Path]) -> None:
    for path in map(Path, paths):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


# ---------------------------------------------------------------- record


def _pins(snakemake: Any) -> dict[str, str]:
    return json.loads(snakemake.params.env)


def _warn_of_departures(pins: Mapping[str, str]) -> None:
    installed = installed_versions(pins)
    off = departures(pins, installed, unneeded=unneeded_here(installed))
    if off:
        told = [f"{name} {d.installed or 'missing'}, pinned {d.pinned}" for name, d in off.items()]
        log.warning(
            "warning: other packages are installed than envs/compute.txt pins: %s. Results are "
            "made with them all the same and their records say so; to have those that are pinned, "
            "run make env",
            "; ".join(told),
        )


def _job_identity(snakemake: Any, function: Callable) -> dict[str, Any]:
    """What the record says that a job is, by the name of its rule in this workflow.

    A workflow that uses this one as a module may call the rule otherwise; rule, script and function
    have one name.
    """
    settings, pins = _settings(snakemake), _pins(snakemake)
    return {
        "rule": function.__name__,
        "wildcards": dict(snakemake.wildcards.items()),
        "settings": settings,
        "fingerprints": {
            "code": snakemake.params.code,
            "env": settings_fingerprint(pins),
            "settings": settings_fingerprint(settings),
        },
        "pins": pins,
    }


def _job_part(snakemake: Any, function: Callable) -> dict[str, Any]:
    settings, wildcards = _settings(snakemake), dict(snakemake.wildcards.items())
    return {
        "record_version": records.RECORD_VERSION,
        **_job_identity(snakemake, function),
        "seeds": records.seeds_of(settings, wildcards),
        **records.describe_environment(_pins(snakemake)),
        "git": records.describe_git(PROJECT),
        "host": records.describe_host(),
        "accelerator": records.describe_accelerator(),
        "slurm": records.describe_slurm(),
    }


def _runtime_part(
    snakemake: Any, arguments: dict[str, Any], facts: dict[str, Any]
) -> dict[str, Any]:
    return {
        "device": arguments.get("device", "cpu"),
        "precision": facts.get("precision"),
        "n_threads": snakemake.threads,
        "asked_for": _resources(snakemake),
        "memory_limits": limits.memory_limits(),
        "peak_memory_bytes": records.peak_memory_bytes(),
    }
