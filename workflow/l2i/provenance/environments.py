"""Environments: the packages that code imports, and what these require in turn.

The lock of the compute environment pins everything; a rule depends on what its own code imports. A
new seaborn draws figures anew and trains nothing. The lock also says who requires whom, by the
comments (`# via`) that its resolver leaves below each pin.

One lock serves all platforms. A marker behind a pin says where it holds: CUDA on Linux, what Python
3.13 took out of its own library. It never says which version, since a package is pinned once. So
that a plan is the same on every machine, code hangs on each pin that holds on any platform of
`PLATFORMS`, whichever it is planned on; the job then finds by what is installed which of them are
needed where it runs.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import metadata
from itertools import product
from pathlib import Path
from typing import NamedTuple

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from l2i.checks import InputError
from l2i.provenance.fingerprints import source_of
from l2i.provenance.syntax import Source

# Packages that are not called like the module that they bring.
PACKAGE_OF = {"PIL": "pillow", "sklearn": "scikit-learn", "yaml": "pyyaml"}

# What a lock is for (pyproject.toml and the Makefile say so too), as markers know it.
PYTHONS = ("3.11", "3.12", "3.13")
SYSTEMS = (("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "arm64"))
PLATFORMS = [
    {
        "os_name": "posix",
        "sys_platform": system.lower(),
        "platform_system": system,
        "platform_machine": machine,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_version": f"{python}.0",
        "extra": "",
    }
    for python, (system, machine) in product(PYTHONS, SYSTEMS)
]


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

    Hashes, the order of lines and the machine have no part in it. Of a marker it matters whether
    it holds on any of `PLATFORMS`: what is pinned for others alone is left out.

    Raises
    ------
    InputError
        The file is missing, pins nothing, or pins a package twice.
    """
    if not lock_file.is_file():
        raise InputError(f"{lock_file} is missing; it pins the environment: restore it from git")
    versions: dict[str, str] = {}
    required_by: dict[str, set[str]] = {}
    name = ""
    for line in lock_file.read_text(encoding="utf-8").splitlines():
        if pin := re.match(r"([A-Za-z0-9][\w.-]*)\s*==\s*([^\s;\\#]+)\s*(?:;\s*([^\\#]+))?", line):
            name = normal_name(pin[1])
            if not _holds_anywhere(pin[3]):
                continue
            if name in versions:
                raise InputError(
                    f"{lock_file} pins {name} twice, to {versions[name]} and {pin[2]}, so that "
                    "results would hang on the machine: name in the .in file of that name a "
                    "version that serves all platforms and run make lock"
                )
            versions[name] = pin[2]
        elif parent := re.fullmatch(r"\s+#\s+(?:via\s+)?([A-Za-z0-9][\w.-]*)", line):
            required_by.setdefault(name, set()).add(normal_name(parent[1]))
    if not versions:
        raise InputError(f"{lock_file} pins no package; it must hold lines like numpy==2.4.6")
    requires = {
        parent: frozenset(
            child
            for child, parents in required_by.items()
            if parent in parents and child in versions
        )
        for parent in versions
    }
    return Lock(lock_file.name, versions, requires)


def _holds_anywhere(marker: str | None) -> bool:
    """Whether a pin with this marker holds on any of the platforms that are supported."""
    if marker is None:
        return True
    condition = Marker(marker.strip())
    return any(condition.evaluate(dict(platform)) for platform in PLATFORMS)


def normal_name(package: str) -> str:
    """The one form of a package's name: lower case, with hyphens."""
    return re.sub(r"[-_.]+", "-", package).lower()


def packages_of(
    files: Iterable[Path],
    lock: Lock,
    *,
    ours: Iterable[str],
    source: Callable[[Path], Source] = source_of,
) -> dict[str, str]:
    """Versions of the packages that source files import, and of all that those require.

    Parameters
    ----------
    files : iterable of Path
        A closure, see `l2i.provenance.fingerprints.source_closure`.
    lock : Lock
    ours : iterable of str
        Top names of modules of the project itself.
    source : callable
        What answers for :func:`l2i.provenance.fingerprints.source_of`, such as one that remembers.

    Raises
    ------
    InputError
        A module that the lock knows no package of.
    """
    own = {*ours, *sys.stdlib_module_names}
    pending = []
    for path in files:
        for module in {name.partition(".")[0] for name in source(path).modules} - own:
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


def unneeded_here(installed: Mapping[str, str | None]) -> list[str]:
    """Packages that are missing and that nothing of what is installed requires on this machine.

    Such are what other Pythons and systems need, and CUDA beside a PyTorch for CPUs alone.
    """
    missing = {name for name, version in installed.items() if version is None}
    return sorted(missing - _required_by(installed.keys() - missing)) if missing else []


def _required_by(packages: Iterable[str]) -> set[str]:
    """What installed packages require here, directly or not, by what they say of themselves."""
    found: set[tuple[str, str]] = set()
    pending = [(name, "") for name in packages]
    required = set()
    while pending:
        name, extra = pending.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        for each in _requirements(name):
            if each.marker is None or each.marker.evaluate({"extra": extra}):
                other = normal_name(each.name)
                required.add(other)
                pending += [(other, extra) for extra in ("", *each.extras)]
    return required


def _requirements(package: str) -> list[Requirement]:
    try:
        return [Requirement(text) for text in metadata.requires(package) or []]
    except metadata.PackageNotFoundError:
        return []


def departures(
    pins: Mapping[str, str],
    installed: Mapping[str, str | None],
    *,
    unneeded: Iterable[str] = (),
) -> dict[str, Departure]:
    """Packages that are not installed in the version of their pin, although they are needed.

    Another build of the same version (2.11.0+cpu for 2.11.0) is none.
    """
    needed = pins.keys() - {*unneeded}
    return {
        name: Departure(pinned, installed.get(name))
        for name, pinned in pins.items()
        if name in needed and not _is_of_version(installed.get(name), pinned)
    }


def _is_of_version(installed: str | None, pinned: str) -> bool:
    if installed is None or installed == pinned:
        return installed == pinned
    try:
        return Version(installed).public == Version(pinned).public
    except InvalidVersion:
        return False
