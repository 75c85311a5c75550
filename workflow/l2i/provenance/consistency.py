"""Whether records can be true: much is said twice in one, or follows from the rest of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from l2i.provenance.environments import departures
from l2i.provenance.fingerprints import canonical_json, settings_fingerprint
from l2i.provenance.records import seeds_of


def contradictions(record: Mapping[str, Any]) -> Iterator[str]:
    """What of a record does not fit the rest of it, in words.

    Parameters
    ----------
    record : mapping
        One that fits the schema.
    """
    try:
        yield from _contradictions(record)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        yield f"it holds what no job can have been told ({type(error).__name__}: {error})"


def _contradictions(record: Mapping[str, Any]) -> Iterator[str]:
    prints = record["fingerprints"]
    for name, key in (("settings", "settings"), ("env", "pins")):
        if (sha256 := settings_fingerprint(record[key])) != prints[name]:
            yield f"its {key} have the fingerprint {sha256[:8]}, and it says {prints[name][:8]}"
    path = record["output"]["path"]
    for name, value in record["wildcards"].items():
        if value not in path:  # Snakemake reads wildcards off the path
            yield f"it says that {name} is {value}, which {path} does not hold"
    seeds = seeds_of(record["settings"], record["wildcards"])
    if seeds != record["seeds"]:
        yield f"its settings and wildcards give the seeds {seeds}, and it says {record['seeds']}"
    unneeded = record.get("unneeded", [])
    if odd := {*unneeded} - record["pins"].keys() | {*unneeded} & record["software"].keys():
        told = ", ".join(sorted(odd))
        yield f"what it says was not needed is not pinned, or was installed: {told}"
    found = departures(record["pins"], record["software"], unneeded=unneeded)
    off = {name: departure._asdict() for name, departure in found.items()}
    if off != record["departures"]:
        names = sorted({*off} ^ {*record["departures"]} or {*off})
        yield f"its departures from the pins are not those of its software: {', '.join(names)}"
    made_in, said = record["facts"].get("precision"), record["runtime"]["precision"]
    if made_in != said:
        yield f"it says of the precision both {said} and {made_in}"
    started, finished = record["started_at"], record["finished_at"]
    if started > finished:
        yield f"it finished at {finished}, before it started at {started}"


def disagreements(records: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Where records of results of one job say different things of it.

    Parameters
    ----------
    records : mapping
        By result; each fits the schema.

    Yields
    ------
    result, what
        The other result, and the keys in which the records differ, in words. Which of the two is
        wrong cannot be told.
    """
    jobs = defaultdict(list)
    for name, record in records.items():
        times = record["started_at"], record["finished_at"]
        jobs[record["rule"], *sorted(record["wildcards"].items()), times].append(name)
    for first, *others in jobs.values():
        for other in others:
            one, two = records[first], records[other]
            keys = sorted((one.keys() | two.keys()) - {"output"})
            differing = [key for key in keys if not _are_alike(one.get(key), two.get(key))]
            if differing:
                yield other, f"and that of {first}, of the same job, differ in {differing[0]}"


def _are_alike(one: Any, two: Any) -> bool:
    try:
        return canonical_json(one) == canonical_json(two)
    except (ValueError, TypeError, RecursionError):  # told as a contradiction
        return True
