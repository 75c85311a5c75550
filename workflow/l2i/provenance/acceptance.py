"""Acceptances: a result stands for what would be made today, since the change was harmless.

Somebody says so, with a reason, in a file of its own beside the record. The record stays as it is:
it tells what made the bytes. `KnownRecords` (l2i.provenance.currency) takes what was accepted into
account wherever it is asked whether a result is current, so that all who ask agree.

An acceptance is about one record. Whoever makes the result anew removes both, and beside another
record it counts for nothing.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from l2i.checks import InputError
from l2i.hashing import file_sha256, tree_sha256
from l2i.provenance.currency import (
    ACCEPTANCE_VERSION,
    Identity,
    KnownRecords,
    identity_in,
    with_records,
)
from l2i.provenance.fingerprints import settings_fingerprint
from l2i.provenance.records import (
    SCHEMAS,
    acceptance_path,
    load_record,
    record_path,
    require_fit,
    utc_now,
    write_json,
)

SCHEMA = SCHEMAS / "acceptance.schema.yaml"


def accept(outputs: Iterable[str], now: Identity, reason: str) -> None:
    """Accept all results of a job as what it would make today.

    Parameters
    ----------
    outputs : iterable of str
        All that the job makes, as the workflow names it; they are read, to see that they are what
        their records say.
    now : Identity
        Of the job today, without the records that it reads.
    reason : str
        Why they stand all the same.

    Raises
    ------
    InputError
        There is no reason; a result is missing, has no record, or is not what its record says; or
        nothing vouches for an input. Then none is accepted.
    """
    paths = [*outputs]
    if not reason.strip():
        raise InputError('an acceptance needs a reason: add --reason "why the result stands"')
    known = KnownRecords()
    wholes = {path: _acceptance(path, paths, now, reason.strip(), known) for path in paths}
    before = {path: _text_of(acceptance_path(path)) for path in paths}
    try:
        for path, whole in wholes.items():
            write_json(acceptance_path(path), whole)
    except BaseException:
        for path, text in before.items():
            _restore(acceptance_path(path), text)
        raise


def revoke(path: str | Path) -> None:
    """Take back all that was ever accepted of the result at `path`, if anything was."""
    acceptance_path(path).unlink(missing_ok=True)


def load_acceptance(path: str | Path) -> dict[str, Any] | None:
    """The acceptance of the result at `path`; None where there is none.

    Whether it counts is for `l2i.provenance.currency.KnownRecords.is_accepted` to say.

    Raises
    ------
    InputError
        It is no JSON, or not in the form of acceptance.schema.yaml beside this module.
    """
    source = acceptance_path(path)
    try:
        found = json.loads(source.read_text(encoding="utf-8"))
        require_fit(found, SCHEMA, str(source))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{source} is damaged ({error}), so nothing is accepted by it: delete it, and accept "
            f"{path} again if it still stands"
        ) from None
    return found


def _acceptance(
    path: str, outputs: list[str], now: Identity, reason: str, known: KnownRecords
) -> dict[str, Any]:
    record = load_record(path)
    _require_bytes(path, record["output"]["sha256"])
    recorded = identity_in(record)
    then = known.identity_of(path) or recorded
    after = with_records(now, recorded, known)
    for _, used, sha256 in after.inputs:
        if sha256 is None:
            raise InputError(
                f"{used}, of which {path} is made, has no record that can be read, so nothing "
                f"vouches for it: give your command again, which makes {used} anew"
            )
    earlier = load_acceptance(path) if known.is_accepted(path) else None
    said = {"user": _user(), "host": platform.node() or "unknown", "time": utc_now()}
    said |= {"reason": reason}
    whole = {
        "acceptance_version": ACCEPTANCE_VERSION,
        "path": record["output"]["path"],
        "outputs": outputs,
        "record_sha256": file_sha256(record_path(path)),
        "departures": record["departures"],
        "accepted": [
            *(earlier["accepted"] if earlier else []),
            said | {"before": _described(then), "after": _described(after)},
        ],
    }
    require_fit(whole, SCHEMA, f"the acceptance of {path}")
    return whole


def _require_bytes(path: str, sha256: str) -> None:
    try:
        held = tree_sha256(path) if os.path.isdir(path) else file_sha256(path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}), so there is nothing to accept: give your "
            "command again, which makes it anew"
        ) from None
    if held != sha256:
        raise InputError(
            f"{path} was changed after the job that made it: its record says sha256 {sha256[:8]}, "
            f"and it has {held[:8]}, which nobody can accept. Put it back, or delete {path} and "
            "give your command again, which makes it anew"
        )


def _described(identity: Identity) -> dict[str, Any]:
    return {
        "rule": identity.rule,
        "wildcards": identity.wildcards,
        "settings": identity.settings,
        "fingerprints": {
            "code": identity.code,
            "env": settings_fingerprint(identity.pins),
            "settings": settings_fingerprint(identity.settings),
        },
        "pins": identity.pins,
        "inputs": [
            {"name": name, "path": path, "sha256": sha256} for name, path, sha256 in identity.inputs
        ],
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in a container
        return str(os.getuid())


def _text_of(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _restore(path: Path, text: str | None) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True) if text is None else path.write_text(text, encoding="utf-8")
