"""Whether a record can be true of itself: much of it is said twice, or follows from the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from l2i.provenance.environments import departures
from l2i.provenance.fingerprints import settings_fingerprint
from l2i.provenance.records import seeds_of


def contradictions(record: Mapping[str, Any]) -> Iterator[str]:
    """What of a record does not fit the rest of it, in words.

    Parameters
    ----------
    record : mapping
        One that fits the schema.
    """
    prints = record["fingerprints"]
    for name, held in (("settings", record["settings"]), ("env", record["pins"])):
        if (sha256 := settings_fingerprint(held)) != prints[name]:
            named = "pins" if name == "env" else name
            yield (f"its {named} have the fingerprint {sha256[:8]}, and it says {prints[name][:8]}")
    seeds = seeds_of(record["settings"], record["wildcards"])
    if seeds != record["seeds"]:
        yield f"its settings and wildcards give the seeds {seeds}, and it says {record['seeds']}"
    off = {name: d._asdict() for name, d in departures(record["pins"], record["software"]).items()}
    if off != record["departures"]:
        names = sorted({*off} ^ {*record["departures"]} or {*off})
        yield f"its departures from the pins are not those of its software: {', '.join(names)}"
    if record["facts"].get("precision") != record["runtime"]["precision"]:
        yield (
            f"it says of the precision {record['runtime']['precision']} and "
            f"{record['facts'].get('precision')}"
        )
    if record["started_at"] > record["finished_at"]:
        yield (
            f"it finished at {record['finished_at']}, before it started at {record['started_at']}"
        )
