"""Seals: one hash that stands for all results of a run and for all records of them.

Whoever changes a result and its record too leaves a run in which each agrees with the other. A seal
that was printed elsewhere, in a paper or in the message of a commit, finds it.

Definition, by which anybody can compute it again
-------------------------------------------------
The leaves of a run are

- each result that has a record: a file, or a folder, whose name then ends in ``/``;
- each file in a folder ``.records`` that is not hidden: records and acceptances;
- ``.run/configuration.json`` and all files ``.run/code/*.json``.

Logs, hidden files and ``.run/asked.json``, by which nothing was made, are none. The name of a leaf
is its path relative to the folder of the run, with ``/`` between its parts, in UTF-8. Its content
is the sha256 of its bytes, or of a folder `l2i.hashing.tree_sha256`: of the lines
``path LF sha256 LF`` of all its files, sorted. An array or network that was removed to make room
counts by what its record says.

With ``||`` for bytes one after the other and H for sha256 (32 bytes)::

    leaf = H(00 || content || name)
    node = H(01 || left || right)

The leaves are sorted by their names, byte by byte. The root of one leaf is that leaf. The root of n
leaves is the node of the root of the first k and the root of the rest, k being the largest power of
two below n (RFC 6962). Since nodes and leaves begin differently, no node can pass for a leaf, and
runs of different numbers of leaves cannot have the same root.

Where a run lies, its times, modes and owners have no part in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from l2i.checks import InputError
from l2i.disk import PART, write_bytes
from l2i.hashing import files_of
from l2i.provenance.digests import LARGE
from l2i.provenance.records import FOLDER, result_of
from l2i.provenance.runs import NOTES, Run
from l2i.provenance.signatures import sign, signers_of

SEAL = "seal.json"
SIGNATURE = f"{SEAL}.sig"
ACCEPTED = ".accepted.json"
# 64 bits: nobody comes upon another run with this beginning by accident, and finding one on purpose
# takes 2^64 runs. Who makes both runs needs 2^32, so between adversaries the whole root counts.
SHORT = 16
# What is made to be read by other jobs; that nobody has read it tells of a run that was ended.
IN_BETWEEN = {"weights", "features", "dictionary", "classifier", "systems", "evaluation"}
OF_JOBS_AT_WORK = (".lock-", ".checkpoints-", ".log-")
CHUNK = 2**20

Advance = Callable[[int], Any]


def merkle_root(leaves: Mapping[str, str]) -> str:
    """The root over leaves, name -> sha256 of the content in hexadecimal; see the head.

    Raises
    ------
    ValueError
        There is no leaf, or a content is no hexadecimal number of 32 bytes.
    """
    hashes = [_leaf_hash(*leaf) for leaf in sorted((_bytes(n), leaves[n]) for n in leaves)]
    if not hashes:
        raise ValueError("a seal needs at least one leaf")
    return _root(hashes).hex()


def _leaf_hash(name: bytes, content: str) -> bytes:
    digest = bytes.fromhex(content)
    if len(digest) != 32:
        raise ValueError(f"{content} is no sha256")
    return hashlib.sha256(b"\0" + digest + name).digest()


def _root(hashes: list[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + _root(hashes[:k]) + _root(hashes[k:])).digest()


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


class Entry(NamedTuple):
    """What one leaf is made of."""

    name: str
    path: Path
    files: list[Path]  # that are read for it
    promised: str | None  # what its record says that it holds; None of what has no record


class Contents(NamedTuple):
    """What a run holds today."""

    leaves: dict[str, str]
    removed: list[str]  # counted by their records, since their bytes are not there
    wrong: dict[str, str]  # result -> how it is not what its record says


def entries_of(run: Run) -> list[Entry]:
    """All that a seal of a run is made of, and what must be read for it."""
    results = [_entry_of_result(run, path) for path in sorted(_results(run))]
    others = [
        Entry(_name(path.relative_to(run.folder)), path, [path], None) for path in _others(run)
    ]
    return [*results, *others]


def n_bytes(entries: Iterable[Entry]) -> int:
    """How much there is to be read."""
    with _reading():
        return sum(path.stat().st_size for entry in entries for path in entry.files)


def _results(run: Run) -> Iterator[Path]:
    for path in _in_records(run):
        if not path.name.endswith(ACCEPTED):
            yield result_of(path)


def _others(run: Run) -> Iterator[Path]:
    """Records, acceptances and notes."""
    yield from _in_records(run)
    notes = run.folder / NOTES
    for path in [notes / "configuration.json", *sorted((notes / "code").glob("*.json"))]:
        if path.is_file() and not path.name.startswith("."):
            yield path


def _in_records(run: Run) -> Iterator[Path]:
    for parent, folders, names in os.walk(run.folder):
        folders.sort()
        if Path(parent).name == FOLDER:
            shown = (Path(parent, name) for name in sorted(names) if not name.startswith("."))
            yield from (path for path in shown if path.is_file() and not path.is_symlink())


def _entry_of_result(run: Run, path: Path) -> Entry:
    name = _name(path.relative_to(run.folder))
    record = run.record(run.named(path))
    if record is None or record["output"].get("path") != run.named(path):
        return Entry(name, path, [], "")
    output = record["output"]
    name += "/" if output.get("kind") == "folder" else ""
    is_there = path.is_dir() if name.endswith("/") else path.is_file()
    files = (files_of(path) if name.endswith("/") else [path]) if is_there else []
    return Entry(name, path, files, output["sha256"])


def _name(path: Path) -> str:
    return PurePosixPath(path).as_posix()


def read_contents(entries: Iterable[Entry], advance: Advance = lambda n: None) -> Contents:
    """Read every byte of what a seal is made of, several files at a time.

    Parameters
    ----------
    entries : iterable of Entry
        See `entries_of`.
    advance : callable
        Is told numbers of bytes as they are read, from several threads.

    Raises
    ------
    InputError
        Something cannot be read.
    """
    entries = [*entries]
    known = _hashes([path for entry in entries for path in entry.files], advance)
    found = Contents({}, [], {})
    for entry in entries:
        _add(entry, known, found)
    return found


def _add(entry: Entry, known: Mapping[Path, str], found: Contents) -> None:
    if entry.promised == "":
        found.wrong[entry.name] = "its record cannot be read, or is that of another result"
    elif entry.files or entry.path.is_dir():
        content = _content(entry, known)
        found.leaves[entry.name] = content
        if entry.promised not in (None, content):
            found.wrong[entry.name] = (
                f"its record says sha256 {str(entry.promised)[:8]}, and it has {content[:8]}"
            )
    elif entry.name.endswith(LARGE) and not os.path.lexists(entry.path):
        found.leaves[entry.name] = str(entry.promised)
        found.removed.append(entry.name)
    else:
        found.wrong[entry.name] = "it is missing"


def _content(entry: Entry, known: Mapping[Path, str]) -> str:
    if not entry.name.endswith("/"):
        return known[entry.path]
    lines = [f"{p.relative_to(entry.path).as_posix()}\n{known[p]}\n" for p in entry.files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _hashes(paths: list[Path], advance: Advance) -> dict[Path, str]:
    pool = ThreadPoolExecutor()
    try:
        hashes = pool.map(lambda path: _sha256(path, advance), paths)
        return dict(zip(paths, hashes, strict=True))
    finally:
        pool.shutdown(cancel_futures=True)


def _sha256(path: Path, advance: Advance) -> str:
    digest, buffer = hashlib.sha256(), memoryview(bytearray(CHUNK))
    with _reading(), open(path, "rb", buffering=0) as file:
        while n := file.readinto(buffer):
            digest.update(buffer[:n])
            advance(n)
    return digest.hexdigest()


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{error.filename} cannot be read ({error.strerror}): a seal stands for every byte. "
            "Make it readable; if a job is at work, wait for it"
        ) from error


def loose_ends(run: Run) -> list[str]:
    """What tells that a run was not finished; nothing where nothing does.

    Hidden files of jobs that are at work or failed; jobs whose results are there to be read by
    others, of which no record says that it did; and no table at all. What a run was asked to make
    beyond that, records cannot tell.
    """
    used: set[str] = set()
    jobs: dict[tuple[str, str], list[str]] = {}
    for result in run.results():
        if (record := run.record(run.named(run.folder / result))) is not None:
            used.update(_result_behind(each["path"]) for each in record["inputs"])
            job = record["rule"], json.dumps(record["wildcards"], sort_keys=True)
            jobs.setdefault(job, []).append(record["output"]["path"])
    of_jobs = [
        _name(Path(parent, name).relative_to(run.folder))
        for parent, folders, names in os.walk(run.folder)
        for name in sorted([*folders, *names])
        if name.startswith(OF_JOBS_AT_WORK)
    ]
    unread = [min(outputs) for outputs in jobs.values() if not used.intersection(outputs)]
    inside = [PurePosixPath(name).relative_to(run.root) for name in unread if run.is_of_run(name)]
    found = [f"{name}, of a job that is at work or has failed" for name in of_jobs]
    found += [
        f"{name}, of which nothing was made" for name in inside if name.parts[0] in IN_BETWEEN
    ]
    if not any(result.parts[0] == "tables" for result in run.results()):
        found.append("there is no table")
    return found


def _result_behind(path: str) -> str:
    """The result itself of an input that may be its record."""
    return str(result_of(path)) if Path(path).parent.name == FOLDER else path


class Seal(NamedTuple):
    """What was sealed."""

    root: str
    leaves: dict[str, str]


def seal_text(contents: Contents, *, sealed_at: str, git: Mapping[str, Any] | None) -> str:
    """What `.run/seal.json` holds: the root, and all leaves, so that a change can be named.

    Parameters
    ----------
    contents : Contents
        Of which nothing is wrong.
    sealed_at : str
        Time.
    git : mapping or None
        ``commit`` and ``dirty`` of the project that sealed.
    """
    if contents.wrong:
        raise ValueError("what is not as its record says cannot be sealed")
    facts = {
        "root": merkle_root(contents.leaves),
        "sealed_at": sealed_at,
        "git": None if git is None else dict(git),
        "n_leaves": len(contents.leaves),
        "leaves": contents.leaves,
    }
    return json.dumps(facts, indent=1, sort_keys=True) + "\n"


def write_seal(run: Run, text: str, *, key: Path | None = None) -> None:
    """Put a seal into a run, signed where a key is given; the one before and its signature go.

    A seal of the same root stays as it is, with its time and its signature, and is only signed.

    Raises
    ------
    InputError
        It cannot be signed; nothing is changed then.
    """
    path = run.folder / NOTES / SEAL
    signature = path.with_name(SIGNATURE)
    path.parent.mkdir(exist_ok=True)
    before = read_seal(run)
    keep = before is not None and before.root == json.loads(text)["root"]
    content = path.read_bytes() if keep else text.encode()
    signed = None if key is None else sign(content, key)
    if not keep:
        signature.unlink(missing_ok=True)
        _replace(path, content)
    if signed is not None:
        _replace(signature, signed)


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f"{PART}{path.name}")
    try:
        write_bytes(part, content)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def read_seal(run: Run) -> Seal | None:
    """The seal in a run, its root computed from its leaves; None where none can be read."""
    try:
        facts = json.loads((run.folder / NOTES / SEAL).read_bytes())
        root = merkle_root(facts["leaves"])
        return Seal(root, facts["leaves"]) if root == facts["root"] else None
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None


class Finding(NamedTuple):
    """What is not as it was sealed."""

    name: str  # of the leaf, or of the seal itself
    what: str


class Check(NamedTuple):
    """How a run stands to a seal."""

    root: str  # of what is there today
    sealed: str  # the root asked for, or its beginning
    n_leaves: int
    removed: list[str]  # arrays and networks that counted by their records
    signed_by: tuple[str, ...]
    findings: list[Finding]


def require_root(text: str) -> str:
    """A root as a person gives it, or its beginning, in small letters.

    Raises
    ------
    InputError
        It is neither.
    """
    root = text.strip().lower()
    if not re.fullmatch(f"[0-9a-f]{{{SHORT},64}}", root):
        raise InputError(
            f"{text!r} is no seal: give the {SHORT} hexadecimal digits that l2i audit seal "
            "printed, or more of the 64"
        )
    return root


def check_seal(
    run: Run,
    contents: Contents,
    sealed: str | None,
    *,
    allowed_signers: Path | None = None,
) -> Check:
    """Hold a run against its seal.

    Parameters
    ----------
    run : Run
    contents : Contents
        `read_contents` of its `entries_of`, of today.
    sealed : str or None
        The root as it was printed elsewhere, or its beginning; None to trust the one in the run,
        which vouches for something only together with a signature.
    allowed_signers : Path, optional
        Whose signatures count, in the form of ssh-keygen; the seal in the run must then bear one.

    Raises
    ------
    InputError
        `sealed` is no root, or none is given and the run has no seal; see also
        `l2i.provenance.signatures.signers_of`.
    """
    noted = read_seal(run)
    if sealed is not None:
        root = require_root(sealed)
    elif noted is not None:
        root = noted.root
    else:
        place = f"{run.folder / NOTES / SEAL}"
        raise InputError(f"{place} is missing or damaged: say --seal and the root it was known by")
    same = noted is not None and noted.root.startswith(root)
    today = merkle_root(contents.leaves)
    same_today = today.startswith(root)
    findings = [] if same_today else _changes(noted if same else None, contents, root, today)
    signed_by: tuple[str, ...] = ()
    if allowed_signers is not None:
        signed_by, said = _signed(run, same, allowed_signers)
        findings += said
    return Check(today, root, len(contents.leaves), contents.removed, signed_by, findings)


def _changes(sealed: Seal | None, contents: Contents, root: str, today: str) -> list[Finding]:
    if sealed is None:
        return [
            Finding(
                "the run",
                f"has the root {today[:SHORT]}, and not {root[:SHORT]}; {NOTES}/{SEAL} is "
                "not of that seal, so it cannot be told what was changed",
            )
        ]
    then, now = sealed.leaves, contents.leaves
    found = [
        Finding(name, f"was sealed with sha256 {then[name][:8]}, and has {now[name][:8]}")
        for name in sorted(then.keys() & now.keys())
        if then[name] != now[name]
    ]
    for name in sorted(then.keys() - now.keys()):
        found.append(Finding(name, contents.wrong.get(name, "was sealed, and is missing")))
    return found + [Finding(n, "was not there when sealed") for n in sorted(now.keys() - then)]


def _signed(run: Run, same: bool, allowed: Path) -> tuple[tuple[str, ...], list[Finding]]:
    place = f"{NOTES}/{SIGNATURE}"
    folder = run.folder / NOTES
    if not (folder / SIGNATURE).is_file() or not (folder / SEAL).is_file():
        return (), [Finding(place, "is missing: nobody signed")]
    if not same:
        return (), [Finding(place, "is the signature of another seal")]
    names = signers_of((folder / SEAL).read_bytes(), folder / SIGNATURE, allowed)
    if not names:
        return (), [Finding(place, f"is by none of those whom {allowed} allows, or not of this")]
    return names, []
