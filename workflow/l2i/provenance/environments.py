"""Environments: the packages that code imports, and what these require in turn.

The lock of the compute environment pins everything; a rule depends on what its own code imports. A
new seaborn draws figures anew and trains nothing. The lock also says who requires whom, by the
comments (`# via`) that its resolver leaves below each pin.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from packaging.version import InvalidVersion, Version

from l2i.checks import InputError
from l2i.provenance.fingerprints import imported_modules

# Packages that are not called like the module that they bring.
PACKAGE_OF = {"PIL": "pillow", "sklearn": "scikit-learn", "yaml": "pyyaml"}


class Lock(NamedTuple):
    """What a lock file says, by the normal form of names."""

    name: str  # of the file, to be told
    versions: dict[str, str]
    requires: dict[str, frozenset[str]]


class Departure(NamedTuple):
    """A package that is not installed as it is pinned."""

    pinned: str
    installed: str | None  # None where it is missing


@functools.cache
def read_lock(lock_file: Path) -> Lock:
    """Pins of a lock file in the format of pip, and who requires whom.

    Hashes, markers and the order of lines have no part in it.

    Raises
    ------
    InputError
        The file is missing or pins nothing.
    """
    if not lock_file.is_file():
        raise InputError(f"{lock_file} is missing; it pins the environment: restore it from git")
    versions: dict[str, str] = {}
    required_by: dict[str, set[str]] = {}
    name = ""
    for line in lock_file.read_text(encoding="utf-8").splitlines():
        if pin := re.match(r"([A-Za-z0-9][\w.-]*)\s*==\s*([^\s;\\#]+)", line):
            name = normal_name(pin[1])
            versions[name] = pin[2]
        elif parent := re.fullmatch(r"\s+#\s+(?:via\s+)?([A-Za-z0-9][\w.-]*)", line):
            required_by.setdefault(name, set()).add(normal_name(parent[1]))
    if not versions:
        raise InputError(f"{lock_file} pins no package; it must hold lines like numpy==2.4.6")
    requires = {
        parent: frozenset(child for child, parents in required_by.items() if parent in parents)
        for parent in versions
    }
    return Lock(lock_file.name, versions, requires)


def normal_name(package: str) -> str:
    """The one form of a package's name: lower case, with hyphens."""
    return re.sub(r"[-_.]+", "-", package).lower()


def packages_of(files: Iterable[Path], lock: Lock, *, ours: Iterable[str]) -> dict[str, str]:
    """Versions of the packages that source files import, and of all that those require.

    Parameters
    ----------
    files : iterable of Path
        A closure, see `l2i.provenance.fingerprints.source_closure`.
    lock : Lock
    ours : iterable of str
        Top names of modules of the project itself.

    Raises
    ------
    InputError
        A module that the lock knows no package of.
    """
    own = {*ours, *sys.stdlib_module_names}
    pending = []
    for path in files:
        for module in {name.partition(".")[0] for name in imported_modules(path)} - own:
            package = normal_name(PACKAGE_OF.get(module, module))
            if package not in lock.versions:
                raise InputError(
                    f"{path}: imports {module}, but {lock.name} pins no package {package}: add it "
                    "to the .in file of that name and run make lock, or, if the package is called "
                    "otherwise, name it in workflow/l2i/provenance/environments.py"
                )
            pending.append(package)
    found: set[str] = set()
    while pending:
        package = pending.pop()
        if package not in found:
            found.add(package)
            pending.extend(lock.requires[package])
    return {package: lock.versions[package] for package in sorted(found)}


def installed_versions(packages: Iterable[str]) -> dict[str, str | None]:
    """What is really installed, found without importing it; None where a package is missing."""
    found: dict[str, str | None] = {}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def departures(
    pins: Mapping[str, str], installed: Mapping[str, str | None]
) -> dict[str, Departure]:
    """Packages that are not installed in the version of their pin.

    Another build of the same version (2.11.0+cpu for 2.11.0) is none.
    """
    return {
        name: Departure(pinned, installed.get(name))
        for name, pinned in pins.items()
        if not _is_of_version(installed.get(name), pinned)
    }


def _is_of_version(installed: str | None, pinned: str) -> bool:
    if installed is None or installed == pinned:
        return installed == pinned
    try:
        return Version(installed).public == Version(pinned).public
    except InvalidVersion:
        return False
